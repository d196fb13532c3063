//! An edition: one period's issue of a collection, from its due date to its release.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{due::DueDate, period::ReportingPeriod, zone};

use super::names;

/// Which edition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditionKey {
    /// The id of the collection.
    pub collection: String,
    /// The reporting period.
    pub period: ReportingPeriod,
}

impl fmt::Display for EditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/editions/{}", names::collection(&self.collection), self.period)
    }
}

/// Where an edition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditionState {
    /// Expected; nothing was uploaded.
    Scheduled,
    /// Content is uploaded and can still be replaced.
    Prepared,
    /// The content is fixed by its digest.
    Sealed,
    /// Its copies are issued.
    Released,
}

impl EditionState {
    const ALL: [Self; 4] = [Self::Scheduled, Self::Prepared, Self::Sealed, Self::Released];

    /// The word it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Prepared => "PREPARED",
            Self::Sealed => "SEALED",
            Self::Released => "RELEASED",
        }
    }

    /// Reads the word it is stored as.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// The name in the caller's certificate.
    pub by: String,
}

/// The content of an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The file's name without folders.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes, 1 or more.
    pub size_bytes: i64,
    /// SHA-256 of it.
    pub sha256: Vec<u8>,
    /// Its upload.
    pub uploaded: Done,
}

/// An edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Which one.
    pub key: EditionKey,
    /// Where it stands.
    pub state: EditionState,
    /// When it is due.
    pub due: DueDate,
    /// Its content; `None` while nothing is uploaded.
    pub content: Option<Content>,
    /// Its seal; `None` before.
    pub sealed: Option<Done>,
    /// Its release; `None` before.
    pub released: Option<Done>,
    /// How many copies were issued.
    pub copies_issued: i32,
}

/// What keeps an edition from being uploaded, sealed or released.
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
    /// Who wants to release it prepared it.
    SamePerson,
}

impl Edition {
    /// Whether content may be uploaded: the edition is not sealed and its period has ended.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_content(&self, now: Timestamp) -> Result<(), Obstacle> {
        match self.state {
            EditionState::Sealed => Err(Obstacle::AlreadySealed),
            EditionState::Released => Err(Obstacle::AlreadyReleased),
            _ if zone::civil_day(now) <= self.key.period.last_day() => Err(Obstacle::PeriodNotEnded),
            EditionState::Scheduled | EditionState::Prepared => Ok(()),
        }
    }

    /// Whether its content, which must have this digest, may be sealed.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn may_be_sealed(&self, sha256: &[u8]) -> Result<(), Obstacle> {
        match (self.state, &self.content) {
            (EditionState::Sealed, _) => Err(Obstacle::AlreadySealed),
            (EditionState::Released, _) => Err(Obstacle::AlreadyReleased),
            (_, None) => Err(Obstacle::ContentMissing),
            (_, Some(content)) if content.sha256 != sha256 => Err(Obstacle::OtherContent),
            (EditionState::Scheduled | EditionState::Prepared, Some(_)) => Ok(()),
        }
    }

    /// Whether this person may release it: it is sealed, and another person uploaded and sealed it.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn may_be_released_by(&self, person: &str) -> Result<(), Obstacle> {
        match self.state {
            EditionState::Scheduled => return Err(Obstacle::ContentMissing),
            EditionState::Prepared => return Err(Obstacle::NotSealed),
            EditionState::Released => return Err(Obstacle::AlreadyReleased),
            EditionState::Sealed => {}
        }
        let uploaded = self.content.as_ref().map(|content| &content.uploaded);
        let prepared_by_same = [uploaded, self.sealed.as_ref()]
            .into_iter()
            .flatten()
            .any(|done| done.by == person);
        if prepared_by_same {
            Err(Obstacle::SamePerson)
        } else {
            Ok(())
        }
    }
}

/// A place in the order of the schedule: by due date, then collection, then period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulePosition {
    /// The due date.
    pub due_date: Date,
    /// The edition.
    pub key: EditionKey,
}

