//! ComputeDeadline.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{languages::Languages, wire, word},
    law::LegalBasis,
    period::ReportingPeriod,
    zone::civil_day,
};
use legalstat_proto::{
    calendar::v1::{self as proto, ComputeDeadlineRequest, compute_deadline_request::Subject, term_start::Rule},
    common::v1 as common,
};

use super::{CalendarRpc, convert};
use crate::domain::{
    Calendar, CalendarError, Deadline, Obligation, Suspension, TermChoice, TermPart, TermQuestion, obligation_deadline,
    term_deadline,
};

/// By its name the contract knows what a message of this method may hold.
const METHOD: &str = "/legalstat.calendar.v1.CalendarService/ComputeDeadline";
/// How many characters each part of a law named by the caller may have.
const LONGEST_CITATION: usize = 300;
/// How often the clock of one term may have been stopped.
const MOST_SUSPENSIONS: usize = 100;

/// What a deadline is asked of.
pub(super) enum Asked {
    Obligation(Obligation),
    Term(TermQuestion),
}

/// The deadline, and the languages in which it is told.
pub(super) async fn answer(
    service: &CalendarRpc,
    call: &Call,
    message: ComputeDeadlineRequest,
) -> Result<(Deadline, Languages), Error> {
    if message.hypothetical_act.is_none() && message.hypothetical_withdrawal.is_empty() {
        return compute_deadline(service, &message);
    }
    let own = service.clone();
    let trial = move || compute_deadline(&own, &message);
    service.trials.run(&call.caller, trial).await
}

fn compute_deadline(service: &CalendarRpc, message: &ComputeDeadlineRequest) -> Result<(Deadline, Languages), Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &message.languages);
    let asked = asked(&mut violations, "", message);
    if message.hypothetical_act.is_some() {
        violations.set_by_service(METHOD, message);
    }
    let withdrawn = &message.hypothetical_withdrawal;
    let mut calendars = service.asked_under(&mut violations, message.hypothetical_act.as_ref(), withdrawn);
    let at = super::as_known_at(violations, message.as_known_at.as_ref())?;
    let calendar = calendars.calendar(at)?;
    let asked = asked.ok_or_else(|| anyhow::anyhow!("a request without violations asks for something"))?;
    Ok((compute(service, &asked, &calendar, true)?, languages))
}

pub(super) fn compute(
    service: &CalendarRpc,
    asked: &Asked,
    calendar: &Calendar,
    explain: bool,
) -> Result<Deadline, CalendarError> {
    match asked {
        Asked::Obligation(obligation) => obligation_deadline(calendar, obligation, explain),
        Asked::Term(question) => term_deadline(calendar, question, service.hours, explain),
    }
}

/// Reads what is asked; `prefix` is the path of the request within its message.
pub(super) fn asked(violations: &mut Violations, prefix: &str, request: &ComputeDeadlineRequest) -> Option<Asked> {
    match &request.subject {
        None => {
            violations.add(
                format!("{prefix}subject"),
                FieldReason::Required,
                "give an obligation or a term_start",
            );
            None
        }
        Some(Subject::Obligation(obligation)) => {
            read_obligation(violations, &format!("{prefix}obligation"), obligation).map(Asked::Obligation)
        }
        Some(Subject::TermStart(start)) => read_term(violations, &format!("{prefix}term_start"), start),
    }
}

fn read_obligation(violations: &mut Violations, path: &str, obligation: &proto::Obligation) -> Option<Obligation> {
    let period = obligation.period.parse::<ReportingPeriod>();
    let period = violations.check(&format!("{path}.period"), FieldReason::Period, period);
    if !(1..=28).contains(&obligation.due_day) {
        violations.add(
            format!("{path}.due_day"),
            FieldReason::OutOfRange,
            "a day of the month that every month has, 1 to 28",
        );
    }
    if !obligation.roll_forward && obligation.roll_forward_basis.is_some() {
        violations.add(
            format!("{path}.roll_forward_basis"),
            FieldReason::Conflict,
            "only with roll_forward",
        );
    }
    let legal_basis = law(
        violations,
        &format!("{path}.legal_basis"),
        obligation.legal_basis.as_ref(),
    );
    let roll_forward_basis = law(
        violations,
        &format!("{path}.roll_forward_basis"),
        obligation.roll_forward_basis.as_ref(),
    );
    Some(Obligation {
        period: period?,
        due_day: obligation.due_day,
        roll_forward: obligation.roll_forward,
        legal_basis,
        roll_forward_basis,
    })
}

