//! That requesters were told of decisions.

use std::collections::HashMap;

use jiff::civil::Date;
use legalstat_kit::{call::Done, door::word::Word};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::decision::{Notice, NoticeMeans};

/// Stores that the requester was told of a decision on a locked request.
///
/// # Errors
/// When the database fails; the constraint `notice_key` when it is stored already.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    request: Uuid,
    decision: i32,
    notice: &Notice,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH told AS (
             INSERT INTO requests.notice (request, decision, notified_on, means, recorded_by, recorded_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             RETURNING request, recorded_at
         )
         UPDATE requests.request SET changed_at = told.recorded_at FROM told WHERE id = told.request",
        request,
        decision,
        jiff_sqlx::Date::from(notice.on) as _,
        notice.means.word(),
        notice.recorded.by,
        jiff_sqlx::Timestamp::from(notice.recorded.at) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The notices of these requests, by request and decision.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn of_each(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<HashMap<(Uuid, i32), Notice>, sqlx::Error> {
    if requests.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"SELECT request, decision, notified_on AS "notified_on: jiff_sqlx::Date", means, recorded_by,
             recorded_at AS "recorded_at: jiff_sqlx::Timestamp"
         FROM requests.notice WHERE request = ANY ($1)"#,
        requests,
    );
    let notices = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let on: Date = row.notified_on.to_jiff();
        let recorded = Done {
            by: row.recorded_by,
            at: row.recorded_at.to_jiff(),
        };
        let means = NoticeMeans::read_stored(&row.means, "means")?;
        Ok(((row.request, row.decision), Notice { on, means, recorded }))
    });
    notices.collect()
}
