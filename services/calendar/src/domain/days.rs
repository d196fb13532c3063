//! What each day from 2016-01-01 to 2036-12-31 is, and why.

use std::{collections::HashSet, sync::Arc};

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};
use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::{
    bounds::{DAY_COUNT, FIRST_DAY, LAST_DAY, index},
    error::CalendarError,
    revision::Revisions,
    rule::{DayOffStatus, HolidayClass, HolidayRule, ProvisionRule, RuleSet},
    text,
};

/// The day off whose date is announced each year: a year without it is provisional.
const ANNOUNCED_EACH_YEAR: &str = "kurban-ait";

/// What a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DayKind {
    /// An ordinary working day.
    Working,
    /// A Saturday or Sunday.
    Weekend,
    /// A national or state holiday.
    Holiday,
    /// A day off that is no holiday and does not roll: 7 January, the first day of Kurban Ait.
    DayOff,
    /// Off because a holiday fell on a day off and moved here.
    RolledDayOff,
    /// Off because an act moved a day off here.
    TransferredDayOff,
    /// Working, though it would be off, because an act moved its day off elsewhere.
    TransferredWorkingDay,
}

impl DayKind {
    /// Whether it is worked.
    pub fn is_working(self) -> bool {
        matches!(self, Self::Working | Self::TransferredWorkingDay)
    }
}

/// One link of the chain that makes a day what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayReason {
    /// What this reason makes of the day.
    pub kind: DayKind,
    /// The reason in words.
    pub text: Arc<LocalizedText>,
    /// The reason in words, and that the day does not count towards a term.
    pub text_of_skipped: Arc<LocalizedText>,
    /// The law behind it.
    pub legal_basis: Arc<LegalBasis>,
    /// The holiday or occasion it comes from, on a rolled day too; empty for the week and for transfers.
    pub key: Arc<str>,
    /// How many times the date of that holiday or occasion was moved before in its year; 0 where there is no key.
    pub revision: u32,
}

impl DayReason {
    /// The same reason, coming from a holiday or occasion whose date in its year was moved so many times.
    fn of(self, key: &str, revision: u32) -> Self {
        let key = key.into();
        Self { key, revision, ..self }
    }
}

/// A day of the five-day week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The date.
    pub date: Date,
    /// What it is: what the last of its reasons makes of it.
    pub kind: DayKind,
    /// Why, from the first cause to the one that has the last word; never empty.
    pub reasons: Arc<[DayReason]>,
    /// Whether not all acts of its year were known: no date of Kurban Ait was announced for it.
    pub provisional: bool,
    /// Whether one of the reasons is assumed.
    pub assumed: bool,
}

impl Day {
    /// Whether it is worked.
    pub fn is_working(&self) -> bool {
        self.kind.is_working()
    }

    /// The reason that has the last word.
    pub fn last_reason(&self) -> &DayReason {
        self.reasons.last().expect("a day has at least one reason")
    }
}

/// The reasons of each day that is not simply a working one, by its index.
type Chains = Vec<Vec<DayReason>>;

/// Every day of the calendar under rules that are all known. Refuses when a general rule is missing.
pub(super) fn compute(known: &RuleSet, revisions: &Revisions) -> Result<Vec<Day>, CalendarError> {
    let week = general(known, "five-day-week")?;
    let mut chains: Chains = vec![Vec::new(); DAY_COUNT];
    add_weekends(&mut chains, &week.source.legal_basis);
    add_days_off(&mut chains, known, revisions);
    let rolling = add_holidays(&mut chains, known, revisions);
    add_rolled(
        &mut chains,
        &rolling,
        revisions,
        &general(known, "holiday-roll")?.source.legal_basis,
    );
    add_transfers(&mut chains, known);

    let working = reason(DayKind::Working, text::working_day(), &week.source.legal_basis);
    Ok(assemble(chains, working, known))
}

fn general<'a>(known: &'a RuleSet, key: &str) -> Result<&'a ProvisionRule, CalendarError> {
    let rule = known.provisions.iter().find(|rule| rule.key == key);
    rule.ok_or_else(|| CalendarError::ProvisionUnknown {
        key: key.to_owned(),
        on: FIRST_DAY,
    })
}

fn reason(kind: DayKind, text: LocalizedText, legal_basis: &Arc<LegalBasis>) -> DayReason {
    DayReason {
        kind,
        text_of_skipped: Arc::new(text::joined(&text, &text::does_not_count())),
        text: Arc::new(text),
        legal_basis: Arc::clone(legal_basis),
        key: Arc::default(),
        revision: 0,
    }
}

fn add_weekends(chains: &mut Chains, basis: &Arc<LegalBasis>) {
    for weekday in [Weekday::Saturday, Weekday::Sunday] {
        let weekend = reason(DayKind::Weekend, text::weekend(weekday), basis);
        let first = usize::try_from(FIRST_DAY.weekday().until(weekday)).expect("days until a weekday are 0 to 6");
        chains
            .iter_mut()
            .skip(first)
            .step_by(7)
            .for_each(|chain| chain.push(weekend.clone()));
    }
}

