//! An edition: one period's issue of a collection, from its due date to its release.

use jiff::Timestamp;
use legalstat_kit::{
    call::Done,
    door::word::Word,
    due::{DueDate, scheduled::Place},
    zone,
};

use super::{
    content::{EditionFile, Files, NoRoom},
    key::EditionKey,
    marking::OfficialUse,
};

/// Where an edition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditionState {
    /// Expected; nothing was uploaded.
    Scheduled,
    /// Content is uploaded and can still be replaced.
    Prepared,
    /// The content is fixed by its digest.
    Sealed,
    /// The certain cells' copies are issued.
    PartlyReleased,
    /// Its copies are issued.
    Released,
    /// It was recalled; for who reads it also until its replacement is released.
    Recalled,
}

impl Word for EditionState {
    const ALL: &'static [Self] = &[
        Self::Scheduled,
        Self::Prepared,
        Self::Sealed,
        Self::PartlyReleased,
        Self::Released,
        Self::Recalled,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Prepared => "PREPARED",
            Self::Sealed => "SEALED",
            Self::PartlyReleased => "PARTLY_RELEASED",
            Self::Released => "RELEASED",
            Self::Recalled => "RECALLED",
        }
    }
}

/// A recall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    pub done: Done,
    pub reason: String,
}

/// An edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub key: EditionKey,
    /// Where its current revision stands.
    pub state: EditionState,
    /// The number of its current revision, to which all that follows belongs, from 1.
    pub revision: i32,
    pub due: DueDate,
    /// None while nothing is uploaded.
    pub files: Files,
    /// How it is marked; `None` where it is open.
    pub official_use: Option<OfficialUse>,
    /// It is not released before; `None` where it may be at any time.
    pub embargo_until: Option<Timestamp>,
    /// Its seal; `None` before.
    pub sealed: Option<Done>,
    /// The release of the certain cells' copies before the rest; `None` before, and where all were issued at once.
    pub partly_released: Option<Done>,
    /// Its release; `None` before.
    pub released: Option<Done>,
    /// Its recall; `None` before.
    pub recalled: Option<Recall>,
    /// How many copies were issued.
    pub copies_issued: i32,
    /// How many copies it has in all by the distribution list they were issued by; 0 before.
    pub copies_total: i32,
}

/// The copies that a release issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How many.
    pub copies: usize,
    /// How many the revision has in all.
    pub total: i32,
    /// Whether all of them are issued then.
    pub is_whole: bool,
}

/// What keeps an edition from being prepared, sealed or released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Its reporting period has not ended.
    PeriodNotEnded,
    /// It has no content.
    ContentMissing,
    /// Its content has another digest than the caller gave.
    OtherContent,
    /// It is not sealed.
    NotSealed,
    /// It is sealed.
    AlreadySealed,
    /// It is released.
    AlreadyReleased,
    /// It is not released.
    NotReleased,
    /// It was recalled, and no replacement is uploaded.
    Recalled,
    /// Who wants to release it prepared it.
    SamePerson,
    /// There is no room for one more file.
    NoRoom(NoRoom),
    /// It has no file of that name.
    NoSuchFile,
    /// The file is its only one.
    OnlyFile,
    /// The embargo would have ended already.
    EmbargoPassed,
    /// The embargo would end after the due date.
    EmbargoMakesLate,
    /// Its embargo ends at this instant.
    Embargoed(Timestamp),
    /// It is marked in another number of copies than there are.
    MarkedCopies {
        /// What the marking says.
        marked: i32,
        /// How many there are.
        total: i32,
    },
}

impl Edition {
    /// Where it stands for who reads it: what was recalled stays so until its replacement is released.
    pub fn standing(&self) -> EditionState {
        match self.state {
            EditionState::Prepared | EditionState::Sealed if self.revision > 1 => EditionState::Recalled,
            state => state,
        }
    }

    /// Whether its current revision has gone out.
    pub fn is_out(&self) -> bool {
        matches!(
            self.state,
            EditionState::PartlyReleased | EditionState::Released | EditionState::Recalled
        )
    }

