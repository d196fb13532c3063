//! The deadline of a term that runs from the receipt of a request.

use std::sync::{Arc, LazyLock};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    zone,
};

use super::{
    calendar::Calendar,
    days::{Day, DayKind},
    deadline::{Deadline, StepEffect, Trail, push_due, roll_forward},
    error::CalendarError,
    registration::{Registration, RegistrationCause, WorkingHours, register},
    suspension::{Standstill, Suspension},
    term::{Span, Term, TermChoice, TermOrigin, TermPart, TermUnit},
    text::{self, joined},
};

static COUNTS: LazyLock<Arc<LocalizedText>> = LazyLock::new(|| Arc::new(text::counts()));
static REGISTRATION_DAY: LazyLock<Arc<LocalizedText>> = LazyLock::new(|| Arc::new(text::registration_day()));
static RECEIVED: LazyLock<Arc<LocalizedText>> = LazyLock::new(|| Arc::new(text::received_and_registered()));

/// A request whose deadline is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermQuestion {
    /// Which term governs it.
    pub choice: TermChoice,
    /// When it was received; its day is that of Asia/Almaty.
    pub received_at: Timestamp,
    /// The day of its registration where that is settled, not before the day of receipt; `None` lets the calendar say.
    pub registered_on: Option<Date>,
    /// When the clock was stopped and restarted; days that several share stand still once.
    pub suspensions: Vec<Suspension>,
    /// When the clock stops if the term lets it, and runs on if it does not; none where there are `suspensions`.
    pub clock_stops: Vec<Suspension>,
    /// Which of the times of the term.
    pub part: TermPart,
    /// The day after which an extension, or the time for telling of one, counts; of no other time.
    pub counted_from: Option<Date>,
    /// The last day that was chosen for an extension; `None` for the most that the term allows.
    pub until: Option<Date>,
}

impl TermQuestion {
    /// A request of which nothing is settled and whose clock was never stopped.
    #[cfg(test)]
    pub fn new(choice: TermChoice, received_at: Timestamp) -> Self {
        Self {
            choice,
            received_at,
            registered_on: None,
            suspensions: Vec::new(),
            clock_stops: Vec::new(),
            part: TermPart::Base,
            counted_from: None,
            until: None,
        }
    }
}

/// What a time of a term is computed from.
struct Counted<'a> {
    term: &'a Term,
    span: &'a Span,
    /// The day after which it counts.
    origin: Date,
    /// Whether that is the day from which the term counts.
    from_term: bool,
}

/// The deadline of a time of the term that governs a request, with its steps if `explain`.
///
/// Refuses with [`CalendarError::NoSuchPart`], [`CalendarError::ExtensionTooLong`], [`CalendarError::InstantBefore2016`], [`CalendarError::RegisteredBeforeReceipt`], an error of
/// [`TermChoice::term`], [`CalendarError::SuspensionNotAllowed`], or [`CalendarError::YearOutOfRange`] when the term ends
/// beyond the calendar.
pub fn term_deadline(
    calendar: &Calendar,
    question: &TermQuestion,
    hours: WorkingHours,
    explain: bool,
) -> Result<Deadline, CalendarError> {
    let registration = register(calendar, question.received_at, question.registered_on, hours)?;
    let term = question.choice.term(calendar, registration.received_on)?;
    let standstill = if question.clock_stops.is_empty() {
        Standstill::of(term, &question.suspensions)?
    } else {
        Standstill::where_allowed(term, &question.clock_stops)
    };
    let named = question.counted_from.filter(|_| question.part.is_counted_from_a_day());
    let counted = Counted {
        term,
        span: term.part(question.part)?,
        origin: named.unwrap_or_else(|| registration.origin(term.origin)),
        from_term: named.is_none(),
    };
    let mut trail = Trail::new(explain);
    match named {
        None => push_receipt(calendar, &counted, &registration, &mut trail)?,
        Some(day) => trail.push(
            day,
            StepEffect::Start,
            Arc::new(text::counted_from()),
            &counted.span.legal_basis,
        ),
    }
    let most = standstill.last_day(calendar, counted.origin, counted.span)?;
    let last = match question.until.filter(|_| question.part == TermPart::Extension) {
        Some(until) => chosen(calendar, &standstill, &counted, until, most)?,
        None => most,
    };
    push_between(calendar.days(counted.origin, last)?, &counted, &standstill, &mut trail);
    let due_date = if term.roll_forward {
        roll_forward(calendar, &standstill, last, &term.roll_forward_basis, &mut trail)?
    } else {
        last
    };
    let due_basis = if due_date > last {
        Arc::clone(&term.roll_forward_basis)
    } else {
        span_basis(counted.span, registration.received_on)
    };
    push_due(calendar.day(due_date)?, &due_basis, &mut trail);
    if question.until.is_some() {
        trail.add_to_last(&text::chosen());
    }

    let days = calendar.days(registration.received_on, due_date)?;
    // Which days stand still is assumed, whatever the law that lets the clock stop.
    let by_suspension = standstill.days(counted.origin, due_date) > 0;
    Ok(Deadline {
        due_date,
        due_time: zone::end(due_date),
        provisional: days.iter().any(|day| day.provisional),
        assumed: by_suspension || is_assumed(calendar, &counted, &registration, last, due_date)?,
        calendar_version: Arc::clone(calendar.version()),
        steps: trail.finish(),
        term: Some(term.name.clone()),
        part: question.part,
        registered_on: Some(registration.registered_on),
        // Who is received later may be received after a stop.
        received_within: (question.suspensions.is_empty() && question.clock_stops.is_empty())
            .then_some(registration.received_within),
    })
}

