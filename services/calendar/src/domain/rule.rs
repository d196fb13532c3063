//! Acts and the rules they bring: every rule is a row with its law, with when it was known, and never changed.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan, civil::Date};
use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};

use super::{error::CalendarError, term::Term};

/// How well a rule is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum Grade {
    /// The act's own text was read.
    A,
    /// A state body says it.
    B,
    /// A third party says it.
    C,
    /// Assumed: no source was found.
    D,
}

impl Word for Grade {
    const ALL: &'static [Self] = &[Self::A, Self::B, Self::C, Self::D];

    fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }
}

/// What an act is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActKind {
    /// A law or code.
    Law,
    /// A resolution of the Government.
    Resolution,
    /// An order of a minister or of the Prosecutor General.
    Order,
}

impl Word for ActKind {
    const ALL: &'static [Self] = &[Self::Law, Self::Resolution, Self::Order];

    fn word(self) -> &'static str {
        match self {
            Self::Law => "LAW",
            Self::Resolution => "RESOLUTION",
            Self::Order => "ORDER",
        }
    }
}

/// An act that brings rules, or that rules are cited from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Lower-case name, unique, for example `labour-code`.
    pub id: String,
    /// Its number in the order of recording, from 1: the version of the calendar it made.
    pub sequence: u64,
    /// What it is.
    pub kind: ActKind,
    /// How it is cited.
    pub citation: String,
    /// Its title.
    pub title: LocalizedText,
    /// Its official number; empty when unknown.
    pub number: String,
    /// Its id in the adilet database of legal acts; empty when unknown.
    pub adilet_id: String,
    /// Where it can be read; empty when unknown.
    pub uri: String,
    /// Its date, when known.
    pub dated: Option<Date>,
    /// The day of its publication, when known.
    pub published_on: Option<Date>,
    /// How well it is known.
    pub grade: Grade,
    /// From when it was known; `None` when it was known before its rules began.
    pub known_from: Option<Timestamp>,
    /// The first day on which it is in force; `None` when always within the calendar.
    pub valid_from: Option<Date>,
    /// The last day on which it is in force; `None` while it is.
    pub valid_to: Option<Date>,
    /// When it was recorded; `None` until it is.
    pub recorded_at: Option<Timestamp>,
    /// From when it counts as withdrawn: its rows are not known from then on. `None` while it stands.
    pub withdrawn_at: Option<Timestamp>,
}

impl Act {
    /// The legal basis that a provision of this act gives; assumed when the grade is D.
    pub fn cite(&self, provision: &str, grade: Grade) -> Arc<LegalBasis> {
        let (act, uri) = (self.citation.clone(), self.uri.clone());
        Arc::new(LegalBasis::of_row(act, provision.to_owned(), uri, grade == Grade::D))
    }

    /// Whether it was entered while the calendar was in use: then it was known from its recording on.
    fn is_entered(&self) -> bool {
        self.recorded_at.is_some() && self.known_from == self.recorded_at
    }

    /// Whether the act is in force on a day.
    pub(super) fn in_force_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// When a row was known: from `from` (inclusive) until `to` (exclusive).
///
/// Days of knowledge are days in Asia/Almaty: a row known from a day is known from its beginning there, one known to a
/// day until its end there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Knowledge {
    /// `None` when it was always known.
    pub from: Option<Timestamp>,
    /// `None` while it is known.
    pub to: Option<Timestamp>,
    /// Whether `from` was assumed for want of a day of publication.
    pub assumed: bool,
}

impl Knowledge {
    /// Whether the row was known at an instant.
    pub fn covers(&self, instant: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= instant) && self.to.is_none_or(|to| instant < to)
    }
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The id of the act that brought the row: withdrawing it takes the row away.
    pub act: String,
    /// The id of the act the rule is cited from, for an amendment the act amended.
    pub cited_act: String,
    /// The citation, made from `cited_act`.
    pub legal_basis: Arc<LegalBasis>,
    /// How well the rule is known.
    pub grade: Grade,
    /// When the row was known.
    pub known: Knowledge,
}

/// What a recurring day off is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolidayClass {
    /// A national or state holiday.
    Holiday,
    /// A day off that is no holiday.
    DayOff,
}

impl Word for HolidayClass {
    const ALL: &'static [Self] = &[Self::Holiday, Self::DayOff];

    fn word(self) -> &'static str {
        match self {
            Self::Holiday => "HOLIDAY",
            Self::DayOff => "DAY_OFF",
        }
    }
}

