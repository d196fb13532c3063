//! CreateRecipient.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::wire,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::{
    collections::v1::{self as proto, CreateRecipientRequest},
    common::v1::ErrorReason,
};
use tonic::Code;

use super::{
    CollectionDistribution, door,
    recipients::{self, REASON},
};
use crate::{
    db::{recipient_detail, recipient_detail::Recorded},
    domain::{
        key,
        recipient::{Known, Written},
    },
};

pub(super) async fn create_recipient(
    service: &CollectionDistribution,
    call: Call,
    message: CreateRecipientRequest,
) -> Result<proto::Recipient, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &message);
    let given = message.recipient.clone().unwrap_or_default();
    let id = door::resource(&mut violations, "recipient.name", &given.name, key::parse_recipient);
    if !given.etag.is_empty() {
        let description = "must be empty: nothing is recorded yet";
        violations.add("recipient.etag", FieldReason::SetByService, description);
    }
    let column = recipients::column(&mut violations, given.column);
    let valid_from = wire::required_date(&mut violations, "recipient.valid_from", given.valid_from.as_ref());
    let facts = recipients::facts(&mut violations, &given);
    let ends = facts.as_ref().and_then(|facts| facts.valid_to);
    if valid_from.zip(ends).is_some_and(|(from, to)| to < from) {
        violations.add(
            "recipient.valid_to",
            FieldReason::Range,
            "must not lie before `valid_from`",
        );
    }
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let ((id, valid_from), facts) = violations.sound(id.zip(valid_from).zip(facts))?;
    let mutation = Mutation::of(&call, &key::recipient(&id), request_id, message.validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let (name, done) = (key::recipient(&id), call.done(write.now()));
            let recorded = Recorded {
                at: done.at,
                by: done.by,
                reason,
            };
            let written = Written { valid_from, facts };
            let entered = recipient_detail::enter(write.connection(), &id, column, &written).await;
            if !recipients::written(&id, entered)? {
                let message = format!("{name} is there already: update it");
                let taken = Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message);
                return Err(taken.about(&name).into());
            }
            let stored = recipient_detail::insert(write.connection(), &id, &written, &recorded).await;
            let known = Known {
                number: recipients::written(&id, stored)?,
                id,
                appendix_column: column,
                valid_from,
                facts: written.facts,
                recorded_at: Some(recorded.at),
            };
            Ok(Outcome::of(
                &name,
                "recipient.created",
                recipients::shown(&known, &call),
            ))
        })
    })
    .await
}
