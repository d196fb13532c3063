//! AddRecipientKey.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::wire,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::{
    collections::v1::{self as proto, AddRecipientKeyRequest},
    common::v1::ErrorReason,
};
use tonic::Code;

use super::{CollectionDistribution, door, recipient_keys, recipients::REASON};
use crate::{
    db::{recipient_detail::Recorded, recipient_key},
    domain::{key, recipient::SigningKey},
};

pub(super) async fn add_recipient_key(
    service: &CollectionDistribution,
    call: Call,
    message: AddRecipientKeyRequest,
) -> Result<proto::RecipientKey, Error> {
    let mut violations = Violations::new();
    let recipient = door::resource(&mut violations, "parent", &message.parent, key::parse_recipient);
    let id = message.key_id.clone();
    if id.is_empty() {
        violations.add("key_id", FieldReason::Required, "required");
    } else if !key::is_key_id(&id) {
        let description = "lower case letters and digits with hyphens between them, at most 64";
        violations.add("key_id", FieldReason::ResourceName, description);
    }
    let public_key = public_key(&mut violations, &message.public_key);
    let from = wire::optional_timestamp(&mut violations, "valid_from", message.valid_from.as_ref());
    let to = wire::optional_timestamp(&mut violations, "valid_to", message.valid_to.as_ref());
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let (recipient, public_key) = violations.sound(recipient.zip(public_key))?;
    let about = key::recipient(&recipient);
    let mutation = Mutation::of(&call, &about, request_id, message.validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let done = call.done(write.now());
            recipient_keys::require_recipient(write.connection(), &recipient).await?;
            let mut violations = Violations::new();
            let valid_from = recipient_keys::instant(&mut violations, "valid_from", from, done.at);
            let valid_to = to.map(wire::whole_microseconds);
            if valid_to.is_some_and(|to| to <= valid_from) {
                violations.add("valid_to", FieldReason::Range, "must lie after `valid_from`");
            }
            violations.refuse()?;
            let key = SigningKey {
                recipient,
                id,
                public_key,
                valid_from,
                valid_to,
            };
            let recorded = Recorded {
                at: done.at,
                by: done.by,
                reason,
            };
            added(&key, recipient_key::insert(write.connection(), &key, &recorded).await)?;
            let name = key::recipient_key(&key.recipient, &key.id);
            Ok(Outcome::of(
                &name,
                "recipient-key.added",
                recipient_keys::shown(&key, recorded.at),
            ))
        })
    })
    .await
}

fn public_key(violations: &mut Violations, given: &[u8]) -> Option<[u8; 32]> {
    let field = "public_key";
    match <[u8; 32]>::try_from(given) {
        Ok(key) if key.iter().any(|byte| *byte != 0) => return Some(key),
        _ if given.is_empty() => violations.add(field, FieldReason::Required, "required"),
        _ => violations.add(
            field,
            FieldReason::Key,
            "the 32 bytes of an Ed25519 public key (RFC 8032)",
        ),
    }
    None
}

/// What the constraints of the table say of a key that is there already.
fn added(key: &SigningKey, added: Result<(), sqlx::Error>) -> Result<(), Error> {
    let Err(error) = added else {
        return Ok(());
    };
    let constraint = match &error {
        sqlx::Error::Database(database) => database.constraint(),
        _ => None,
    };
    match constraint {
        Some("recipient_signing_key_key") => {
            let name = key::recipient_key(&key.recipient, &key.id);
            let message = format!("{name} is there already; a key's id is never used again");
            let taken = Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message);
            Err(taken.about(&name).into())
        }
        Some("recipient_signing_key_of_one") => {
            let description = "was entered already: each key is one recipient's, and is entered once";
            Err(Violations::one("public_key", FieldReason::Duplicate, description).into())
        }
        _ => Err(error.into()),
    }
}
