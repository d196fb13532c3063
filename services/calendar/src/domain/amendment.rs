//! What an act that is recorded later does to the calendar, and what keeps it from being recorded.

use std::{collections::HashSet, sync::Arc};

use jiff::{Timestamp, civil::Date};

use super::{
    bounds::{FIRST_DAY, LAST_DAY},
    calendar::Calendar,
    days::{self, DayKind},
    error::CalendarError,
    rule::{Act, DayOffRule, HolidayRule, RuleSet, Source, TransferRule},
};

/// An act with the day rules it brings, not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    rules: RuleSet,
}

/// Which rule of an act a contradiction is about, by its position in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulePlace {
    /// A recurring holiday.
    Holiday(usize),
    /// A single day off.
    DayOff(usize),
    /// The day that a transfer makes a working one.
    WorkingDay(usize),
    /// The day that a transfer makes off.
    TransferredDayOff(usize),
}

/// What is wrong with an act, though each of its fields is sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Two of its rules have one name.
    #[error("the act names {0} twice")]
    NamedTwice(String),
    /// It makes one day both working and off.
    #[error("the act makes {0} both working and off")]
    BothWorkingAndOff(Date),
    /// It moves one day twice.
    #[error("the act moves {0} twice")]
    MovedTwice(Date),
    /// Another act moved the day before.
    #[error("{date} is already moved by {act}")]
    AlreadyMoved {
        /// The day.
        date: Date,
        /// The citation of the other act.
        act: String,
    },
    /// The day that becomes working is worked without the transfer.
    #[error("{0} is a working day without the transfer")]
    AlreadyWorking(Date),
    /// The day that becomes off is off without the transfer.
    #[error("{0} is off without the transfer")]
    AlreadyOff(Date),
}

/// A day that changes its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedDay {
    /// The day.
    pub date: Date,
    /// What it was.
    pub old: DayKind,
    /// What it is.
    pub new: DayKind,
}

impl Amendment {
    /// An act and what it brings; sequence and knowledge are set when it is recorded.
    pub fn new(act: Act, holidays: Vec<HolidayRule>, days_off: Vec<DayOffRule>, transfers: Vec<TransferRule>) -> Self {
        let rules = RuleSet {
            acts: vec![act],
            holidays,
            days_off,
            transfers,
            ..RuleSet::default()
        };
        Self { rules }
    }

    /// The act.
    pub fn act(&self) -> &Act {
        &self.rules.acts[0]
    }

    /// The act and its rules as they are when it is recorded on top of `rules`: known from then on, under the next sequence.
    pub fn recorded(mut self, rules: &RuleSet, at: Timestamp) -> RuleSet {
        let act = &mut self.rules.acts[0];
        act.sequence = rules.acts.iter().map(|act| act.sequence).max().unwrap_or_default() + 1;
        (act.known_from, act.recorded_at) = (Some(at), Some(at));
        let learn = |source: &mut Source| source.known.from = Some(at);
        self.rules.holidays.iter_mut().for_each(|rule| learn(&mut rule.source));
        self.rules.days_off.iter_mut().for_each(|rule| learn(&mut rule.source));
        self.rules.transfers.iter_mut().for_each(|rule| learn(&mut rule.source));
        self.rules
    }

    /// Every contradiction within the act, and between it and the calendar as known at an instant.
    ///
    /// Refuses when that calendar cannot be computed.
    pub fn contradictions(
        &self,
        rules: &RuleSet,
        at: Timestamp,
    ) -> Result<Vec<(RulePlace, Contradiction)>, CalendarError> {
        let mut untransferred = self.clone();
        untransferred.rules.transfers.clear();
        let without_transfers = Calendar::new(&rules.with(untransferred.recorded(rules, at)), at)?;
        let mut found = self.named_twice();
        let mut check = Transfers {
            holidays: &self.rules.holidays,
            off: self.rules.days_off.iter().map(|rule| rule.date).collect(),
            worked: HashSet::new(),
            freed: HashSet::new(),
            without_transfers: &without_transfers,
        };
        for (position, transfer) in self.rules.transfers.iter().enumerate() {
            check.add(position, transfer, &mut found)?;
        }
        Ok(found)
    }

