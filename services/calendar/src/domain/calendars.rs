//! One calendar for every state of knowledge.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::{
    calendar::Calendar,
    error::CalendarError,
    rule::{Change, RuleSet},
};

/// Everything ever entered, with a calendar for each stretch between two changes of knowledge: within a stretch every
/// answer is the same. A calendar is computed when first asked for.
#[derive(Debug)]
pub struct Calendars {
    rules: RuleSet,
    changes: Vec<Timestamp>,
    calendars: Vec<OnceLock<Arc<Calendar>>>,
    recorded_until: Option<Timestamp>,
    changes_in_use: Vec<Change>,
}

impl Calendars {
    /// From all rules, of every state of knowledge.
    pub fn new(rules: RuleSet) -> Self {
        let changes = rules.changes();
        let calendars = (0..=changes.len()).map(|_| OnceLock::new()).collect();
        let (recorded_until, changes_in_use) = (rules.recorded_until(), rules.changes_in_use());
        Self {
            rules,
            changes,
            calendars,
            recorded_until,
            changes_in_use,
        }
    }

    /// The calendar as it was known at an instant.
    ///
    /// Refuses with [`CalendarError::ActUnknown`] or [`CalendarError::ProvisionUnknown`] when the rules are incomplete.
    pub fn as_known_at(&self, at: Timestamp) -> Result<Arc<Calendar>, CalendarError> {
        let calendar = &self.calendars[self.changes.partition_point(|change| *change <= at)];
        if let Some(calendar) = calendar.get() {
            return Ok(Arc::clone(calendar));
        }
        let computed = Arc::new(Calendar::new(&self.rules, at)?);
        Ok(Arc::clone(calendar.get_or_init(|| computed)))
    }

    /// How much was recorded: the newest sequence, the number of withdrawals and of later loads of registers. None of them
    /// ever falls.
    pub fn recorded(&self) -> (u64, usize, usize) {
        let sequences = self.rules.acts.iter().map(|act| act.sequence);
        let withdrawn = self.rules.acts.iter().filter(|act| act.withdrawn_at.is_some());
        (
            sequences.max().unwrap_or_default(),
            withdrawn.count(),
            self.rules.loads.len(),
        )
    }

    /// The instant of the newest recording, withdrawal or load of registers, if there was any since the first load.
    pub fn recorded_until(&self) -> Option<Timestamp> {
        self.recorded_until
    }

    /// The first change after an instant since the first load, or that will come by the rows known so far.
    pub fn change_after(&self, after: Timestamp) -> Option<&Change> {
        self.changes_in_use
            .get(self.changes_in_use.partition_point(|change| change.at <= after))
    }

    /// All rules, of every state of knowledge.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }
}
