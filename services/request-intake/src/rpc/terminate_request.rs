//! TerminateRequest.

use legalstat_kit::{
    Call, Error, Violations,
    door::word::{self, Word},
};
use legalstat_proto::requests::v1::{self as proto, TerminateRequestRequest};

use super::{
    RequestIntake, convert,
    deciding::{self, Asked, Deed, Done, GROUND, REASON},
};
use crate::domain::{
    decision::{OfficialCapacity, Terms},
    life::Verb,
};

pub(super) async fn terminate_request(
    service: &RequestIntake,
    call: &Call,
    message: TerminateRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let ground = violations.name("ground", &message.ground, GROUND);
    let reason = violations.text("reason", &message.reason, REASON);
    let (given, all) = (message.capacity, OfficialCapacity::ALL);
    let capacity = word::required(&mut violations, "capacity", given, all, convert::official_capacity);
    let TerminateRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::Terminate,
        events: ("request.terminated", "request.terminated"),
    };
    deciding::decide(service, call, &message, asked, deed, move |_, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::Terminate, &ground, capacity)?;
            Ok(Done {
                reason,
                capacity,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    ground: Some(ground),
                    ..Terms::default()
                },
                ..Done::default()
            })
        })
    })
    .await
}