/// A last day that was chosen for an extension: not beyond the most that the term allows.
fn chosen(
    calendar: &Calendar,
    standstill: &Standstill,
    counted: &Counted<'_>,
    until: Date,
    most: Date,
) -> Result<Date, CalendarError> {
    let latest = if counted.term.roll_forward {
        standstill.working_day_from(calendar, most)?
    } else {
        most
    };
    if until > latest {
        return Err(CalendarError::ExtensionTooLong {
            term: counted.term.name.clone(),
            latest,
        });
    }
    calendar.day(until).map(|day| day.date)
}

/// The day of receipt starts the term; when the term counts from a later registration, the days up to it are skipped.
fn push_receipt(
    calendar: &Calendar,
    counted: &Counted<'_>,
    registration: &Registration,
    trail: &mut Trail,
) -> Result<(), CalendarError> {
    if !trail.is_wanted() {
        return Ok(());
    }
    let Registration {
        received_on,
        registered_on,
        cause,
        legal_basis,
        ..
    } = registration;
    if *cause == RegistrationCause::Receipt {
        let basis = span_basis(counted.span, *received_on);
        trail.push(*received_on, StepEffect::Start, Arc::clone(&RECEIVED), &basis);
        return Ok(());
    }
    let mut text = text::received_late(*cause, *registered_on, &legal_basis.citation());
    if counted.term.origin == TermOrigin::Receipt {
        text = joined(&text, &text::counts_from_receipt());
    }
    trail.push(*received_on, StepEffect::Start, Arc::new(text), legal_basis);
    if counted.term.origin == TermOrigin::Registration {
        for day in &calendar.days(*received_on, *registered_on)?[1..] {
            if day.date == *registered_on {
                trail.push(
                    day.date,
                    StepEffect::Skipped,
                    Arc::clone(&REGISTRATION_DAY),
                    legal_basis,
                );
            } else {
                let reason = day.last_reason();
                let text = joined(&reason.text, &text::awaits_registration());
                trail.push(day.date, StepEffect::Skipped, Arc::new(text), &reason.legal_basis);
            }
        }
    }
    Ok(())
}

/// The steps between the origin, the first of `days`, and the last day, which is left to the due step: one for each day on
/// which the clock stands still, and of a term in working days one for every other day too.
fn push_between(days: &[Day], counted: &Counted<'_>, standstill: &Standstill, trail: &mut Trail) {
    if !trail.is_wanted() {
        return;
    }
    let between = days.get(1..days.len().saturating_sub(1)).unwrap_or_default();
    for day in between {
        if standstill.push_step(day.date, trail) || counted.span.unit != TermUnit::WorkingDay {
            continue;
        }
        let reason = day.last_reason();
        match day.kind {
            DayKind::Working => trail.push(
                day.date,
                StepEffect::Counted,
                Arc::clone(&COUNTS),
                &counted.span.legal_basis,
            ),
            DayKind::TransferredWorkingDay => {
                trail.push(
                    day.date,
                    StepEffect::Counted,
                    Arc::new(joined(&reason.text, &COUNTS)),
                    &reason.legal_basis,
                );
            }
            _ => {
                let text = Arc::clone(&reason.text_of_skipped);
                trail.push(day.date, StepEffect::Skipped, text, &reason.legal_basis);
            }
        }
    }
}

/// The law of a time, assumed for requests received before the day from which it is known.
fn span_basis(span: &Span, received_on: Date) -> Arc<LegalBasis> {
    let basis = &span.legal_basis;
    match span.assumed_before {
        Some(known) if received_on < known => Arc::new(LegalBasis {
            assumed: true,
            ..LegalBasis::clone(basis)
        }),
        _ => Arc::clone(basis),
    }
}

/// Whether the deadline rests on a rule without a source: the time, the day it counts from, the registration when that is the
/// day, the roll when it rolled, or a day off that was passed.
fn is_assumed(
    calendar: &Calendar,
    counted: &Counted<'_>,
    registration: &Registration,
    last: Date,
    due_date: Date,
) -> Result<bool, CalendarError> {
    let Counted { term, span, .. } = counted;
    let from = match span.unit {
        TermUnit::WorkingDay if counted.from_term => registration.received_on,
        TermUnit::WorkingDay => counted.origin,
        TermUnit::CalendarDay | TermUnit::Month => last,
    };
    let by_days = calendar.days(from, due_date)?.iter().any(|day| day.assumed);
    let by_span = span_basis(span, registration.received_on).assumed;
    let by_registration = term.origin == TermOrigin::Registration && registration.assumed;
    let by_origin = counted.from_term && (term.origin_basis.assumed || by_registration);
    let by_roll = due_date > last && term.roll_forward_basis.assumed;
    Ok(by_span || by_origin || by_roll || by_days)
}