    fn named_twice(&self) -> Vec<(RulePlace, Contradiction)> {
        let mut names = HashSet::new();
        let holidays = self.rules.holidays.iter().map(|rule| rule.key.clone());
        let holidays = holidays
            .enumerate()
            .map(|(position, name)| (RulePlace::Holiday(position), name));
        let days_off = self.rules.days_off.iter();
        let days_off = days_off.map(|rule| format!("{} of {}", rule.key, rule.date.year()));
        let days_off = days_off
            .enumerate()
            .map(|(position, name)| (RulePlace::DayOff(position), name));
        let twice = holidays.chain(days_off).filter(|(_, name)| !names.insert(name.clone()));
        twice
            .map(|(place, name)| (place, Contradiction::NamedTwice(name)))
            .collect()
    }
}

/// The transfers of one act looked at so far.
struct Transfers<'a> {
    holidays: &'a [HolidayRule],
    off: HashSet<Date>,
    worked: HashSet<Date>,
    freed: HashSet<Date>,
    without_transfers: &'a Calendar,
}

impl Transfers<'_> {
    fn add(
        &mut self,
        position: usize,
        transfer: &TransferRule,
        found: &mut Vec<(RulePlace, Contradiction)>,
    ) -> Result<(), CalendarError> {
        let TransferRule {
            working_day, day_off, ..
        } = *transfer;
        let made_off = self.off.contains(&working_day)
            || self.freed.contains(&working_day)
            || self.holidays.iter().any(|rule| rule.falls_on(working_day));
        let faults = [
            (working_day == day_off || made_off).then_some(Contradiction::BothWorkingAndOff(working_day)),
            (!self.worked.insert(working_day)).then_some(Contradiction::MovedTwice(working_day)),
        ];
        let place = RulePlace::WorkingDay(position);
        match faults.into_iter().flatten().next() {
            Some(fault) => found.push((place, fault)),
            None => found.extend(self.against_known(working_day, true)?.map(|fault| (place, fault))),
        }
        let made_working = day_off != working_day && self.worked.contains(&day_off);
        let faults = [
            made_working.then_some(Contradiction::BothWorkingAndOff(day_off)),
            (!self.freed.insert(day_off)).then_some(Contradiction::MovedTwice(day_off)),
        ];
        let place = RulePlace::TransferredDayOff(position);
        match faults.into_iter().flatten().next() {
            Some(fault) => found.push((place, fault)),
            None if day_off == working_day => {}
            None => found.extend(self.against_known(day_off, false)?.map(|fault| (place, fault))),
        }
        Ok(())
    }

    /// What the calendar without the act's transfers says against a transfer that makes a day working, or off.
    fn against_known(&self, date: Date, becomes_working: bool) -> Result<Option<Contradiction>, CalendarError> {
        let day = self.without_transfers.day(date)?;
        let moved = |kind| matches!(kind, DayKind::TransferredWorkingDay | DayKind::TransferredDayOff);
        if let Some(reason) = day.reasons.iter().find(|reason| moved(reason.kind)) {
            let act = reason.legal_basis.act.clone();
            return Ok(Some(Contradiction::AlreadyMoved { date, act }));
        }
        Ok(match (becomes_working, day.is_working()) {
            (true, true) => Some(Contradiction::AlreadyWorking(date)),
            (false, false) => Some(Contradiction::AlreadyOff(date)),
            _ => None,
        })
    }
}

impl RuleSet {
    /// These rules and more.
    pub fn with(&self, more: RuleSet) -> RuleSet {
        let mut rules = self.clone();
        rules.acts.extend(more.acts);
        rules.loads.extend(more.loads);
        rules.holidays.extend(more.holidays);
        rules.days_off.extend(more.days_off);
        rules.transfers.extend(more.transfers);
        rules.provisions.extend(more.provisions);
        rules.terms.extend(more.terms);
        rules
    }

