//! An edition: one period's issue of a collection, from its due date to its release.

use jiff::Timestamp;
use legalstat_kit::{
    call::Done,
    door::word::Word,
    due::{DueDate, scheduled::Place},
    files::Content,
    zone,
};

use super::key::EditionKey;

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

impl Word for EditionState {
    const ALL: &'static [Self] = &[Self::Scheduled, Self::Prepared, Self::Sealed, Self::Released];

    fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Prepared => "PREPARED",
            Self::Sealed => "SEALED",
            Self::Released => "RELEASED",
        }
    }
}

/// An edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub key: EditionKey,
    pub state: EditionState,
    pub due: DueDate,
    /// The content that counts now; `None` while nothing is uploaded.
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

    /// The edition with this content in place of any it had.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn prepare(mut self, content: Content) -> Result<Self, Obstacle> {
        self.accepts_content(content.uploaded.at)?;
        self.state = EditionState::Prepared;
        self.content = Some(content);
        Ok(self)
    }

    /// The edition with its content, which must have this digest, sealed.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn seal(mut self, sha256: &[u8], sealed: Done) -> Result<Self, Obstacle> {
        match (self.state, &self.content) {
            (EditionState::Sealed, _) => return Err(Obstacle::AlreadySealed),
            (EditionState::Released, _) => return Err(Obstacle::AlreadyReleased),
            (_, None) => return Err(Obstacle::ContentMissing),
            (_, Some(content)) if content.sha256 != sha256 => return Err(Obstacle::OtherContent),
            (EditionState::Scheduled | EditionState::Prepared, Some(_)) => {}
        }
        self.state = EditionState::Sealed;
        self.sealed = Some(sealed);
        Ok(self)
    }

    /// The edition released with so many copies: it is sealed, and another person uploaded and sealed it.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn release(mut self, copies: usize, released: Done) -> Result<Self, Obstacle> {
        match self.state {
            EditionState::Scheduled => return Err(Obstacle::ContentMissing),
            EditionState::Prepared => return Err(Obstacle::NotSealed),
            EditionState::Released => return Err(Obstacle::AlreadyReleased),
            EditionState::Sealed => {}
        }
        let uploaded = self.content.as_ref().map(|content| &content.uploaded);
        let by_same = |done: Option<&Done>| done.is_some_and(|done| done.by == released.by);
        if by_same(uploaded) || by_same(self.sealed.as_ref()) {
            return Err(Obstacle::SamePerson);
        }
        self.state = EditionState::Released;
        self.released = Some(released);
        self.copies_issued = i32::try_from(copies).unwrap_or(i32::MAX);
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
            key: "collections/crime/editions/2025-Q1".parse().expect("a name"),
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
    fn new_content_replaces_what_was_there() {
        let prepared = edition(EditionState::Prepared);
        let mut content = prepared.content.clone().expect("it has some");
        assert_eq!(
            edition(EditionState::Scheduled).prepare(content.clone()),
            Ok(prepared.clone())
        );
        content.sha256 = vec![8; 32];
        let replaced = prepared.prepare(content.clone()).expect("it is taken");
        assert_eq!(replaced.content, Some(content));
    }

    #[test]
    fn only_the_content_that_was_seen_is_sealed_and_only_once() {
        let seal = edition(EditionState::Sealed).sealed.expect("it is sealed");
        let sealing = |state, sha256: [u8; 32]| edition(state).seal(&sha256, seal.clone());
        assert_eq!(sealing(EditionState::Scheduled, [7; 32]), Err(Obstacle::ContentMissing));
        assert_eq!(sealing(EditionState::Prepared, [8; 32]), Err(Obstacle::OtherContent));
        assert_eq!(
            sealing(EditionState::Prepared, [7; 32]),
            Ok(edition(EditionState::Sealed))
        );
        assert_eq!(sealing(EditionState::Sealed, [7; 32]), Err(Obstacle::AlreadySealed));
        assert_eq!(sealing(EditionState::Released, [7; 32]), Err(Obstacle::AlreadyReleased));
    }

    #[test]
    fn a_sealed_edition_is_released_by_a_person_who_did_not_prepare_it() {
        let releasing = |state, person: &str| {
            let (at, by) = (instant("2025-04-03T04:00:00Z"), person.to_owned());
            edition(state).release(33, Done { at, by })
        };
        let released = Edition {
            copies_issued: 33,
            ..edition(EditionState::Released)
        };
        assert_eq!(
            releasing(EditionState::Scheduled, "approver"),
            Err(Obstacle::ContentMissing)
        );
        assert_eq!(releasing(EditionState::Prepared, "approver"), Err(Obstacle::NotSealed));
        assert_eq!(releasing(EditionState::Sealed, "operator-1"), Err(Obstacle::SamePerson));
        assert_eq!(releasing(EditionState::Sealed, "operator-2"), Err(Obstacle::SamePerson));
        assert_eq!(releasing(EditionState::Sealed, "approver"), Ok(released));
        assert_eq!(
            releasing(EditionState::Released, "approver"),
            Err(Obstacle::AlreadyReleased)
        );
    }
}
