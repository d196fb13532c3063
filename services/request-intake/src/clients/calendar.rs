//! The calendar: by when a request must be answered.

use anyhow::Context as _;
use jiff::{Timestamp, civil::Date};
use legalstat_kit::{door::wire, zone};
use legalstat_proto::{
    calendar::v1::{
        self as proto, ComputeDeadlineRequest, TermStart, calendar_service_client::CalendarServiceClient,
        compute_deadline_request::Subject, term_start::Rule,
    },
    common::v1 as common,
};
use tonic::transport::Channel;

use super::{ask, request, understood};
use crate::domain::{
    evidence::{Answer, Deadline, Step, StepEffect},
    request::{RequesterKind, Submission},
};

const NAME: &str = "calendar";

/// The calendar, called with this service's own certificate.
#[derive(Clone)]
pub struct Calendar {
    client: CalendarServiceClient<Channel>,
}

impl Calendar {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            client: CalendarServiceClient::new(channel),
        }
    }

    /// The deadline of a request under the term in force when it was received.
    pub async fn deadline(&self, submission: &Submission) -> Answer<Deadline> {
        let message = question(submission.requester.kind, submission.received_at, None);
        let mut client = self.client.clone();
        understood(
            NAME,
            ask(NAME, client.compute_deadline(request(message))).await,
            deadline,
        )
    }
}

/// What the calendar is asked about a request. When it is settled that it was registered on the day of receipt, the time of
/// day does not matter any more: such requests of one day have one question.
pub fn question(
    requester_kind: RequesterKind,
    received_at: Timestamp,
    settled: Option<Date>,
) -> ComputeDeadlineRequest {
    let received_on = zone::civil_day(received_at);
    let received_at = match settled {
        Some(settled) if settled == received_on => zone::beginning(received_on),
        _ => received_at,
    };
    let term_start = TermStart {
        rule: Some(Rule::RequesterKind(kind(requester_kind).into())),
        received_at: Some(wire::to_timestamp(received_at)),
        registered_on: settled.map(wire::to_date),
        suspensions: Vec::new(),
    };
    ComputeDeadlineRequest {
        subject: Some(Subject::TermStart(term_start)),
        ..ComputeDeadlineRequest::default()
    }
}

fn kind(kind: RequesterKind) -> proto::RequesterKind {
    match kind {
        RequesterKind::StateBody => proto::RequesterKind::StateBody,
        RequesterKind::ProsecutorBody => proto::RequesterKind::ProsecutorBody,
        RequesterKind::Individual => proto::RequesterKind::Individual,
        RequesterKind::LegalEntity => proto::RequesterKind::LegalEntity,
    }
}

/// Reads the calendar's answer.
///
/// # Errors
/// An answer that breaks its contract.
pub fn deadline(message: proto::Deadline) -> anyhow::Result<Deadline> {
    let due_time = message.due_time.context("a deadline without its instant")?;
    Ok(Deadline {
        registered_on: date(message.registered_on.as_ref())?,
        due_date: date(message.due_date.as_ref())?,
        due_time: wire::whole_microseconds(wire::timestamp(&due_time).map_err(anyhow::Error::msg)?),
        provisional: message.provisional,
        assumed: message.assumed,
        calendar_version: message.calendar_version,
        term: message.term,
        steps: message.steps.into_iter().map(step).collect::<anyhow::Result<_>>()?,
    })
}

fn date(date: Option<&common::Date>) -> anyhow::Result<Date> {
    wire::date(date.context("a deadline without a date")?).map_err(anyhow::Error::msg)
}

fn step(message: proto::Step) -> anyhow::Result<Step> {
    let effect = match message.effect() {
        proto::StepEffect::Start => StepEffect::Start,
        proto::StepEffect::Counted => StepEffect::Counted,
        proto::StepEffect::Skipped => StepEffect::Skipped,
        proto::StepEffect::Suspended => StepEffect::Suspended,
        proto::StepEffect::Rolled => StepEffect::Rolled,
        proto::StepEffect::Due => StepEffect::Due,
        proto::StepEffect::Unspecified => anyhow::bail!("a step with the unknown effect {}", message.effect),
    };
    Ok(Step {
        date: date(message.date.as_ref())?,
        effect,
        text: message.text.unwrap_or_default().into(),
        legal_basis: message.legal_basis.unwrap_or_default().into(),
    })
}
