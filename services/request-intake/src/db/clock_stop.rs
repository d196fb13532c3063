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
pub async fn stop(
    connection: &mut PgConnection,
    request: Uuid,
    now: Timestamp,
    cure_by: Date,
) -> Result<(), sqlx::Error> {
    // What the job has not come to yet.
    restart(connection, &[request]).await?;
    insert(connection, request, now, cure_by).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert(
    connection: &mut PgConnection,
    request: Uuid,
    now: Timestamp,
    cure_by: Date,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.clock_stop (request, position, decision, stopped_at, cure_by)
         SELECT $1, coalesce(max(position) + 1, 0),
             (SELECT coalesce(max(position) + 1, 0) FROM requests.decision WHERE request = $1), $2, $3
         FROM requests.clock_stop WHERE request = $1",
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
pub async fn stopped(connection: &mut PgConnection, request: Uuid, cure_by: Date) -> Result<(), sqlx::Error> {
    restart(connection, &[request]).await?;
    insert_unless_standing(connection, request, cure_by).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_unless_standing(
    connection: &mut PgConnection,
    request: Uuid,
    cure_by: Date,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.clock_stop (request, position, decision, stopped_at, cure_by)
         SELECT r.id, (SELECT coalesce(max(position) + 1, 0) FROM requests.clock_stop WHERE request = r.id),
             (SELECT coalesce(max(position) + 1, 0) FROM requests.decision WHERE request = r.id),
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

/// The requests with a stop that stands though they came back since.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn left_standing(connection: &mut PgConnection) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT s.request FROM requests.clock_stop AS s WHERE s.restarted_at IS NULL AND requests.ended_at(s) IS NOT NULL"
    )
    .fetch_all(connection)
    .await
}

/// Ends the stops of those of the requests that came back since, as of then; they are to be counted again.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn restart(connection: &mut PgConnection, requests: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.clock_stop AS s SET counted = false, restarted_at = requests.ended_at(s)
         WHERE s.request = ANY ($1) AND s.restarted_at IS NULL AND requests.ended_at(s) IS NOT NULL",
        requests,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The stops of requests in their order, those that a request came back from ended; requests without any are left out.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<HashMap<Uuid, Vec<ClockStop>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT s.request, s.stopped_at, s.cure_by, requests.ended_at(s) AS "restarted_at: jiff_sqlx::Timestamp"
         FROM requests.clock_stop AS s WHERE s.request = ANY ($1) ORDER BY s.request, s.position"#,
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
    /// Whether its due date is still to be met.
    pub is_due: bool,
}

/// The requests with such a stop after one, by id: those with a due date of the calendar's, and those that have ended. What is not
/// registered yet, and what has a due date that an official entered, is left as it is until the calendar gives one.
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
        r#"WITH uncounted AS (
             SELECT DISTINCT r.id, r.due_date IS NOT NULL AND r.due_by_hand IS NULL AS is_computed,
                 r.state IN ('RECEIVED', 'REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION') AS is_open
             FROM requests.clock_stop AS s JOIN requests.request AS r ON r.id = s.request
             WHERE NOT s.counted
         )
         SELECT id AS "request!", is_open AS "is_due!" FROM uncounted
         WHERE (is_computed OR NOT is_open) AND ($1::uuid IS NULL OR id > $1)
         ORDER BY id LIMIT $2"#,
        after,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Locks a request in the version in which it was read; false when it has changed, or somebody is changing it. Whoever stores a due date
/// makes another version, so of replicas that have counted the same stops one stores and tells it.
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
