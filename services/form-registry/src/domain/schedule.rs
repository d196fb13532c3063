//! Which editions there are to be: the periods of each form in the years of the schedule.

use legalstat_kit::{
    due::schedule::YEARS,
    period::{PeriodKind, ReportingPeriod},
};

use super::{
    edition::EditionKey,
    form::{Form, Periodicity},
};

/// The periods of a year.
pub fn periods_of_year(periodicity: Periodicity, year: i16) -> impl Iterator<Item = ReportingPeriod> {
    periods(periodicity.period_kind(), year)
}

fn periods(kind: PeriodKind, year: i16) -> impl Iterator<Item = ReportingPeriod> {
    (1..=12 / kind.months()).filter_map(move |number| ReportingPeriod::new(year, kind, number).ok())
}

/// The periods of all years of the schedule that the forms could have editions for, form by form.
pub fn candidates(forms: &[Form]) -> impl Iterator<Item = (&Form, EditionKey)> {
    forms.iter().flat_map(|form| {
        YEARS
            .flat_map(|year| periods_of_year(form.periodicity, year))
            .map(move |period| {
                (
                    form,
                    EditionKey {
                        form: form.list_number,
                        period,
                    },
                )
            })
    })
}

/// The periods from one to another, both included; empty when they are of two kinds or the wrong way round.
pub fn periods_between(first: ReportingPeriod, last: ReportingPeriod) -> Vec<ReportingPeriod> {
    if first.kind() != last.kind() {
        return Vec::new();
    }
    let kind = first.kind();
    (first.year()..=last.year())
        .flat_map(|year| periods(kind, year))
        .filter(|period| (first..=last).contains(period))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register;
    use proptest::prelude::*;

    #[test]
    fn every_year_has_152_candidates() {
        let forms = register::appendix_2().expect("the register is readable");
        for year in YEARS {
            assert_eq!(
                candidates(&forms).filter(|(_, key)| key.period.year() == year).count(),
                152,
                "{year}"
            );
        }
    }

    #[test]
    fn periods_between_two_run_over_the_turn_of_a_year() {
        let between = |first: &str, last: &str| {
            let (first, last) = (first.parse().expect("a period"), last.parse().expect("a period"));
            periods_between(first, last)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(between("2019-Q4", "2020-Q2"), ["2019-Q4", "2020-Q1", "2020-Q2"]);
        assert_eq!(between("2019-M05", "2019-M05"), ["2019-M05"]);
        assert!(between("2020-Q1", "2019-Q4").is_empty());
        assert!(between("2019-M01", "2019-Q4").is_empty());
    }

    proptest! {
        #[test]
        fn periods_between_two_follow_one_another_without_a_gap(
            first in (2016..=2036_i16, 1..=12_i8), last in (2016..=2036_i16, 1..=12_i8),
        ) {
            let month = |(year, number)| ReportingPeriod::new(year, legalstat_kit::period::PeriodKind::Month, number);
            let (first, last) = (month(first).expect("it exists"), month(last).expect("it exists"));
            let periods = periods_between(first, last);
            prop_assert_eq!(periods.is_empty(), first > last);
            for pair in periods.windows(2) {
                prop_assert_eq!(pair[0].following_month(), pair[1].first_day());
            }
        }
    }
}
