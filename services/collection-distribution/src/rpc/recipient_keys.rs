//! What the methods of recipients' keys read and show in the same way.

use jiff::Timestamp;
use legalstat_kit::{Error, FieldReason, Refusal, Violations, door::wire};
use legalstat_proto::{
    collections::v1 as proto,
    common::v1::{SigningAlgorithm, SigningKeyState},
};
use sqlx::PgConnection;

use crate::{
    db,
    domain::{key, recipient::SigningKey},
};

/// An instant at which a key begins or stops: as given, else now; never in the past.
pub(super) fn instant(violations: &mut Violations, field: &str, given: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let instant = wire::whole_microseconds(given.unwrap_or(now));
    if given.is_some() && instant < wire::whole_microseconds(now) {
        violations.add(field, FieldReason::OutOfRange, "must not lie in the past");
    }
    instant
}

/// Refuses the keys of a recipient that is not there.
///
/// # Errors
/// NOT_FOUND.
pub(super) async fn require_recipient(connection: &mut PgConnection, id: &str) -> Result<(), Error> {
    match db::recipient::exists(connection, id).await? {
        true => Ok(()),
        false => Err(Refusal::not_found(&key::recipient(id)).into()),
    }
}

/// A key as it is now.
pub(super) fn shown(key: &SigningKey, now: Timestamp) -> proto::RecipientKey {
    let state = match key.valid_to {
        _ if now < key.valid_from => SigningKeyState::Announced,
        Some(to) if to <= now => SigningKeyState::Retired,
        _ => SigningKeyState::InUse,
    };
    proto::RecipientKey {
        name: key::recipient_key(&key.recipient, &key.id),
        algorithm: SigningAlgorithm::Ed25519.into(),
        public_key: key.public_key.to_vec(),
        state: state.into(),
        valid_from: Some(wire::to_timestamp(key.valid_from)),
        valid_to: key.valid_to.map(wire::to_timestamp),
    }
}
