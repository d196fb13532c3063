//! The deadline of a duty to do something by a day after a reporting period.

use std::sync::Arc;

use jiff::{ToSpan, civil::Date};
use legalstat_kit::{
    law::LegalBasis,
    period::{PeriodKind, ReportingPeriod},
    zone,
};

use super::{
    calendar::Calendar,
    deadline::{Deadline, StepEffect, Trail, push_due, roll_forward},
    error::CalendarError,
    suspension::Standstill,
    term::TermPart,
    text,
};

/// A duty to do something by a day of the month following a reporting period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    /// The reporting period.
    pub period: ReportingPeriod,
    /// The day of the month that follows the period, 1 to 28; the day itself is included.
    pub due_day: i32,
    /// Whether a due day that is off moves to the first working day after it.
    pub roll_forward: bool,
    /// The law that sets the due day; by default the Instruction's paragraph on periods of this kind.
    pub legal_basis: Option<Arc<LegalBasis>>,
    /// The law that lets it roll; by default Instruction, para 13, assumed for all but the half-year and the year.
    pub roll_forward_basis: Option<Arc<LegalBasis>>,
}

/// The deadline of an obligation, with its steps if `explain`.
///
/// Refuses with [`CalendarError::DueDayOutOfRange`] or, when it falls beyond the calendar,
/// [`CalendarError::YearOutOfRange`].
pub fn obligation_deadline(
    calendar: &Calendar,
    obligation: &Obligation,
    explain: bool,
) -> Result<Deadline, CalendarError> {
    let nominal = nominal_day(obligation)?;
    let basis = due_basis(calendar, obligation, nominal)?;
    let mut trail = Trail::new(explain);
    if explain {
        let text = text::period_ends(&obligation.period.to_string());
        trail.push(obligation.period.last_day(), StepEffect::Start, Arc::new(text), &basis);
    }
    let mut bases = vec![Arc::clone(&basis)];
    let due_date = if obligation.roll_forward {
        let roll_basis = roll_basis(calendar, obligation, nominal)?;
        let due_date = roll_forward(calendar, &Standstill::default(), nominal, &roll_basis, &mut trail)?;
        bases.push(roll_basis);
        due_date
    } else {
        nominal
    };
    let rolled_by = bases.last().filter(|_| due_date > nominal).unwrap_or(&basis);
    push_due(calendar.day(due_date)?, rolled_by, &mut trail);

    let days = calendar.days(nominal, due_date)?;
    let by_days = obligation.roll_forward && days.iter().any(|day| day.assumed);
    Ok(Deadline {
        due_date,
        due_time: zone::end(due_date),
        provisional: days.iter().any(|day| day.provisional),
        assumed: by_days || bases.iter().any(|basis| calendar.assumed_on(basis, due_date)),
        calendar_version: Arc::clone(calendar.version()),
        steps: trail.finish(),
        term: None,
        part: TermPart::Base,
        registered_on: None,
        received_within: None,
    })
}

/// The due day before any rolling.
fn nominal_day(obligation: &Obligation) -> Result<Date, CalendarError> {
    match obligation.due_day {
        due_day @ 1..=28 => Ok(obligation.period.following_month().saturating_add((due_day - 1).days())),
        due_day => Err(CalendarError::DueDayOutOfRange { due_day }),
    }
}

fn due_basis(calendar: &Calendar, obligation: &Obligation, on: Date) -> Result<Arc<LegalBasis>, CalendarError> {
    let key = match (obligation.period.kind(), obligation.period.number()) {
        (PeriodKind::Month, _) => "due-day-month",
        (PeriodKind::Quarter, _) => "due-day-quarter",
        (PeriodKind::HalfYear, 1) => "due-day-first-half",
        (PeriodKind::HalfYear, _) => "due-day-second-half",
        (PeriodKind::Year, _) => "due-day-year",
    };
    given_or_ruled(calendar, obligation.legal_basis.as_ref(), key, on)
}

fn roll_basis(calendar: &Calendar, obligation: &Obligation, on: Date) -> Result<Arc<LegalBasis>, CalendarError> {
    let key = match (obligation.period.kind(), obligation.period.number()) {
        (PeriodKind::Month, _) => "roll-forward-month",
        (PeriodKind::Quarter, _) => "roll-forward-quarter",
        (PeriodKind::HalfYear, 1) => "roll-forward-first-half",
        (PeriodKind::HalfYear, _) => "roll-forward-second-half",
        (PeriodKind::Year, _) => "roll-forward-year",
    };
    given_or_ruled(calendar, obligation.roll_forward_basis.as_ref(), key, on)
}

fn given_or_ruled(
    calendar: &Calendar,
    given: Option<&Arc<LegalBasis>>,
    key: &str,
    on: Date,
) -> Result<Arc<LegalBasis>, CalendarError> {
    let basis = match given {
        Some(basis) => basis,
        None => &calendar.provision(key, on)?.source.legal_basis,
    };
    Ok(calendar.held_on(basis, on))
}
