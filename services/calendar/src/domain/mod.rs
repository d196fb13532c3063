//! The decisions of the calendar: pure types and functions, without database, network or clock.
//!
//! | File | What it decides |
//! |---|---|
//! | `rule` | acts and the rules they bring, each with its law and with when it was known |
//! | `reference` | the rules that are embedded in the program |
//! | `bounds` | the first day and the last |
//! | `days` | what each day is and why |
//! | `revision` | how often the date of a day off was moved |
//! | `calendar` | the days as known at one instant, ready to be asked |
//! | `calendars` | one calendar for each state of knowledge |
//! | `term` | the rules for the time a request may take, and lengths of time |
//! | `registration` | the day on which a request counts as registered |
//! | `suspension` | the days on which the clock of a term stands still |
//! | `amendment` | what an act recorded later changes, and what keeps it from being recorded |
//! | `obligation`, `term_deadline` | deadlines with the steps that lead to them |
//!
//! A [`RuleSet`] holds everything ever entered. [`Calendar::new`] picks what was known at one instant: a row that was not
//! yet known is as if it did not exist, and of the rows with one key the one learnt last holds.

mod amendment;
mod bounds;
mod calendar;
mod calendars;
mod days;
mod deadline;
mod error;
mod obligation;
mod reference;
mod registration;
mod requester_kind;
mod revision;
mod rule;
mod suspension;
mod term;
mod term_deadline;
mod text;

#[cfg(test)]
mod tests;

pub use amendment::{Amendment, ChangedDay, RulePlace, changed_days, hypothetical, hypothetically_withdrawn};
pub use bounds::{FIRST_DAY, LAST_DAY};
pub use calendar::Calendar;
pub use calendars::Calendars;
pub use days::{Day, DayKind, DayReason};
pub use deadline::{Deadline, Step, StepEffect};
pub use error::CalendarError;
pub use obligation::{Obligation, obligation_deadline};
pub use reference::embedded_rules;
pub use registration::WorkingHours;
pub use requester_kind::RequesterKind;
pub use rule::{
    Act, ActKind, Change, ChangeCause, DayOffRule, DayOffStatus, Grade, HolidayClass, HolidayRule, Knowledge,
    ProvisionRule, RuleSet, Source, TransferRule,
};
pub use suspension::Suspension;
pub use term::{Span, Term, TermChoice, TermOrigin, TermPart, TermUnit};
pub use term_deadline::{TermQuestion, term_deadline};
