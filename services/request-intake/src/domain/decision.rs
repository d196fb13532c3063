//! What was done with a request after its examination, by whom and why. It stays on record.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{call::Done, door::word::Word, law::LegalBasis, zone};

use super::{evidence::Explanation, examination::Check, life::Verb, request::State};

/// In which capacity an official decides who stands for the body of legal statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfficialCapacity {
    /// The head of the body.
    Head,
    /// A deputy of the head.
    Deputy,
    /// The head of the apparatus.
    HeadOfApparatus,
}

impl Word for OfficialCapacity {
    const ALL: &'static [Self] = &[Self::Head, Self::Deputy, Self::HeadOfApparatus];

    fn word(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Deputy => "DEPUTY",
            Self::HeadOfApparatus => "HEAD_OF_APPARATUS",
        }
    }
}

/// Something that somebody did with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was done.
    pub verb: Verb,
    /// Who did it.
    pub decided_by: String,
    /// In which capacity, where that matters.
    pub capacity: Option<OfficialCapacity>,
    /// When.
    pub decided_at: Timestamp,
    /// Where the request stood before.
    pub before: State,
    /// Where it stood after it.
    pub after: State,
    /// Why, in the words of who decided.
    pub reason: String,
    /// The law behind it.
    pub legal_basis: Option<LegalBasis>,
    /// What it set besides.
    pub terms: Terms,
}

/// What a decision sets besides the state of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The ground, by its code in the rules.
    pub ground: Option<String>,
    /// The body that it was passed on to.
    pub to_body: Option<String>,
    /// The positions of the items that were passed on; none when all were.
    pub items: Option<Vec<i32>>,
    /// The last day for curing defects, or for the answer after an extension.
    pub until: Option<Date>,
    /// The day by which the requester is to be told.
    pub notify_by: Option<Date>,
    /// How the calendar came to that day, or to that for a return.
    pub explanation: Option<Explanation>,
    /// The day on which the requester was told.
    pub notified_on: Option<Date>,
    /// How the requester was told of it, as it was recorded afterwards.
    pub notice: Option<Notice>,
    /// Checks, each with whether its rule was found kept after all.
    pub checks: Vec<(Check, bool)>,
    /// Fields of the request that were changed by it.
    pub changed: Vec<ChangedField>,
    /// Whether the request is to be examined again, if it still goes on here.
    pub examine_again: bool,
}

/// A field of a request that was changed after its acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedField {
    /// The field, for example `items[0].period`.
    pub field: String,
    /// As it was before; empty when it was missing.
    pub before: String,
    /// As it is since.
    pub after: String,
}

/// By which means a requester was told of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeMeans {
    UnifiedEdms,
    Kadagalau,
    EGovernment,
    Post,
    InPerson,
    Email,
    Telephone,
}

impl Word for NoticeMeans {
    const ALL: &'static [Self] = &[
        Self::UnifiedEdms,
        Self::Kadagalau,
        Self::EGovernment,
        Self::Post,
        Self::InPerson,
        Self::Email,
        Self::Telephone,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::UnifiedEdms => "UNIFIED_EDMS",
            Self::Kadagalau => "KADAGALAU",
            Self::EGovernment => "E_GOVERNMENT",
            Self::Post => "POST",
            Self::InPerson => "IN_PERSON",
            Self::Email => "EMAIL",
            Self::Telephone => "TELEPHONE",
        }
    }
}

/// That a requester was told of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub on: Date,
    pub means: NoticeMeans,
    pub recorded: Done,
}

/// Why a notice of a decision is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTold {
    /// There is no such decision.
    Missing,
    /// Nobody is to be told of it.
    Unneeded,
    /// It is recorded already.
    Recorded,
    /// It was decided after that day.
    Earlier,
}

impl Decision {
    /// Whether the requester is to be told of it.
    pub fn is_to_be_told(&self) -> bool {
        matches!(self.verb, Verb::Forward | Verb::ForwardItems | Verb::Extend)
    }

    /// Whether it can be recorded of it that the requester was told on a day.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn may_be_told(&self, on: Date) -> Result<(), NotTold> {
        if !self.is_to_be_told() {
            return Err(NotTold::Unneeded);
        }
        if self.terms.notice.is_some() || self.terms.notified_on.is_some() {
            return Err(NotTold::Recorded);
        }
        if on < zone::civil_day(self.decided_at) {
            return Err(NotTold::Earlier);
        }
        Ok(())
    }
}
