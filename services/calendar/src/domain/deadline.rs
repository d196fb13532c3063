//! A deadline and the steps that lead to it.

use std::{
    ops::Range,
    sync::{Arc, LazyLock},
};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::{
    calendar::Calendar,
    days::{Day, DayKind},
    error::CalendarError,
    suspension::Standstill,
    term::TermPart,
    text::{self, joined},
};

static DUE: LazyLock<Arc<LocalizedText>> = LazyLock::new(|| Arc::new(text::due()));

/// What a step does to the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepEffect {
    /// The term or obligation starts from this day; the day itself does not count.
    Start,
    /// The day counts towards the term.
    Counted,
    /// The day does not count.
    Skipped,
    /// The clock stands still on this day.
    Suspended,
    /// The term would end here, but the day is off, so it moves on.
    Rolled,
    /// The deadline.
    Due,
}

/// One day that mattered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The day.
    pub date: Date,
    /// What it did.
    pub effect: StepEffect,
    /// Why, in words.
    pub text: Arc<LocalizedText>,
    /// The law behind it.
    pub legal_basis: Arc<LegalBasis>,
}

/// A deadline and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// The last day, included.
    pub due_date: Date,
    /// The instant at which that day ends in Asia/Almaty: what happens before it is in time.
    pub due_time: Timestamp,
    /// Whether it rests on a day of a year whose acts are not all in.
    pub provisional: bool,
    /// Whether it rests on a rule for which no source was found, or on an act that is not in force on the due date.
    pub assumed: bool,
    /// The version of the calendar that answered.
    pub calendar_version: Arc<str>,
    /// The days that mattered, in order: the first starts, the last is due. Empty when no explanation was asked for.
    pub steps: Vec<Step>,
    /// For a term, its name without `terms/`.
    pub term: Option<String>,
    /// Which of the times of the term it is.
    pub part: TermPart,
    /// For a term, the day on which the request counts as registered.
    pub registered_on: Option<Date>,
    /// For a term whose clock was never stopped, the instants of receipt that have this very answer, the end not included.
    pub received_within: Option<Range<Timestamp>>,
}

/// Collects steps when an explanation is wanted, and costs nothing when it is not.
pub(super) struct Trail {
    steps: Option<Vec<Step>>,
}

impl Trail {
    pub(super) fn new(explain: bool) -> Self {
        Self {
            steps: explain.then(|| Vec::with_capacity(32)),
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.steps.is_some()
    }

    pub(super) fn push(&mut self, date: Date, effect: StepEffect, text: Arc<LocalizedText>, basis: &Arc<LegalBasis>) {
        if let Some(steps) = &mut self.steps {
            steps.push(Step {
                date,
                effect,
                text,
                legal_basis: Arc::clone(basis),
            });
        }
    }

    /// Adds a clause to the last step.
    pub(super) fn add_to_last(&mut self, clause: &LocalizedText) {
        if let Some(last) = self.steps.as_mut().and_then(|steps| steps.last_mut()) {
            last.text = Arc::new(joined(&last.text, clause));
        }
    }

    pub(super) fn finish(self) -> Vec<Step> {
        self.steps.unwrap_or_default()
    }
}

/// Moves a last day that is off to the first working day after it on which the clock runs, with one step for each day
/// passed.
pub(super) fn roll_forward(
    calendar: &Calendar,
    standstill: &Standstill,
    last: Date,
    basis: &LegalBasis,
    trail: &mut Trail,
) -> Result<Date, CalendarError> {
    let due = standstill.working_day_from(calendar, last)?;
    if trail.is_wanted() && due > last {
        let moves_on = text::moves_on(&basis.citation());
        for day in calendar.days(last, due)?.iter().filter(|day| day.date < due) {
            if standstill.push_step(day.date, trail) {
                continue;
            }
            let reason = day.last_reason();
            trail.push(
                day.date,
                StepEffect::Rolled,
                Arc::new(joined(&reason.text, &moves_on)),
                &reason.legal_basis,
            );
        }
    }
    Ok(due)
}

/// Adds the step of the due day. A day that is worked only because of a transfer says so and cites its act.
pub(super) fn push_due(day: &Day, basis: &Arc<LegalBasis>, trail: &mut Trail) {
    if !trail.is_wanted() {
        return;
    }
    let reason = day.last_reason();
    let (text, basis) = match day.kind {
        DayKind::Working => (Arc::clone(&DUE), basis),
        DayKind::TransferredWorkingDay => (Arc::new(joined(&DUE, &reason.text)), &reason.legal_basis),
        _ => (Arc::new(joined(&joined(&DUE, &reason.text), &text::stays())), basis),
    };
    trail.push(day.date, StepEffect::Due, text, basis);
}
