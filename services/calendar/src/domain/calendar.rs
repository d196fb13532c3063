//! The calendar as known at one instant: computed once, then only read.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::law::LegalBasis;

use super::{
    bounds::{LAST_DAY, index},
    days::{self, Day},
    error::CalendarError,
    revision::Revisions,
    rule::{Act, ProvisionRule, RuleSet},
    term::Term,
};

/// The working calendar 2016 to 2036 as known at one instant, with the terms known then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    version: Arc<str>,
    days: Vec<Day>,
    working_days: Vec<Date>,
    working_before: Vec<usize>,
    provisions: Vec<ProvisionRule>,
    terms: Vec<Term>,
    acts_of_limited_validity: Vec<Act>,
}

impl Calendar {
    /// Computes the calendar from the rules known at an instant; some milliseconds.
    ///
    /// Refuses with [`CalendarError::ActUnknown`] or [`CalendarError::ProvisionUnknown`] when the rules are incomplete.
    pub fn new(rules: &RuleSet, as_known_at: Timestamp) -> Result<Self, CalendarError> {
        let known = rules.known_at(as_known_at)?;
        let version = version(rules, &known, as_known_at)?;
        let days = days::compute(&known, &Revisions::new(rules, as_known_at)?)?;
        let working_days = days.iter().filter(|day| day.is_working()).map(|day| day.date).collect();
        let working_before = days
            .iter()
            .scan(0, |count, day| {
                let before = *count;
                *count += usize::from(day.is_working());
                Some(before)
            })
            .collect();
        let limited = |act: &&Act| act.valid_from.is_some() || act.valid_to.is_some();
        let acts_of_limited_validity = known.acts.iter().filter(limited).cloned().collect();
        let mut terms = known.terms;
        terms.sort_by(|one, other| one.name.cmp(&other.name));
        let provisions = known.provisions;
        Ok(Self {
            version,
            days,
            working_days,
            working_before,
            provisions,
            terms,
            acts_of_limited_validity,
        })
    }

    /// The version: the sequence of the newest act that was known, and the instant of the last change of knowledge, as in
    /// `18@2026-03-17T19:00:00Z`. Two calendars of one history with the same version are the same.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The same calendar under another version.
    pub(super) fn with_version(self, version: Arc<str>) -> Self {
        Self { version, ..self }
    }

    /// The day of a date; refuses with [`CalendarError::YearOutOfRange`].
    pub fn day(&self, date: Date) -> Result<&Day, CalendarError> {
        Ok(&self.days[position(date)?])
    }

    /// The days of a range, both ends included; refuses a range that is reversed or leaves the calendar.
    pub fn days(&self, from: Date, to: Date) -> Result<&[Day], CalendarError> {
        if to < from {
            return Err(CalendarError::RangeReversed { from, to });
        }
        Ok(&self.days[position(from)?..=position(to)?])
    }

    /// The first working day after a date; refuses with [`CalendarError::YearOutOfRange`].
    pub fn next_working_day(&self, date: Date) -> Result<Date, CalendarError> {
        self.add_working_days(date, 1)
    }

    /// The date itself when it is worked, else the first working day after it; refuses with
    /// [`CalendarError::YearOutOfRange`].
    pub fn working_day_from(&self, date: Date) -> Result<Date, CalendarError> {
        self.nth_working_day(self.working_before[position(date)?])
    }

    /// The last of `count` working days after a date, the date itself not counted; 0 gives the date itself. Refuses with
    /// [`CalendarError::YearOutOfRange`].
    pub fn add_working_days(&self, date: Date, count: u32) -> Result<Date, CalendarError> {
        let at = position(date)?;
        let through = self.working_before[at] + usize::from(self.days[at].is_working());
        match usize::try_from(count).unwrap_or(usize::MAX) {
            0 => Ok(date),
            count => self.nth_working_day(through.saturating_add(count - 1)),
        }
    }

    /// The terms known at the instant, by name.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The general rule of a key that holds on a day; refuses with [`CalendarError::ProvisionUnknown`].
    pub(super) fn provision(&self, key: &str, on: Date) -> Result<&ProvisionRule, CalendarError> {
        let holds = |rule: &&ProvisionRule| {
            rule.key == key && rule.valid_from.is_none_or(|from| from <= on) && rule.valid_to.is_none_or(|to| on <= to)
        };
        let rule = self.provisions.iter().find(holds);
        rule.ok_or_else(|| CalendarError::ProvisionUnknown {
            key: key.to_owned(),
            on,
        })
    }

    /// Whether a legal basis carries a day only by assumption: it is assumed itself, or its act is not in force then.
    pub(super) fn assumed_on(&self, basis: &LegalBasis, day: Date) -> bool {
        let cites = |act: &&Act| act.citation == basis.act || (!act.uri.is_empty() && act.uri == basis.uri);
        basis.assumed
            || self
                .acts_of_limited_validity
                .iter()
                .find(cites)
                .is_some_and(|act| !act.in_force_on(day))
    }

    /// The basis as it holds on a day: assumed where its act is not in force.
    pub(super) fn held_on(&self, basis: &Arc<LegalBasis>, day: Date) -> Arc<LegalBasis> {
        if basis.assumed || !self.assumed_on(basis, day) {
            return Arc::clone(basis);
        }
        Arc::new(LegalBasis::clone(basis).assumed())
    }

    fn nth_working_day(&self, number: usize) -> Result<Date, CalendarError> {
        let beyond = CalendarError::YearOutOfRange {
            year: LAST_DAY.year() + 1,
        };
        self.working_days.get(number).copied().ok_or(beyond)
    }
}

fn position(date: Date) -> Result<usize, CalendarError> {
    index(date).ok_or(CalendarError::YearOutOfRange { year: date.year() })
}

fn version(rules: &RuleSet, known: &RuleSet, as_known_at: Timestamp) -> Result<Arc<str>, CalendarError> {
    let mut newest = 0;
    for source in known.sources() {
        newest = newest.max(rules.act(&source.act)?.sequence);
    }
    let changes = rules.changes();
    Ok(match changes.into_iter().rfind(|change| *change <= as_known_at) {
        Some(last) => format!("{newest}@{last}").into(),
        None => newest.to_string().into(),
    })
}
