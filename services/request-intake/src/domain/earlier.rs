//! By what a request is known among those received before.

use jiff::civil::Date;
use legalstat_kit::door::{folded::folded, word::Word};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::request::{Item, Submission, Unit};

/// A request received before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its id.
    pub id: Uuid,
    /// Who brought it.
    pub accepted_by: String,
    /// The BIN of its requester, if it gave one.
    pub requester_bin: Option<String>,
    /// The number of its coupon.
    pub coupon_number: String,
    /// Its registration number, if it has one.
    pub registration_number: Option<String>,
}

/// What a request seems to come after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// The first with the same document of the same requester.
    pub likely_duplicate_of: Option<Before>,
    /// The first, open or answered, in which the same requester asked for the same.
    pub repeats: Option<Before>,
}

impl Earlier {
    /// All that it names.
    pub fn requests(&self) -> impl Iterator<Item = &Before> {
        self.likely_duplicate_of.iter().chain(&self.repeats)
    }
}

/// By what a request is known to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBy {
    /// The document that it came as.
    pub document: Option<Document>,
    /// The number for who asks for what.
    pub asked: Option<i64>,
}

impl KnownBy {
    /// By what a request is known.
    pub fn of(submission: &Submission) -> Self {
        Self {
            document: document(submission),
            asked: asked(submission),
        }
    }
}

/// A sender's document, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Document {
    /// Its number, folded.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// The BIN or IIN of the requester, if it gave one.
    pub identifier: Option<String>,
    /// The name of the requester, folded: it counts where one of two gave no identifier.
    pub name: String,
}

/// The document that a request came as; `None` unless it has both number and date.
pub fn document(submission: &Submission) -> Option<Document> {
    let external = submission.external.as_ref()?;
    let number = folded(&external.number);
    (!number.is_empty()).then_some(Document {
        number,
        date: external.date?,
        identifier: identifier(submission).map(str::to_owned),
        name: folded(&submission.requester.full_name),
    })
}

impl Document {
    /// Whether two are of one number and date, and of one requester as far as is known.
    pub fn is_like(&self, other: &Self) -> bool {
        let same_requester = match (&self.identifier, &other.identifier) {
            (Some(one), Some(other)) => one == other,
            _ => self.name == other.name,
        };
        same_requester && self.number == other.number && self.date == other.date
    }
}

fn identifier(submission: &Submission) -> Option<&str> {
    let requester = &submission.requester;
    requester.bin.as_deref().or(requester.iin.as_deref())
}

/// A number for who asks for what: the first 64 bits of a SHA-256. The order of the items counts nothing, nor that one is there twice;
/// of an item that names an indicator or a detail its words count nothing. `None` when nothing is asked for, or by nobody known.
pub fn asked(submission: &Submission) -> Option<i64> {
    let name = folded(&submission.requester.full_name);
    let asker = identifier(submission).unwrap_or(&name);
    if asker.is_empty() || submission.items.is_empty() {
        return None;
    }
    let mut items: Vec<String> = submission.items.iter().map(wanted).collect();
    items.sort_unstable();
    items.dedup();
    let mut digest = Sha256::new();
    for part in std::iter::once(asker).chain(items.iter().map(String::as_str)) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&digest.finalize()[..8]);
    Some(i64::from_be_bytes(first))
}

/// What an item asks for, in one spelling. No part of it holds the character between the parts.
fn wanted(item: &Item) -> String {
    let named = item.indicator.as_deref().or(item.detail.as_deref());
    let words = match named {
        Some(_) => String::new(),
        None => folded(&item.description),
    };
    // An indicator is of one form, named or not.
    let form = item.form.as_deref().filter(|_| named.is_none()).unwrap_or_default();
    let period = |period: Option<legalstat_kit::period::ReportingPeriod>| {
        period.map(|period| period.to_string()).unwrap_or_default()
    };
    let last = item.until_period.filter(|last| Some(*last) != item.period);
    let mut territories: Vec<&str> = item.territories.iter().map(String::as_str).collect();
    territories.sort_unstable();
    territories.dedup();
    [
        item.kind.word(),
        item.unit.map(Unit::word).unwrap_or_default(),
        &period(item.period),
        &period(last),
        form,
        named.unwrap_or_default(),
        &words,
        &territories.join(" "),
    ]
    .join("\u{1f}")
}

#[cfg(test)]
#[path = "earlier_tests.rs"]
mod tests;
