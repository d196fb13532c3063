//! CreateBody.

use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::wire,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::requests::v1::{self as proto, CreateBodyRequest};

use super::{
    RequestIntake,
    bodies::{self, REASON},
};
use crate::{
    db::{self, body::Recorded},
    domain::{
        body::{Body, Written},
        names,
    },
};

pub(super) async fn create_body(
    service: &RequestIntake,
    call: Call,
    message: CreateBodyRequest,
) -> Result<proto::Body, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &message);
    let given = message.body.clone().unwrap_or_default();
    let id = bodies::name(&mut violations, "body.name", &given.name);
    if !given.etag.is_empty() {
        let description = "must be empty: nothing is recorded yet";
        violations.add("body.etag", FieldReason::SetByService, description);
    }
    let valid_from = wire::required_date(&mut violations, "body.valid_from", given.valid_from.as_ref());
    let facts = bodies::facts(&mut violations, &given);
    let ends = facts.as_ref().and_then(|facts| facts.valid_to);
    if valid_from.zip(ends).is_some_and(|(from, to)| to < from) {
        violations.add("body.valid_to", FieldReason::Range, "must not lie before `valid_from`");
    }
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let read = id.zip(valid_from).zip(facts);
    let ((id, valid_from), facts) = violations.sound(read)?;
    let mutation = Mutation::of(&call, &names::body(&id), request_id, message.validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let done = call.done(write.now());
            let recorded = Recorded {
                at: done.at,
                by: done.by,
                reason,
            };
            let written = Written { valid_from, facts };
            let stored = db::body::insert(write.connection(), &id, &written, &recorded).await;
            let body = Body {
                number: bodies::written(&id, stored)?,
                valid_from,
                facts: written.facts,
                recorded_at: recorded.at,
                id,
            };
            let name = names::body(&body.id);
            Ok(Outcome::of(&name, "body.created", bodies::shown(&body, &call)))
        })
    })
    .await
}
