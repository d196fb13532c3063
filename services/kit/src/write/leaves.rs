//! What writes leave behind: the answer for repetitions, the journal entry, the event. All SQL on their three tables, but
//! for the reading of the journal, stands here.

use bytes::Bytes;
use jiff::Timestamp;
use rand::RngExt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Change, Mutation};
use crate::{Call, door::wire};

/// An answer to be kept for repetitions of its call.
pub(super) struct Answer {
    caller: String,
    method: &'static str,
    request_id: Uuid,
    body_sha256: [u8; 32],
    kept: Bytes,
}

impl Answer {
    pub(super) fn to(mutation: &Mutation, kept: Vec<u8>) -> Self {
        Self {
            caller: mutation.call.caller.name.clone(),
            method: mutation.call.method,
            request_id: mutation.request_id,
            body_sha256: mutation.body_sha256,
            kept: kept.into(),
        }
    }
}

/// What stands in the journal of one call and one resource.
pub(super) struct Entry {
    caller: String,
    roles: String,
    method: &'static str,
    resource: String,
    outcome: &'static str,
    reason: String,
    salt: [u8; 16],
    digest: Vec<u8>,
    count: i32,
    peer_address: String,
    /// When it happened, where that is not the instant of the write.
    at: Option<Timestamp>,
}

impl Entry {
    fn of(call: &Call, resource: &str, outcome: &'static str, done: Option<&[u8]>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a salt decides nothing")]
        let salt: [u8; 16] = rand::rng().random();
        let roles: Vec<&str> = call.caller.roles.iter().map(|role| role.as_str_name()).collect();
        Self {
            caller: call.caller.name.clone(),
            roles: roles.join(" "),
            method: call.method,
            resource: resource.to_owned(),
            outcome,
            reason: String::new(),
            salt,
            // Salted, so that personal data can be erased later and the journal still proves what was done.
            digest: done.map_or_else(Vec::new, |done| wire::sha256(&[&salt[..], done].concat()).to_vec()),
            count: 1,
            peer_address: String::new(),
            at: None,
        }
    }

    /// What a write did to a resource, or that it found it so already.
    pub(super) fn done(mutation: &Mutation, change: &Change) -> Self {
        // Of the bytes as they were sent: they are what the caller can show.
        let body = change.body_sha256.unwrap_or(mutation.sent_sha256);
        let outcome = if change.is_repeat { "REPEATED" } else { "DONE" };
        Self::of(&mutation.call, &change.resource, outcome, Some(&body))
    }

    /// That a caller was given a resource.
    pub(super) fn read(call: &Call, resource: &str) -> Self {
        Self::of(call, resource, "DONE", Some(resource.as_bytes()))
    }

    /// That so many calls were refused.
    pub(super) fn refused(call: &Call, resource: &str, reason: String, count: i32, peer_address: String) -> Self {
        Self {
            reason,
            count,
            peer_address,
            ..Self::of(call, resource, "REFUSED", None)
        }
    }

    /// When it happened, for an entry that may be stored later.
    pub(super) fn recorded_at(self, at: Timestamp) -> Self {
        Self { at: Some(at), ..self }
    }
}

/// What is told to those who follow the service.
pub(super) struct Event<'a> {
    kind: &'a str,
    resource: &'a str,
    told: Option<&'a str>,
}

impl<'a> Event<'a> {
    pub(super) fn of(change: &'a Change) -> Self {
        Self {
            kind: &change.kind,
            resource: &change.resource,
            told: change.told.as_deref(),
        }
    }
}

/// Claims the key of a mutation for this transaction, with an empty answer. False when it is taken; one that is being carried
/// out is waited for.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn claim(
    connection: &mut PgConnection,
    mutation: &Mutation,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let claimed = sqlx::query!(
        "INSERT INTO idempotency (caller, method, request_id, body_sha256, response, recorded_at)
         VALUES ($1, $2, $3, $4, '', $5) ON CONFLICT DO NOTHING",
        mutation.call.caller.name,
        mutation.call.method,
        mutation.request_id,
        mutation.body_sha256.as_slice(),
        jiff_sqlx::Timestamp::from(now) as _,
    );
    Ok(claimed.execute(connection).await?.rows_affected() == 1)
}

/// An answer given before.
pub(super) struct Answered {
    /// Whose; see [`Answered::is_to`].
    caller: String,
    method: String,
    request_id: Uuid,
    /// The body it answered.
    pub(super) body_sha256: Vec<u8>,
    /// What was kept of it.
    pub(super) kept: Vec<u8>,
}

impl Answered {
    pub(super) fn is_to(&self, mutation: &Mutation) -> bool {
        self.request_id == mutation.request_id
            && self.caller == mutation.call.caller.name
            && self.method == mutation.call.method
    }
}

