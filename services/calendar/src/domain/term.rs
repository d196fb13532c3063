//! The rules for the time a request may take.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time, time},
};
use legalstat_kit::{law::LegalBasis, zone};

use super::calendar::Calendar;

/// Who asks, as far as the term depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequesterKind {
    /// A state body.
    StateBody,
    /// A body of the prosecutor's office.
    ProsecutorBody,
    /// A person.
    Individual,
    /// A legal entity.
    LegalEntity,
}

/// What a length of time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermUnit {
    /// Every day counts.
    CalendarDay,
    /// Only working days count.
    WorkingDay,
    /// Whole months.
    Month,
}

/// The day after which a term counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermOrigin {
    /// The day of receipt.
    Receipt,
    /// The day of registration.
    Registration,
}

/// A length of time with its law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many units, 1 or more.
    pub length: i32,
    /// The unit.
    pub unit: TermUnit,
    /// Conditions and who decides, in English; may be empty.
    pub note: String,
    /// The law behind it.
    pub basis: LegalBasis,
}

/// A rule for the time a request may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its id, for example `application-2021`.
    pub id: String,
    /// Whose requests it governs.
    pub requester_kinds: Vec<RequesterKind>,
    /// The first day of receipt it governs; `None` when always.
    pub received_from: Option<Date>,
    /// The last day of receipt it governs; `None` when open.
    pub received_to: Option<Date>,
    /// Whether it is chosen by requester kind and date.
    pub selected: bool,
    /// The time for the answer.
    pub base: Span,
    /// Requests received before this day have the base by assumption only.
    pub base_assumed_before: Option<Date>,
    /// The day after which it counts.
    pub origin: TermOrigin,
    /// The law for counting from that day.
    pub origin_basis: LegalBasis,
    /// Whether a last day that is off moves to the next working day.
    pub roll_forward: bool,
    /// The law for moving or not.
    pub roll_forward_basis: LegalBasis,
    /// The longer time when information from other bodies is needed.
    pub long_base: Option<Span>,
    /// The most by which it can be extended.
    pub extension: Option<Span>,
    /// The time for telling the requester of an extension.
    pub extension_notice: Option<Span>,
    /// The time for forwarding to the competent body.
    pub forwarding: Option<Span>,
}

impl Term {
    /// Whether it governs a request received on this day.
    pub fn governs(&self, received: Date) -> bool {
        self.received_from.is_none_or(|from| from <= received) && self.received_to.is_none_or(|to| received <= to)
    }
}

/// The hours in which what arrives is registered the same day. Begin and end are a setting; 09:00 to 18:30 by default
/// (assumed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingHours {
    /// When they begin; what arrives earlier on a working day is registered that day too.
    pub begin: Time,
    /// When they end; what arrives at this time or later is registered on the next working day.
    pub end: Time,
}

impl Default for WorkingHours {
    fn default() -> Self {
        Self {
            begin: time(9, 0, 0, 0),
            end: time(18, 30, 0, 0),
        }
    }
}

/// From when on what arrives after hours is registered on the next working day (Code 350-VI, in force then).
const AFTER_HOURS_RULE_FROM: Date = jiff::civil::date(2021, 7, 1);

/// The day a request arrived and the day on which it counts as registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The civil day of arrival in Astana.
    pub received_on: Date,
    /// The day of registration: the same, or from 2021-07-01 the next working day for what arrives after hours or on a
    /// day off (Code 350-VI, art. 64(3)).
    pub registered_on: Date,
}

impl Receipt {
    /// The days of a request that arrived at an instant; `None` outside the calendar.
    pub fn of(received_at: Timestamp, hours: WorkingHours, calendar: &Calendar) -> Option<Self> {
        let arrived = received_at.to_zoned(zone::astana());
        let received_on = arrived.date();
        let working = calendar.day(received_on)?.kind.is_working();
        let in_time = received_on < AFTER_HOURS_RULE_FROM || (working && arrived.time() < hours.end);
        let registered_on = if in_time {
            received_on
        } else {
            calendar.working_day_from(received_on.tomorrow().ok()?)?.date
        };
        Some(Self {
            received_on,
            registered_on,
        })
    }
}

impl Span {
    /// The last day of the span when it counts from the day after `origin`, roll-forward aside; `None` past the
    /// calendar's end. A span of months ends on the day numbered like `origin`, else on the month's last day (assumed).
    pub fn last_day(&self, origin: Date, calendar: &Calendar) -> Option<Date> {
        match self.unit {
            TermUnit::CalendarDay => origin.checked_add(self.length.days()).ok(),
            TermUnit::Month => origin.checked_add(self.length.months()).ok(),
            TermUnit::WorkingDay => {
                let following = calendar.days(origin.tomorrow().ok()?, super::rules::LAST_DAY);
                let working = following.iter().filter(|day| day.kind.is_working());
                working
                    .take(usize::try_from(self.length).ok()?)
                    .skip(usize::try_from(self.length - 1).ok()?)
                    .map(|day| day.date)
                    .next()
            }
        }
    }
}
