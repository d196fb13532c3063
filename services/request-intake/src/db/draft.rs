//! Requests whose answer is drafted without anyone asking for it.

use sqlx::PgConnection;
use uuid::Uuid;

/// Registration numbers that nobody has looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unseen {
    pub year: i32,
    /// The last that was looked at.
    pub after: i32,
    pub last: i32,
}

/// The next registration numbers to look at, at most so many, all of one year.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn unseen(connection: &mut PgConnection, most: i32) -> Result<Option<Unseen>, sqlx::Error> {
    sqlx::query_as!(
        Unseen,
        r#"SELECT c.year, coalesce(p.last, 0) AS "after!", least(c.last, coalesce(p.last, 0) + $1) AS "last!"
         FROM requests.registration_counter c
         LEFT JOIN requests.draft_progress p ON p.year = c.year
         WHERE c.last > coalesce(p.last, 0)
         ORDER BY c.year LIMIT 1"#,
        most,
    )
    .fetch_optional(connection)
    .await
}

/// Lets those of these registered requests wait for their draft that need no judgement by what their examination found.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_waiting(connection: &mut PgConnection, numbers: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.draft_waiting (number, request)
         SELECT r.number, r.id FROM requests.request r
         WHERE r.registration_number = ANY ($1) AND r.state = 'REGISTERED' AND r.assignee IS NULL AND r.findings <> '{}'
           AND NOT EXISTS (SELECT FROM requests.finding f
                           WHERE f.id = ANY (r.findings) AND f.outcome NOT IN ('PASSED', 'NOT_APPLICABLE'))
         ON CONFLICT DO NOTHING",
        numbers,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes up to which number of a year was looked at.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn saw(connection: &mut PgConnection, seen: &Unseen) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.draft_progress AS progress (year, last) VALUES ($1, $2)
         ON CONFLICT ON CONSTRAINT draft_progress_key DO UPDATE SET last = greatest(progress.last, $2)",
        seen.year,
        seen.last,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A request that waits for its draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the order of arrival.
    pub number: i64,
    pub request: Uuid,
}

/// The requests that wait, in the order of arrival, from the one after `after` on.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn waiting(connection: &mut PgConnection, after: i64, most: i64) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        "SELECT number, request FROM requests.draft_waiting WHERE number > $1 ORDER BY number LIMIT $2",
        after,
        most,
    )
    .fetch_all(connection)
    .await
}

/// How a request stands that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    pub version: i32,
    /// Whether it is still nobody's and needs no judgement.
    pub is_free: bool,
}

/// Locks a request that waits, and tells how it stands; `None` when another replica has it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, request: Uuid) -> Result<Option<Stands>, sqlx::Error> {
    sqlx::query_as!(
        Stands,
        r#"SELECT r.version, r.state = 'REGISTERED' AND r.assignee IS NULL AND NOT r.examination_pending
             AND NOT EXISTS (SELECT FROM requests.finding f
                             WHERE f.id = ANY (r.findings) AND f.outcome NOT IN ('PASSED', 'NOT_APPLICABLE')) AS "is_free!"
         FROM requests.request r
         WHERE r.id = $1 AND EXISTS (SELECT FROM requests.draft_waiting WHERE request = r.id)
         FOR UPDATE OF r SKIP LOCKED"#,
        request,
    )
    .fetch_optional(connection)
    .await
}

/// Lets a request wait no longer.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn settle(connection: &mut PgConnection, request: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM requests.draft_waiting WHERE request = $1", request)
        .execute(connection)
        .await?;
    Ok(())
}
