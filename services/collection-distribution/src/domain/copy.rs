//! A numbered copy of an edition, issued to one recipient.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{door::word::Word, due::DueDate, law::LegalBasis};

use super::{
    delivery::Delivery,
    key::CopyKey,
    marking::OfficialUse,
    receipt::{Receipt, Rejection},
    statement::{Proof, Statement},
};

/// Where a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// Issued to its recipient.
    Issued,
    /// Received: its recipient confirmed with the digest.
    Received,
    /// On its way to the recipient's server.
    Sending,
    /// Its recipient rejected it.
    Rejected,
    /// It could not be delivered.
    Failed,
    /// Its edition was recalled.
    Recalled,
}

impl Word for CopyState {
    const ALL: &'static [Self] = &[
        Self::Issued,
        Self::Received,
        Self::Sending,
        Self::Rejected,
        Self::Failed,
        Self::Recalled,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Received => "RECEIVED",
            Self::Sending => "SENDING",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
            Self::Recalled => "RECALLED",
        }
    }
}

impl CopyState {
    /// Whether its recipient has neither confirmed nor rejected it, and could.
    pub fn is_unconfirmed(self) -> bool {
        matches!(self, Self::Issued | Self::Sending | Self::Failed)
    }
}

/// Since when a copy stands as it does, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub since: Timestamp,
    /// In words; `None` where nothing is to be said.
    pub reason: Option<String>,
}

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub key: CopyKey,
    /// When its edition was due.
    pub due_date: Date,
    /// The instant at which that day ends.
    pub due_time: Timestamp,
    /// The id of its recipient.
    pub recipient: String,
    pub state: CopyState,
    /// `None` while it stands as it was issued, and for what an earlier release recorded.
    pub status: Option<Status>,
    /// SHA-256 of its content.
    pub sha256: Vec<u8>,
    pub issued_at: Timestamp,
    /// When its recipient confirmed it; `None` before.
    pub received_at: Option<Timestamp>,
    /// The receipt that counts; `None` before, and for one that an earlier release recorded.
    pub receipt: Option<Receipt>,
    /// That its recipient rejected it, also where it was recalled afterwards.
    pub rejection: Option<Rejection>,
    /// The law that entitles its recipient.
    pub legal_basis: LegalBasis,
    /// The version of the distribution list by which it was issued; `None` where an earlier release issued it.
    pub list_version: Option<i32>,
    /// Whether its edition was due when the installation answered already.
    pub is_kept: bool,
    /// The revision of its edition.
    pub revision: i32,
    /// Its statement as it was signed; `None` where an earlier release issued it.
    pub proof: Option<Proof>,
    /// When its edition was recalled; `None` before.
    pub recalled_at: Option<Timestamp>,
    /// When its recipient confirmed that it knows of the recall; `None` before.
    pub recall_confirmed_at: Option<Timestamp>,
    /// Its delivery to its recipient's server; `None` of one that the recipient fetches itself.
    pub delivery: Option<Delivery>,
    /// How it is marked; `None` where it is open.
    pub official_use: Option<OfficialUse>,
}

/// Why what a recipient says of a copy is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// What arrived is not the copy's content.
    OtherContent,
    /// Where the copy stands, nothing more is said of it.
    Settled(CopyState),
}

/// What keeps a copy from being downloaded, or its recall from being confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It was recalled.
    Recalled,
    /// It was not recalled.
    NotRecalled,
}

impl Copy {
    /// The copy that a statement was signed for, of an edition with this due date, by a cell of a version of the distribution list.
    pub fn issued(
        statement: Statement,
        proof: Proof,
        due: &DueDate,
        (list_version, legal_basis): (i32, LegalBasis),
    ) -> Self {
        Self {
            key: statement.copy,
            due_date: due.date,
            due_time: due.time,
            recipient: statement.recipient,
            state: CopyState::Issued,
            status: None,
            sha256: statement.content_sha256,
            issued_at: statement.issued_at,
            received_at: None,
            receipt: None,
            rejection: None,
            legal_basis,
            list_version: Some(list_version),
            is_kept: true,
            revision: statement.revision,
            proof: Some(proof),
            recalled_at: None,
            recall_confirmed_at: None,
            delivery: None,
            official_use: statement.official_use,
        }
    }

