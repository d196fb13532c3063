//! The civil day in Kazakhstan. Its offset changed on 1 March 2024, so the zone's own history decides.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The civil day of an instant in Asia/Almaty.
pub fn civil_day(instant: Timestamp) -> Date {
    let zone = TimeZone::get("Asia/Almaty").expect("the time zone database is built in");
    instant.to_zoned(zone).date()
}
