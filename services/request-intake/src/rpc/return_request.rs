//! ReturnRequest.

use legalstat_kit::{Call, Error, Violations, write, zone};
use legalstat_proto::requests::v1::{self as proto, ReturnRequestRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, REASON},
    owed::{self, Said},
    seeing,
};
use crate::{
    domain::{decision::Terms, life::Verb, owed::Owed, rules::Rules},
    error,
};

pub(super) async fn return_request(
    service: &RequestIntake,
    call: &Call,
    message: ReturnRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let reason = violations.text("reason", &message.reason, REASON);
    let ReturnRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let last_day = last_day(service, call, &asked, &rules).await?;
    let deed = Deed {
        verb: Verb::Return,
        events: ("request.returned", "request.returned"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::Return, "", None)?;
            let cure_by = owed::cure_by(&rules, stands)?;
            if zone::civil_day(write.now()) <= cure_by {
                return Err(error::cure_term_running(cure_by, &ordered.legal_basis).into());
            }
            let last_day = match last_day {
                Some(said) => said.current(write, stands).await?,
                None => None,
            };
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    until: last_day.as_ref().map(|deadline| deadline.due_date),
                    explanation: last_day.map(Into::into),
                    ..Terms::default()
                },
                ..Done::default()
            })
        })
    })
    .await
}

/// The last day for giving it back. What is given back does not wait for a calendar that is away: then it is not recorded. A repetition,
/// and what awaits no clarification, ask nothing.
async fn last_day(service: &RequestIntake, call: &Call, asked: &Asked, rules: &Rules) -> Result<Option<Said>, Error> {
    if write::was_answered(&service.context, call, asked.request_id).await? {
        return Ok(None);
    }
    let found = service.lookup.get(asked.id).await?;
    let stands = seeing::whole(&service.rules, &service.context, call, asked.id, found).await?;
    match Owed::of(rules, &stands.submission, &stands.standing, stands.examined_at) {
        Some(owed @ Owed::Return(_)) => Said::of(service, &stands, owed).await,
        Some(Owed::Forwarding) | None => Ok(None),
    }
}
