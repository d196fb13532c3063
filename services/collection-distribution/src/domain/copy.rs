//! A numbered copy of an edition, issued to one recipient.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{door::word::Word, law::LegalBasis};

use super::{
    key::CopyKey,
    statement::{Proof, Statement},
};

/// Where a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// Issued to its recipient.
    Issued,
    /// Received: its recipient confirmed with the digest.
    Received,
    /// Its edition was recalled.
    Recalled,
}

impl Word for CopyState {
    const ALL: &'static [Self] = &[Self::Issued, Self::Received, Self::Recalled];

    fn word(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Received => "RECEIVED",
            Self::Recalled => "RECALLED",
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
    /// The revision of its edition.
    pub revision: i32,
    /// Its statement as it was signed; `None` where an earlier release issued it.
    pub proof: Option<Proof>,
    /// When its edition was recalled; `None` before.
    pub recalled_at: Option<Timestamp>,
    /// When its recipient confirmed that it knows of the recall; `None` before.
    pub recall_confirmed_at: Option<Timestamp>,
}

/// What keeps a copy from being downloaded, received, or its recall from being confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// What arrived at a recipient is not the copy's content.
    OtherContent,
    /// It was recalled.
    Recalled,
    /// It was not recalled.
    NotRecalled,
}

impl Copy {
    /// The copy that a statement was signed for.
    pub fn issued(statement: Statement, proof: Proof, due_date: Date, legal_basis: LegalBasis) -> Self {
        Self {
            key: statement.copy,
            due_date,
            recipient: statement.recipient,
            state: CopyState::Issued,
            sha256: statement.content_sha256,
            issued_at: statement.issued_at,
            received_at: None,
            legal_basis,
            revision: statement.revision,
            proof: Some(proof),
            recalled_at: None,
            recall_confirmed_at: None,
        }
    }

    /// The copy as its recipient has it, who saw this digest. The first receipt counts, also after a recall.
    ///
    /// # Errors
    /// Another digest than the copy's; a copy that was recalled before it was received.
    pub fn receive(mut self, sha256: &[u8], at: Timestamp) -> Result<Self, Obstacle> {
        if self.sha256 != sha256 {
            return Err(Obstacle::OtherContent);
        }
        if self.received_at.is_none() {
            self.require_current()?;
            self.state = CopyState::Received;
            self.received_at = Some(at);
        }
        Ok(self)
    }

    /// Refuses a copy that was recalled.
    ///
    /// # Errors
    /// That it was.
    pub fn require_current(&self) -> Result<(), Obstacle> {
        match self.state {
            CopyState::Recalled => Err(Obstacle::Recalled),
            CopyState::Issued | CopyState::Received => Ok(()),
        }
    }

    /// The copy once its recipient has confirmed that it knows of the recall. The first confirmation counts.
    ///
    /// # Errors
    /// A copy that was not recalled.
    pub fn confirm_recall(mut self, at: Timestamp) -> Result<Self, Obstacle> {
        if self.state != CopyState::Recalled {
            return Err(Obstacle::NotRecalled);
        }
        self.recall_confirmed_at.get_or_insert(at);
        Ok(self)
    }

    /// What was signed of it; `None` where an earlier release issued it.
    pub fn statement(&self) -> Option<Statement> {
        let proof = self.proof.as_ref()?;
        Some(Statement {
            copy: self.key.clone(),
            ordinal: proof.ordinal,
            copies_total: proof.copies_total,
            revision: self.revision,
            recipient: self.recipient.clone(),
            content_sha256: self.sha256.clone(),
            sending_body: proof.sending_body.clone(),
            issued_at: self.issued_at,
        })
    }
}

/// A place in the order of copies: newest edition first, then collection, then number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyPosition {
    /// When the edition was due.
    pub due_date: Date,
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

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn copy() -> Copy {
        Copy {
            key: "collections/crime/editions/2019-Q2/copies/27".parse().expect("a name"),
            due_date: jiff::civil::date(2019, 7, 15),
            recipient: "supreme-court".into(),
            state: CopyState::Issued,
            sha256: vec![7; 32],
            issued_at: instant("2019-07-15T05:00:00Z"),
            received_at: None,
            legal_basis: LegalBasis::instruction("Appendix 1"),
            revision: 1,
            proof: None,
            recalled_at: None,
            recall_confirmed_at: None,
        }
    }

    fn recalled(copy: Copy) -> Copy {
        Copy {
            state: CopyState::Recalled,
            recalled_at: Some(instant("2019-07-18T05:00:00Z")),
            ..copy
        }
    }

    #[test]
    fn the_first_receipt_with_the_right_digest_counts() {
        let first = instant("2019-07-16T05:00:00Z");
        assert_eq!(copy().receive(&[8; 32], first), Err(Obstacle::OtherContent));
        let received = copy().receive(&[7; 32], first).expect("it is the content");
        assert_eq!(
            (received.state, received.received_at),
            (CopyState::Received, Some(first))
        );
        let again = received.clone().receive(&[7; 32], instant("2019-07-17T05:00:00Z"));
        assert_eq!(again, Ok(received));
    }

    #[test]
    fn a_recalled_copy_is_not_received_any_more_and_what_was_received_stays_so() {
        let (first, later) = (instant("2019-07-16T05:00:00Z"), instant("2019-07-19T05:00:00Z"));
        assert_eq!(recalled(copy()).receive(&[7; 32], later), Err(Obstacle::Recalled));
        let received = copy().receive(&[7; 32], first).expect("it is the content");
        assert_eq!(received.require_current(), Ok(()));
        let held = recalled(received);
        assert_eq!(held.require_current(), Err(Obstacle::Recalled));
        assert_eq!(held.clone().receive(&[7; 32], later), Ok(held.clone()));
        assert_eq!(held.receive(&[8; 32], later), Err(Obstacle::OtherContent));
    }

    #[test]
    fn the_first_confirmation_of_a_recall_counts() {
        let (first, later) = (instant("2019-07-19T05:00:00Z"), instant("2019-07-20T05:00:00Z"));
        assert_eq!(copy().confirm_recall(first), Err(Obstacle::NotRecalled));
        let confirmed = recalled(copy()).confirm_recall(first).expect("it was recalled");
        assert_eq!(confirmed.recall_confirmed_at, Some(first));
        assert_eq!(confirmed.clone().confirm_recall(later), Ok(confirmed));
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
