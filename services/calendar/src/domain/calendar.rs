//! Days: what each is and why, precomputed for 2016 to 2036 and for every state of knowledge.

use std::sync::{Arc, OnceLock};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
};
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    wire,
};

use super::{
    explain,
    rules::{FIRST_DAY, LAST_DAY, Rules},
};

/// What a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// An ordinary working day.
    Working,
    /// A Saturday or Sunday.
    Weekend,
    /// A national or state holiday.
    Holiday,
    /// A day off that is not a holiday and does not roll.
    DayOff,
    /// Off because a holiday fell on a day off and moved here.
    RolledDayOff,
    /// Off because an act moved a day off here.
    TransferredDayOff,
    /// Working because an act moved its day off elsewhere.
    TransferredWorkingDay,
}

impl DayKind {
    /// Whether such a day is worked.
    pub fn is_working(self) -> bool {
        matches!(self, Self::Working | Self::TransferredWorkingDay)
    }
}

/// One link of the chain that makes a day what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What this reason makes of the day.
    pub kind: DayKind,
    /// The reason in words.
    pub text: LocalizedText,
    /// The law behind it.
    pub basis: LegalBasis,
}

/// A day of the five-day working week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The date.
    pub date: Date,
    /// What it is.
    pub kind: DayKind,
    /// Why: from the first cause to the one that had the last word; never empty.
    pub reasons: Vec<Arc<Reason>>,
    /// Whether not all acts of its year are in.
    pub provisional: bool,
}

impl Day {
    /// The reason that had the last word.
    ///
    /// # Panics
    /// Never: a day has at least one reason.
    pub fn last_word(&self) -> &Reason {
        self.reasons.last().expect("every day is made with its first reason")
    }
}

/// The days of 2016 to 2036 as they were known at some instant. Immutable; every question is answered in constant time.
#[derive(Debug)]
pub struct Calendar {
    days: Vec<Day>,
    version: String,
}

impl Calendar {
    /// Computes every day from the rules held true.
    pub fn new(rules: &Rules) -> Self {
        let mut days = weeks();
        mark_days_off(&mut days, rules);
        roll(&mut days, rules);
        transfer(&mut days, rules);
        mark_provisional(&mut days, rules);
        let version = hex::encode(&wire::sha256(format!("{rules:?}").as_bytes())[..6]);
        Self { days, version }
    }

    /// A day; `None` outside 2016 to 2036.
    pub fn day(&self, date: Date) -> Option<&Day> {
        self.days.get(index(date)?)
    }

    /// The days from one to another, both inclusive, as far as the calendar goes.
    pub fn days(&self, from: Date, to: Date) -> &[Day] {
        match (index(from.max(FIRST_DAY)), index(to.min(LAST_DAY))) {
            (Some(from), Some(to)) if from <= to => &self.days[from..=to],
            _ => &[],
        }
    }

    /// The first working day on or after a date; `None` past 2036.
    pub fn working_day_from(&self, date: Date) -> Option<&Day> {
        self.days[index(date)?..].iter().find(|day| day.kind.is_working())
    }