/// The answers given before to any of these mutations.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn answered(
    connection: &mut PgConnection,
    mutations: &[&Mutation],
) -> Result<Vec<Answered>, sqlx::Error> {
    if let [mutation] = mutations {
        return Ok(answered_one(connection, mutation).await?.into_iter().collect());
    }
    let callers: Vec<&str> = mutations.iter().map(|m| m.call.caller.name.as_str()).collect();
    let methods: Vec<&str> = mutations.iter().map(|m| m.call.method).collect();
    let ids: Vec<Uuid> = mutations.iter().map(|m| m.request_id).collect();
    sqlx::query_as!(
        Answered,
        "SELECT given.caller, given.method, given.request_id, given.body_sha256, given.response AS kept
         FROM unnest($1::text[], $2::text[], $3::uuid[]) AS asked (caller, method, request_id)
         JOIN idempotency AS given USING (caller, method, request_id)",
        &callers as _,
        &methods as _,
        &ids,
    )
    .fetch_all(connection)
    .await
}

/// A statement of its own: PostgreSQL plans the one for many anew each time, which takes longer than looking one up.
async fn answered_one(connection: &mut PgConnection, mutation: &Mutation) -> Result<Option<Answered>, sqlx::Error> {
    sqlx::query_as!(
        Answered,
        "SELECT caller, method, request_id, body_sha256, response AS kept
         FROM idempotency WHERE caller = $1 AND method = $2 AND request_id = $3",
        mutation.call.caller.name,
        mutation.call.method,
        mutation.request_id,
    )
    .fetch_optional(connection)
    .await
}

/// Leaves answers, journal entries and events. Tells how many of the answers were kept: one whose key another transaction has
/// answered meanwhile is not.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn leave(
    connection: &mut PgConnection,
    now: Timestamp,
    answers: &[Answer],
    entries: &[Entry],
    events: &[Event<'_>],
) -> Result<usize, sqlx::Error> {
    let kept = sqlx::query_scalar!(
        r#"WITH answered AS (
             INSERT INTO idempotency (caller, method, request_id, body_sha256, response, recorded_at)
             SELECT caller, method, request_id, body_sha256, response, $1
             FROM unnest($2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::bytea[])
                 AS answer (caller, method, request_id, body_sha256, response)
             -- In one order for all: of two transactions with the same keys, neither waits for the other in a circle.
             ORDER BY caller, method, request_id
             ON CONFLICT ON CONSTRAINT idempotency_key DO UPDATE SET response = EXCLUDED.response
                 -- Only a claim of this very transaction has no answer yet.
                 WHERE idempotency.response = ''
             RETURNING 1
         ), recorded AS (
             INSERT INTO journal_entry
                 (recorded_at, caller, roles, method, resource, outcome, reason, salt, request_digest, count, peer_address)
             SELECT coalesce(at, $1), caller, string_to_array(roles, ' '), method, resource, outcome, reason, salt, digest, count, address
             FROM unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bytea[],
                         $14::bytea[], $15::integer[], $16::text[], $19::timestamptz[])
                 WITH ORDINALITY
                 AS entry (caller, roles, method, resource, outcome, reason, salt, digest, count, address, at, place)
             ORDER BY place
         ), told AS (
             INSERT INTO outbox_event (occurred_at, kind, resource, told)
             SELECT $1, kind, resource, told
             FROM unnest($17::text[], $18::text[], $20::text[]) WITH ORDINALITY AS event (kind, resource, told, place)
             ORDER BY place
         )
         SELECT count(*) AS "kept!" FROM answered"#,
        jiff_sqlx::Timestamp::from(now) as _,
        column(answers, |answer| answer.caller.as_str()) as _,
        column(answers, |answer| answer.method) as _,
        &column(answers, |answer| answer.request_id),
        column(answers, |answer| answer.body_sha256.as_slice()) as _,
        column(answers, |answer| &answer.kept[..]) as _,
        column(entries, |entry| entry.caller.as_str()) as _,
        column(entries, |entry| entry.roles.as_str()) as _,
        column(entries, |entry| entry.method) as _,
        column(entries, |entry| entry.resource.as_str()) as _,
        column(entries, |entry| entry.outcome) as _,
        column(entries, |entry| entry.reason.as_str()) as _,
        column(entries, |entry| entry.salt.as_slice()) as _,
        column(entries, |entry| entry.digest.as_slice()) as _,
        &column(entries, |entry| entry.count),
        column(entries, |entry| entry.peer_address.as_str()) as _,
        column(events, |event| event.kind) as _,
        column(events, |event| event.resource) as _,
        column(entries, |entry| entry.at.map(jiff_sqlx::Timestamp::from)) as _,
        column(events, |event| event.told) as _,
    )
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(kept).unwrap_or_default())
}

/// One column of the rows to insert.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
