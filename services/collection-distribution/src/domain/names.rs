//! Resource names: `collections/crime`, `collections/crime/editions/2019-Q2/copies/27`, `recipients/supreme-court`.

use legalstat_kit::period::{PeriodError, ReportingPeriod};

use super::{copy::CopyKey, edition::EditionKey};

/// What stands for all collections in the name of a parent.
pub const ALL_COLLECTIONS: &str = "collections/-";
/// What stands for all editions of all collections in the name of a parent.
pub const ALL_EDITIONS: &str = "collections/-/editions/-";

/// A text that names no resource of this service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not in the notation of a collection's name.
    #[error("write collections/ and the id, for example collections/crime")]
    Collection,
    /// Not in the notation of a recipient's name.
    #[error("write recipients/ and the id, for example recipients/supreme-court")]
    Recipient,
    /// Not in the notation of a distribution list's name.
    #[error("write the collection and /distributionList, for example collections/crime/distributionList")]
    DistributionList,
    /// Not in the notation of an edition's name.
    #[error("write the collection, /editions/ and the period, for example collections/crime/editions/2019-Q2")]
    Edition,
    /// Not in the notation of a copy's name.
    #[error("write the edition, /copies/ and the number, for example collections/crime/editions/2019-Q2/copies/27")]
    Copy,
    /// The period in an edition's name does not exist.
    #[error(transparent)]
    Period(#[from] PeriodError),
}

/// The name of a collection.
pub fn collection(id: &str) -> String {
    format!("collections/{id}")
}

/// The name of a recipient.
pub fn recipient(id: &str) -> String {
    format!("recipients/{id}")
}

/// The name of a collection's distribution list.
pub fn distribution_list(collection: &str) -> String {
    format!("collections/{collection}/distributionList")
}

/// Reads the name of a collection.
///
/// # Errors
/// Another notation.
pub fn parse_collection(name: &str) -> Result<String, NameError> {
    name.strip_prefix("collections/")
        .and_then(id)
        .ok_or(NameError::Collection)
}

/// Reads the name of a recipient.
///
/// # Errors
/// Another notation.
pub fn parse_recipient(name: &str) -> Result<String, NameError> {
    name.strip_prefix("recipients/")
        .and_then(id)
        .ok_or(NameError::Recipient)
}

/// Reads the name of a distribution list: the collection it belongs to.
///
/// # Errors
/// Another notation.
pub fn parse_distribution_list(name: &str) -> Result<String, NameError> {
    let collection = name
        .strip_prefix("collections/")
        .and_then(|rest| rest.strip_suffix("/distributionList"));
    collection.and_then(id).ok_or(NameError::DistributionList)
}

/// Reads the name of an edition.
///
/// # Errors
/// Another notation, or a period that does not exist.
pub fn parse_edition(name: &str) -> Result<EditionKey, NameError> {
    let parts = name
        .strip_prefix("collections/")
        .and_then(|rest| rest.split_once("/editions/"));
    let (collection, period) = parts.ok_or(NameError::Edition)?;
    let collection = id(collection).ok_or(NameError::Edition)?;
    let period: ReportingPeriod = period.parse()?;
    Ok(EditionKey { collection, period })
}

/// Reads the name of a copy.
///
/// # Errors
/// Another notation, or a period that does not exist.
pub fn parse_copy(name: &str) -> Result<CopyKey, NameError> {
    let (edition, number) = name.split_once("/copies/").ok_or(NameError::Copy)?;
    let number = positive(number).ok_or(NameError::Copy)?;
    let edition = parse_edition(edition).map_err(|error| match error {
        NameError::Period(_) => error,
        _ => NameError::Copy,
    })?;
    Ok(CopyKey { edition, number })
}

fn id(text: &str) -> Option<String> {
    let well_formed = text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    well_formed.then(|| text.to_owned())
}

fn positive(digits: &str) -> Option<i32> {
    let canonical = (1..=9).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    if canonical { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_in_one_notation_only() {
        assert_eq!(
            parse_collection("collections/prosecution-bodies"),
            Ok("prosecution-bodies".to_owned())
        );
        for name in [
            "",
            "collections",
            "collections/",
            "collections/-",
            "collections/Crime",
            "collections/crime/",
            "crime",
        ] {
            assert_eq!(parse_collection(name), Err(NameError::Collection), "{name:?}");
        }
        assert_eq!(
            parse_recipient("recipients/supreme-court"),
            Ok("supreme-court".to_owned())
        );
        assert_eq!(parse_recipient("supreme-court"), Err(NameError::Recipient));
        assert_eq!(
            parse_distribution_list("collections/crime/distributionList"),
            Ok("crime".to_owned())
        );
        for name in [
            "collections/crime",
            "collections//distributionList",
            "collections/crime/distributionlist",
        ] {
            assert_eq!(
                parse_distribution_list(name),
                Err(NameError::DistributionList),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_period_that_does_not_exist_is_told_apart_from_a_name_that_is_none() {
        assert!(matches!(
            parse_edition("collections/crime/editions/2019-Q5"),
            Err(NameError::Period(_))
        ));
        assert!(matches!(
            parse_copy("collections/crime/editions/2019-Q5/copies/1"),
            Err(NameError::Period(_))
        ));
        for name in [
            "",
            "collections/crime",
            "collections/-/editions/2019-Q2",
            "forms/1/editions/2019-Q2",
        ] {
            assert_eq!(parse_edition(name), Err(NameError::Edition), "{name:?}");
        }
        for name in [
            "",
            "collections/crime/editions/2019-Q2",
            "collections/-/editions/2019-Q2/copies/1",
        ] {
            assert_eq!(parse_copy(name), Err(NameError::Copy), "{name:?}");
        }
        for number in ["", "0", "01", "-1", "x", "9999999999"] {
            assert_eq!(
                parse_copy(&format!("collections/crime/editions/2019-Q2/copies/{number}")),
                Err(NameError::Copy)
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(
            name in "collections/[a-z-]{0,3}/editions/[0-9]{4}(-[MQS][0-9]{1,2})?(/copies/[0-9]{0,3})?",
        ) {
            if let Ok(key) = parse_edition(&name) {
                prop_assert_eq!(key.to_string(), name.clone());
            }
            if let Ok(key) = parse_copy(&name) {
                prop_assert_eq!(key.to_string(), name);
            }
        }
    }
}
