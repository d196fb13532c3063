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
    /// The content that counts now; `None` while nothing is uploaded.
    pub content: Option<Content>,
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
    /// It is not released.
    NotReleased,
    /// It was recalled, and no replacement is uploaded.
    Recalled,
    /// Who wants to release it prepared it.
    SamePerson,
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

    /// The edition with this content in place of any it had; after a recall it is the next revision.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn prepare(mut self, content: Content) -> Result<Self, Obstacle> {
        self.accepts_content(content.uploaded.at)?;
        if self.state == EditionState::Recalled {
            self.revision += 1;
            (self.sealed, self.partly_released, self.released, self.recalled) = (None, None, None, None);
            (self.copies_issued, self.copies_total) = (0, 0);
        }
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
            (EditionState::PartlyReleased | EditionState::Released, _) => return Err(Obstacle::AlreadyReleased),
            (EditionState::Recalled, _) => return Err(Obstacle::Recalled),
            (_, None) => return Err(Obstacle::ContentMissing),
            (_, Some(content)) if content.sha256 != sha256 => return Err(Obstacle::OtherContent),
            (EditionState::Scheduled | EditionState::Prepared, Some(_)) => {}
        }
        self.state = EditionState::Sealed;
        self.sealed = Some(sealed);
        Ok(self)
    }

    /// Whether this person may release it: it is sealed, or released in part, and another person uploaded and sealed it.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_release(&self, by: &str) -> Result<(), Obstacle> {
        match self.state {
            EditionState::Scheduled => return Err(Obstacle::ContentMissing),
            EditionState::Prepared => return Err(Obstacle::NotSealed),
            EditionState::Released => return Err(Obstacle::AlreadyReleased),
            EditionState::Recalled => return Err(Obstacle::Recalled),
            EditionState::Sealed | EditionState::PartlyReleased => {}
        }
        let uploaded = self.content.as_ref().map(|content| &content.uploaded);
        let by_same = |done: Option<&Done>| done.is_some_and(|done| done.by == by);
        if by_same(uploaded) || by_same(self.sealed.as_ref()) {
            return Err(Obstacle::SamePerson);
        }
        Ok(())
    }

    /// The edition released, wholly or in part. The rest follows a part.
    ///
    /// # Errors
    /// As [`Edition::accepts_release`].
    pub fn release(mut self, issue: Issue, released: Done) -> Result<Self, Obstacle> {
        self.accepts_release(&released.by)?;
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
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn recall() -> Recall {
        Recall {
            done: Done {
                at: instant("2025-04-03T04:00:00Z"),
                by: "head".into(),
            },
            reason: "a table is wrong".into(),
        }
    }

    /// All 33 copies.
    const WHOLE: Issue = Issue {
        copies: 33,
        total: 33,
        is_whole: true,
    };

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
        let sealed = !matches!(state, EditionState::Scheduled | EditionState::Prepared);
        let released = matches!(state, EditionState::Released | EditionState::Recalled);
        Edition {
            revision: 1,
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
            partly_released: (state == EditionState::PartlyReleased).then(|| done("approver")),
            released: released.then(|| done("approver")),
            recalled: (state == EditionState::Recalled).then(recall),
            copies_issued: 0,
            copies_total: 0,
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
            edition(state).release(WHOLE, Done { at, by })
        };
        let released = Edition {
            copies_issued: 33,
            copies_total: 33,
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

    #[test]
    fn the_rest_follows_a_part_and_both_releases_stay_known() {
        let done = |by: &str| Done {
            at: instant("2025-04-03T04:00:00Z"),
            by: by.into(),
        };
        let part = Issue {
            copies: 20,
            total: 33,
            is_whole: false,
        };
        let partly = edition(EditionState::Sealed).release(part, done("approver"));
        let partly = partly.expect("it is sealed");
        assert_eq!((partly.state, partly.copies_issued), (EditionState::PartlyReleased, 20));
        assert_eq!(partly.released, None, "it is not released yet");
        let same = partly.clone().release(part, done("operator-2"));
        assert_eq!(same, Err(Obstacle::SamePerson));
        let rest = Issue { copies: 13, ..WHOLE };
        let whole = partly.release(rest, done("approver-2")).expect("the rest follows");
        assert_eq!((whole.state, whole.copies_issued), (EditionState::Released, 33));
        assert_eq!(whole.partly_released, Some(done("approver")));
        assert_eq!(whole.released, Some(done("approver-2")));
    }

    #[test]
    fn what_was_released_is_recalled_once_and_stays_so_until_its_replacement_is_released() {
        for state in [EditionState::Scheduled, EditionState::Prepared, EditionState::Sealed] {
            assert_eq!(edition(state).recall(recall()), Err(Obstacle::NotReleased));
        }
        assert_eq!(
            edition(EditionState::Recalled).recall(recall()),
            Err(Obstacle::Recalled)
        );
        assert!(edition(EditionState::PartlyReleased).recall(recall()).is_ok());
        let recalled = edition(EditionState::Released)
            .recall(recall())
            .expect("it was released");
        assert_eq!(recalled, edition(EditionState::Recalled));
        let seal = recalled.sealed.clone().expect("it was sealed");
        let approver = Done {
            by: "approver".into(),
            ..seal.clone()
        };
        let released = recalled.clone().release(WHOLE, approver.clone());
        assert_eq!(released, Err(Obstacle::Recalled));
        assert_eq!(recalled.clone().seal(&[7; 32], seal.clone()), Err(Obstacle::Recalled));

        let content = recalled.content.clone().expect("it has some");
        let replacement = recalled.prepare(content).expect("it is taken");
        let expected = Edition {
            revision: 2,
            ..edition(EditionState::Prepared)
        };
        assert_eq!(replacement, expected);
        let sealed = replacement.clone().seal(&[7; 32], seal).expect("it is prepared");
        assert_eq!(
            (replacement.standing(), sealed.standing()),
            (EditionState::Recalled, EditionState::Recalled)
        );
        assert!(!sealed.is_out());
        let released = sealed.release(WHOLE, approver).expect("it is sealed");
        assert_eq!((released.standing(), released.revision), (EditionState::Released, 2));
    }
}
