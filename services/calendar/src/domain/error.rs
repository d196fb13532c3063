//! Why the calendar refuses to answer.

use jiff::{Timestamp, civil::Date};

use super::{requester_kind::RequesterKind, term::TermPart};

/// Why the calendar refuses to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The day asked for, or the day computed, is outside the calendar.
    #[error("the calendar covers the years 2016 to 2036, not {year}")]
    YearOutOfRange {
        /// The year that was asked for or reached.
        year: i16,
    },
    /// The end of a range lies before its beginning.
    #[error("the range ends on {to}, before it begins on {from}")]
    RangeReversed {
        /// The first day asked for.
        from: Date,
        /// The last day asked for.
        to: Date,
    },
    /// The due day of an obligation is not 1 to 28.
    #[error("the due day is 1 to 28, not {due_day}")]
    DueDayOutOfRange {
        /// The due day as given.
        due_day: i32,
    },
    /// A length of time is not 1 to 3,660 units.
    #[error("a length of time is 1 to 3660 units, not {length}")]
    LengthOutOfRange {
        /// The length as given.
        length: u32,
    },
    /// No term has this name.
    #[error("there is no term `{name}`")]
    TermUnknown {
        /// The name as given, without `terms/`.
        name: String,
    },
    /// The term named does not govern requests received on this day.
    #[error("the term `{name}` does not govern requests received on {received_on}")]
    TermNotInForce {
        /// The term named.
        name: String,
        /// The day of receipt in Asia/Almaty.
        received_on: Date,
    },
    /// No selected term governs this kind of requester on this day.
    #[error("no term governs requests of {requester_kind:?} received on {received_on}")]
    NoTermApplies {
        /// Who asks.
        requester_kind: RequesterKind,
        /// The day of receipt in Asia/Almaty.
        received_on: Date,
    },
    /// The request was received before the calendar begins.
    #[error("the calendar begins on 2016-01-01 in Asia/Almaty, {instant} is before it")]
    InstantBefore2016 {
        /// The instant of receipt.
        instant: Timestamp,
    },
    /// The day of registration given lies before that of receipt.
    #[error("a request received on {received_on} cannot be registered on {registered_on}, before it")]
    RegisteredBeforeReceipt {
        /// The day of registration as given.
        registered_on: Date,
        /// The day of receipt in Asia/Almaty.
        received_on: Date,
    },
    /// The clock of this term cannot be stopped.
    #[error("no law lets the clock of the term `{term}` stop")]
    SuspensionNotAllowed {
        /// The name of the term, without `terms/`.
        term: String,
    },
    /// The term has no such time.
    #[error("the term `{term}` has no time of the kind {part:?}")]
    NoSuchPart {
        /// The name of the term, without `terms/`.
        term: String,
        /// The time that was asked for.
        part: TermPart,
    },
    /// The day chosen for an extension lies beyond the most that the term allows.
    #[error("the term `{term}` can be extended until {latest} at most")]
    ExtensionTooLong {
        /// The name of the term, without `terms/`.
        term: String,
        /// The last day that it allows.
        latest: Date,
    },
    /// A rule the computation needs is missing from the rules known at the instant.
    #[error("no rule `{key}` is known that covers {on}")]
    ProvisionUnknown {
        /// The key of the missing rule.
        key: String,
        /// The day it was needed for.
        on: Date,
    },
    /// A rule refers to an act that was not given.
    #[error("a rule refers to the act `{act}`, which is unknown")]
    ActUnknown {
        /// The id of the act.
        act: String,
    },
    /// The act was withdrawn before.
    #[error("the act `{act}` is already withdrawn")]
    AlreadyWithdrawn {
        /// The id of the act.
        act: String,
    },
    /// General rules or terms rest on the act.
    #[error("general rules or terms rest on the act `{act}`: it cannot be withdrawn")]
    Indispensable {
        /// The id of the act.
        act: String,
    },
    /// The embedded reference data cannot be read; a fault of the program, found by its tests.
    #[error("{file}, line {line}: {fault}")]
    ReferenceFault {
        /// The file.
        file: &'static str,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        fault: String,
    },
}
