//! What identifies collections, recipients, editions and copies, and how that is written: `collections/crime`,
//! `collections/crime/editions/2019-Q2/copies/27`, `recipients/supreme-court`.

use std::{fmt, str::FromStr};

use legalstat_kit::{
    door::names::number,
    period::{PeriodError, ReportingPeriod},
};

/// What stands for all collections in the name of a parent.
pub const ALL_COLLECTIONS: &str = "collections/-";

/// A text that names no resource of this service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("write collections/ and the id, for example collections/crime")]
    Collection,
    #[error("write recipients/ and the id, for example recipients/supreme-court")]
    Recipient,
    #[error("write the recipient, /signingKeys/ and the id, for example recipients/supreme-court/signingKeys/2026")]
    RecipientKey,
    #[error(
        "write the collection and /distributionList, for example collections/crime/distributionList, or a version like \
         collections/crime/distributionLists/2"
    )]
    DistributionList,
    #[error(
        "write the collection, /distributionLists/ and the version, for example collections/crime/distributionLists/2"
    )]
    DistributionListVersion,
    #[error("write the collection, /editions/ and the period, for example collections/crime/editions/2019-Q2")]
    Edition,
    #[error("write the collection or -, /editions/ and the period or -, for example collections/crime/editions/-")]
    Editions,
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

pub fn distribution_list_version(collection: &str, version: i32) -> String {
    format!("collections/{collection}/distributionLists/{version}")
}

pub fn recipient_key(recipient: &str, key: &str) -> String {
    format!("recipients/{recipient}/signingKeys/{key}")
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

/// Reads the name of a recipient's key: the recipient and the id of the key.
pub fn parse_recipient_key(name: &str) -> Result<(String, String), NameError> {
    let parts = name
        .strip_prefix("recipients/")
        .and_then(|rest| rest.split_once("/signingKeys/"));
    let (recipient, key) = parts.ok_or(NameError::RecipientKey)?;
    let recipient = id(recipient).filter(|_| is_key_id(key));
    Ok((recipient.ok_or(NameError::RecipientKey)?, key.to_owned()))
}

/// Whether a text can be the id of a key.
pub fn is_key_id(text: &str) -> bool {
    let takes = |part: &str| {
        let of_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !part.is_empty() && part.bytes().all(of_id)
    };
    text.len() <= 64 && text.split('-').all(takes)
}

/// Reads the name of a distribution list: the collection it belongs to, and the version when it names one.
pub fn parse_distribution_list(name: &str) -> Result<(String, Option<i32>), NameError> {
    if let Ok((collection, version)) = parse_distribution_list_version(name) {
        return Ok((collection, Some(version)));
    }
    let collection = name
        .strip_prefix("collections/")
        .and_then(|rest| rest.strip_suffix("/distributionList"));
    let collection = collection.and_then(id).ok_or(NameError::DistributionList)?;
    Ok((collection, None))
}

/// Reads the name of a version of a distribution list: the collection it belongs to, and the number.
pub fn parse_distribution_list_version(name: &str) -> Result<(String, i32), NameError> {
    let parts = name
        .strip_prefix("collections/")
        .and_then(|rest| rest.split_once("/distributionLists/"));
    let read = parts.and_then(|(collection, digits)| Some((id(collection)?, number(digits)?)));
    read.ok_or(NameError::DistributionListVersion)
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

/// Which editions, as the parent of copies names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editions {
    /// `None` for any collection.
    pub collection: Option<String>,
    /// `None` for any period.
    pub period: Option<ReportingPeriod>,
}

impl Editions {
    /// The one edition that is named.
    pub fn one(&self) -> Option<EditionKey> {
        let (collection, period) = (self.collection.clone()?, self.period?);
        Some(EditionKey { collection, period })
    }
}

impl FromStr for Editions {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let rest = name.strip_prefix("collections/").ok_or(NameError::Editions)?;
        let (collection, period) = rest.split_once("/editions/").ok_or(NameError::Editions)?;
        Ok(Self {
            collection: match collection {
                "-" => None,
                named => Some(id(named).ok_or(NameError::Editions)?),
            },
            period: match period {
                "-" => None,
                named => Some(ReportingPeriod::in_name(named)?),
            },
        })
    }
}

/// Which copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
            Ok(("crime".to_owned(), None))
        );
        assert_eq!(
            parse_distribution_list("collections/crime/distributionLists/12"),
            Ok(("crime".to_owned(), Some(12)))
        );
        for name in [
            "collections/crime",
            "collections//distributionList",
            "collections/crime/distributionLists/0",
            "collections/crime/distributionLists/02",
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
    fn a_key_is_named_within_its_recipient() {
        let name = recipient_key("supreme-court", "2026-a");
        let parts = ("supreme-court".to_owned(), "2026-a".to_owned());
        assert_eq!(parse_recipient_key(&name), Ok(parts));
        for name in [
            "recipients/supreme-court/signingKeys/",
            "recipients/supreme-court/signingKeys/-a",
            "recipients/supreme-court/signingKeys/A",
            "recipients//signingKeys/a",
            "recipients/supreme-court",
        ] {
            assert_eq!(parse_recipient_key(name), Err(NameError::RecipientKey), "{name:?}");
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

    #[test]
    fn a_parent_of_copies_names_any_collection_and_any_period() {
        let read = |name: &str| name.parse::<Editions>();
        let of = |collection: Option<&str>, period: Option<&str>| Editions {
            collection: collection.map(str::to_owned),
            period: period.map(|period| ReportingPeriod::in_name(period).expect("a period")),
        };
        for (name, expected) in [
            ("collections/-/editions/-", of(None, None)),
            ("collections/crime/editions/-", of(Some("crime"), None)),
            ("collections/-/editions/2019-Q2", of(None, Some("2019-Q2"))),
            ("collections/crime/editions/2019-Q2", of(Some("crime"), Some("2019-Q2"))),
        ] {
            assert_eq!(read(name), Ok(expected), "{name}");
        }
        assert_eq!(of(Some("crime"), None).one(), None);
        let one = of(Some("crime"), Some("2019-Q2")).one();
        assert_eq!(
            one.map(|key| key.to_string()).as_deref(),
            Some("collections/crime/editions/2019-Q2")
        );
        for name in [
            "",
            "collections/crime",
            "collections//editions/-",
            "x/crime/editions/-",
            "collections/Crime/editions/-",
        ] {
            assert_eq!(read(name), Err(NameError::Editions), "{name:?}");
        }
        assert!(matches!(
            read("collections/-/editions/2019-Q5"),
            Err(NameError::Period(_))
        ));
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
