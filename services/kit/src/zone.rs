//! Civil days in Astana, by the time zone database built in: the machine's own may not know that Asia/Almaty went from
//! UTC+6 to UTC+5 on 1 March 2024.

use std::sync::LazyLock;

use jiff::{
    Timestamp,
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};

static ASTANA: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZoneDatabase::bundled()
        .get("Asia/Almaty")
        .expect("the zone is in the database built in")
});

/// The zone of Astana.
pub fn astana() -> TimeZone {
    ASTANA.clone()
}

/// The civil day of an instant in Astana.
pub fn civil_day(instant: Timestamp) -> Date {
    instant.to_zoned(astana()).date()
}

/// The instant at which a civil day begins in Astana.
///
/// # Panics
/// For days at the ends of time, the years -9999 and 9999.
pub fn beginning(day: Date) -> Timestamp {
    day.to_zoned(astana())
        .expect("days of the law are far from the ends of time")
        .timestamp()
}

/// The instant at which a civil day ends in Astana, which is the beginning of the next one.
///
/// # Panics
/// For days at the ends of time, the years -9999 and 9999.
pub fn end(day: Date) -> Timestamp {
    beginning(day.tomorrow().expect("days of the law are far from the ends of time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // At midnight the clocks went back to 23:00, so 29 February 2024 had 25 hours.
    #[test]
    fn the_last_day_of_february_2024_had_twenty_five_hours() {
        for (instant, day) in [
            ("2024-02-28T17:59:59Z", "2024-02-28"),
            ("2024-02-28T18:00:00Z", "2024-02-29"),
            // At midnight the clocks went back an hour.
            ("2024-02-29T18:00:00Z", "2024-02-29"),
            ("2024-02-29T18:59:59Z", "2024-02-29"),
            ("2024-02-29T19:00:00Z", "2024-03-01"),
            ("2024-03-01T18:59:59Z", "2024-03-01"),
            ("2024-03-01T19:00:00Z", "2024-03-02"),
        ] {
            assert_eq!(
                civil_day(instant.parse().expect("an instant")).to_string(),
                day,
                "{instant}"
            );
        }
        let length = beginning(jiff::civil::date(2024, 3, 1)).duration_since(beginning(jiff::civil::date(2024, 2, 29)));
        assert_eq!(length.as_hours(), 25);
    }
}
