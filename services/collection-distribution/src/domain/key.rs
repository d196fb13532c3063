//! What identifies collections, recipients, editions and copies, and how that is written: `collections/crime`,
//! `collections/crime/editions/2019-Q2/copies/27`, `recipients/supreme-court`.

use std::{fmt, str::FromStr};

use legalstat_kit::{
    door::names::number,
    period::{PeriodError, ReportingPeriod},
};

/// What stands for all collections in the name of a parent.
pub const ALL_COLLECTIONS: &str = "collections/-";
/// What stands for all editions of all collections in the name of a parent.
pub const ALL_EDITIONS: &str = "collections/-/editions/-";

/// A text that names no resource of this service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("write collections/ and the id, for example collections/crime")]
    Collection,
    #[error("write recipients/ and the id, for example recipients/supreme-court")]
    Recipient,
    #[error("write the collection and /distributionList, for example collections/crime/distributionList")]
    DistributionList,
    #[error("write the collection, /editions/ and the period, for example collections/crime/editions/2019-Q2")]
    Edition,
    #[error("write the edition, /copies/ and the number, for example collections/crime/editions/2019-Q2/copies/27")]
    Copy,
    #[error(transparent)]
    Period(#[from] PeriodError),
}

pub fn collection(id: &str) -> String {
    format!("collections/{id}")
}

pub fn recipient(id: &str) -> String {
    format!("recipients/{id}")
}

/// A body of legal statistics, as request intake names it.
pub fn body(id: &str) -> String {
    format!("bodies/{id}")
}

pub fn distribution_list(collection: &str) -> String {
    format!("collections/{collection}/distributionList")
}

pub fn parse_collection(name: &str) -> Result<String, NameError> {
    name.strip_prefix("collections/")
        .and_then(id)
        .ok_or(NameError::Collection)
}

pub fn parse_recipient(name: &str) -> Result<String, NameError> {
    name.strip_prefix("recipients/")
        .and_then(id)
        .ok_or(NameError::Recipient)
}

/// Reads the name of a distribution list: the collection it belongs to.
pub fn parse_distribution_list(name: &str) -> Result<String, NameError> {
    let collection = name
        .strip_prefix("collections/")
        .and_then(|rest| rest.strip_suffix("/distributionList"));
    collection.and_then(id).ok_or(NameError::DistributionList)
}

/// Which edition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditionKey {
    pub collection: String,
    pub period: ReportingPeriod,
}

impl EditionKey {
    /// The edition of a collection, given by its name, for a period.
    pub fn of(collection: &str, period: &str) -> Result<Self, NameError> {
        let collection = collection.strip_prefix("collections/").and_then(id);
        let collection = collection.ok_or(NameError::Edition)?;
        let period = ReportingPeriod::in_name(period)?;
        Ok(Self { collection, period })
    }

    /// Whose edition it is, as the schedule knows it.
    pub fn parent(&self) -> String {
        collection(&self.collection)
    }
}

impl fmt::Display for EditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/editions/{}", self.parent(), self.period)
    }
}

impl FromStr for EditionKey {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let (collection, period) = name.split_once("/editions/").ok_or(NameError::Edition)?;
        Self::of(collection, period)
    }
}

/// Which copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyKey {
    pub edition: EditionKey,
    /// Its number within the edition, from 1.
    pub number: i32,
}

impl fmt::Display for CopyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/copies/{}", self.edition, self.number)
    }
}

impl FromStr for CopyKey {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let (edition, digits) = name.split_once("/copies/").ok_or(NameError::Copy)?;
        let number = number(digits).ok_or(NameError::Copy)?;
        let edition = edition.parse().map_err(|error| match error {
            NameError::Period(_) => error,
            _ => NameError::Copy,
        })?;
        Ok(Self { edition, number })
    }
}

fn id(text: &str) -> Option<String> {
    let well_formed = text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    well_formed.then(|| text.to_owned())
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
    fn names_are_written_as_they_are_read() {
        assert_eq!(collection("crime"), "collections/crime");
        assert_eq!(recipient("supreme-court"), "recipients/supreme-court");
        assert_eq!(distribution_list("crime"), "collections/crime/distributionList");
        let key = EditionKey::of("collections/crime", "2019-Q2").expect("a name");
        assert_eq!(key.parent(), "collections/crime");
        assert_eq!(key.to_string(), "collections/crime/editions/2019-Q2");
    }

    #[test]
    fn an_id_is_up_to_63_small_letters_digits_and_dashes_and_begins_with_a_letter() {
        let longest = "a".repeat(63);
        for text in ["a", "crime-2", "a-", &longest] {
            assert_eq!(id(text).as_deref(), Some(text));
        }
        let too_long = "a".repeat(64);
        for text in [
            "",
            "1a",
            "-a",
            "Crime",
            "crimE",
            "a_b",
            "a b",
            "a/b",
            "қылмыс",
            "aқ",
            &too_long,
        ] {
            assert_eq!(id(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_period_that_does_not_exist_is_told_apart_from_a_name_that_is_none() {
        assert!(matches!(
            "collections/crime/editions/2019-Q5".parse::<EditionKey>(),
            Err(NameError::Period(_))
        ));
        assert!(matches!(
            "collections/crime/editions/2019-Q5/copies/1".parse::<CopyKey>(),
            Err(NameError::Period(_))
        ));
        for name in [
            "",
            "collections/crime",
            "collections/-/editions/2019-Q2",
            "forms/1/editions/2019-Q2",
        ] {
            assert_eq!(name.parse::<EditionKey>(), Err(NameError::Edition), "{name:?}");
        }
        for name in [
            "",
            "collections/crime/editions/2019-Q2",
            "collections/-/editions/2019-Q2/copies/1",
        ] {
            assert_eq!(name.parse::<CopyKey>(), Err(NameError::Copy), "{name:?}");
        }
        for number in ["", "0", "01", "-1", "x", "9999999999"] {
            assert_eq!(
                format!("collections/crime/editions/2019-Q2/copies/{number}").parse::<CopyKey>(),
                Err(NameError::Copy)
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(
            name in "collections/[a-z-]{0,3}/editions/[0-9]{4}(-[MQS][0-9]{1,2})?(/copies/[0-9]{0,3})?",
        ) {
            if let Ok(key) = name.parse::<EditionKey>() {
                prop_assert_eq!(key.to_string(), name.clone());
            }
            if let Ok(key) = name.parse::<CopyKey>() {
                prop_assert_eq!(key.to_string(), name);
            }
        }
    }
}