/// A law that a caller names comes back in the steps: it is kept to what a citation needs.
fn law(violations: &mut Violations, path: &str, basis: Option<&common::LegalBasis>) -> Option<Arc<LegalBasis>> {
    let basis = basis?;
    let mut read = |field, text| violations.optional_name(&format!("{path}.{field}"), text, LONGEST_CITATION);
    Some(Arc::new(LegalBasis {
        act: read("act", &basis.act),
        provision: read("provision", &basis.provision),
        uri: read("uri", &basis.uri),
        assumed: basis.assumed,
    }))
}

fn read_term(violations: &mut Violations, path: &str, start: &proto::TermStart) -> Option<Asked> {
    let received_at = instant(violations, &format!("{path}.received_at"), start.received_at.as_ref());
    let choice = read_choice(violations, path, start.rule.as_ref());
    let registered_on = read_registered_on(violations, path, start, received_at);
    let suspensions = read_suspensions(violations, path, "suspensions", &start.suspensions, received_at);
    let clock_stops = read_suspensions(violations, path, "clock_stops", &start.clock_stops, received_at);
    if !start.suspensions.is_empty() && !start.clock_stops.is_empty() {
        let description = "not together with `suspensions`";
        violations.add(format!("{path}.clock_stops"), FieldReason::Conflict, description);
    }
    let (part, counted_from, until) = read_part(violations, path, start, received_at);
    Some(Asked::Term(TermQuestion {
        choice: choice?,
        received_at: received_at?,
        registered_on,
        suspensions: suspensions?,
        clock_stops: clock_stops?,
        part,
        counted_from,
        until,
    }))
}

const PARTS: [TermPart; 5] = [
    TermPart::LongBase,
    TermPart::Extension,
    TermPart::ExtensionNotice,
    TermPart::Forwarding,
    TermPart::Return,
];

/// Which time of a term, the day after which it counts, and the last day that was chosen.
fn read_part(
    violations: &mut Violations,
    path: &str,
    start: &proto::TermStart,
    received_at: Option<Timestamp>,
) -> (TermPart, Option<Date>, Option<Date>) {
    let part = word::optional(
        violations,
        &format!("{path}.part"),
        start.part,
        &PARTS,
        convert::term_part,
    );
    let part = part.unwrap_or_default();
    let (from_field, until_field) = (format!("{path}.counted_from"), format!("{path}.until"));
    let mut day = |field: &str, given: Option<&common::Date>| {
        given.and_then(|given| wire::required_date(violations, field, Some(given)))
    };
    let counted_from = day(&from_field, start.counted_from.as_ref());
    let until = day(&until_field, start.until.as_ref());
    match (part.is_counted_from_a_day(), &start.counted_from) {
        (true, None) => {
            let description = "required for an extension and for its notice";
            violations.add(&from_field, FieldReason::Required, description);
        }
        (false, Some(_)) => {
            let description = "only for an extension and for its notice";
            violations.add(&from_field, FieldReason::Conflict, description);
        }
        _ => {}
    }
    let received_on = received_at.map(civil_day);
    if counted_from
        .zip(received_on)
        .is_some_and(|(from, received)| from < received)
    {
        violations.add(
            &from_field,
            FieldReason::Range,
            "must not lie before the day of receipt",
        );
    }
    if start.until.is_some() && part != TermPart::Extension {
        violations.add(&until_field, FieldReason::Conflict, "only for an extension");
    }
    if until.zip(counted_from).is_some_and(|(until, from)| until <= from) {
        violations.add(&until_field, FieldReason::Range, "must lie after `counted_from`");
    }
    (part, counted_from, until)
}

