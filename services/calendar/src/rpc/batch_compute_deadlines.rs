//! BatchComputeDeadlines.

use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{languages::Languages, wire},
};
use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, BatchComputeDeadlinesResponse, ComputeDeadlineRequest, Deadline,
};

use super::{
    CalendarRpc,
    compute_deadline::{Asked, asked, compute},
    convert,
    hypothetical::AskedCalendars,
};
use crate::error;

/// By its name the contract knows what a message of this method may hold.
const METHOD: &str = "/legalstat.calendar.v1.CalendarService/BatchComputeDeadlines";
/// The most deadlines of one batch.
const LARGEST: usize = 1000;

pub(super) async fn answer(
    service: &CalendarRpc,
    call: &Call,
    message: BatchComputeDeadlinesRequest,
) -> Result<BatchComputeDeadlinesResponse, Error> {
    if message.hypothetical_act.is_none() && message.hypothetical_withdrawal.is_empty() {
        return batch_compute_deadlines(service, &message);
    }
    let own = service.clone();
    let trial = move || batch_compute_deadlines(&own, &message);
    service.trials.run(&call.caller, trial).await
}

fn batch_compute_deadlines(
    service: &CalendarRpc,
    message: &BatchComputeDeadlinesRequest,
) -> Result<BatchComputeDeadlinesResponse, Error> {
    let mut violations = Violations::new();
    if message.requests.len() > LARGEST {
        violations.add("requests", FieldReason::TooMany, format!("at most {LARGEST} requests"));
        // What a larger batch asks is not even read.
        violations.refuse()?;
        return Err(anyhow::anyhow!("a violation refuses").into());
    }
    let languages = Languages::read(&mut violations, &message.languages);
    let requests = message.requests.iter().enumerate();
    let questions: Vec<_> = requests
        .map(|(index, request)| question(&mut violations, &format!("requests[{index}]."), request))
        .collect();
    // Only an act can hold fields of the service; to look through a thousand questions without one would be in vain.
    if message.hypothetical_act.is_some() || message.requests.iter().any(|asked| asked.hypothetical_act.is_some()) {
        violations.set_by_service(METHOD, message);
    }
    let withdrawn = &message.hypothetical_withdrawal;
    let mut calendars = service.asked_under(&mut violations, message.hypothetical_act.as_ref(), withdrawn);
    violations.refuse()?;
    if questions.is_empty() {
        return Ok(BatchComputeDeadlinesResponse {
            calendar_version: calendars.calendar(None)?.version().to_string(),
            ..Default::default()
        });
    }
    let deadlines = compute_all(service, &mut calendars, questions, message.include_steps)?;
    Ok(languages.keep(BatchComputeDeadlinesResponse {
        deadlines,
        ..Default::default()
    }))
}

/// What one request of a batch asks, and the instant whose knowledge it asks for.
type Question = (Option<Asked>, Option<Timestamp>);

/// Computes every deadline or none: an error names each request at fault.
fn compute_all(
    service: &CalendarRpc,
    calendars: &mut AskedCalendars<'_>,
    questions: Vec<Question>,
    explain: bool,
) -> Result<Vec<Deadline>, Error> {
    let mut deadlines = Vec::with_capacity(questions.len());
    let (mut refused, mut faulty) = (None, Vec::new());
    for (index, (asked, at)) in questions.into_iter().enumerate() {
        let asked = asked.ok_or_else(|| anyhow::anyhow!("a request without violations asks for something"))?;
        let calendar = calendars.calendar(at)?;
        match compute(service, &asked, &calendar, explain) {
            Ok(deadline) => deadlines.push(convert::deadline(deadline)),
            Err(error) => {
                faulty.push(format!("requests[{index}]"));
                refused.get_or_insert(error);
            }
        }
    }
    match refused {
        Some(error) => Err(error::with(error, "requests", &faulty.join(","))),
        None => Ok(deadlines),
    }
}

/// Reads one request of a batch.
fn question(violations: &mut Violations, path: &str, request: &ComputeDeadlineRequest) -> Question {
    let known_path = format!("{path}as_known_at");
    let at = wire::optional_timestamp(violations, &known_path, request.as_known_at.as_ref());
    for (name, given) in [
        ("hypothetical_act", request.hypothetical_act.is_some()),
        ("hypothetical_withdrawal", !request.hypothetical_withdrawal.is_empty()),
        ("languages", !request.languages.is_empty()),
    ] {
        if given {
            violations.add(
                format!("{path}{name}"),
                FieldReason::Conflict,
                "give it once, for the batch",
            );
        }
    }
    (asked(violations, path, request), at)
}
