//! Copies that nobody has confirmed, and those of them whose editions were due; `collections.copy_overdue`.

use jiff::Timestamp;
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::key::CopyKey;

/// Records which copies are overdue at an instant and were not told yet, but for those due before the installation answers, at most `most`, and gives them, those due first first. Of two
/// replicas one records a copy. The copies stay locked, so that nothing told of them is overtaken; those that somebody confirms at the
/// moment come the next time, if they still must.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record(connection: &mut PgConnection, now: Timestamp, most: i64) -> Result<Vec<CopyKey>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH late AS (
             SELECT c.collection, c.period, c.number FROM collections.copy c
             JOIN collections.scheduled s ON (s.parent, s.period) = ('collections/' || c.collection, c.period)
             WHERE c.state IN ('ISSUED', 'SENDING', 'FAILED') AND s.due_time <= $1
               AND NOT s.recorded_afterwards
               AND s.due_date >= coalesce((SELECT a.day FROM collections.answering_day a ORDER BY a.number DESC LIMIT 1), '-infinity')
               AND NOT EXISTS (SELECT FROM collections.copy_overdue o
                               WHERE (o.collection, o.period, o.copy_number) = (c.collection, c.period, c.number))
             ORDER BY s.due_time, c.collection, c.period, c.number LIMIT $2
             FOR NO KEY UPDATE OF c SKIP LOCKED
         ), recorded AS (
             INSERT INTO collections.copy_overdue (collection, period, copy_number, told_at)
             SELECT collection, period, number, $1 FROM late
             ON CONFLICT DO NOTHING
             RETURNING collection, period, copy_number
         )
         SELECT 'collections/' || collection AS "parent!", period, copy_number FROM recorded ORDER BY 1, 2, 3"#,
        jiff_sqlx::Timestamp::from(now) as _,
        most,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    let keys = rows.map(|row| {
        Ok(CopyKey {
            edition: edition_key(&row.parent, &row.period)?,
            number: row.copy_number,
        })
    });
    keys.collect()
}

/// How many copies wait for their recipients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    pub all: i64,
    /// Those whose editions were due, on or after the day from which the installation answers.
    pub overdue: i64,
    /// Those that could not be delivered.
    pub failed: i64,
    /// Copies that were recalled and whose recipients have not confirmed that they know.
    pub recalls: i64,
}

/// Counts the copies that their recipients have neither confirmed nor rejected, and recalls that they have not confirmed.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn count(connection: &mut PgConnection, now: Timestamp) -> Result<Unconfirmed, sqlx::Error> {
    sqlx::query_as!(
        Unconfirmed,
        r#"SELECT count(*) AS "all!",
             count(*) FILTER (WHERE s.due_time <= $1 AND NOT s.recorded_afterwards AND s.due_date
                 >= coalesce((SELECT a.day FROM collections.answering_day a ORDER BY a.number DESC LIMIT 1), '-infinity')) AS "overdue!",
             count(*) FILTER (WHERE c.state = 'FAILED') AS "failed!",
             (SELECT count(*) FROM collections.copy r WHERE r.state = 'RECALLED' AND r.recall_confirmed_at IS NULL) AS "recalls!"
         FROM collections.copy c
         JOIN collections.scheduled s ON (s.parent, s.period) = ('collections/' || c.collection, c.period)
         WHERE c.state IN ('ISSUED', 'SENDING', 'FAILED')"#,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .fetch_one(connection)
    .await
}
