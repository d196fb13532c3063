//! Bodies: who asks, and the bodies of legal statistics that provide (Instruction, paras 2(6) and 11). What is known of one holds for a
//! time.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BodyKind {
    /// It asks.
    StateBody,
    /// The Committee.
    Committee,
    /// A territorial body of the Committee.
    TerritorialBody,
}

impl Word for BodyKind {
    const ALL: &'static [Self] = &[Self::StateBody, Self::Committee, Self::TerritorialBody];

    fn word(self) -> &'static str {
        match self {
            Self::StateBody => "STATE_BODY",
            Self::Committee => "COMMITTEE",
            Self::TerritorialBody => "TERRITORIAL_BODY",
        }
    }
}

impl BodyKind {
    /// Whether it provides legal statistics.
    pub const fn is_of_legal_statistics(self) -> bool {
        matches!(self, Self::Committee | Self::TerritorialBody)
    }
}

/// What is known of a body, whenever it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its name.
    pub title: LocalizedText,
    /// The name in the certificate of its system.
    pub certificate_name: Option<String>,
    /// Its BIN.
    pub bin: Option<String>,
    /// What it is.
    pub kind: BodyKind,
    /// The KATO code of a territorial body.
    pub territory: Option<String>,
    /// The law.
    pub legal_basis: LegalBasis,
    /// The last day; none while it is open.
    pub valid_to: Option<Date>,
}

/// What is known of a body from one day to another, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Which recording this is.
    pub number: i64,
    /// Which body.
    pub id: String,
    /// The first day.
    pub valid_from: Date,
    /// What holds until [`Facts::valid_to`].
    pub facts: Facts,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl Body {
    /// Whether it holds on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.valid_from <= day && self.facts.valid_to.is_none_or(|to| day <= to)
    }
}

/// The last day before another.
fn day_before(day: Date) -> Date {
    day.yesterday().unwrap_or(Date::MIN)
}

/// What holds on a day among what is known of one body; else what begins next, else what held last. None when nothing is known.
pub fn as_of(rows: &[Body], day: Date) -> Option<&Body> {
    let next = || {
        rows.iter()
            .filter(|row| row.valid_from > day)
            .min_by_key(|row| row.valid_from)
    };
    let last = || rows.iter().max_by_key(|row| row.valid_from);
    rows.iter().find(|row| row.covers(day)).or_else(next).or_else(last)
}

/// A row that is to be written in place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The first day.
    pub valid_from: Date,
    /// What holds.
    pub facts: Facts,
}

/// What a change does to the rows of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// The number of the row that is superseded.
    pub superseded: i64,
    /// What is written in its place, in the order of time; the last is what the change makes.
    pub written: Vec<Written>,
}

/// Why a body cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing holds on the day from which it should be otherwise.
    #[error("the body is not in force on this day")]
    NotInForce,
    /// It would end before it begins.
    #[error("must not lie before the day from which it holds")]
    EndsBefore,
}

/// What is to be written when something about a body is otherwise from a day on, or, without a day, was recorded wrong. `None` when it
/// is so already.
///
/// # Errors
/// Why it cannot be so.
pub fn change(
    rows: &[Body],
    from: Option<Date>,
    today: Date,
    edit: impl FnOnce(&mut Facts),
) -> Result<Option<Rewriting>, Unfit> {
    let row = match from {
        Some(from) => rows.iter().find(|row| row.covers(from)),
        None => as_of(rows, today),
    };
    let row = row.ok_or(Unfit::NotInForce)?;
    let mut facts = row.facts.clone();
    edit(&mut facts);
    if facts == row.facts {
        return Ok(None);
    }
    let begins = from.unwrap_or(row.valid_from);
    if facts.valid_to.is_some_and(|to| to < begins) {
        return Err(Unfit::EndsBefore);
    }
    let mut written = Vec::new();
    if begins > row.valid_from {
        let mut before = row.facts.clone();
        before.valid_to = Some(day_before(begins));
        written.push(Written {
            valid_from: row.valid_from,
            facts: before,
        });
    }
    written.push(Written {
        valid_from: begins,
        facts,
    });
    Ok(Some(Rewriting {
        superseded: row.number,
        written,
    }))
}

/// All bodies that count, of all times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bodies(pub Vec<Body>);

impl Bodies {
    /// The body that a certificate names on a day.
    pub fn of_certificate(&self, name: &str, day: Date) -> Option<&Body> {
        let named = |row: &&Body| row.facts.certificate_name.as_deref() == Some(name) && row.covers(day);
        self.0.iter().find(named)
    }

    /// Whether a body of legal statistics of this id is in force on a day.
    pub fn provides(&self, id: &str, day: Date) -> bool {
        let provides = |row: &Body| row.id == id && row.covers(day) && row.facts.kind.is_of_legal_statistics();
        self.0.iter().any(provides)
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
