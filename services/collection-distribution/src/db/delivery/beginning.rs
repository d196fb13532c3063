//! How deliveries begin. Whoever begins one holds its copy, or has issued it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use legalstat_kit::door::word::Word;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{
    copy::CopyState,
    delivery::{Delivery, Outcome},
    key::{CopyKey, EditionKey},
};

/// Has the copies of an edition from this number on delivered whose recipients are among these, each from its instant on.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn begin(
    connection: &mut PgConnection,
    edition: &EditionKey,
    first_number: i32,
    from_when: &BTreeMap<String, Timestamp>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.delivery (collection, period, copy_number, delivery_id, recipient, next_attempt_at)
         SELECT c.collection, c.period, c.number, gen_random_uuid(), c.recipient, a.at
         FROM UNNEST($4::text[], $5::timestamptz[]) AS a (recipient, at)
         JOIN collections.copy c ON c.recipient = a.recipient
         WHERE c.collection = $1 AND c.period = $2 AND c.number >= $3",
        edition.collection,
        edition.period.to_string(),
        first_number,
        &from_when.keys().cloned().collect::<Vec<_>>(),
        instants(from_when) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Has the copies of these recipients that stand so delivered, each from its instant on, or sooner where an attempt is due already; where
/// they were recalled, has that told to whose recipient has not confirmed it. Those that were tried begin their schedule anew; those of
/// which an attempt is under way stay as they are.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn begin_waiting(
    connection: &mut PgConnection,
    from_when: &BTreeMap<String, Timestamp>,
    states: &[CopyState],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH waiting AS MATERIALIZED (
             SELECT c.collection, c.period, c.number, c.recipient, a.at
             FROM UNNEST($1::text[], $2::timestamptz[]) AS a (recipient, at)
             JOIN collections.copy c ON c.recipient = a.recipient AND c.state = ANY($3) AND c.recall_confirmed_at IS NULL
                 -- So that the indexes of those that wait are used, however many copies there ever were.
                 AND (c.state IN ('ISSUED', 'SENDING', 'FAILED') OR c.state IN ('REJECTED', 'RECALLED'))
             ORDER BY c.collection, c.period, c.number FOR UPDATE OF c
         )
         INSERT INTO collections.delivery AS d (collection, period, copy_number, delivery_id, recipient, next_attempt_at)
         SELECT collection, period, number, gen_random_uuid(), recipient, at FROM waiting
         ON CONFLICT (collection, period, copy_number) DO UPDATE
         SET attempts = 0, spared = 0, received_bytes = 0, next_attempt_at = least(d.next_attempt_at, EXCLUDED.next_attempt_at)
         WHERE d.fence IS NULL AND (d.attempts + d.spared > 0 OR coalesce(d.next_attempt_at > EXCLUDED.next_attempt_at, true))",
        &from_when.keys().cloned().collect::<Vec<_>>(),
        instants(from_when) as _,
        &states.iter().map(|state| state.word().to_owned()).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Has recalls of copies of these recipients told that nobody has confirmed and of which no attempt follows, each from its instant on, by a
/// whole schedule.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn begin_recalls(
    connection: &mut PgConnection,
    from_when: &BTreeMap<String, Timestamp>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH waiting AS MATERIALIZED (
             SELECT c.collection, c.period, c.number, c.recipient, a.at
             FROM UNNEST($1::text[], $2::timestamptz[]) AS a (recipient, at)
             JOIN collections.copy c ON c.recipient = a.recipient AND c.state = 'RECALLED' AND c.recall_confirmed_at IS NULL
             LEFT JOIN collections.delivery d ON (d.collection, d.period, d.copy_number) = (c.collection, c.period, c.number)
             WHERE d.next_attempt_at IS NULL AND d.fence IS NULL
             ORDER BY c.collection, c.period, c.number FOR UPDATE OF c
         )
         INSERT INTO collections.delivery AS d (collection, period, copy_number, delivery_id, recipient, next_attempt_at)
         SELECT collection, period, number, gen_random_uuid(), recipient, at FROM waiting
         ON CONFLICT (collection, period, copy_number) DO UPDATE
         SET attempts = 0, spared = 0, received_bytes = 0, next_attempt_at = EXCLUDED.next_attempt_at
         WHERE d.next_attempt_at IS NULL AND d.fence IS NULL",
        &from_when.keys().cloned().collect::<Vec<_>>(),
        instants(from_when) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Has the recall of the copies of a revision told to the servers of these recipients, each from its instant on. What was under way to
/// them must have ended.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn begin_recall(
    connection: &mut PgConnection,
    edition: &EditionKey,
    revision: i32,
    from_when: &BTreeMap<String, Timestamp>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.delivery AS d (collection, period, copy_number, delivery_id, recipient, next_attempt_at)
         SELECT c.collection, c.period, c.number, gen_random_uuid(), c.recipient, a.at
         FROM UNNEST($4::text[], $5::timestamptz[]) AS a (recipient, at)
         JOIN collections.copy c ON c.recipient = a.recipient
         WHERE c.collection = $1 AND c.period = $2 AND c.revision = $3
         ON CONFLICT (collection, period, copy_number) DO UPDATE
         SET attempts = 0, spared = 0, received_bytes = 0, next_attempt_at = EXCLUDED.next_attempt_at",
        edition.collection,
        edition.period.to_string(),
        revision,
        &from_when.keys().cloned().collect::<Vec<_>>(),
        instants(from_when) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Has one copy delivered anew, from the first attempt on, under the same id if it had one.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn begin_anew(
    connection: &mut PgConnection,
    key: &CopyKey,
    new_id: Uuid,
    at: Timestamp,
) -> Result<Delivery, sqlx::Error> {
    let row = sqlx::query!(
        r#"INSERT INTO collections.delivery AS d (collection, period, copy_number, delivery_id, recipient, next_attempt_at)
         SELECT c.collection, c.period, c.number, $4, c.recipient, $5
         FROM collections.copy c WHERE c.collection = $1 AND c.period = $2 AND c.number = $3
         ON CONFLICT (collection, period, copy_number) DO UPDATE
         SET attempts = 0, spared = 0, received_bytes = 0, next_attempt_at = EXCLUDED.next_attempt_at, fence = NULL, started_at = NULL, endpoint = NULL,
             claimed_until = NULL
         RETURNING d.delivery_id, d.attempts, d.next_attempt_at AS "next_attempt_at: jiff_sqlx::Timestamp", d.last_outcome"#,
        key.edition.collection,
        key.edition.period.to_string(),
        key.number,
        new_id,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .fetch_one(connection)
    .await?;
    let outcome = row
        .last_outcome
        .as_deref()
        .map(|word| Outcome::read_stored(word, "last_outcome"));
    Ok(Delivery {
        id: row.delivery_id,
        attempts: row.attempts,
        spared: 0,
        received_bytes: 0,
        next_attempt_at: row.next_attempt_at.map(jiff_sqlx::Timestamp::to_jiff),
        fence: None,
        last_outcome: outcome.transpose()?,
    })
}

fn instants(from_when: &BTreeMap<String, Timestamp>) -> Vec<jiff_sqlx::Timestamp> {
    from_when.values().copied().map(jiff_sqlx::Timestamp::from).collect()
}