fn add_days_off(chains: &mut Chains, known: &RuleSet, revisions: &Revisions) {
    for rule in &known.days_off {
        let expected = rule.status == DayOffStatus::Provisional;
        if let Some(at) = index(rule.date) {
            let text = text::day_off(&rule.name, expected);
            let day_off = reason(DayKind::DayOff, text, &rule.source.legal_basis);
            chains[at].push(day_off.of(&rule.key, revisions.of(&rule.key, rule.date.year())));
        }
    }
    for rule in known.holidays.iter().filter(|rule| rule.class == HolidayClass::DayOff) {
        let day_off = reason(
            DayKind::DayOff,
            text::day_off(&rule.name, false),
            &rule.source.legal_basis,
        );
        for date in dates(rule) {
            let Some(at) = index(date) else { continue };
            let revision = revisions.of(&rule.key, date.year());
            chains[at].push(day_off.clone().of(&rule.key, revision));
        }
    }
}

/// Adds the holidays and returns, in order of date, those that fell on a day off and move on.
fn add_holidays<'a>(chains: &mut Chains, known: &'a RuleSet, revisions: &Revisions) -> Vec<(Date, &'a HolidayRule)> {
    let rules = known.holidays.iter().filter(|rule| rule.class == HolidayClass::Holiday);
    let mut holidays: Vec<_> = rules
        .flat_map(|rule| dates(rule).map(move |date| (date, rule)))
        .collect();
    holidays.sort_by(|(date, rule), (other_date, other)| (date, &rule.key).cmp(&(other_date, &other.key)));
    let mut rolling = Vec::new();
    for (date, rule) in holidays {
        let Some(at) = index(date) else { continue };
        if !chains[at].is_empty() && rule.rolls_forward {
            rolling.push((date, rule));
        }
        let holiday = reason(DayKind::Holiday, text::holiday(&rule.name), &rule.source.legal_basis);
        chains[at].push(holiday.of(&rule.key, revisions.of(&rule.key, date.year())));
    }
    rolling
}

/// Each holiday that moves on takes the first day after it that is still worked, transfers left aside.
fn add_rolled(chains: &mut Chains, rolling: &[(Date, &HolidayRule)], revisions: &Revisions, basis: &Arc<LegalBasis>) {
    for (date, rule) in rolling {
        let Some(holiday) = index(*date) else { continue };
        let after = chains.iter_mut().skip(holiday + 1).find(|chain| chain.is_empty());
        if let Some(chain) = after {
            let rolled = reason(DayKind::RolledDayOff, text::rolled(&rule.name, *date), basis);
            chain.push(rolled.of(&rule.key, revisions.of(&rule.key, date.year())));
        }
    }
}

/// Transfers come last and have the last word.
fn add_transfers(chains: &mut Chains, known: &RuleSet) {
    for rule in &known.transfers {
        let basis = &rule.source.legal_basis;
        if let Some(at) = index(rule.working_day) {
            let text = text::transferred_working_day(rule.day_off);
            chains[at].push(reason(DayKind::TransferredWorkingDay, text, basis));
        }
        if let Some(at) = index(rule.day_off) {
            let text = text::transferred_day_off(rule.working_day);
            chains[at].push(reason(DayKind::TransferredDayOff, text, basis));
        }
    }
}

/// The dates on which a holiday recurs within the calendar.
pub(super) fn dates(rule: &HolidayRule) -> impl Iterator<Item = Date> {
    let first = rule.first_year.max(FIRST_DAY.year());
    let last = rule.last_year.unwrap_or(LAST_DAY.year()).min(LAST_DAY.year());
    (first..=last).filter_map(|year| Date::new(year, rule.month, rule.day).ok())
}

fn assemble(chains: Chains, working: DayReason, known: &RuleSet) -> Vec<Day> {
    let announced: HashSet<i16> = known
        .days_off
        .iter()
        .filter(|rule| rule.key == ANNOUNCED_EACH_YEAR && rule.status != DayOffStatus::Provisional)
        .map(|rule| rule.date.year())
        .collect();
    let working: Arc<[DayReason]> = Arc::new([working]);
    let dates = FIRST_DAY.series(1.day());
    let days = chains.into_iter().zip(dates).map(|(chain, date)| {
        let reasons = if chain.is_empty() {
            Arc::clone(&working)
        } else {
            Arc::from(chain)
        };
        Day {
            date,
            kind: reasons.last().map_or(DayKind::Working, |reason| reason.kind),
            assumed: reasons.iter().any(|reason| reason.legal_basis.assumed),
            provisional: !announced.contains(&date.year()),
            reasons,
        }
    });
    days.collect()
}
