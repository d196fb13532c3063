//! Deadlines of obligations and of terms, with the steps that lead to them.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    period::ReportingPeriod,
    zone::{beginning, civil_day},
};

use super::{
    calendar::{Calendar, Day, DayKind},
    explain,
    rules::{FIRST_DAY, LAST_DAY},
    term::{Receipt, RequesterKind, Term, TermOrigin, TermUnit, WorkingHours},
};

/// The days on which the Instruction's duties rest on it: from its date to the day before that of the order that ended it.
/// The exact days of its entry into force and of its lapse are not known, and outside these days a duty is assumed.
const INSTRUCTION_IN_FORCE: std::ops::RangeInclusive<Date> =
    jiff::civil::date(2019, 4, 15)..=jiff::civil::date(2021, 1, 7);

/// A duty to do something by a day of the month following a reporting period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// The period.
    pub period: ReportingPeriod,
    /// The day of the following month, 1 to 28, that day included.
    pub due_day: i8,
    /// Whether a due day that is off moves to the next working day.
    pub roll_forward: bool,
    /// The law that sets the due day, if the caller gave it.
    pub basis: Option<LegalBasis>,
    /// The law that lets it move; by default Instruction, para 13.
    pub roll_forward_basis: Option<LegalBasis>,
}

/// What a step does to the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEffect {
    /// The term or obligation starts from this day.
    Start,
    /// The day counts.
    Counted,
    /// The day does not count.
    Skipped,
    /// The term would end here, but the day is off.
    Rolled,
    /// The deadline.
    Due,
}

/// One day that mattered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The day.
    pub date: Date,
    /// What it did.
    pub effect: StepEffect,
    /// Why, in words.
    pub text: LocalizedText,
    /// The law behind it.
    pub basis: LegalBasis,
}

/// A deadline and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The last day.
    pub due_date: Date,
    /// The instant at which it ends in Astana.
    pub due_time: Timestamp,
    /// Whether it rests on a year whose acts are not all in.
    pub provisional: bool,
    /// Whether it rests on a rule without a source.
    pub assumed: bool,
    /// The days that mattered, in order; the last is the due date.
    pub steps: Vec<Step>,
    /// For a term, the id of the rule applied.
    pub term: Option<String>,
    /// For a term, the day of registration.
    pub registered_on: Option<Date>,
}

/// Why there is no deadline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// The answer would lie outside 2016 to 2036.
    #[error("the calendar answers for 2016 to 2036 only")]
    OutsideCalendar,
    /// There is no such term.
    #[error("there is no term {0:?}")]
    TermUnknown(String),
    /// The term does not govern a request received on this day.
    #[error("no term governs a request received on {received_on}{}", .term.as_ref().map(|id| format!(" under the name {id}")).unwrap_or_default())]
    NoTermApplies {
        /// The term named, if one was.
        term: Option<String>,
        /// The day of receipt.
        received_on: Date,
    },
}

/// Which term governs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermChoice {
    /// The one with this id.
    Named(String),
    /// The one in force for this kind of requester on the day of receipt.
    ByRequester(RequesterKind),
}

/// The steps so far and what they rest on.
struct Path<'a> {
    calendar: &'a Calendar,
    steps: Vec<Step>,
    provisional: bool,
    assumed: bool,
}

impl<'a> Path<'a> {
    fn new(calendar: &'a Calendar) -> Self {
        Self {
            calendar,
            steps: Vec::new(),
            provisional: false,
            assumed: false,
        }
    }

    fn step(&mut self, date: Date, effect: StepEffect, text: LocalizedText, basis: LegalBasis) {
        self.assumed |= basis.assumed;
        self.steps.push(Step {
            date,
            effect,
            text,
            basis,
        });
    }

