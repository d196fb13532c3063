//! How long the personal data of requests are kept once these have ended, and what is told of those that were erased.

use jiff::{Span, Timestamp, civil::Date};
use legalstat_kit::{
    call::Done,
    law::{LegalBasis, LocalizedText},
    write::Erased,
    zone,
};
use uuid::Uuid;

use super::{
    names,
    request::{RequesterKind, State},
};

/// The states in which a request ends.
pub const ENDS: [State; 6] = [
    State::LeftWithoutConsideration,
    State::Answered,
    State::Forwarded,
    State::Returned,
    State::Terminated,
    State::Withdrawn,
];

/// How long data are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub years: i32,
    pub months: i32,
    pub days: i32,
}

impl Period {
    fn span(self) -> Span {
        Span::new().years(self.years).months(self.months).days(self.days)
    }

    /// The last day on which what ended on a day is kept; none beyond the end of time.
    fn last_day(self, ended: Date) -> Option<Date> {
        ended.checked_add(self.span()).ok()
    }

    /// The last day of an end whose data are due on a day; none when there is no such day.
    fn due_on(self, today: Date) -> Option<Date> {
        let is_due = |ended: Date| self.last_day(ended).is_some_and(|last| last < today);
        // Counting back may miss by the days by which months differ, and never by more.
        let mut ended = today
            .checked_sub(self.span())
            .ok()?
            .checked_add(Span::new().days(4))
            .ok()?;
        while !is_due(ended) {
            ended = ended.yesterday().ok()?;
        }
        Some(ended)
    }

    /// The instant before which a request must have ended for its data to be due on a day.
    pub fn ended_before(self, today: Date) -> Option<Timestamp> {
        self.due_on(today).map(zone::end)
    }
}

/// A rule as it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub kinds: Vec<RequesterKind>,
    /// Of [`ENDS`].
    pub states: Vec<State>,
    pub period: Period,
    pub text: LocalizedText,
    pub legal_basis: LegalBasis,
    pub valid_from: Date,
    pub valid_to: Option<Date>,
}

/// A rule by which personal data are erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionRule {
    pub id: Uuid,
    pub facts: Facts,
    pub entered: Done,
    /// Why it was entered.
    pub reason: String,
    /// None until another person approves it.
    pub approved: Option<Done>,
    /// With the reason; none while it is not ended.
    pub ended: Option<(Done, String)>,
}

/// Whether a rule erases anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleState {
    Proposed,
    Approved,
    Ended,
}

impl RuleState {
    pub const ALL: [Self; 3] = [Self::Proposed, Self::Approved, Self::Ended];
}

impl RetentionRule {
    pub fn state(&self) -> RuleState {
        match (&self.ended, &self.approved) {
            (Some(_), _) => RuleState::Ended,
            (None, Some(_)) => RuleState::Approved,
            (None, None) => RuleState::Proposed,
        }
    }

    /// Whether it erases on a day.
    pub fn erases_on(&self, day: Date) -> bool {
        self.state() == RuleState::Approved && self.facts.holds_on(day)
    }
}

impl Facts {
    fn holds_on(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|to| day <= to)
    }

    /// Each kind with each state: one stretch of the index of what can fall due.
    pub fn stretches(&self) -> impl Iterator<Item = (RequesterKind, State)> {
        let states = |kind| self.states.iter().map(move |state| (kind, *state));
        self.kinds.iter().flat_map(move |kind| states(*kind))
    }
}

/// That somebody ordered the personal data of a request to be erased; it waits for another person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    pub by: Done,
    pub legal_basis: LegalBasis,
    pub reason: String,
}

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// It waits for another person.
    Recorded,
    /// The same order was given by another person: it is carried out.
    CarriedOut,
    /// The same person gave it before.
    BySamePerson,
}

/// What becomes of an order that a person gives by a law, after one that waits.
pub fn given(waits: Option<&Ordered>, by: &str, legal_basis: &LegalBasis) -> Given {
    match waits {
        Some(waits) if waits.legal_basis == *legal_basis && waits.by.by == by => Given::BySamePerson,
        Some(waits) if waits.legal_basis == *legal_basis => Given::CarriedOut,
        _ => Given::Recorded,
    }
}

/// That the personal data of a request were erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub at: Timestamp,
    /// None when it was ordered for this request alone.
    pub rule: Option<Uuid>,
    pub legal_basis: LegalBasis,
    /// Why it was ordered; empty for a rule.
    pub reason: String,
    pub by: String,
    /// Of an order, who gave it before that person.
    pub ordered_by: Option<String>,
    pub attachments: i32,
    pub attachment_bytes: i64,
    pub answer_versions: i32,
}

impl Erasure {
    /// What whoever asks for the data of this request, or of something below it, is told.
    pub fn told(&self, resource: &str) -> Erased {
        told(resource, self.at, self.rule, &self.legal_basis)
    }
}

