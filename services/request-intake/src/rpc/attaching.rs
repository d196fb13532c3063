//! To what a file may be added, and how many and how much may wait for a request.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use legalstat_kit::{Call, Context, Error, FieldReason, Refusal, Violations, door::word::Word as _};
use legalstat_proto::common::v1::ErrorReason;
use sqlx::PgConnection;
use tonic::Code;
use uuid::Uuid;

use super::{RequestIntake, seeing};
use crate::{
    current_rules::CurrentRules,
    db,
    domain::{
        attachment::{self, Attachment, Kind, MOST},
        names,
        request::State,
    },
};

/// How many files of one caller may wait for a request.
const UNBOUND: i64 = 1000;

/// How long and how much waits for a request.
#[derive(Clone, Debug)]
pub struct Limits {
    pub unbound_for: Duration,
    pub unbound_bytes: i64,
}

impl Limits {
    /// From when on an attachment that belongs to no request counts as dropped, whether or not the job has dropped it.
    pub(super) fn expires(&self, attachment: &Attachment) -> Option<Timestamp> {
        let at = attachment.uploaded_at.checked_add(self.unbound_for).ok();
        at.filter(|_| attachment.request.is_none())
    }

    /// Whether that time has come: its content may be gone then.
    pub(super) fn has_expired(&self, attachment: &Attachment, now: Timestamp) -> bool {
        self.expires(attachment).is_some_and(|at| at <= now)
    }
}

/// Who uploads, with all by which it is decided whether he may.
#[derive(Clone)]
pub(super) struct Asker {
    call: Call,
    rules: Arc<CurrentRules>,
    context: Context,
    limits: Limits,
}

impl Asker {
    pub(super) fn of(service: &RequestIntake, call: &Call) -> Self {
        Self {
            call: call.clone(),
            rules: Arc::clone(&service.rules),
            context: service.context.clone(),
            limits: service.attachments.clone(),
        }
    }
}

/// What an upload is to be added to.
pub(super) struct To {
    pub kind: Kind,
    pub request: Option<Uuid>,
    pub signs: Option<Uuid>,
}

/// Requires that a file may be added, and gives the signed original that it signs.
///
/// # Errors
/// NOT_FOUND when the caller sees no such request; FAILED_PRECONDITION with WRONG_STATE when it is closed; violations of what
/// the request has already, or of what is signed; RESOURCE_EXHAUSTED when too much of the caller's waits for a request.
pub(super) async fn require(
    connection: &mut PgConnection,
    asker: &Asker,
    to: &To,
) -> Result<Option<Attachment>, Error> {
    let call = &asker.call;
    match to.request {
        Some(request) => require_request(connection, asker, to, request).await?,
        None => require_room(connection, call, &asker.limits).await?,
    }
    let Some(signs) = to.signs else { return Ok(None) };
    let original = db::attachment::get(connection, &[signs]).await?.remove(&signs);
    let is_ones_own = |original: &Attachment| original.uploaded_by == call.caller.name || call.caller.is_official();
    let is_there = |original: &Attachment| !asker.limits.has_expired(original, asker.context.now());
    let field = "header.signs";
    let Some(original) = original.filter(is_ones_own).filter(is_there) else {
        return Err(Violations::one(field, FieldReason::Unknown, "you have uploaded no such attachment").into());
    };
    if original.kind != Kind::SignedOriginal {
        return Err(Violations::one(field, FieldReason::Conflict, "no signed original").into());
    }
    if original.request != to.request {
        let description = "it belongs to another request than the one that is named, or to one that is not named";
        return Err(Violations::one(field, FieldReason::Conflict, description).into());
    }
    Ok(Some(original))
}

async fn require_request(connection: &mut PgConnection, asker: &Asker, to: &To, id: Uuid) -> Result<(), Error> {
    let stored = db::request::get(connection, &[id]).await?.remove(&id);
    let stored = seeing::whole(&asker.rules, &asker.context, &asker.call, id, stored.transpose()?).await?;
    let state = stored.standing.state;
    if !attachment::takes_more(state) {
        return Err(closed(id, state).into());
    }
    let there = &stored.submission.attachments;
    if there.len() >= MOST {
        return Err(Violations::one("header.request", FieldReason::TooMany, "it has 20 attachments already").into());
    }
    if to.kind != Kind::Attachment && there.iter().any(|one| one.kind == to.kind) {
        let description = "it has a signed original, or the signature of one, already";
        return Err(Violations::one("header.kind", FieldReason::Conflict, description).into());
    }
    Ok(())
}

fn closed(id: Uuid, state: State) -> Refusal {
    let open = State::ALL
        .iter()
        .copied()
        .filter(|state| attachment::takes_more(*state));
    let open = open.map(State::word).collect::<Vec<_>>().join(" ");
    let message = format!("a request that is {} takes no more files", state.word());
    Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message)
        .with("state", state.word())
        .with("allowed_states", &open)
        .about(&names::request(id))
}

async fn require_room(connection: &mut PgConnection, call: &Call, limits: &Limits) -> Result<(), Error> {
    let (count, bytes) = db::attachment::unbound_of(connection, &call.caller.name).await?;
    if count >= UNBOUND || bytes >= limits.unbound_bytes {
        let message = "more files wait for a request than are kept of one caller: submit their requests first";
        return Err(Refusal::overloaded(message).into());
    }
    Ok(())
}
