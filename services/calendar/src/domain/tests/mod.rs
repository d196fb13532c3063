//! Tests of the calendar as a whole: every day of 2016 to 2027, the cases the law is known by, and properties.

mod amendments;
mod cases;
mod clock;
mod deadlines;
mod knowledge;
mod laws;
mod parts;
mod properties;
mod registrations;
mod revisions;
mod words;
mod years;

use std::sync::LazyLock;

use jiff::Timestamp;
use legalstat_kit::zone::beginning;

use super::*;

pub(super) static RULES: LazyLock<RuleSet> =
    LazyLock::new(|| embedded_rules().expect("the embedded reference data reads"));

/// The calendar after everything embedded became known.
pub(super) static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| as_known_on("2027-06-01"));

pub(super) fn as_known_on(day: &str) -> Calendar {
    let at = beginning(day.parse().expect("a literal day"));
    Calendar::new(&RULES, at).expect("the embedded rules make a calendar")
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().expect("a literal instant")
}

pub(super) fn obligation(period: &str, due_day: i32, roll_forward: bool) -> Obligation {
    let period = period.parse().expect("a literal period");
    Obligation {
        period,
        due_day,
        roll_forward,
        legal_basis: None,
        roll_forward_basis: None,
    }
}

pub(super) fn deadline_of(term: &str, received_at: &str) -> Deadline {
    let question = TermQuestion::new(TermChoice::Named(term.to_owned()), instant(received_at));
    term_deadline(&CALENDAR, &question, WorkingHours::default(), true).expect("a literal request")
}