    fn look(&mut self, date: Date) -> Result<&'a Day, DeadlineError> {
        let day = self.calendar.day(date).ok_or(DeadlineError::OutsideCalendar)?;
        self.provisional |= day.provisional;
        Ok(day)
    }

    /// Ends on `last`, or on the first working day after it when it is off and the term rolls.
    fn end(&mut self, last: Date, due: Due) -> Result<Date, DeadlineError> {
        let day = self.look(last)?;
        if day.kind == DayKind::TransferredWorkingDay {
            let reason = day.last_word();
            self.step(last, StepEffect::Counted, reason.text.clone(), reason.basis.clone());
        }
        if day.kind.is_working() || !due.roll_forward {
            let text = if day.kind.is_working() {
                due.text
            } else {
                due.text_if_off
            };
            self.step(last, StepEffect::Due, text, due.basis);
            return Ok(last);
        }
        self.assumed |= due.roll_forward_basis.assumed;
        let due_day = self
            .calendar
            .working_day_from(last)
            .ok_or(DeadlineError::OutsideCalendar)?;
        for off in self
            .calendar
            .days(last, due_day.date)
            .iter()
            .filter(|day| !day.kind.is_working())
        {
            self.provisional |= off.provisional;
            let reason = off.last_word();
            self.step(
                off.date,
                StepEffect::Rolled,
                explain::moves_on(&reason.text),
                reason.basis.clone(),
            );
        }
        self.provisional |= due_day.provisional;
        self.step(
            due_day.date,
            StepEffect::Due,
            explain::first_working_day(),
            due.roll_forward_basis,
        );
        Ok(due_day.date)
    }

    fn finish(self, due_date: Date) -> Result<Deadline, DeadlineError> {
        let after = due_date.tomorrow().map_err(|_| DeadlineError::OutsideCalendar)?;
        Ok(Deadline {
            due_date,
            due_time: beginning(after),
            provisional: self.provisional,
            assumed: self.assumed,
            steps: self.steps,
            term: None,
            registered_on: None,
        })
    }
}

/// How a term ends.
struct Due {
    text: LocalizedText,
    text_if_off: LocalizedText,
    basis: LegalBasis,
    roll_forward: bool,
    roll_forward_basis: LegalBasis,
}

/// The deadline of an obligation.
///
/// # Errors
/// An answer outside the calendar.
pub fn of_obligation(obligation: &Obligation, calendar: &Calendar) -> Result<Deadline, DeadlineError> {
    let month = obligation.period.following_month();
    let last = month
        .with()
        .day(obligation.due_day)
        .build()
        .map_err(|_| DeadlineError::OutsideCalendar)?;
    let basis = obligation.basis.clone().unwrap_or_else(|| LegalBasis::instruction(""));
    let mut path = Path::new(calendar);
    let start = explain::period_end(&obligation.period.to_string());
    path.step(obligation.period.last_day(), StepEffect::Start, start, basis.clone());
    let due = Due {
        text: explain::due_day(obligation.due_day),
        text_if_off: explain::due_day_stands(obligation.due_day),
        basis,
        roll_forward: obligation.roll_forward,
        roll_forward_basis: obligation
            .roll_forward_basis
            .clone()
            .unwrap_or_else(explain::roll_forward_basis),
    };
    let roll_assumed = due.roll_forward && due.roll_forward_basis.assumed;
    let due_date = path.end(last, due)?;
    // Whether it moves at all is part of the answer, even on a day on which it did not have to.
    path.assumed |= roll_assumed || !INSTRUCTION_IN_FORCE.contains(&due_date);
    path.finish(due_date)
}

