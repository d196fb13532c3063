//! Stores requests and what their examination came to.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{explanation, parts};
use crate::domain::{
    examination::Examination,
    request::{Receipt, Submission},
};

/// Stores a request as accepted and not examined yet, with its items. False when its coupon number is taken already;
/// then nothing is stored.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    receipt: &Receipt,
    submission: &Submission,
) -> Result<bool, sqlx::Error> {
    let (requester, signatory) = (&submission.requester, submission.signatory.as_ref());
    let external = submission.external.as_ref();
    let inserted = sqlx::query!(
        "INSERT INTO requests.request
             (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee,
              essence, language, requester_kind, requester_full_name, requester_bin, requester_iin,
              requester_postal_address, signatory_full_name, signatory_capacity, state, examination_pending,
              examination_round, examined_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 'RECEIVED', true, 0, $3)
         ON CONFLICT ON CONSTRAINT request_coupon_number DO NOTHING",
        receipt.id,
        receipt.accepted_by,
        jiff_sqlx::Timestamp::from(receipt.accepted_at) as _,
        receipt.coupon_number,
        jiff_sqlx::Timestamp::from(submission.received_at) as _,
        submission.channel.stored(),
        external.map(|external| external.number.as_str()),
        external.map(|external| jiff_sqlx::Date::from(external.date)) as _,
        submission.addressee,
        submission.essence,
        submission.language.stored(),
        requester.kind.stored(),
        requester.full_name,
        requester.bin.as_deref(),
        requester.iin.as_deref(),
        requester.postal_address,
        signatory.map(|signatory| signatory.full_name.as_str()),
        signatory.map(|signatory| signatory.capacity.stored()),
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if inserted == 1 {
        parts::insert_items(connection, receipt.id, &submission.items).await?;
    }
    Ok(inserted == 1)
}

/// Stores the explanation of a due date, if there is one, and gives its digest for [`conclude`].
///
/// # Errors
/// When the database fails.
pub async fn explain(
    connection: &mut PgConnection,
    examination: &Examination,
) -> Result<Option<[u8; 32]>, sqlx::Error> {
    match &examination.deadline {
        Some(deadline) => Ok(Some(explanation::insert(connection, &deadline.steps).await?)),
        None => Ok(None),
    }
}

/// Stores what an examination came to as the request's next round of checks. `explanation` and `registration_number` belong
/// to a registered request and to no other.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn conclude(
    connection: &mut PgConnection,
    id: Uuid,
    examination: &Examination,
    explanation: Option<[u8; 32]>,
    registration_number: Option<&str>,
    examined_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let deadline = examination.deadline.as_ref();
    let round = sqlx::query_scalar!(
        "UPDATE requests.request SET
             state = $2, examination_pending = $3, examination_round = examination_round + 1, examined_at = $4,
             registration_number = $5, registered_on = $6, due_date = $7, due_time = $8, due_provisional = $9,
             due_assumed = $10, due_calendar_version = $11, due_term = $12, explanation = $13
         WHERE id = $1
         RETURNING examination_round",
        id,
        examination.state.stored(),
        examination.is_pending(),
        jiff_sqlx::Timestamp::from(examined_at) as _,
        registration_number,
        deadline.map(|deadline| jiff_sqlx::Date::from(deadline.registered_on)) as _,
        deadline.map(|deadline| jiff_sqlx::Date::from(deadline.due_date)) as _,
        deadline.map(|deadline| jiff_sqlx::Timestamp::from(deadline.due_time)) as _,
        deadline.map(|deadline| deadline.provisional),
        deadline.map(|deadline| deadline.assumed),
        deadline.map(|deadline| deadline.calendar_version.as_str()),
        deadline.map(|deadline| deadline.term.as_str()),
        explanation.as_ref().map(<[u8; 32]>::as_slice),
    )
    .fetch_one(&mut *connection)
    .await?;
    parts::insert_checks(connection, id, round, &examination.checks).await?;
    if !examination.clarifications.is_empty() {
        parts::insert_clarifications(connection, id, &examination.clarifications).await?;
    }
    Ok(())
}

/// A request whose examination waits for a service that was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the order of arrival.
    pub number: i64,
    /// Its id.
    pub id: Uuid,
}

/// The requests that wait, in the order of arrival, from the one after `after` on.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn waiting(connection: &mut PgConnection, after: i64, most: i64) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        "SELECT number, id FROM requests.request WHERE examination_pending AND number > $1 ORDER BY number LIMIT $2",
        after,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Locks a request that waits. False when another has it or has examined it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_waiting(connection: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    let locked = sqlx::query_scalar!(
        "SELECT id FROM requests.request WHERE id = $1 AND examination_pending FOR UPDATE SKIP LOCKED",
        id,
    );
    Ok(locked.fetch_optional(connection).await?.is_some())
}
