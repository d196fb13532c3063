//! What was done with a request after its examination, by whom and why. It stays on record.

use jiff::Timestamp;
use legalstat_kit::{door::word::Word, law::LegalBasis};

use super::{life::Verb, request::State};

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
}
