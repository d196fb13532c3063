//! Civil dates between the contracts' JSON, the calendar's words, and what people read.

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
};
use legalstat_kit::zone;
use serde_json::{Value, json};

use crate::output::{Language, text};

/// A date of the contracts; none when it is not set.
pub(super) fn from_json(date: &Value) -> Option<Date> {
    let number = |name: &str| date[name].as_i64();
    Date::new(
        i16::try_from(number("year")?).ok()?,
        i8::try_from(number("month")?).ok()?,
        i8::try_from(number("day")?).ok()?,
    )
    .ok()
}

/// A date as the contracts have it.
pub(super) fn to_json(date: Date) -> Value {
    json!({ "year": date.year(), "month": date.month(), "day": date.day() })
}

/// A weekday in short.
pub(super) fn weekday(day: Weekday, language: Language) -> &'static str {
    let (kk, ru, en) = match day {
        Weekday::Monday => ("дс", "пн", "Mon"),
        Weekday::Tuesday => ("сс", "вт", "Tue"),
        Weekday::Wednesday => ("ср", "ср", "Wed"),
        Weekday::Thursday => ("бс", "чт", "Thu"),
        Weekday::Friday => ("жм", "пт", "Fri"),
        Weekday::Saturday => ("сб", "сб", "Sat"),
        Weekday::Sunday => ("жс", "вс", "Sun"),
    };
    language.of(kk, ru, en)
}

/// A date of the contracts with its weekday: `2025-03-14 (Fri)`.
pub(super) fn with_weekday(date: &Value, language: Language) -> String {
    match from_json(date) {
        Some(civil) => format!("{civil} ({})", weekday(civil.weekday(), language)),
        None => text(date),
    }
}

/// An instant of the contracts in Astana: `2025-04-10 00:00 UTC+05:00`.
pub(super) fn in_astana(instant: &Value) -> String {
    let parsed: Option<Timestamp> = instant.as_str().and_then(|instant| instant.parse().ok());
    match parsed {
        Some(instant) => {
            let zoned = instant.to_zoned(zone::astana());
            zoned.strftime("%Y-%m-%d %H:%M UTC%:z").to_string()
        }
        None => text(instant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_in_the_offset_that_held_in_astana() {
        assert_eq!(in_astana(&json!("2019-07-15T18:00:00Z")), "2019-07-16 00:00 UTC+06:00");
        assert_eq!(in_astana(&json!("2025-04-09T19:00:00Z")), "2025-04-10 00:00 UTC+05:00");
    }

    #[test]
    fn dates_have_their_weekday_in_the_language() {
        let date = json!({ "year": 2025, "month": 1, "day": 5 });
        assert_eq!(with_weekday(&date, Language::En), "2025-01-05 (Sun)");
        assert_eq!(with_weekday(&date, Language::Ru), "2025-01-05 (вс)");
        assert_eq!(from_json(&json!({ "year": 2025, "month": 2, "day": 30 })), None);
    }
}
