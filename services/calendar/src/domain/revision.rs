//! How often the date of a day off was moved.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date};

use super::{
    bounds::{FIRST_DAY, LAST_DAY},
    error::CalendarError,
    rule::{RuleSet, Source},
};

/// One row of a day off: its date in each of its years, and when it was known.
struct Row {
    years: (i16, i16),
    month: i8,
    day: i8,
    sequence: u64,
    known: (Option<Timestamp>, Option<Timestamp>),
    withdrawn_at: Option<Timestamp>,
}

impl Row {
    fn new(rules: &RuleSet, source: &Source, years: (i16, i16), month: i8, day: i8) -> Result<Self, CalendarError> {
        let act = rules.act(&source.act)?;
        Ok(Self {
            years,
            month,
            day,
            sequence: act.sequence,
            known: (source.known.from, source.known.to),
            withdrawn_at: act.withdrawn_at,
        })
    }

    fn is_known(&self, at: Timestamp) -> bool {
        let before = |end: Option<Timestamp>| end.is_none_or(|end| at < end);
        self.known.0.is_none_or(|from| from <= at) && before(self.known.1) && before(self.withdrawn_at)
    }

    fn date(&self, year: i16) -> Option<Date> {
        let (first, last) = self.years;
        let date = Date::new(year, self.month, self.day).ok();
        date.filter(|_| (first..=last).contains(&year))
    }
}

/// How many times the date of each day off was moved, as known at an instant: by key and year, for those that were
/// moved.
///
/// Only a change from one date to another is a move: the row that announces an expected date moves nothing, and neither
/// does one that ends a holiday. A withdrawal that brings back an older date is one more move.
pub(super) struct Revisions(HashMap<(String, i16), u32>);

impl Revisions {
    /// From everything ever entered.
    ///
    /// Refuses with [`CalendarError::ActUnknown`].
    pub(super) fn new(rules: &RuleSet, at: Timestamp) -> Result<Self, CalendarError> {
        let mut revisions = HashMap::new();
        for (key, rows) in single_days(rules)?.into_iter().chain(recurring_days(rules)?) {
            // One row alone has never been moved: that is nearly every one.
            if rows.len() < 2 {
                continue;
            }
            let first = rows.iter().map(|row| row.years.0).min().unwrap_or(LAST_DAY.year());
            let last = rows.iter().map(|row| row.years.1).max().unwrap_or(FIRST_DAY.year());
            for year in first..=last {
                let moves = moves(&rows, year, at);
                if moves > 0 {
                    revisions.insert((key.to_owned(), year), moves);
                }
            }
        }
        Ok(Self(revisions))
    }

    /// How many times the day off of this key was moved in a year.
    pub(super) fn of(&self, key: &str, year: i16) -> u32 {
        if self.0.is_empty() {
            return 0;
        }
        self.0.get(&(key.to_owned(), year)).copied().unwrap_or_default()
    }
}

/// The rows of each single day off: those of one key and year replace one another.
fn single_days(rules: &RuleSet) -> Result<Vec<(&str, Vec<Row>)>, CalendarError> {
    let mut days: HashMap<(&str, i16), Vec<Row>> = HashMap::new();
    for rule in &rules.days_off {
        let (year, date) = (rule.date.year(), rule.date);
        let row = Row::new(rules, &rule.source, (year, year), date.month(), date.day())?;
        days.entry((&rule.key, year)).or_default().push(row);
    }
    Ok(days.into_iter().map(|((key, _), rows)| (key, rows)).collect())
}

/// The rows of each recurring day off: those of one key replace one another in all years.
fn recurring_days(rules: &RuleSet) -> Result<Vec<(&str, Vec<Row>)>, CalendarError> {
    let mut days: HashMap<&str, Vec<Row>> = HashMap::new();
    for rule in &rules.holidays {
        let years = (rule.first_year, rule.last_year.unwrap_or(LAST_DAY.year()));
        let row = Row::new(rules, &rule.source, years, rule.month, rule.day)?;
        days.entry(&rule.key).or_default().push(row);
    }
    Ok(days.into_iter().collect())
}

/// How often the date in a year changed with what was known, up to an instant.
fn moves(rows: &[Row], year: i16, at: Timestamp) -> u32 {
    let learnt = rows.iter().flat_map(|row| [row.known.0, row.known.1, row.withdrawn_at]);
    let mut instants: Vec<_> = learnt.flatten().filter(|instant| *instant <= at).collect();
    instants.push(Timestamp::MIN);
    instants.sort_unstable();
    let in_force = |instant: Timestamp| {
        let known = rows.iter().filter(|row| row.is_known(instant));
        known.max_by_key(|row| (row.known.0, row.sequence))
    };
    let mut dates: Vec<Date> = instants.into_iter().filter_map(|at| in_force(at)?.date(year)).collect();
    dates.dedup();
    u32::try_from(dates.len().saturating_sub(1)).unwrap_or(u32::MAX)
}
