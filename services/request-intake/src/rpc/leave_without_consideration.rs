//! LeaveWithoutConsideration.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::{self as proto, LeaveWithoutConsiderationRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, GROUND, REASON},
};
use crate::domain::{decision::Terms, life::Verb};

pub(super) async fn leave_without_consideration(
    service: &RequestIntake,
    call: &Call,
    message: LeaveWithoutConsiderationRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let ground = violations.name("ground", &message.ground, GROUND);
    let reason = violations.text("reason", &message.reason, REASON);
    let LeaveWithoutConsiderationRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::LeaveWithoutConsideration,
        events: (
            "request.left_without_consideration",
            "request.left_without_consideration",
        ),
    };
    deciding::decide(service, call, &message, asked, deed, move |_, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::LeaveWithoutConsideration, &ground, None)?;
            Ok(Done {
                reason,
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