    /// Whether its recipient had not said anything of it by the instant at which it was due, where that is kept.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.is_kept && self.state.is_unconfirmed() && self.due_time <= now
    }

    /// Whether its recipient confirmed it before.
    pub fn is_received(&self) -> bool {
        self.received_at.is_some()
    }

    /// Refuses what was received as something else than the copy.
    ///
    /// # Errors
    /// Another digest than the copy's.
    pub fn require_content(&self, sha256: &[u8]) -> Result<(), NotTaken> {
        if self.sha256 == sha256 {
            Ok(())
        } else {
            Err(NotTaken::OtherContent)
        }
    }

    /// The copy as its recipient has it. The first receipt counts, and one that comes after a failed delivery is late.
    ///
    /// # Errors
    /// A copy that was rejected or recalled before.
    pub fn receive(mut self, mut receipt: Receipt) -> Result<Self, NotTaken> {
        if self.is_received() {
            return Ok(self);
        }
        if !self.state.is_unconfirmed() {
            return Err(NotTaken::Settled(self.state));
        }
        receipt.late = self.state == CopyState::Failed;
        self.stands(CopyState::Received, receipt.recorded_at, Some(receipt.told()));
        self.received_at = Some(receipt.recorded_at);
        self.receipt = Some(receipt);
        Ok(self)
    }

    /// The copy as its recipient rejects it. The first rejection counts.
    ///
    /// # Errors
    /// A copy that was received, recalled, or failed: that only a delivery by hand or a receipt puts right.
    pub fn reject(mut self, rejection: Rejection) -> Result<Self, NotTaken> {
        match self.state {
            CopyState::Rejected => Ok(self),
            CopyState::Issued | CopyState::Sending => {
                let reason = rejection.reason.clone();
                self.stands(CopyState::Rejected, rejection.recorded_at, Some(reason));
                self.rejection = Some(rejection);
                Ok(self)
            }
            state => Err(NotTaken::Settled(state)),
        }
    }

    /// The copy whose last attempt to be delivered failed.
    ///
    /// # Errors
    /// A copy that is not on its way.
    pub fn fail(mut self, reason: String, at: Timestamp) -> Result<Self, NotTaken> {
        if self.state != CopyState::Sending {
            return Err(NotTaken::Settled(self.state));
        }
        self.stands(CopyState::Failed, at, Some(reason));
        Ok(self)
    }

    /// The copy as its recipient fetches it itself, because it has no server any more.
    ///
    /// # Errors
    /// A copy that is not on its way.
    pub fn leave_to_fetch(mut self, reason: String, at: Timestamp) -> Result<Self, NotTaken> {
        if self.state != CopyState::Sending {
            return Err(NotTaken::Settled(self.state));
        }
        self.stands(CopyState::Issued, at, Some(reason));
        Ok(self)
    }

    /// The copy as it is delivered anew by hand, for a reason: one that failed, or for which no delivery is due.
    ///
    /// # Errors
    /// A copy that is on its way, or of which its recipient or a recall has said the last word.
    pub fn redeliver(mut self, reason: &str, at: Timestamp) -> Result<Self, NotTaken> {
        let is_due = self.delivery.as_ref().is_some_and(|d| d.next_attempt_at.is_some());
        match self.state {
            CopyState::Failed => {}
            CopyState::Issued if !is_due => {}
            state => return Err(NotTaken::Settled(state)),
        }
        self.stands(CopyState::Sending, at, Some(format!("delivered anew: {reason}")));
        Ok(self)
    }

    fn stands(&mut self, state: CopyState, since: Timestamp, reason: Option<String>) {
        self.state = state;
        self.status = Some(Status { since, reason });
        if let Some(delivery) = &mut self.delivery {
            delivery.next_attempt_at = None;
        }
    }

    /// Refuses a copy that was recalled.
    ///
    /// # Errors
    /// That it was.
    pub fn require_current(&self) -> Result<(), Obstacle> {
        match self.state {
            CopyState::Recalled => Err(Obstacle::Recalled),
            _ => Ok(()),
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
            official_use: self.official_use.clone(),
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
#[path = "copy_tests.rs"]
mod tests;
