//! The days that the calendar has: from 2016-01-01 to 2036-12-31.

use jiff::civil::{Date, date};

/// The first day of the calendar.
pub const FIRST_DAY: Date = date(2016, 1, 1);
/// The last day of the calendar.
pub const LAST_DAY: Date = date(2036, 12, 31);
/// How many days the calendar has.
pub(super) const DAY_COUNT: usize = 7671;

/// The position of a day, if it is in the calendar.
pub(super) fn index(day: Date) -> Option<usize> {
    let days = day.duration_since(FIRST_DAY).as_hours() / 24;
    usize::try_from(days)
        .ok()
        .filter(|at| *at < DAY_COUNT && day >= FIRST_DAY)
}
