//! What is owed of a request besides its answer: giving it back when its defects were not cured, or forwarding it at once.

use jiff::{Timestamp, ToSpan, civil::Date};
use legalstat_kit::{door::word::Word, zone};

use super::{
    life::Verb,
    request::{Standing, State, Submission},
    rules::Rules,
};

/// What is owed, and what its day is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// Giving it back, unless its defects are cured by this day.
    Return(Date),
    /// Forwarding it, counted from its receipt.
    Forwarding,
}

/// Its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwedKind {
    Return,
    Forwarding,
}

impl Word for OwedKind {
    const ALL: &'static [Self] = &[Self::Return, Self::Forwarding];

    fn word(self) -> &'static str {
        match self {
            Self::Return => "RETURN",
            Self::Forwarding => "FORWARDING",
        }
    }
}

impl Owed {
    /// What is owed of a request as it stands; `examined_at` is when its examination found what is to be cured.
    pub fn of(rules: &Rules, submission: &Submission, standing: &Standing, examined_at: Timestamp) -> Option<Self> {
        if submission.is_to_be_forwarded() && standing.state.is_open() {
            Some(Self::Forwarding)
        } else if standing.state == State::AwaitingClarification {
            cure_by(rules, submission, standing, examined_at).map(Self::Return)
        } else {
            None
        }
    }

    /// Its kind.
    pub const fn kind(self) -> OwedKind {
        match self {
            Self::Return(_) => OwedKind::Return,
            Self::Forwarding => OwedKind::Forwarding,
        }
    }

    /// The last day for curing the defects, of a return.
    pub const fn cure_by(self) -> Option<Date> {
        match self {
            Self::Return(day) => Some(day),
            Self::Forwarding => None,
        }
    }
}

/// The last day for curing the defects: what an official set, else the usual time after the examination that found them. None when no
/// law in force on the day of receipt lets the requester be asked.
pub fn cure_by(rules: &Rules, submission: &Submission, standing: &Standing, examined_at: Timestamp) -> Option<Date> {
    if standing.cure_by.is_some() {
        return standing.cure_by;
    }
    let (kind, day) = (submission.requester.kind, submission.received_on());
    let rule = rules.verb(Verb::AskClarification, "", kind, day)?;
    let days = rule.cure_days.map_or(0, |days| days.usual);
    Some(zone::civil_day(examined_at).saturating_add(days.days()))
}
