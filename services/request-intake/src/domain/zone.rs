//! The civil day in Kazakhstan. Its offset changed on 1 March 2024, so the zone's own history decides.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The civil day of an instant in Asia/Almaty.
pub fn civil_day(instant: Timestamp) -> Date {
    let zone = TimeZone::get("Asia/Almaty").expect("the time zone database is built in");
    instant.to_zoned(zone).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_changes_with_the_offset_of_its_time() {
        for (instant, day) in [
            ("2019-04-14T17:59:59Z", "2019-04-14"),
            ("2019-04-14T18:00:00Z", "2019-04-15"),
            ("2025-01-31T18:59:59Z", "2025-01-31"),
            ("2025-01-31T19:00:00Z", "2025-02-01"),
        ] {
            let instant: Timestamp = instant.parse().expect("an instant");
            assert_eq!(civil_day(instant).to_string(), day, "{instant}");
        }
    }
}
