//! AssignRequest.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::{self as proto, AssignRequestRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done},
};
use crate::{db, domain::life::Verb};

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
    let deed = Deed {
        verb: Verb::Assign,
        events: ("request.assigned", "request.assignment_repeated"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            if stands.standing.assignee.as_ref() == Some(&assignee) {
                return Ok(Done {
                    is_repeat: true,
                    ..Done::default()
                });
            }
            db::decision::assign(write.connection(), stands.receipt.id, &assignee).await?;
            Ok(Done {
                reason: assignee,
                ..Done::default()
            })
        })
    })
    .await
}