    /// Whether content may be uploaded: the edition is not sealed, or was recalled, and its period has ended.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_content(&self, now: Timestamp) -> Result<(), Obstacle> {
        match self.state {
            EditionState::Sealed => Err(Obstacle::AlreadySealed),
            EditionState::PartlyReleased | EditionState::Released => Err(Obstacle::AlreadyReleased),
            _ if zone::civil_day(now) <= self.key.period.last_day() => Err(Obstacle::PeriodNotEnded),
            EditionState::Scheduled | EditionState::Prepared | EditionState::Recalled => Ok(()),
        }
    }

    /// Whether a file of this name may be uploaded, besides [`Self::accepts_content`].
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_file(&self, filename: &str, now: Timestamp) -> Result<(), Obstacle> {
        self.accepts_content(now)?;
        match self.state {
            EditionState::Recalled => Ok(()),
            _ => self.files.accept(filename).map_err(Obstacle::NoRoom),
        }
    }

    /// The edition with this file among its files; after a recall it is the first one of the next revision. One file may have `limit`
    /// bytes.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn prepare(mut self, file: EditionFile, limit: u64) -> Result<Self, Obstacle> {
        self.accepts_content(file.content.uploaded.at)?;
        if self.state == EditionState::Recalled {
            self.revision += 1;
            (self.sealed, self.partly_released, self.released, self.recalled) = (None, None, None, None);
            (self.copies_issued, self.copies_total) = (0, 0);
            (self.files, self.official_use, self.embargo_until) = (Files::default(), None, None);
        }
        self.state = EditionState::Prepared;
        self.files.put(file, limit).map_err(Obstacle::NoRoom)?;
        Ok(self)
    }

    /// The edition without a file.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn without_file(mut self, filename: &str) -> Result<Self, Obstacle> {
        self.require_prepared()?;
        if self.files.get(filename).is_none() {
            return Err(Obstacle::NoSuchFile);
        }
        if self.files.len() == 1 {
            return Err(Obstacle::OnlyFile);
        }
        self.files.remove(filename);
        Ok(self)
    }

    /// The edition marked so, or open.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn mark(mut self, official_use: Option<OfficialUse>) -> Result<Self, Obstacle> {
        self.require_prepared()?;
        self.official_use = official_use;
        Ok(self)
    }

    /// The edition under an embargo until that instant, or under none. It ends ahead, and before the due date does, unless that is over.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn embargo(mut self, until: Option<Timestamp>, now: Timestamp) -> Result<Self, Obstacle> {
        self.require_prepared()?;
        if until.is_some_and(|until| until <= now) {
            return Err(Obstacle::EmbargoPassed);
        }
        if now < self.due.time && until.is_some_and(|until| until >= self.due.time) {
            return Err(Obstacle::EmbargoMakesLate);
        }
        self.embargo_until = until;
        Ok(self)
    }

    fn require_prepared(&self) -> Result<(), Obstacle> {
        match self.state {
            EditionState::Scheduled => Err(Obstacle::ContentMissing),
            EditionState::Prepared => Ok(()),
            EditionState::Sealed => Err(Obstacle::AlreadySealed),
            EditionState::PartlyReleased | EditionState::Released => Err(Obstacle::AlreadyReleased),
            EditionState::Recalled => Err(Obstacle::Recalled),
        }
    }

    /// The edition sealed: its files, which must have this digest, its marking and its embargo.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn seal(mut self, sha256: &[u8], sealed: Done) -> Result<Self, Obstacle> {
        self.require_prepared()?;
        if self.files.sha256().as_deref() != Some(sha256) {
            return Err(Obstacle::OtherContent);
        }
        self.state = EditionState::Sealed;
        self.sealed = Some(sealed);
        Ok(self)
    }

    /// Whether this person may release it now: it is sealed, or released in part, its embargo is over, and other persons uploaded and
    /// sealed it.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_release(&self, released: &Done) -> Result<(), Obstacle> {
        match self.state {
            EditionState::Scheduled => return Err(Obstacle::ContentMissing),
            EditionState::Prepared => return Err(Obstacle::NotSealed),
            EditionState::Released => return Err(Obstacle::AlreadyReleased),
            EditionState::Recalled => return Err(Obstacle::Recalled),
            EditionState::Sealed | EditionState::PartlyReleased => {}
        }
        let uploaded = self.files.iter().map(|file| &file.content.uploaded);
        if uploaded.chain(&self.sealed).any(|done| done.by == released.by) {
            return Err(Obstacle::SamePerson);
        }
        match self.embargo_until {
            Some(until) if released.at < until => Err(Obstacle::Embargoed(until)),
            _ => Ok(()),
        }
    }

    /// The edition released, wholly or in part. The rest follows a part.
    ///
    /// # Errors
    /// As [`Edition::accepts_release`]; or it is marked in another number of copies than there are in all.
    pub fn release(mut self, issue: Issue, released: Done) -> Result<Self, Obstacle> {
        self.accepts_release(&released)?;
        if let Some(OfficialUse { copies: marked, .. }) = self.official_use
            && marked != issue.total
        {
            let total = issue.total;
            return Err(Obstacle::MarkedCopies { marked, total });
        }
        if issue.is_whole {
            self.state = EditionState::Released;
            self.released = Some(released);
        } else {
            self.state = EditionState::PartlyReleased;
            self.partly_released.get_or_insert(released);
        }
        let copies = i32::try_from(issue.copies).unwrap_or(i32::MAX);
        self.copies_issued = self.copies_issued.saturating_add(copies);
        self.copies_total = issue.total;
        Ok(self)
    }

    /// The edition recalled, for this reason: it was released, wholly or in part.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn recall(mut self, recall: Recall) -> Result<Self, Obstacle> {
        match self.state {
            EditionState::Recalled => return Err(Obstacle::Recalled),
            EditionState::Scheduled | EditionState::Prepared | EditionState::Sealed => {
                return Err(Obstacle::NotReleased);
            }
            EditionState::PartlyReleased | EditionState::Released => {}
        }
        self.state = EditionState::Recalled;
        self.recalled = Some(recall);
        Ok(self)
    }

    /// Where it stands in the order of the schedule.
    pub fn schedule_place(&self) -> Place {
        Place {
            due_date: self.due.date,
            position: 0,
            parent: self.key.parent(),
            period: self.key.period,
        }
    }
}

#[cfg(test)]
#[path = "edition_tests.rs"]
mod tests;
