//! When the clocks of requests stood still.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::clock_stop::ClockStop;

/// Records that the requester of a locked request is asked now.
///
/// # Errors
/// When the database fails; one that is asked already breaks the index `clock_stop_standing`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn stop(
    connection: &mut PgConnection,
    request: Uuid,
    now: Timestamp,
    cure_by: Date,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.clock_stop (request, position, stopped_at, cure_by)
         SELECT $1, coalesce(max(position) + 1, 0), $2, $3 FROM requests.clock_stop WHERE request = $1",
        request,
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Date::from(cure_by) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records the stop of a locked request whose requester was asked by its examination, or by an official of the release before: from when
/// it awaits clarification. Nothing where an official's question has stopped it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn stopped(connection: &mut PgConnection, request: Uuid, cure_by: Date) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.clock_stop (request, position, stopped_at, cure_by)
         SELECT r.id, (SELECT coalesce(max(position) + 1, 0) FROM requests.clock_stop WHERE request = r.id),
             greatest(r.examined_at,
                 (SELECT max(d.decided_at) FROM requests.decision AS d
                  WHERE d.request = r.id AND d.state_after = 'AWAITING_CLARIFICATION' AND d.state_before <> 'AWAITING_CLARIFICATION')),
             $2
         FROM requests.request AS r
         WHERE r.id = $1
           AND NOT EXISTS (SELECT FROM requests.clock_stop AS s WHERE s.request = r.id AND s.restarted_at IS NULL)",
        request,
        jiff_sqlx::Date::from(cure_by) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records that the requester of a locked request is waited for no more.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn restart(connection: &mut PgConnection, request: Uuid, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.clock_stop SET restarted_at = greatest(stopped_at, $2), counted = false
         WHERE request = $1 AND restarted_at IS NULL",
        request,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The stops of requests in their order; those without any are left out.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<HashMap<Uuid, Vec<ClockStop>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT request, stopped_at, cure_by, restarted_at AS "restarted_at: jiff_sqlx::Timestamp"
         FROM requests.clock_stop WHERE request = ANY ($1) ORDER BY request, position"#,
        requests,
    );
    let mut stops: HashMap<Uuid, Vec<ClockStop>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        stops.entry(row.request).or_default().push(ClockStop {
            stopped_at: row.stopped_at.to_jiff(),
            cure_by: row.cure_by.to_jiff(),
            restarted_at: row.restarted_at.map(jiff_sqlx::Timestamp::to_jiff),
        });
    }
    Ok(stops)
}

/// A request with a stop that its due date was not computed with.
#[derive(Clone, Copy, Debug)]
pub struct Uncounted {
    pub request: Uuid,
    /// Whether it has a due date that the calendar computed and that is still to be met.
    pub is_due: bool,
}

/// The requests with such a stop after one, by id.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn uncounted(
    connection: &mut PgConnection,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<Uncounted>, sqlx::Error> {
    sqlx::query_as!(
        Uncounted,
        r#"SELECT DISTINCT r.id AS request,
             (r.due_date IS NOT NULL AND r.due_by_hand IS NULL
              AND r.state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION')) AS "is_due!"
         FROM requests.clock_stop AS s JOIN requests.request AS r ON r.id = s.request
         WHERE NOT s.counted AND ($1::uuid IS NULL OR r.id > $1)
         ORDER BY r.id LIMIT $2"#,
        after,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Locks a request in the version in which it was read; false when it has changed, or somebody is changing it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, request: Uuid, version: i32) -> Result<bool, sqlx::Error> {
    let locked = sqlx::query_scalar!(
        "SELECT id FROM requests.request WHERE id = $1 AND version = $2 FOR UPDATE SKIP LOCKED",
        request,
        version,
    );
    Ok(locked.fetch_optional(connection).await?.is_some())
}

/// Records that the due date of a locked request was computed with all its stops.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn count(connection: &mut PgConnection, request: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.clock_stop SET counted = true WHERE request = $1 AND NOT counted",
        request
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records that a locked request has a due date that was computed without its stops.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn recount(connection: &mut PgConnection, request: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.clock_stop SET counted = false WHERE request = $1",
        request
    )
    .execute(connection)
    .await?;
    Ok(())
}
