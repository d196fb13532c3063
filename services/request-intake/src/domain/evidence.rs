//! What other services say about a request, as far as its examination needs it.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::door::word::Word;
use legalstat_kit::law::{LegalBasis, LocalizedText};

/// What came of asking a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It answered.
    Given(T),
    /// It answered that it cannot; in its own words, English.
    Refused(String),
    /// It is away, slow or broken: it is asked again later.
    Away,
}

/// Everything that is asked for an examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The calendar's answer.
    pub deadline: Answer<Deadline>,
    /// The form registry's answer: one finding for each item that asks for statistics, in their order.
    pub findings: Answer<Vec<Finding>>,
}

/// What a day does to a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepEffect {
    /// The term starts from this day, which does not count.
    Start,
    /// The day counts.
    Counted,
    /// The day does not count.
    Skipped,
    /// The clock stands still.
    Suspended,
    /// The term would end here, but the day is off.
    Rolled,
    /// The deadline.
    Due,
}

impl Word for StepEffect {
    const ALL: &'static [Self] = &[
        Self::Start,
        Self::Counted,
        Self::Skipped,
        Self::Suspended,
        Self::Rolled,
        Self::Due,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Counted => "COUNTED",
            Self::Skipped => "SKIPPED",
            Self::Suspended => "SUSPENDED",
            Self::Rolled => "ROLLED",
            Self::Due => "DUE",
        }
    }
}

/// One day that mattered to a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The day.
    pub date: Date,
    /// What it did.
    pub effect: StepEffect,
    /// Why.
    pub text: LocalizedText,
    /// The law behind it.
    pub legal_basis: LegalBasis,
}

/// By when a request must be answered, and how that came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The day on which the request counts as registered.
    pub registered_on: Date,
    /// The last day.
    pub due_date: Date,
    /// The instant at which the last day ends.
    pub due_time: Timestamp,
    /// Whether it rests on a day of a year whose acts are not all in.
    pub provisional: bool,
    /// Whether it rests on a rule without a source.
    pub assumed: bool,
    /// The version of the calendar that answered.
    pub calendar_version: String,
    /// The name of the term applied.
    pub term: String,
    /// The days that mattered, in order. Shared: requests of one day have the same.
    pub steps: Arc<Vec<Step>>,
}

/// How a day was computed that stays as it was at its decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it rests on a day of a year whose acts were not all in.
    pub provisional: bool,
    /// Whether it rests on a rule without a source.
    pub assumed: bool,
    /// The version of the calendar that answered.
    pub calendar_version: String,
    /// The name of the term applied.
    pub term: String,
    /// The days that mattered, in order.
    pub steps: Arc<Vec<Step>>,
}

impl From<Deadline> for Explanation {
    fn from(deadline: Deadline) -> Self {
        Self {
            provisional: deadline.provisional,
            assumed: deadline.assumed,
            calendar_version: deadline.calendar_version,
            term: deadline.term,
            steps: deadline.steps,
        }
    }
}

/// What the registers say about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Open editions hold every period asked for.
    Placed,
    /// So they do, and all of them were declared to have nothing to report.
    Nil,
    /// What is asked for is registered, but not every period is open.
    NotPlaced,
    /// It is registered, and of restricted access.
    Restricted,
    /// The registers cannot tell.
    Undetermined,
    /// The form, indicator or detail named is not registered.
    NotRegistered,
}

/// An edition that is open to everyone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpenEdition {
    /// Its name.
    pub name: String,
    /// Where it can be read; empty when that was not said.
    pub address: String,
    /// The hash of its content, in hexadecimal.
    pub sha256: String,
    /// How many of its figures are those asked for.
    pub figures: i64,
}

/// The indicator or detail that an item means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched {
    /// None that the registers know, or none was asked for.
    Nothing,
    /// This one, by name.
    One(String),
    /// One of these or none: the nearest to its words.
    Near(Vec<String>),
}

impl Matched {
    /// Whether it is a detail of an information accounting document, for sure.
    pub fn is_detail(&self) -> bool {
        matches!(self, Self::One(name) if name.starts_with("accountingDocuments/"))
    }
}

/// What the registers say about one item, in words and with what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What they say.
    pub availability: Availability,
    /// The indicator or detail that it is about.
    pub matched: Matched,
    /// The open editions that hold what is asked for.
    pub open: Vec<OpenEdition>,
    /// The finding in words.
    pub text: LocalizedText,
}
