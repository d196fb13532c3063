//! Dates and instants between the contracts and jiff. Reading checks, writing cannot fail.

use jiff::{Timestamp, civil::Date};
use legalstat_proto::common::v1 as proto;
use sha2::{Digest, Sha256};

use crate::{FieldReason, Violations};

/// Reads a civil date.
///
/// # Errors
/// When the date does not exist.
pub fn date(date: &proto::Date) -> Result<Date, String> {
    let exists = || {
        let (year, month, day) = (
            i16::try_from(date.year).ok()?,
            i8::try_from(date.month).ok()?,
            i8::try_from(date.day).ok()?,
        );
        (year >= 1).then_some(())?;
        Date::new(year, month, day).ok()
    };
    exists().ok_or_else(|| format!("{}-{}-{} is not a day of the calendar", date.year, date.month, date.day))
}

/// Reads a required civil date.
pub fn required_date(violations: &mut Violations, field: &str, value: Option<&proto::Date>) -> Option<Date> {
    match value {
        None => {
            violations.add(field, FieldReason::Required, "required");
            None
        }
        Some(value) => violations.check(field, FieldReason::Date, date(value)),
    }
}

/// Writes a civil date.
pub fn to_date(date: Date) -> proto::Date {
    proto::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

/// Reads an instant. The last 26 hours of the year 9999 are read as the moment before them, the last that has a civil time in
/// every zone.
///
/// # Errors
/// When it lies outside the years 1 to 9999 or its nanoseconds outside a second.
pub fn timestamp(value: &prost_types::Timestamp) -> Result<Timestamp, String> {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    if !(0..1_000_000_000).contains(&value.nanos) {
        return Err(format!("{} nanoseconds lie outside a second", value.nanos));
    }
    if !(FIRST..=LAST).contains(&value.seconds) {
        return Err("not an instant of the years 1 to 9999".into());
    }
    Ok(Timestamp::new(value.seconds, value.nanos).unwrap_or(Timestamp::MAX))
}

/// Reads an optional instant.
pub fn optional_timestamp(
    violations: &mut Violations,
    field: &str,
    value: Option<&prost_types::Timestamp>,
) -> Option<Timestamp> {
    value.and_then(|value| violations.check(field, FieldReason::Timestamp, timestamp(value)))
}

/// Writes an instant.
pub fn to_timestamp(instant: Timestamp) -> prost_types::Timestamp {
    let nanos = instant.subsec_nanosecond();
    // jiff counts fractions before 1970 backwards, the contract always forwards.
    if nanos < 0 {
        prost_types::Timestamp {
            seconds: instant.as_second() - 1,
            nanos: nanos + 1_000_000_000,
        }
    } else {
        prost_types::Timestamp {
            seconds: instant.as_second(),
            nanos,
        }
    }
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// An instant as the database keeps it, in whole microseconds, so that an answer given before and after storing it is
/// the same.
pub fn whole_microseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).expect("rounding towards zero stays in range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for (year, month, day) in [
            (2019, 2, 29),
            (2019, 13, 1),
            (2019, 0, 1),
            (0, 1, 1),
            (10_000, 1, 1),
            (2019, 4, 31),
        ] {
            assert!(date(&proto::Date { year, month, day }).is_err(), "{year}-{month}-{day}");
        }
    }

    #[test]
    fn the_instants_of_the_contract_end_with_the_year_9999() {
        let read = |seconds, nanos| timestamp(&prost_types::Timestamp { seconds, nanos });
        assert_eq!(read(253_402_300_799, 999_999_999), Ok(Timestamp::MAX));
        assert_eq!(
            read(253_402_207_199, 0).map(|it| it.to_string()),
            Ok("9999-12-30T21:59:59Z".into())
        );
        for (seconds, nanos) in [(253_402_300_800, 0), (-62_135_596_801, 0), (0, -1), (0, 1_000_000_000)] {
            assert!(read(seconds, nanos).is_err(), "{seconds} {nanos}");
        }
    }

    proptest! {
        #[test]
        fn an_instant_survives_the_way_out_and_back(seconds in -62_135_596_800_i64..253_402_207_199, nanos in 0..1_000_000_000) {
            let wire = prost_types::Timestamp { seconds, nanos };
            let read = timestamp(&wire).map_err(TestCaseError::fail)?;
            prop_assert_eq!(to_timestamp(read), wire);
        }
    }
}
