//! When something is due.

use jiff::{Timestamp, civil::Date};

/// A due date, as the calendar computed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDate {
    /// The last day.
    pub date: Date,
    /// The instant at which that day ends.
    pub time: Timestamp,
    /// Whether it rests on a year whose acts are not all in.
    pub provisional: bool,
    /// Whether it rests on an assumed rule.
    pub assumed: bool,
    /// The version of the calendar that computed it.
    pub calendar_version: String,
}