/// A day off that recurs every year on the same date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidayRule {
    /// Names the holiday: of the rows with one key the one learnt last holds.
    pub key: String,
    /// Its name.
    pub name: LocalizedText,
    /// The month, 1 to 12.
    pub month: i8,
    /// The day of the month; a date that a year lacks is left out in it.
    pub day: i8,
    /// The first year.
    pub first_year: i16,
    /// The last year; `None` while it recurs.
    pub last_year: Option<i16>,
    /// Whether it moves to the next working day when it falls on a day off.
    pub rolls_forward: bool,
    /// What it is.
    pub class: HolidayClass,
    /// Where the rule comes from.
    pub source: Source,
    /// A remark for the reader; may be empty.
    pub note: String,
}

/// How certain the date of a moving day off is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayOffStatus {
    /// Computed ahead, not announced: its year is provisional.
    Provisional,
    /// Announced.
    Announced,
    /// Announced and confirmed.
    Confirmed,
}

impl Word for DayOffStatus {
    const ALL: &'static [Self] = &[Self::Provisional, Self::Announced, Self::Confirmed];

    fn word(self) -> &'static str {
        match self {
            Self::Provisional => "PROVISIONAL",
            Self::Announced => "ANNOUNCED",
            Self::Confirmed => "CONFIRMED",
        }
    }
}

/// A single day off that does not roll, such as the first day of Kurban Ait of one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOffRule {
    /// Names the day off: of the rows with one key and year the one learnt last holds.
    pub key: String,
    /// The day.
    pub date: Date,
    /// How certain the date is.
    pub status: DayOffStatus,
    /// Its name.
    pub name: LocalizedText,
    /// Where the rule comes from.
    pub source: Source,
}

/// A day off that was moved: one day becomes working, another one off in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRule {
    /// The day that becomes working.
    pub working_day: Date,
    /// The day that becomes off.
    pub day_off: Date,
    /// Where the rule comes from.
    pub source: Source,
}

/// A general rule that the calendar carries out: its law and its validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionRule {
    /// Names what is ruled, for example `five-day-week`.
    pub key: String,
    /// The first day it holds; `None` when always.
    pub valid_from: Option<Date>,
    /// The last day it holds; `None` when open.
    pub valid_to: Option<Date>,
    /// Where the rule comes from.
    pub source: Source,
    /// A remark for the reader; may be empty.
    pub note: String,
}

/// A change of what the calendar in use knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// From when it is known.
    pub at: Timestamp,
    /// What brought it.
    pub cause: ChangeCause,
}

/// What changed what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeCause {
    /// The act with this id was recorded.
    ActRecorded(String),
    /// The act with this id was withdrawn.
    ActWithdrawn(String),
    /// A new release brought more of the registers.
    RegistersLoaded,
    /// The instant came from which rows of the registers are known, or until which they were.
    RegistersKnown,
}

/// Everything ever entered, known at some time or other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSet {
    /// The acts, each with an id and a sequence of its own.
    pub acts: Vec<Act>,
    /// When a new release brought more rows to the calendar in use, in order: rows known from earlier changed answers then.
    pub loads: Vec<Timestamp>,
    /// Recurring holidays and days off.
    pub holidays: Vec<HolidayRule>,
    /// Single days off.
    pub days_off: Vec<DayOffRule>,
    /// Days off that were moved.
    pub transfers: Vec<TransferRule>,
    /// General rules.
    pub provisions: Vec<ProvisionRule>,
    /// The terms for requests.
    pub terms: Vec<Term>,
}

impl RuleSet {
    /// What was known at an instant: rows known then and not withdrawn, of those with one key the one learnt last.
    ///
    /// Refuses with [`CalendarError::ActUnknown`] when a row refers to an act that is not in the set.
    pub fn known_at(&self, instant: Timestamp) -> Result<RuleSet, CalendarError> {
        let transfer_key = |rule: &TransferRule| (rule.working_day, rule.day_off);
        Ok(RuleSet {
            acts: self.acts.clone(),
            loads: self.loads.clone(),
            holidays: self.latest(&self.holidays, instant, |rule| &rule.source, |rule| rule.key.clone())?,
            days_off: self.latest(
                &self.days_off,
                instant,
                |rule| &rule.source,
                |rule| (rule.key.clone(), rule.date.year()),
            )?,
            transfers: self.latest(&self.transfers, instant, |rule| &rule.source, transfer_key)?,
            provisions: self.latest(
                &self.provisions,
                instant,
                |rule| &rule.source,
                |rule| (rule.key.clone(), rule.valid_from),
            )?,
            terms: self.latest(&self.terms, instant, |term| &term.source, |term| term.name.clone())?,
        })
    }

