//! WithdrawRequest.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::{self as proto, WithdrawRequestRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, REASON},
};
use crate::domain::life::Verb;

pub(super) async fn withdraw_request(
    service: &RequestIntake,
    call: &Call,
    message: WithdrawRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let reason = violations.text("reason", &message.reason, REASON);
    let WithdrawRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::Withdraw,
        events: ("request.withdrawn", "request.withdrawn"),
    };
    deciding::decide(service, call, &message, asked, deed, move |_, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::Withdraw, "", None)?;
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                ..Done::default()
            })
        })
    })
    .await
}