/// A required instant.
fn instant(violations: &mut Violations, field: &str, value: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    if value.is_none() {
        violations.add(field, FieldReason::Required, "required");
    }
    wire::optional_timestamp(violations, field, value)
}

fn read_choice(violations: &mut Violations, path: &str, rule: Option<&Rule>) -> Option<TermChoice> {
    match rule {
        None => {
            violations.add(
                format!("{path}.rule"),
                FieldReason::Required,
                "give a term or a requester_kind",
            );
            None
        }
        Some(Rule::Term(name)) => {
            let id = name.strip_prefix("terms/").filter(|id| !id.is_empty());
            if id.is_none() {
                let description = "a term's resource name, for example terms/application-2021";
                violations.add(format!("{path}.term"), FieldReason::ResourceName, description);
            }
            id.map(|id| TermChoice::Named(id.to_owned()))
        }
        Some(Rule::RequesterKind(kind)) => {
            let field = format!("{path}.requester_kind");
            let kind = convert::one_of(
                violations,
                &field,
                *kind,
                convert::requester_kind,
                "a kind of requester",
            );
            kind.map(TermChoice::ForRequester)
        }
    }
}

/// The day of registration, if it is settled.
fn read_registered_on(
    violations: &mut Violations,
    path: &str,
    start: &proto::TermStart,
    received_at: Option<Timestamp>,
) -> Option<Date> {
    let field = format!("{path}.registered_on");
    let given = start.registered_on.as_ref()?;
    let day = wire::required_date(violations, &field, Some(given))?;
    if received_at.is_some_and(|received_at| day < civil_day(received_at)) {
        violations.add(
            field,
            FieldReason::Range,
            "must not lie before the day of receipt in Asia/Almaty",
        );
    }
    Some(day)
}

fn read_suspensions(
    violations: &mut Violations,
    path: &str,
    field: &str,
    suspensions: &[proto::Suspension],
    received_at: Option<Timestamp>,
) -> Option<Vec<Suspension>> {
    if suspensions.len() > MOST_SUSPENSIONS {
        let description = format!("at most {MOST_SUSPENSIONS}");
        violations.add(format!("{path}.{field}"), FieldReason::TooMany, description);
        return None;
    }
    let mut read = Vec::with_capacity(suspensions.len());
    let mut previous_end = None;
    for (position, given) in suspensions.iter().enumerate() {
        let path = format!("{path}.{field}[{position}]");
        let (stopped_at, restarted_at) = read_suspension(violations, &path, given);
        let stop = format!("{path}.stopped_at");
        if precedes(stopped_at, received_at) {
            violations.add(&stop, FieldReason::Range, "must not lie before the receipt");
        }
        if precedes(stopped_at, previous_end) {
            violations.add(
                &stop,
                FieldReason::Range,
                "must not lie before the restart of the suspension before it",
            );
        }
        previous_end = restarted_at.max(previous_end);
        read.push(
            stopped_at
                .zip(restarted_at)
                .map(|(stopped_at, restarted_at)| Suspension {
                    stopped_at,
                    restarted_at,
                }),
        );
    }
    read.into_iter().collect()
}

/// The stop and the restart of one suspension.
fn read_suspension(
    violations: &mut Violations,
    path: &str,
    given: &proto::Suspension,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let restart = format!("{path}.restarted_at");
    let stopped_at = instant(violations, &format!("{path}.stopped_at"), given.stopped_at.as_ref());
    let restarted_at = instant(violations, &restart, given.restarted_at.as_ref());
    if stopped_at
        .zip(restarted_at)
        .is_some_and(|(stop, restart)| restart <= stop)
    {
        violations.add(&restart, FieldReason::Range, "must lie after the stop");
    }
    (stopped_at, restarted_at)
}

/// Whether an instant is known to lie before another one.
fn precedes(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one < other)
}
