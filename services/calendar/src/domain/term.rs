//! The rules for the time a request may take, and lengths of time on the calendar.

use std::sync::Arc;

use jiff::{ToSpan, civil::Date};
use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};

use super::{
    calendar::Calendar,
    error::CalendarError,
    requester_kind::RequesterKind,
    rule::{Grade, Source},
};

/// The longest length of time: ten years of days.
const LONGEST: u32 = 3660;

/// What a length of time is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TermUnit {
    /// Every day counts.
    CalendarDay,
    /// Only working days count.
    WorkingDay,
    /// Whole months: it ends on the day numbered like the one it starts from, else on the month's last.
    Month,
}

impl Word for TermUnit {
    const ALL: &'static [Self] = &[Self::CalendarDay, Self::WorkingDay, Self::Month];

    fn word(self) -> &'static str {
        match self {
            Self::CalendarDay => "CALENDAR_DAY",
            Self::WorkingDay => "WORKING_DAY",
            Self::Month => "MONTH",
        }
    }
}

/// The day after which a term counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TermOrigin {
    /// The day of receipt.
    Receipt,
    /// The day of registration.
    Registration,
}

impl Word for TermOrigin {
    const ALL: &'static [Self] = &[Self::Receipt, Self::Registration];

    fn word(self) -> &'static str {
        match self {
            Self::Receipt => "RECEIPT",
            Self::Registration => "REGISTRATION",
        }
    }
}

/// A length of time with its law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// How many units, 1 to 3,660.
    pub length: u32,
    /// The unit.
    pub unit: TermUnit,
    /// Conditions and who decides; may be empty.
    pub note: LocalizedText,
    /// The law behind it.
    pub legal_basis: Arc<LegalBasis>,
    /// How well it is known.
    pub grade: Grade,
    /// For requests received before this day the length is assumed; `None` when it is as well known for all.
    pub assumed_before: Option<Date>,
}

/// A rule for the time a request may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its name, for example `application-2021`.
    pub name: String,
    /// Whose requests it governs.
    pub requester_kinds: Vec<RequesterKind>,
    /// The first day of receipt it governs; `None` when always.
    pub received_from: Option<Date>,
    /// The last day of receipt it governs; `None` when open.
    pub received_to: Option<Date>,
    /// Whether it is chosen by requester kind and day; otherwise only when named.
    pub selected: bool,
    /// The time for the answer.
    pub base: Span,
    /// The day after which it counts.
    pub origin: TermOrigin,
    /// The law for counting from that day.
    pub origin_basis: Arc<LegalBasis>,
    /// Whether a last day that is off moves to the next working day.
    pub roll_forward: bool,
    /// The law for moving or not.
    pub roll_forward_basis: Arc<LegalBasis>,
    /// The longer time when information from other bodies is needed.
    pub long_base: Option<Span>,
    /// The most by which it can be extended.
    pub extension: Option<Span>,
    /// The time for telling the requester of an extension.
    pub extension_notice: Option<Span>,
    /// The time for forwarding to the competent body.
    pub forwarding: Option<Span>,
    /// The time for giving back what was not cured.
    pub returning: Option<Span>,
    /// The law that lets the clock stop; `None` when it cannot be stopped.
    pub suspension: Option<Arc<LegalBasis>>,
    /// Where the rule comes from.
    pub source: Source,
    /// A remark for the reader; may be empty.
    pub note: String,
}

impl Term {
    /// Whether it governs requests received on a day.
    pub fn governs(&self, received_on: Date) -> bool {
        self.received_from.is_none_or(|from| from <= received_on) && self.received_to.is_none_or(|to| received_on <= to)
    }
}

/// Which of the times of a term.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TermPart {
    /// The time for the answer.
    #[default]
    Base,
    /// The longer time for the answer.
    LongBase,
    /// The most by which the time for the answer can be put off.
    Extension,
    /// The time for telling the requester that it was put off.
    ExtensionNotice,
    /// The time for forwarding.
    Forwarding,
    /// The time for giving back what was not cured.
    Return,
}

impl TermPart {
    /// Whether it counts from a day that is named, and not from the day from which the term does.
    pub const fn is_counted_from_a_day(self) -> bool {
        matches!(self, Self::Extension | Self::ExtensionNotice | Self::Return)
    }
}

impl Term {
    /// One of its times; refuses with [`CalendarError::NoSuchPart`].
    pub fn part(&self, part: TermPart) -> Result<&Span, CalendarError> {
        let span = match part {
            TermPart::Base => Some(&self.base),
            TermPart::LongBase => self.long_base.as_ref(),
            TermPart::Extension => self.extension.as_ref(),
            TermPart::ExtensionNotice => self.extension_notice.as_ref(),
            TermPart::Forwarding => self.forwarding.as_ref(),
            TermPart::Return => self.returning.as_ref(),
        };
        span.ok_or_else(|| CalendarError::NoSuchPart {
            term: self.name.clone(),
            part,
        })
    }
}

/// Which term governs a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermChoice {
    /// The term of this name, without `terms/`.
    Named(String),
    /// The selected term for this kind of requester on the day of receipt.
    ForRequester(RequesterKind),
}

impl TermChoice {
    /// The term for a request received on a day.
    ///
    /// Refuses with [`CalendarError::TermUnknown`], [`CalendarError::TermNotInForce`] or
    /// [`CalendarError::NoTermApplies`].
    pub fn term<'a>(&self, calendar: &'a Calendar, received_on: Date) -> Result<&'a Term, CalendarError> {
        match self {
            Self::Named(name) => {
                let term = calendar.terms().iter().find(|term| term.name == *name);
                let term = term.ok_or_else(|| CalendarError::TermUnknown { name: name.clone() })?;
                if !term.governs(received_on) {
                    return Err(CalendarError::TermNotInForce {
                        name: name.clone(),
                        received_on,
                    });
                }
                Ok(term)
            }
            Self::ForRequester(kind) => {
                let applies =
                    |term: &&Term| term.selected && term.requester_kinds.contains(kind) && term.governs(received_on);
                let term = calendar.terms().iter().find(applies);
                term.ok_or(CalendarError::NoTermApplies {
                    requester_kind: *kind,
                    received_on,
                })
            }
        }
    }
}

/// The last day of a length of time that starts after `date`; a day off at its end stays, see
/// [`Calendar::working_day_from`].
///
/// Refuses with [`CalendarError::LengthOutOfRange`] or, when it ends beyond the calendar,
/// [`CalendarError::YearOutOfRange`].
pub fn add_span(calendar: &Calendar, date: Date, length: u32, unit: TermUnit) -> Result<Date, CalendarError> {
    let count = match i64::from(length) {
        count @ 1.. if length <= LONGEST => count,
        _ => return Err(CalendarError::LengthOutOfRange { length }),
    };
    calendar.day(date)?;
    let last = match unit {
        TermUnit::WorkingDay => return calendar.add_working_days(date, length),
        TermUnit::CalendarDay => date.saturating_add(count.days()),
        TermUnit::Month => date.saturating_add(count.months()),
    };
    calendar.day(last).map(|day| day.date)
}