/// The deadline of a term that runs from the receipt of a request.
///
/// # Errors
/// A term that does not exist or does not apply, or an answer outside the calendar.
pub fn of_term(
    choice: &TermChoice,
    received_at: Timestamp,
    terms: &[Term],
    hours: WorkingHours,
    calendar: &Calendar,
) -> Result<Deadline, DeadlineError> {
    let received_on = civil_day(received_at);
    if !(FIRST_DAY..=LAST_DAY).contains(&received_on) {
        return Err(DeadlineError::OutsideCalendar);
    }
    let term = choose(choice, received_on, terms)?;
    let receipt = Receipt::of(received_at, hours, calendar).ok_or(DeadlineError::OutsideCalendar)?;
    let mut path = Path::new(calendar);
    let origin = start(&mut path, term, receipt)?;
    let last = term
        .base
        .last_day(origin, calendar)
        .ok_or(DeadlineError::OutsideCalendar)?;
    if term.base.unit == TermUnit::WorkingDay {
        count(&mut path, term, origin, last)?;
    }
    path.assumed |= term.base_assumed_before.is_some_and(|day| received_on < day);
    let text = explain::last_day(&term.base);
    let due = Due {
        text: text.clone(),
        text_if_off: text,
        basis: term.base.basis.clone(),
        roll_forward: term.roll_forward,
        roll_forward_basis: term.roll_forward_basis.clone(),
    };
    let due_date = path.end(last, due)?;
    let deadline = path.finish(due_date)?;
    Ok(Deadline {
        term: Some(term.id.clone()),
        registered_on: Some(receipt.registered_on),
        ..deadline
    })
}

fn choose<'a>(choice: &TermChoice, received_on: Date, terms: &'a [Term]) -> Result<&'a Term, DeadlineError> {
    let none = |term| DeadlineError::NoTermApplies { term, received_on };
    match choice {
        TermChoice::Named(id) => {
            let term = terms
                .iter()
                .find(|term| term.id == *id)
                .ok_or(DeadlineError::TermUnknown(id.clone()))?;
            if term.governs(received_on) {
                Ok(term)
            } else {
                Err(none(Some(id.clone())))
            }
        }
        TermChoice::ByRequester(kind) => terms
            .iter()
            .find(|term| term.selected && term.requester_kinds.contains(kind) && term.governs(received_on))
            .ok_or_else(|| none(None)),
    }
}

/// The steps up to the day after which the term counts, and that day.
fn start(path: &mut Path<'_>, term: &Term, receipt: Receipt) -> Result<Date, DeadlineError> {
    let received = path.look(receipt.received_on)?;
    if term.origin == TermOrigin::Receipt {
        path.step(
            receipt.received_on,
            StepEffect::Start,
            explain::term_starts(false),
            term.origin_basis.clone(),
        );
        return Ok(receipt.received_on);
    }
    let counts_from_next = explain::term_starts(true);
    if receipt.registered_on == receipt.received_on {
        path.step(
            receipt.received_on,
            StepEffect::Start,
            counts_from_next,
            term.origin_basis.clone(),
        );
        return Ok(receipt.registered_on);
    }
    let basis = explain::after_hours_basis();
    // On a working day the working hours decided, and their times are a setting without a source.
    let basis = if received.kind.is_working() {
        basis.assumed()
    } else {
        basis
    };
    path.step(
        receipt.received_on,
        StepEffect::Start,
        explain::received_after_hours(),
        basis,
    );
    for day in path
        .calendar
        .days(receipt.received_on, receipt.registered_on)
        .iter()
        .skip(1)
    {
        path.look(day.date)?;
        let reason = day.last_word();
        if !day.kind.is_working() {
            path.step(day.date, StepEffect::Skipped, reason.text.clone(), reason.basis.clone());
        }
    }
    path.step(
        receipt.registered_on,
        StepEffect::Skipped,
        counts_from_next,
        term.origin_basis.clone(),
    );
    Ok(receipt.registered_on)
}

/// The steps of a term in working days between its origin and its last day, both excluded.
fn count(path: &mut Path<'_>, term: &Term, origin: Date, last: Date) -> Result<(), DeadlineError> {
    let mut number = 0;
    for day in path
        .calendar
        .days(origin, last)
        .iter()
        .skip(1)
        .filter(|day| day.date < last)
    {
        path.look(day.date)?;
        if day.kind.is_working() {
            number += 1;
            let text = explain::counted(number, term.base.length);
            path.step(day.date, StepEffect::Counted, text, term.base.basis.clone());
        } else {
            let reason = day.last_word();
            path.step(day.date, StepEffect::Skipped, reason.text.clone(), reason.basis.clone());
        }
    }
    Ok(())
}
