//! The words under which the tables keep what the domain enumerates. The tables' constraints list the same words.

use anyhow::Context as _;

use crate::domain::{ActKind, DayOffStatus, Grade, HolidayClass, RequesterKind, TermOrigin, TermUnit};

pub(super) const GRADES: [(Grade, &str); 4] = [(Grade::A, "A"), (Grade::B, "B"), (Grade::C, "C"), (Grade::D, "D")];

pub(super) const ACT_KINDS: [(ActKind, &str); 3] = [
    (ActKind::Law, "LAW"),
    (ActKind::Resolution, "RESOLUTION"),
    (ActKind::Order, "ORDER"),
];

pub(super) const HOLIDAY_CLASSES: [(HolidayClass, &str); 2] =
    [(HolidayClass::Holiday, "HOLIDAY"), (HolidayClass::DayOff, "DAY_OFF")];

pub(super) const DAY_OFF_STATUSES: [(DayOffStatus, &str); 3] = [
    (DayOffStatus::Provisional, "PROVISIONAL"),
    (DayOffStatus::Announced, "ANNOUNCED"),
    (DayOffStatus::Confirmed, "CONFIRMED"),
];

pub(super) const REQUESTER_KINDS: [(RequesterKind, &str); 4] = [
    (RequesterKind::StateBody, "STATE_BODY"),
    (RequesterKind::ProsecutorBody, "PROSECUTOR_BODY"),
    (RequesterKind::Individual, "INDIVIDUAL"),
    (RequesterKind::LegalEntity, "LEGAL_ENTITY"),
];

pub(super) const TERM_ORIGINS: [(TermOrigin, &str); 2] = [
    (TermOrigin::Receipt, "RECEIPT"),
    (TermOrigin::Registration, "REGISTRATION"),
];

pub(super) const TERM_UNITS: [(TermUnit, &str); 3] = [
    (TermUnit::CalendarDay, "CALENDAR_DAY"),
    (TermUnit::WorkingDay, "WORKING_DAY"),
    (TermUnit::Month, "MONTH"),
];

/// The word for a value.
pub(super) fn of<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    let word = words.iter().find(|(known, _)| known == value).map(|(_, word)| *word);
    word.expect("every value has a word")
}

/// The value of a word.
pub(super) fn read<T: Copy>(words: &[(T, &'static str)], word: &str) -> anyhow::Result<T> {
    let value = words.iter().find(|(_, known)| *known == word).map(|(value, _)| *value);
    value.with_context(|| format!("the word {word:?} is unknown"))
}