    fn latest<Row: Clone, Key: PartialEq>(
        &self,
        rows: &[Row],
        instant: Timestamp,
        source: impl Fn(&Row) -> &Source,
        key: impl Fn(&Row) -> Key,
    ) -> Result<Vec<Row>, CalendarError> {
        let mut known = Vec::with_capacity(rows.len());
        for row in rows {
            let act = self.act(&source(row).act)?;
            if source(row).known.covers(instant) && act.withdrawn_at.is_none_or(|withdrawn| instant < withdrawn) {
                known.push((source(row).known.from, act.sequence, row));
            }
        }
        known.sort_by_key(|(from, sequence, _)| (*from, *sequence));
        let mut latest: Vec<Row> = Vec::with_capacity(known.len());
        for (_, _, row) in known {
            latest.retain(|earlier| key(earlier) != key(row));
            latest.push(row.clone());
        }
        Ok(latest)
    }

    /// The act with this id; refuses with [`CalendarError::ActUnknown`].
    pub fn act(&self, id: &str) -> Result<&Act, CalendarError> {
        let act = self.acts.iter().find(|act| act.id == id);
        act.ok_or_else(|| CalendarError::ActUnknown { act: id.to_owned() })
    }

    /// The source of a row: brought by one act, cited from another or the same. Refuses with
    /// [`CalendarError::ActUnknown`].
    pub fn source(
        &self,
        (act, cited_act): (String, String),
        provision: &str,
        grade: Grade,
        known: Knowledge,
    ) -> Result<Source, CalendarError> {
        let legal_basis = self.act(&cited_act)?.cite(provision, grade);
        Ok(Source {
            act,
            cited_act,
            legal_basis,
            grade,
            known,
        })
    }

    /// The instants at which something became known or ceased to be, in order.
    pub(super) fn changes(&self) -> Vec<Timestamp> {
        let learnt = self.sources().flat_map(|source| [source.known.from, source.known.to]);
        let withdrawn = self.acts.iter().map(|act| act.withdrawn_at);
        let loads = self.loads.iter().copied().map(Some);
        let mut changes: Vec<_> = learnt.chain(withdrawn).chain(loads).flatten().collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }

    /// When something was last entered, withdrawn or loaded by the calendar in use; what came with the first load was not.
    pub(super) fn recorded_until(&self) -> Option<Timestamp> {
        let entered = self.acts.iter().filter(|act| act.is_entered());
        let entered = entered.filter_map(|act| act.recorded_at);
        let withdrawn = self.acts.iter().filter_map(|act| act.withdrawn_at);
        entered.chain(withdrawn).chain(self.loads.iter().copied()).max()
    }

    /// The instant at which something may be recorded: `now`, but after all that was recorded, whatever clock did, and not
    /// at an instant at which something else becomes known.
    pub fn next_change(&self, now: Timestamp) -> Timestamp {
        let changes = self.changes();
        let after = |instant: Timestamp| instant.saturating_add(1.microsecond()).unwrap_or(Timestamp::MAX);
        let mut next = self.recorded_until().map_or(now, |recorded| after(recorded).max(now));
        while changes.contains(&next) {
            next = after(next);
        }
        next
    }

    /// What changed since the first load and will change by the rows known so far, in order; nothing before anything is
    /// recorded.
    pub(super) fn changes_in_use(&self) -> Vec<Change> {
        let Some(first_load) = self.acts.iter().filter_map(|act| act.recorded_at).min() else {
            return Vec::new();
        };
        let changes = self.changes().into_iter();
        let changes = changes.map(|at| Change {
            at,
            cause: self.cause(at),
        });
        let in_use = |change: &Change| change.at > first_load || change.cause != ChangeCause::RegistersKnown;
        changes.filter(in_use).collect()
    }

    fn cause(&self, at: Timestamp) -> ChangeCause {
        let entered = |act: &&Act| act.is_entered() && act.recorded_at == Some(at);
        let withdrawn = |act: &&Act| act.withdrawn_at == Some(at);
        if let Some(act) = self.acts.iter().find(entered) {
            ChangeCause::ActRecorded(act.id.clone())
        } else if let Some(act) = self.acts.iter().find(withdrawn) {
            ChangeCause::ActWithdrawn(act.id.clone())
        } else if self.loads.contains(&at) {
            ChangeCause::RegistersLoaded
        } else {
            ChangeCause::RegistersKnown
        }
    }

    /// Where each row comes from.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let holidays = self.holidays.iter().map(|rule| &rule.source);
        let days_off = self.days_off.iter().map(|rule| &rule.source);
        let transfers = self.transfers.iter().map(|rule| &rule.source);
        let provisions = self.provisions.iter().map(|rule| &rule.source);
        let terms = self.terms.iter().map(|term| &term.source);
        holidays.chain(days_off).chain(transfers).chain(provisions).chain(terms)
    }
}
