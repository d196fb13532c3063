//! A numbered copy of an edition, issued to one recipient.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::law::LegalBasis;

use super::{edition::EditionKey, names};

/// Which copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyKey {
    /// Its edition.
    pub edition: EditionKey,
    /// Its number within the edition, from 1.
    pub number: i32,
}

impl fmt::Display for CopyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/copies/{}", self.edition, self.number)
    }
}

/// Where a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// Issued to its recipient.
    Issued,
    /// Received: its recipient confirmed with the digest.
    Received,
}

impl CopyState {
    /// The word it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Received => "RECEIVED",
        }
    }

    /// Reads the word it is stored as.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Issued, Self::Received]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Which one.
    pub key: CopyKey,
    /// When its edition was due.
    pub due_date: Date,
    /// The id of its recipient.
    pub recipient: String,
    /// Where it stands.
    pub state: CopyState,
    /// SHA-256 of its content.
    pub sha256: Vec<u8>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When its recipient confirmed it; `None` before.
    pub received_at: Option<Timestamp>,
    /// The law that entitles its recipient.
    pub legal_basis: LegalBasis,
}

/// A place in the order of copies: newest edition first, then collection, then number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyPosition {
    /// When the edition was due.
    pub due_date: Date,
    /// The copy.
    pub key: CopyKey,
}

impl CopyPosition {
    /// Where a copy stands in the order.
    pub fn of(copy: &Copy) -> Self {
        Self {
            due_date: copy.due_date,
            key: copy.key.clone(),
        }
    }
}

impl fmt::Display for CopyPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.due_date, self.key)
    }
}

impl FromStr for CopyPosition {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (due_date, name) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            due_date: due_date.parse().map_err(|_| ())?,
            key: names::parse_copy(name).map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_among_copies_is_read_as_it_is_written() {
        let text = "2019-07-15 collections/crime/editions/2019-Q2/copies/27";
        let position: CopyPosition = text.parse().expect("a position");
        assert_eq!(position.key.number, 27);
        assert_eq!(position.to_string(), text);
        assert_eq!(
            "2019-07-15 collections/crime/editions/2019-Q2".parse::<CopyPosition>(),
            Err(())
        );
    }
}
