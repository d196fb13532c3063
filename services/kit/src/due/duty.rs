//! A duty that comes back with each period: to place a form, to send a collection.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use legalstat_proto::calendar::v1::Obligation;

use crate::{
    law::LegalBasis,
    period::{PeriodKind, ReportingPeriod},
};

/// What is owed for each of its periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Whose duty it is, by its resource name: `forms/1`.
    pub parent: String,
    /// The parent's place among what falls due on one day; those of one place stand by name.
    pub position: i32,
    /// Its periods of a year, as kind and number.
    pub periods: &'static [(PeriodKind, i8)],
    /// The day of the month after the period by which it is met, 1 to 28, that day included.
    pub due_day: i32,
    /// Whether a due day that is off moves to the next working day.
    pub roll_forward: bool,
    /// The law for moving or not.
    pub roll_forward_basis: LegalBasis,
    /// The law that orders it.
    pub legal_basis: LegalBasis,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// The last such day; `None` while it goes on.
    pub valid_to: Option<Date>,
}

impl Duty {
    /// Whether this is one of its periods.
    pub fn has(&self, period: ReportingPeriod) -> bool {
        self.periods.contains(&(period.kind(), period.number()))
    }

    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|last| day <= last)
    }

    /// Its periods of some years, in the order of the years.
    pub fn periods_of(&self, years: RangeInclusive<i16>) -> impl Iterator<Item = ReportingPeriod> + use<> {
        let periods = self.periods;
        let of_year = move |year| periods.iter().map(move |(kind, number)| (year, *kind, *number));
        years
            .flat_map(of_year)
            .filter_map(|(year, kind, number)| ReportingPeriod::new(year, kind, number).ok())
    }

    /// Its periods from one to another, both included.
    pub fn periods_between(
        &self,
        first: ReportingPeriod,
        last: ReportingPeriod,
    ) -> impl Iterator<Item = ReportingPeriod> + use<> {
        let years = self.periods_of(first.year()..=last.year());
        years.filter(move |period| first.first_day() <= period.first_day() && period.last_day() <= last.last_day())
    }

    /// The due day of one of its periods, before it rolls.
    pub(super) fn nominal_day(&self, period: ReportingPeriod) -> Date {
        let month = period.following_month();
        let day = i8::try_from(self.due_day).ok();
        day.and_then(|day| month.with().day(day).build().ok()).unwrap_or(month)
    }

    /// What the calendar is asked about one of its periods.
    pub(crate) fn obligation(&self, period: ReportingPeriod) -> Obligation {
        Obligation {
            period: period.to_string(),
            due_day: self.due_day,
            roll_forward: self.roll_forward,
            legal_basis: Some(self.legal_basis.clone().into()),
            roll_forward_basis: Some(self.roll_forward_basis.clone().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn duty() -> Duty {
        Duty {
            parent: "collections/prosecution-bodies".into(),
            position: 0,
            periods: &[(PeriodKind::HalfYear, 1), (PeriodKind::Year, 1)],
            due_day: 14,
            roll_forward: true,
            roll_forward_basis: LegalBasis::instruction("para 13"),
            legal_basis: LegalBasis::instruction("para 13"),
            valid_from: date(2019, 4, 15),
            valid_to: Some(date(2030, 12, 31)),
        }
    }

    #[test]
    fn every_period_of_its_years_is_one_of_its_own() {
        let periods: Vec<String> = duty().periods_of(2019..=2020).map(|p| p.to_string()).collect();
        assert_eq!(periods, ["2019-S1", "2019", "2020-S1", "2020"]);
        assert!(duty().periods_of(2019..=2035).all(|period| duty().has(period)));
        assert!(!duty().has("2019-S2".parse().expect("a period")));
    }

    fn quarterly() -> Duty {
        let periods = &[
            (PeriodKind::Quarter, 1),
            (PeriodKind::Quarter, 2),
            (PeriodKind::Quarter, 3),
            (PeriodKind::Quarter, 4),
        ];
        Duty { periods, ..duty() }
    }

    #[test]
    fn periods_between_two_run_over_the_turn_of_a_year() {
        let between = |first: &str, last: &str| {
            let (first, last) = (first.parse().expect("a period"), last.parse().expect("a period"));
            let periods = quarterly()
                .periods_between(first, last)
                .map(|period| period.to_string());
            periods.collect::<Vec<_>>()
        };
        assert_eq!(between("2019-Q4", "2020-Q2"), ["2019-Q4", "2020-Q1", "2020-Q2"]);
        assert_eq!(between("2019-Q3", "2019-Q3"), ["2019-Q3"]);
        assert!(between("2020-Q1", "2019-Q4").is_empty());
    }

    proptest! {
        #[test]
        fn periods_between_two_follow_one_another_without_a_gap(
            first in (2016..=2036_i16, 1..=4_i8), last in (2016..=2036_i16, 1..=4_i8),
        ) {
            let quarter = |(year, number)| ReportingPeriod::new(year, PeriodKind::Quarter, number);
            let (first, last) = (quarter(first).expect("it exists"), quarter(last).expect("it exists"));
            let periods: Vec<_> = quarterly().periods_between(first, last).collect();
            prop_assert_eq!(periods.is_empty(), first > last);
            for pair in periods.windows(2) {
                prop_assert_eq!(pair[0].following_month(), pair[1].first_day());
            }
        }
    }

    #[test]
    fn it_holds_from_its_first_day_to_its_last() {
        for (day, holds) in [
            (date(2019, 4, 14), false),
            (date(2019, 4, 15), true),
            (date(2030, 12, 31), true),
            (date(2031, 1, 1), false),
        ] {
            assert_eq!(duty().holds_on(day), holds, "{day}");
        }
    }
}
