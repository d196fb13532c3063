//! Pure decisions of the calendar: rules, days, terms and deadlines. No clock, no database, no network.

pub mod calendar;
pub mod deadline;
mod explain;
pub mod rules;
pub mod term;
#[cfg(test)]
mod tests;

pub use calendar::{Calendar, Calendars, Day, DayKind, Reason};
pub use deadline::{Deadline, DeadlineError, Obligation, Step, StepEffect};
pub use rules::{DayOff, Holiday, Rules, Transfer};
pub use term::{RequesterKind, Span, Term, TermOrigin, TermUnit, WorkingHours};
