//! A numbered copy of an edition, issued to one recipient.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{door::word::Word, law::LegalBasis};

use super::key::CopyKey;

/// Where a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// Issued to its recipient.
    Issued,
    /// Received: its recipient confirmed with the digest.
    Received,
}

impl Word for CopyState {
    const ALL: &'static [Self] = &[Self::Issued, Self::Received];

    fn word(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Received => "RECEIVED",
        }
    }
}

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub key: CopyKey,
    /// When its edition was due.
    pub due_date: Date,
    /// The id of its recipient.
    pub recipient: String,
    pub state: CopyState,
    /// SHA-256 of its content.
    pub sha256: Vec<u8>,
    pub issued_at: Timestamp,
    /// When its recipient confirmed it; `None` before.
    pub received_at: Option<Timestamp>,
    /// The law that entitles its recipient.
    pub legal_basis: LegalBasis,
}

/// What arrived at a recipient is not the copy's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherContent;

impl Copy {
    /// The copy as its recipient has it, who saw this digest. The first receipt counts.
    ///
    /// # Errors
    /// Another digest than the copy's.
    pub fn receive(mut self, sha256: &[u8], at: Timestamp) -> Result<Self, OtherContent> {
        if self.sha256 != sha256 {
            return Err(OtherContent);
        }
        self.state = CopyState::Received;
        self.received_at.get_or_insert(at);
        Ok(self)
    }
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
            key: name.parse().map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_receipt_with_the_right_digest_counts() {
        let instant = |text: &str| -> Timestamp { text.parse().expect("an instant") };
        let (issued_at, first) = (instant("2019-07-15T05:00:00Z"), instant("2019-07-16T05:00:00Z"));
        let copy = Copy {
            key: "collections/crime/editions/2019-Q2/copies/27".parse().expect("a name"),
            due_date: jiff::civil::date(2019, 7, 15),
            recipient: "supreme-court".into(),
            state: CopyState::Issued,
            sha256: vec![7; 32],
            issued_at,
            received_at: None,
            legal_basis: LegalBasis::instruction("Appendix 1"),
        };
        assert_eq!(copy.clone().receive(&[8; 32], first), Err(OtherContent));
        let received = copy.receive(&[7; 32], first).expect("it is the content");
        assert_eq!(
            (received.state, received.received_at),
            (CopyState::Received, Some(first))
        );
        let again = received.clone().receive(&[7; 32], instant("2019-07-17T05:00:00Z"));
        assert_eq!(again, Ok(received));
    }

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