    /// Names the rules that this calendar rests on: the same rules give the same version on every machine.
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn index(date: Date) -> Option<usize> {
    if !(FIRST_DAY..=LAST_DAY).contains(&date) {
        return None;
    }
    let days = FIRST_DAY
        .until(date)
        .expect("days between two dates always count")
        .get_days();
    usize::try_from(days).ok()
}

fn weeks() -> Vec<Day> {
    let reason = |kind, text, provision| {
        Arc::new(Reason {
            kind,
            text,
            basis: explain::labour_code(provision),
        })
    };
    let working = reason(DayKind::Working, explain::working_day(), "art. 71");
    let saturday = reason(DayKind::Weekend, explain::weekend(false), "art. 84");
    let sunday = reason(DayKind::Weekend, explain::weekend(true), "art. 84");
    let of = |date: Date| match date.weekday() {
        Weekday::Saturday => &saturday,
        Weekday::Sunday => &sunday,
        _ => &working,
    };
    FIRST_DAY
        .series(1.day())
        .take_while(|date| *date <= LAST_DAY)
        .map(|date| Day {
            date,
            kind: of(date).kind,
            reasons: vec![of(date).clone()],
            provisional: false,
        })
        .collect()
}

impl Day {
    fn becomes(&mut self, reason: Arc<Reason>) {
        if self.kind == DayKind::Working {
            self.reasons.clear();
        }
        self.kind = reason.kind;
        self.reasons.push(reason);
    }
}

fn mark_days_off(days: &mut [Day], rules: &Rules) {
    for rule in &rules.holidays {
        let kind = if rule.is_holiday {
            DayKind::Holiday
        } else {
            DayKind::DayOff
        };
        let reason = Arc::new(Reason {
            kind,
            text: rule.name.clone(),
            basis: rule.basis.clone(),
        });
        let last = rule.last_year.unwrap_or(LAST_DAY.year()).min(LAST_DAY.year());
        for year in rule.first_year.max(FIRST_DAY.year())..=last {
            if let Some(at) = Date::new(year, rule.month, rule.day).ok().and_then(index) {
                days[at].becomes(reason.clone());
            }
        }
    }
    for rule in &rules.days_off {
        let reason = Reason {
            kind: DayKind::DayOff,
            text: rule.name.clone(),
            basis: rule.basis.clone(),
        };
        if let Some(at) = index(rule.date) {
            days[at].becomes(Arc::new(reason));
        }
    }
}

/// Moves each holiday that falls on a day off to the next working day after it, in order of date, transfers aside.
fn roll(days: &mut [Day], rules: &Rules) {
    let rolls = |day: &Day| {
        let rule = rules.holidays.iter().find(|rule| {
            rule.rolls
                && (rule.month, rule.day) == (day.date.month(), day.date.day())
                && rule.first_year <= day.date.year()
                && rule.last_year.is_none_or(|last| day.date.year() <= last)
        });
        // Off without the holiday: more than one reason stands, and the working day is not among them.
        rule.filter(|_| day.reasons.len() > 1)
            .map(|rule| (day.date, rule.name.clone()))
    };
    let rolling: Vec<(Date, LocalizedText)> = days.iter().filter_map(rolls).collect();
    for (date, name) in rolling {
        let Some(at) = index(date) else { continue };
        if let Some(next) = days[at..].iter_mut().find(|day| day.kind.is_working()) {
            let text = explain::rolled(&name, date);
            next.becomes(Arc::new(Reason {
                kind: DayKind::RolledDayOff,
                text,
                basis: explain::rolling_basis(),
            }));
        }
    }
}

fn transfer(days: &mut [Day], rules: &Rules) {
    for rule in &rules.transfers {
        let working = (
            rule.working,
            DayKind::TransferredWorkingDay,
            explain::transferred_working(rule.off),
        );
        let off = (
            rule.off,
            DayKind::TransferredDayOff,
            explain::transferred_off(rule.working),
        );
        for (date, kind, text) in [working, off] {
            if let Some(at) = index(date) {
                days[at].becomes(Arc::new(Reason {
                    kind,
                    text,
                    basis: rule.basis.clone(),
                }));
            }
        }
    }
}

/// A year is provisional until its Kurban Ait is announced: of all that makes a year it is known last, but for transfers,
/// of which nobody can say whether one will come.
fn mark_provisional(days: &mut [Day], rules: &Rules) {
    let known = |year: i16| {
        rules
            .days_off
            .iter()
            .any(|rule| rule.announced && rule.date.year() == year)
    };
    let known: Vec<i16> = (FIRST_DAY.year()..=LAST_DAY.year())
        .filter(|year| known(*year))
        .collect();
    for day in days {
        day.provisional = !known.contains(&day.date.year());
    }
}

/// A calendar for every state of knowledge, computed when first asked for.
#[derive(Debug)]
pub struct Calendars {
    rules: Rules,
    changes: Vec<Timestamp>,
    calendars: Vec<OnceLock<Arc<Calendar>>>,
}

impl Calendars {
    /// From all rules, of every state of knowledge.
    pub fn new(rules: Rules) -> Self {
        let changes = rules.changes_of_knowledge();
        let calendars = (0..=changes.len()).map(|_| OnceLock::new()).collect();
        Self {
            rules,
            changes,
            calendars,
        }
    }

    /// The calendar as it was known at an instant.
    pub fn as_known_at(&self, at: Timestamp) -> Arc<Calendar> {
        let state = self.changes.partition_point(|change| *change <= at);
        self.calendars[state]
            .get_or_init(|| Arc::new(Calendar::new(&self.rules.known_at(at))))
            .clone()
    }
}
