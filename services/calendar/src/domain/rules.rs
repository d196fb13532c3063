//! The rules that make a day what it is, each with its law and with when it was known.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    zone::beginning,
};

/// The first day the calendar answers for.
pub const FIRST_DAY: Date = jiff::civil::date(2016, 1, 1);
/// The last day the calendar answers for.
pub const LAST_DAY: Date = jiff::civil::date(2036, 12, 31);

/// When a rule was known: from the beginning of one day to the beginning of another, in Astana.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The first day; `None` when always.
    pub from: Option<Date>,
    /// The first day on which it was no longer held true; `None` while it is.
    pub to: Option<Date>,
}

impl Known {
    /// The same, but a rule for one year that does not say from when is known on the last day before that year: the
    /// registers say only "before its year began" (assumed).
    pub fn or_before(self, year: i16) -> Self {
        Self {
            from: self.from.or_else(|| Date::new(year - 1, 12, 31).ok()),
            ..self
        }
    }

    fn holds(self, at: Timestamp) -> bool {
        self.from.is_none_or(|day| beginning(day) <= at) && self.to.is_none_or(|day| at < beginning(day))
    }
}

/// A holiday or a day off that comes every year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Its name.
    pub name: LocalizedText,
    /// The law that makes it.
    pub basis: LegalBasis,
    /// The month, 1 to 12.
    pub month: i8,
    /// The day of the month.
    pub day: i8,
    /// The first year.
    pub first_year: i16,
    /// The last year; `None` while it goes on.
    pub last_year: Option<i16>,
    /// Whether it is a holiday, or only a day off (Labour Code, art. 84(5)).
    pub is_holiday: bool,
    /// Whether it moves to the next working day when it falls on a day off.
    pub rolls: bool,
    /// When the rule was known.
    pub known: Known,
}

/// A single day off: the first day of Kurban Ait, which follows the moon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayOff {
    /// Its name.
    pub name: LocalizedText,
    /// The law that makes it.
    pub basis: LegalBasis,
    /// The day.
    pub date: Date,
    /// Whether it is announced; otherwise it is only expected, and its year is provisional.
    pub announced: bool,
    /// When the rule was known.
    pub known: Known,
}

/// A working day and a day off that change places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The act that moves them.
    pub basis: LegalBasis,
    /// The day that becomes a working day.
    pub working: Date,
    /// The day that becomes off.
    pub off: Date,
    /// When the act was known.
    pub known: Known,
}

/// All rules, of every state of knowledge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What comes every year.
    pub holidays: Vec<Holiday>,
    /// Single days off.
    pub days_off: Vec<DayOff>,
    /// Moved days.
    pub transfers: Vec<Transfer>,
}

impl Rules {
    /// The rules that were held true at an instant.
    pub fn known_at(&self, at: Timestamp) -> Self {
        Self {
            holidays: self
                .holidays
                .iter()
                .filter(|rule| rule.known.holds(at))
                .cloned()
                .collect(),
            days_off: self
                .days_off
                .iter()
                .filter(|rule| rule.known.holds(at))
                .cloned()
                .collect(),
            transfers: self
                .transfers
                .iter()
                .filter(|rule| rule.known.holds(at))
                .cloned()
                .collect(),
        }
    }

    /// The instants at which knowledge changed, in order: between two of them every answer is the same.
    pub fn changes_of_knowledge(&self) -> Vec<Timestamp> {
        let holidays = self.holidays.iter().map(|rule| rule.known);
        let days_off = self.days_off.iter().map(|rule| rule.known);
        let transfers = self.transfers.iter().map(|rule| rule.known);
        let known = holidays.chain(days_off).chain(transfers);
        let mut changes: Vec<Timestamp> = known
            .flat_map(|known| [known.from, known.to])
            .flatten()
            .map(beginning)
            .collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}