/// What whoever asks for data of this name is told, by when, by which rule and by which law they were erased.
pub fn told(resource: &str, at: Timestamp, rule: Option<Uuid>, legal_basis: &LegalBasis) -> Erased {
    Erased {
        resource: resource.to_owned(),
        at,
        rule: rule.map(names::retention_rule).unwrap_or_default(),
        legal_basis: legal_basis.clone(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use legalstat_kit::door::word::Word as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_order_is_carried_out_when_another_person_gives_the_same() {
        let law = LegalBasis::parse("Order 7, para 2");
        let waits = Ordered {
            by: Done {
                by: "one".into(),
                at: Timestamp::UNIX_EPOCH,
            },
            legal_basis: law.clone(),
            reason: "a court".into(),
        };
        let other = LegalBasis::parse("Order 8, para 2");
        for (waits, by, law, expected) in [
            (None, "one", &law, Given::Recorded),
            (Some(&waits), "one", &law, Given::BySamePerson),
            (Some(&waits), "two", &law, Given::CarriedOut),
            (Some(&waits), "one", &other, Given::Recorded),
            (Some(&waits), "two", &other, Given::Recorded),
        ] {
            assert_eq!(given(waits, by, law), expected, "{by} {law:?}");
        }
    }

    const fn period(years: i32, months: i32, days: i32) -> Period {
        Period { years, months, days }
    }

    fn rule(from: Date, to: Option<Date>) -> RetentionRule {
        let done = |by: &str| Done {
            by: by.into(),
            at: Timestamp::UNIX_EPOCH,
        };
        RetentionRule {
            id: Uuid::nil(),
            facts: Facts {
                kinds: vec![RequesterKind::Individual, RequesterKind::LegalEntity],
                states: ENDS.to_vec(),
                period: period(1, 0, 0),
                text: LocalizedText::default(),
                legal_basis: LegalBasis::default(),
                valid_from: from,
                valid_to: to,
            },
            entered: done("one"),
            reason: String::new(),
            approved: Some(done("another")),
            ended: None,
        }
    }

    #[test]
    fn data_are_due_on_the_day_after_the_last_of_their_period() {
        for (kept, ended, last) in [
            (period(3, 0, 0), date(2026, 3, 15), date(2029, 3, 15)),
            (period(1, 0, 0), date(2024, 2, 29), date(2025, 2, 28)),
            (period(0, 1, 0), date(2026, 1, 31), date(2026, 2, 28)),
            (period(0, 1, 10), date(2026, 1, 31), date(2026, 3, 10)),
            (period(0, 0, 1), date(2026, 12, 31), date(2027, 1, 1)),
        ] {
            let due = last.tomorrow().expect("it is not the end of time");
            assert!(kept.due_on(last).expect("some day is due") < ended, "{kept:?} {ended}");
            assert!(kept.due_on(due).expect("some day is due") >= ended, "{kept:?} {ended}");
        }
    }

    #[test]
    fn an_end_counts_by_its_day_in_astana() {
        let before = period(0, 0, 1).ended_before(date(2026, 3, 3));
        assert_eq!(before, Some(zone::beginning(date(2026, 3, 2))));
        assert_eq!(period(100, 1200, 36_600).ended_before(date(-9990, 1, 1)), None);
    }

    proptest! {
        #[test]
        fn what_is_due_stays_due_and_nothing_is_due_before_its_time(
            years in 0..100_i32, months in 0..1200_i32, days in 0..3000_i32, today in 0..40_000_i32,
        ) {
            let kept = period(years, months, days.max(1));
            let today = date(1990, 1, 1).checked_add(Span::new().days(today)).expect("a day");
            let due = kept.due_on(today).expect("some day is due");
            prop_assert!(kept.last_day(due).expect("a day") < today);
            let next = due.tomorrow().expect("a day");
            prop_assert!(kept.last_day(next).expect("a day") >= today);
            let later = kept.due_on(today.tomorrow().expect("a day")).expect("some day is due");
            prop_assert!(later >= due);
        }
    }

    #[test]
    fn a_rule_erases_on_its_days_once_it_is_approved_and_until_it_is_ended() {
        let (from, to) = (date(2026, 3, 2), date(2026, 12, 31));
        let mut rule = rule(from, Some(to));
        assert!(rule.erases_on(from) && rule.erases_on(to));
        assert!(!rule.erases_on(date(2026, 3, 1)) && !rule.erases_on(date(2027, 1, 1)));
        let approved = rule.approved.take();
        assert!(!rule.erases_on(from));
        assert_eq!(rule.state(), RuleState::Proposed);
        rule.ended = Some((rule.entered.clone(), "entered wrong".into()));
        assert_eq!(rule.state(), RuleState::Ended);
        rule.approved = approved;
        assert!(!rule.erases_on(from));
        assert_eq!(rule.facts.stretches().count(), 12);
    }

    #[test]
    fn a_request_ends_where_it_is_not_open() {
        for state in State::ALL {
            assert_eq!(ENDS.contains(state), !state.is_open(), "{state:?}");
        }
    }
}
