//! AssignRequest.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::{self as proto, AssignRequestRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done},
};
use crate::{
    db,
    domain::{life::Verb, request::State},
};

/// The longest name in a certificate.
const ASSIGNEE: usize = 200;

pub(super) async fn assign_request(
    service: &RequestIntake,
    call: &Call,
    message: AssignRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let assignee = violations.name("assignee", &message.assignee, ASSIGNEE);
    let AssignRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::Assign,
        events: ("request.assigned", "request.assignment_repeated"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::Assign, "", None)?;
            // One that was given to an official before it was registered is taken up by them now.
            let taken_up = stands.standing.state != State::Registered;
            if taken_up && stands.standing.assignee.as_ref() == Some(&assignee) {
                return Ok(Done {
                    is_repeat: true,
                    ..Done::default()
                });
            }
            db::decision::assign(write.connection(), stands.receipt.id, &assignee).await?;
            Ok(Done {
                reason: assignee,
                legal_basis: Some(ordered.legal_basis),
                ..Done::default()
            })
        })
    })
    .await
}