impl SchedulePosition {
    /// Where an edition stands in the order.
    pub fn of(edition: &Edition) -> Self {
        Self {
            due_date: edition.due.date,
            key: edition.key.clone(),
        }
    }
}

impl fmt::Display for SchedulePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.due_date, self.key)
    }
}

impl FromStr for SchedulePosition {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (due_date, name) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            due_date: due_date.parse().map_err(|_| ())?,
            key: names::parse_edition(name).map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn edition(state: EditionState) -> Edition {
        let done = |by: &str| Done {
            at: instant("2025-04-03T04:00:00Z"),
            by: by.into(),
        };
        let content = Content {
            filename: "crime.pdf".into(),
            content_type: "application/pdf".into(),
            size_bytes: 1,
            sha256: vec![7; 32],
            uploaded: done("operator-1"),
        };
        let sealed = matches!(state, EditionState::Sealed | EditionState::Released);
        Edition {
            key: names::parse_edition("collections/crime/editions/2025-Q1").expect("a name"),
            state,
            due: DueDate {
                date: "2025-04-14".parse().expect("a day"),
                time: instant("2025-04-14T19:00:00Z"),
                provisional: false,
                assumed: true,
                calendar_version: "1".into(),
            },
            content: (state != EditionState::Scheduled).then_some(content),
            sealed: sealed.then(|| done("operator-2")),
            released: (state == EditionState::Released).then(|| done("approver")),
            copies_issued: 0,
        }
    }

    #[test]
    fn content_is_taken_once_the_period_is_over_in_almaty_and_until_the_seal() {
        let (before, after) = (instant("2025-03-31T18:59:59Z"), instant("2025-03-31T19:00:00Z"));
        for state in [EditionState::Scheduled, EditionState::Prepared] {
            assert_eq!(edition(state).accepts_content(before), Err(Obstacle::PeriodNotEnded));
            assert_eq!(edition(state).accepts_content(after), Ok(()));
        }
        assert_eq!(
            edition(EditionState::Sealed).accepts_content(after),
            Err(Obstacle::AlreadySealed)
        );
        assert_eq!(
            edition(EditionState::Released).accepts_content(after),
            Err(Obstacle::AlreadyReleased)
        );
    }

    #[test]
    fn only_the_content_that_was_seen_is_sealed_and_only_once() {
        let sealing = |state, sha256: [u8; 32]| edition(state).may_be_sealed(&sha256);
        assert_eq!(sealing(EditionState::Scheduled, [7; 32]), Err(Obstacle::ContentMissing));
        assert_eq!(sealing(EditionState::Prepared, [8; 32]), Err(Obstacle::OtherContent));
        assert_eq!(sealing(EditionState::Prepared, [7; 32]), Ok(()));
        assert_eq!(sealing(EditionState::Sealed, [7; 32]), Err(Obstacle::AlreadySealed));
        assert_eq!(sealing(EditionState::Released, [7; 32]), Err(Obstacle::AlreadyReleased));
    }

    #[test]
    fn a_sealed_edition_is_released_by_a_person_who_did_not_prepare_it() {
        let releasing = |state, person: &str| edition(state).may_be_released_by(person);
        assert_eq!(
            releasing(EditionState::Scheduled, "approver"),
            Err(Obstacle::ContentMissing)
        );
        assert_eq!(releasing(EditionState::Prepared, "approver"), Err(Obstacle::NotSealed));
        assert_eq!(releasing(EditionState::Sealed, "operator-1"), Err(Obstacle::SamePerson));
        assert_eq!(releasing(EditionState::Sealed, "operator-2"), Err(Obstacle::SamePerson));
        assert_eq!(releasing(EditionState::Sealed, "approver"), Ok(()));
        assert_eq!(
            releasing(EditionState::Released, "approver"),
            Err(Obstacle::AlreadyReleased)
        );
    }

    #[test]
    fn a_position_in_the_schedule_is_read_as_it_is_written() {
        let position = SchedulePosition::of(&edition(EditionState::Scheduled));
        assert_eq!(position.to_string().parse(), Ok(position));
        assert_eq!("2025-01-05".parse::<SchedulePosition>(), Err(()));
    }
}
