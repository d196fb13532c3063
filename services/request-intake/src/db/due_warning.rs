//! Warnings of due dates that come near or have passed, each told once.

use jiff::{Timestamp, civil::Date};
use sqlx::PgConnection;
use uuid::Uuid;

/// A warning that is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub request: Uuid,
    pub due_date: Date,
    /// Who has the request.
    pub assignee: Option<String>,
    /// Whether the due date has passed.
    pub overdue: bool,
}

/// Records the warnings that are due at an instant of a day and were not told yet, at most `most`, and gives them. A request that is
/// first seen within several of the intervals is warned of by the shortest. Of two replicas one records a warning. The requests stay locked,
/// so that nothing told of them is overtaken; those that somebody decides about at the moment come the next time.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record(
    connection: &mut PgConnection,
    intervals: &[i32],
    today: Date,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Warning>, sqlx::Error> {
    let farthest = intervals.iter().max().copied().unwrap_or(0);
    let recorded = sqlx::query!(
        r#"WITH near AS (
             SELECT r.id, r.due_date, r.assignee, interval.days
             FROM requests.request r
             CROSS JOIN LATERAL (
                 SELECT CASE WHEN r.due_time <= $3 THEN -1
                        ELSE (SELECT min(days) FROM unnest($1::integer[]) AS days WHERE r.due_date - $2::date <= days) END AS days
             ) AS interval
             WHERE r.state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION') AND r.due_date IS NOT NULL
               AND r.due_date <= $2::date + $4::integer AND interval.days IS NOT NULL
               AND NOT EXISTS (SELECT FROM requests.due_warning w
                               WHERE w.request = r.id AND w.due_date = r.due_date AND w.days_before <= interval.days)
             ORDER BY r.due_date, r.id LIMIT $5
             FOR NO KEY UPDATE OF r SKIP LOCKED
         ), recorded AS (
             INSERT INTO requests.due_warning (request, due_date, days_before, warned_at)
             SELECT id, due_date, days, $3 FROM near
             ON CONFLICT DO NOTHING
             RETURNING request, days_before
         )
         SELECT near.id, near.due_date AS "due_date!: jiff_sqlx::Date", near.assignee, recorded.days_before
         FROM recorded JOIN near ON near.id = recorded.request"#,
        intervals,
        jiff_sqlx::Date::from(today) as _,
        jiff_sqlx::Timestamp::from(now) as _,
        farthest,
        most,
    );
    let warnings = recorded.fetch_all(connection).await?.into_iter().map(|row| Warning {
        request: row.id,
        due_date: row.due_date.to_jiff(),
        assignee: row.assignee,
        overdue: row.days_before < 0,
    });
    Ok(warnings.collect())
}

/// How requests stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Those that have not ended.
    pub open: i64,
    /// Of those whose answers are owed: due within the longest interval.
    pub due_soon: i64,
    pub due_today: i64,
    pub overdue: i64,
    /// Those whose examination, the first or one after a change, has not come about yet.
    pub unexamined: i64,
    /// For how many seconds the one of them has waited that has waited longest; 0 when there is none.
    pub oldest_unexamined_seconds: i64,
}

/// Counts the requests that have not ended, each part of them by its own index: what has ended is most of all that there are, and this is
/// asked every few seconds.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn count(
    connection: &mut PgConnection,
    farthest: i32,
    today: Date,
    now: Timestamp,
) -> Result<Standing, sqlx::Error> {
    sqlx::query_as!(
        Standing,
        r#"SELECT owed.all + (
                 -- Those for whose answer no day is computed yet.
                 SELECT count(*) FROM requests.request
                 WHERE state IN ('RECEIVED', 'AWAITING_CLARIFICATION') AND (state = 'RECEIVED' OR due_date IS NULL)
             ) AS "open!",
             owed.due_soon AS "due_soon!", owed.due_today AS "due_today!", owed.overdue AS "overdue!",
             waiting.all AS "unexamined!", waiting.seconds AS "oldest_unexamined_seconds!"
         FROM (
             SELECT count(*) AS all, count(*) FILTER (WHERE due_date < $1) AS overdue,
                 count(*) FILTER (WHERE due_date = $1) AS due_today,
                 count(*) FILTER (WHERE due_date BETWEEN $1 AND $1::date + $2::integer) AS due_soon
             FROM requests.request
             WHERE state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION') AND due_date IS NOT NULL
         ) AS owed, (
             SELECT count(*) AS all,
                 greatest(coalesce(extract(epoch FROM $3 - min(coalesce(changed_at, accepted_at)))::bigint, 0), 0) AS seconds
             FROM requests.request WHERE examination_pending
         ) AS waiting"#,
        jiff_sqlx::Date::from(today) as _,
        farthest,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .fetch_one(connection)
    .await
}
