//! ComputeDeadline.

use std::sync::Arc;

use jiff::Timestamp;
use legalstat_kit::{Error, Violations, law::LegalBasis, period::ReportingPeriod, wire};
use legalstat_proto::{
    calendar::v1::{self as proto, ComputeDeadlineRequest, compute_deadline_request::Subject, term_start::Rule},
    common::v1 as common,
};

use super::{CalendarRpc, convert};
use crate::domain::{Calendar, CalendarError, Deadline, Obligation, TermChoice, obligation_deadline, term_deadline};

/// How many characters each part of a law named by the caller may have.
const LONGEST_CITATION: usize = 300;

/// What a deadline is asked of.
pub(super) enum Asked {
    Obligation(Obligation),
    Term(TermChoice, Timestamp),
}

impl CalendarRpc {
    pub(super) fn computed(&self, request: &ComputeDeadlineRequest) -> Result<Deadline, Error> {
        let mut violations = Violations::new();
        let asked = asked(&mut violations, "", request);
        let mut calendars = self.asked_under(&mut violations, request.hypothetical_act.as_ref());
        let at = super::as_known_at(violations, request.as_known_at.as_ref())?;
        let calendar = calendars.calendar(at)?;
        let asked = asked.ok_or_else(|| anyhow::anyhow!("a request without violations asks for something"))?;
        Ok(self.compute(&asked, &calendar, true)?)
    }

    pub(super) fn compute(&self, asked: &Asked, calendar: &Calendar, explain: bool) -> Result<Deadline, CalendarError> {
        match asked {
            Asked::Obligation(obligation) => obligation_deadline(calendar, obligation, explain),
            Asked::Term(choice, received_at) => term_deadline(calendar, choice, *received_at, self.hours, explain),
        }
    }
}

/// Reads what is asked; `prefix` is the path of the request within its message.
pub(super) fn asked(violations: &mut Violations, prefix: &str, request: &ComputeDeadlineRequest) -> Option<Asked> {
    match &request.subject {
        None => {
            violations.add(
                format!("{prefix}subject"),
                "REQUIRED",
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
    let period = violations.check(&format!("{path}.period"), "PERIOD", period);
    if !(1..=28).contains(&obligation.due_day) {
        violations.add(
            format!("{path}.due_day"),
            "OUT_OF_RANGE",
            "a day of the month that every month has, 1 to 28",
        );
    }
    if !obligation.roll_forward && obligation.roll_forward_basis.is_some() {
        violations.add(
            format!("{path}.roll_forward_basis"),
            "CONFLICT",
            "only with roll_forward",
        );
    }
    bounded(
        violations,
        &format!("{path}.legal_basis"),
        obligation.legal_basis.as_ref(),
    );
    bounded(
        violations,
        &format!("{path}.roll_forward_basis"),
        obligation.roll_forward_basis.as_ref(),
    );
    Some(Obligation {
        period: period?,
        due_day: obligation.due_day,
        roll_forward: obligation.roll_forward,
        legal_basis: obligation.legal_basis.clone().map(LegalBasis::from).map(Arc::new),
        roll_forward_basis: obligation
            .roll_forward_basis
            .clone()
            .map(LegalBasis::from)
            .map(Arc::new),
    })
}

/// A law that a caller names comes back in the steps: it is kept to what a citation needs.
fn bounded(violations: &mut Violations, path: &str, basis: Option<&common::LegalBasis>) {
    for (field, text) in basis
        .into_iter()
        .flat_map(|b| [("act", &b.act), ("provision", &b.provision), ("uri", &b.uri)])
    {
        violations.optional_text(&format!("{path}.{field}"), text, LONGEST_CITATION);
    }
}

fn read_term(violations: &mut Violations, path: &str, start: &proto::TermStart) -> Option<Asked> {
    let received_path = format!("{path}.received_at");
    if start.received_at.is_none() {
        violations.add(&received_path, "REQUIRED", "required");
    }
    let received_at = wire::optional_timestamp(violations, &received_path, start.received_at.as_ref());
    let choice = match &start.rule {
        None => {
            violations.add(format!("{path}.rule"), "REQUIRED", "give a term or a requester_kind");
            None
        }
        Some(Rule::Term(name)) => {
            let id = name.strip_prefix("terms/").filter(|id| !id.is_empty());
            if id.is_none() {
                let description = "a term's resource name, for example terms/application-2021";
                violations.add(format!("{path}.term"), "RESOURCE_NAME", description);
            }
            id.map(|id| TermChoice::Named(id.to_owned()))
        }
        Some(Rule::RequesterKind(kind)) => {
            let kind = convert::requester_kind(*kind);
            violations
                .check(&format!("{path}.requester_kind"), "ENUM", kind)
                .map(TermChoice::ForRequester)
        }
    };
    Some(Asked::Term(choice?, received_at?))
}
