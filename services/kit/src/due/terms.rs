//! The terms that a duty has in the course of time: one after the other, each from its first day to its last.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use jiff::civil::Date;
use legalstat_proto::calendar::v1::Obligation;

use crate::{due::Duty, period::ReportingPeriod};

/// All terms of one parent's duty, by their first day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(Vec<Duty>);

impl Terms {
    /// These terms; their days do not overlap.
    pub fn new(mut terms: Vec<Duty>) -> Self {
        terms.sort_by_key(|duty| duty.valid_from);
        Self(terms)
    }

    /// The terms of each parent.
    pub fn of_each(duties: Vec<Duty>) -> BTreeMap<String, Self> {
        let mut by_parent: BTreeMap<String, Vec<Duty>> = BTreeMap::new();
        for duty in duties {
            by_parent.entry(duty.parent.clone()).or_default().push(duty);
        }
        let each = by_parent.into_iter();
        each.map(|(parent, terms)| (parent, Self::new(terms))).collect()
    }

    /// The periods of some years that any of the terms has.
    pub fn periods_of(&self, years: &RangeInclusive<i16>) -> BTreeSet<ReportingPeriod> {
        let each = self.0.iter();
        each.flat_map(|duty| duty.periods_of(years.clone())).collect()
    }

    /// The terms by which a period falls due: the latest that had begun by their own due day, for nothing is due by terms that
    /// do not hold yet. Whether the due day rolls makes no difference. The first terms that have the period where none had begun.
    pub fn governing(&self, period: ReportingPeriod) -> Option<&Duty> {
        self.place(period).map(|place| &self.0[place])
    }

    /// Whether a period with this due date is owed: not when it falls due before the terms began, or after the duty ended.
    pub fn binds(&self, period: ReportingPeriod, due_date: Date) -> bool {
        let Some(place) = self.place(period) else {
            return false;
        };
        let from = &self.0[place..];
        // What was due by earlier terms stays due although later ones of the same periods have begun.
        let last = from.iter().take_while(|duty| duty.has(period)).last();
        let ends = last.and_then(|duty| duty.valid_to);
        from[0].valid_from <= due_date && ends.is_none_or(|last| due_date <= last)
    }

    /// What the calendar is asked about a period.
    pub(crate) fn obligation(&self, period: ReportingPeriod) -> Option<Obligation> {
        self.governing(period).map(|duty| duty.obligation(period))
    }

    fn place(&self, period: ReportingPeriod) -> Option<usize> {
        let having = |(_, duty): &(usize, &Duty)| duty.has(period);
        let mut latest_first = self.0.iter().enumerate().rev().filter(having);
        let begun = latest_first.find(|(_, duty)| duty.valid_from <= duty.nominal_day(period));
        let first = || self.0.iter().enumerate().find(having);
        begun.or_else(first).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{law::LegalBasis, period::PeriodKind};
    use proptest::prelude::*;

    const MONTHS: &[(PeriodKind, i8)] = &[
        (PeriodKind::Month, 1),
        (PeriodKind::Month, 2),
        (PeriodKind::Month, 3),
        (PeriodKind::Month, 11),
        (PeriodKind::Month, 12),
    ];
    const QUARTERS: &[(PeriodKind, i8)] = &[(PeriodKind::Quarter, 1), (PeriodKind::Quarter, 4)];

    fn duty(periods: &'static [(PeriodKind, i8)], due_day: i32, from: &str, to: Option<&str>) -> Duty {
        Duty {
            parent: "forms/1".into(),
            position: 1,
            periods,
            due_day,
            roll_forward: true,
            roll_forward_basis: LegalBasis::instruction("para 13"),
            legal_basis: LegalBasis::instruction("Appendix 2"),
            valid_from: from.parse().expect("a day"),
            valid_to: to.map(|day| day.parse().expect("a day")),
        }
    }

    fn period(text: &str) -> ReportingPeriod {
        text.parse().expect("a period")
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    #[test]
    fn terms_govern_what_falls_due_by_them_once_they_hold() {
        let terms = Terms::new(vec![
            duty(MONTHS, 20, "2027-02-10", None),
            duty(MONTHS, 5, "2019-04-15", Some("2027-02-09")),
        ]);
        for (of, due_day) in [("2026-M12", 5), ("2027-M01", 20), ("2027-M02", 20)] {
            assert_eq!(terms.governing(period(of)).expect("it has it").due_day, due_day, "{of}");
        }
        let earlier = Terms::new(vec![
            duty(MONTHS, 12, "2019-04-15", Some("2027-02-09")),
            duty(MONTHS, 5, "2027-02-10", None),
        ]);
        let january = period("2027-M01");
        assert_eq!(earlier.governing(january).expect("it has it").due_day, 12);
        assert!(
            earlier.binds(january, day("2027-02-12")),
            "nobody is let off by a change"
        );
    }

    #[test]
    fn what_falls_due_before_the_first_day_or_after_the_last_binds_nobody() {
        let terms = Terms::new(vec![duty(QUARTERS, 14, "2019-04-15", Some("2026-12-31"))]);
        for (of, due, binds) in [
            ("2019-Q1", "2019-04-14", false),
            ("2019-Q1", "2019-04-15", true),
            ("2026-Q4", "2027-01-14", false),
        ] {
            assert_eq!(terms.binds(period(of), day(due)), binds, "{of} {due}");
        }
        assert!(!terms.binds(period("2026-M01"), day("2026-02-14")));
        assert_eq!(terms.governing(period("2026-M01")), None);
    }

    #[test]
    fn another_periodicity_ends_the_periods_of_the_former() {
        let terms = Terms::new(vec![
            duty(MONTHS, 5, "2019-04-15", Some("2027-01-14")),
            duty(QUARTERS, 10, "2027-01-15", Some("2030-12-31")),
            duty(MONTHS, 5, "2031-01-01", None),
        ]);
        for (of, due, binds) in [
            ("2026-M12", "2027-01-05", true),
            ("2026-Q4", "2027-01-11", false),
            ("2027-M01", "2027-02-05", false),
            ("2027-Q1", "2027-04-12", true),
            ("2030-M11", "2030-12-05", false),
            ("2030-M12", "2031-01-06", true),
        ] {
            assert_eq!(terms.binds(period(of), day(due)), binds, "{of}");
        }
        assert_eq!(terms.periods_of(&(2026..=2026)).len(), 7);
    }

    proptest! {
        #[test]
        fn no_period_within_the_days_of_a_duty_is_lost_whatever_its_terms(
            changes in prop::collection::btree_map(0..3650_i64, 1..=28_i32, 1..6), year in 2020..=2029_i16,
        ) {
            let start = day("2019-04-15");
            let begins = |days: i64| start.checked_add(jiff::Span::new().days(days)).expect("in range");
            let mut terms = vec![duty(MONTHS, 5, "2019-04-15", None)];
            for (days, due_day) in changes {
                let from = begins(days + 1);
                terms.last_mut().expect("there is one").valid_to = Some(from.yesterday().expect("in range"));
                terms.push(Duty { due_day, valid_from: from, ..duty(MONTHS, 5, "2019-04-15", None) });
            }
            let terms = Terms::new(terms);
            for period in terms.periods_of(&(year..=year)) {
                let governing = terms.governing(period).expect("it has it");
                prop_assert!(governing.valid_from <= governing.nominal_day(period));
                prop_assert!(terms.binds(period, governing.nominal_day(period)));
            }
        }
    }
}