    /// Whether an act brings a rule for a day of a year.
    pub fn brings_days_of(&self, act: &Act, year: i16) -> bool {
        let of_act = |source: &Source| source.act == act.id;
        let recurs = |rule: &HolidayRule| rule.first_year <= year && rule.last_year.is_none_or(|last| year <= last);
        let holidays = self.holidays.iter().filter(|rule| of_act(&rule.source));
        let days_off = self.days_off.iter().filter(|rule| of_act(&rule.source));
        let transfers = self.transfers.iter().filter(|rule| of_act(&rule.source));
        holidays.into_iter().any(recurs)
            || days_off.into_iter().any(|rule| rule.date.year() == year)
            || transfers
                .into_iter()
                .any(|rule| rule.working_day.year() == year || rule.day_off.year() == year)
    }

    /// The rules after an act is withdrawn.
    ///
    /// Refuses with [`CalendarError::ActUnknown`], [`CalendarError::AlreadyWithdrawn`], or
    /// [`CalendarError::Indispensable`] when general rules or terms rest on the act.
    pub fn withdrawn(&self, id: &str, at: Timestamp) -> Result<RuleSet, CalendarError> {
        let act = id.to_owned();
        if self.act(id)?.withdrawn_at.is_some() {
            return Err(CalendarError::AlreadyWithdrawn { act });
        }
        let of_act = |source: &Source| source.act == id;
        if self.provisions.iter().any(|rule| of_act(&rule.source)) || self.terms.iter().any(|term| of_act(&term.source))
        {
            return Err(CalendarError::Indispensable { act });
        }
        let mut rules = self.clone();
        for act in rules.acts.iter_mut().filter(|act| act.id == id) {
            act.withdrawn_at = Some(at);
        }
        Ok(rules)
    }
}

impl HolidayRule {
    fn falls_on(&self, date: Date) -> bool {
        days::dates(self).any(|recurrence| recurrence == date)
    }
}

/// Every day whose kind differs between two calendars, in order.
pub fn changed_days(before: &Calendar, after: &Calendar) -> Result<Vec<ChangedDay>, CalendarError> {
    let (before, after) = (before.days(FIRST_DAY, LAST_DAY)?, after.days(FIRST_DAY, LAST_DAY)?);
    let changed = before.iter().zip(after).filter(|(old, new)| old.kind != new.kind);
    let changed = changed.map(|(old, new)| ChangedDay {
        date: old.date,
        old: old.kind,
        new: new.kind,
    });
    Ok(changed.collect())
}

/// The calendar as it would have been known at an instant, had an act been withdrawn then; its version is that of what was
/// `known` then, with `-` and the id of the act.
///
/// Refuses as [`RuleSet::withdrawn`] does.
pub fn hypothetically_withdrawn(
    rules: &RuleSet,
    known: &Calendar,
    id: &str,
    at: Timestamp,
) -> Result<Calendar, CalendarError> {
    let version: Arc<str> = format!("{}-{id}", known.version()).into();
    let calendar = Calendar::new(&rules.withdrawn(id, at)?, at)?;
    Ok(calendar.with_version(version))
}

/// The calendar as it would have been known at an instant, had the act been recorded then; its version is that of what
/// was `known` then, with `+` and the id of the act.
///
/// Refuses when it cannot be computed.
pub fn hypothetical(
    rules: &RuleSet,
    known: &Calendar,
    amendment: Amendment,
    at: Timestamp,
) -> Result<Calendar, CalendarError> {
    let version: Arc<str> = format!("{}+{}", known.version(), amendment.act().id).into();
    let calendar = Calendar::new(&rules.with(amendment.recorded(rules, at)), at)?;
    Ok(calendar.with_version(version))
}
