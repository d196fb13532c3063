//! RetireRecipientKey.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::wire,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{self as proto, RetireRecipientKeyRequest};

use super::{CollectionDistribution, door, recipient_keys, recipients::REASON};
use crate::{
    db::{recipient_detail::Recorded, recipient_key},
    domain::key,
};

pub(super) async fn retire_recipient_key(
    service: &CollectionDistribution,
    call: Call,
    message: RetireRecipientKeyRequest,
) -> Result<proto::RecipientKey, Error> {
    let mut violations = Violations::new();
    let named = door::resource(&mut violations, "name", &message.name, key::parse_recipient_key);
    let to = wire::optional_timestamp(&mut violations, "valid_to", message.valid_to.as_ref());
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let (recipient, id) = violations.sound(named)?;
    let name = key::recipient_key(&recipient, &id);
    let mutation = Mutation::of(&call, &name, request_id, message.validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let done = call.done(write.now());
            let found = recipient_key::locked(write.connection(), &recipient, &id).await?;
            let mut key = found.ok_or_else(|| Refusal::not_found(&name))?;
            let stopped = key.valid_to.is_some_and(|stopped| stopped <= done.at);
            if stopped && to.is_none() || key.valid_to.is_some() && key.valid_to == to.map(wire::whole_microseconds) {
                let answer = recipient_keys::shown(&key, done.at);
                return Ok(Outcome::repeated(&name, "recipient-key.retirement_repeated", answer));
            }
            let mut violations = Violations::new();
            // One that has not begun ends as it begins, and never signs.
            let to = to.or((done.at < key.valid_from).then_some(key.valid_from));
            let to = recipient_keys::instant(&mut violations, "valid_to", to, done.at);
            if to < key.valid_from {
                violations.add("valid_to", FieldReason::Range, "must not lie before the key begins");
            }
            if key.valid_to.is_some_and(|stops| stops < to) {
                violations.add(
                    "valid_to",
                    FieldReason::Range,
                    "an end that was set can come sooner, not later",
                );
            }
            violations.refuse()?;
            let recorded = Recorded {
                at: done.at,
                by: done.by,
                reason,
            };
            recipient_key::retire(write.connection(), &key, to, &recorded).await?;
            key.valid_to = Some(to);
            Ok(Outcome::of(
                &name,
                "recipient-key.retired",
                recipient_keys::shown(&key, recorded.at),
            ))
        })
    })
    .await
}
