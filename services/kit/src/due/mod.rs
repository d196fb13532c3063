//! Duties with a due date: the schedule they make, and how their open due dates follow the calendar.

pub mod calendar;
pub mod compare;
mod date;
pub mod follow;
pub mod preview;
pub mod schedule;

pub use date::DueDate;
