//! `collections.recipient_breaker`: a breaker is that of the recipient whose server it is, also for copies of those that it follows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::domain::breaker::{Breaker, Open};

/// Until when servers are left alone, by the recipients whose they are; also where that is over and no attempt has shown yet whether they
/// answer again.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn open(connection: &mut PgConnection) -> Result<BTreeMap<String, Timestamp>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT recipient, open_until AS "until!: jiff_sqlx::Timestamp"
         FROM collections.recipient_breaker WHERE open_until IS NOT NULL"#
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.recipient, row.until.to_jiff()))
        .collect())
}

/// The breakers of these recipients' servers, held against other writers until the transaction ends. Who has none gets one first: two replicas that
/// found none would both begin to count.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn locked(
    connection: &mut PgConnection,
    recipients: &[String],
) -> Result<BTreeMap<String, Breaker>, sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.recipient_breaker (recipient, failures)
         SELECT id, 0 FROM UNNEST($1::text[]) AS a (id) ORDER BY id ON CONFLICT DO NOTHING",
        recipients,
    )
    .execute(&mut *connection)
    .await?;
    let rows = sqlx::query!(
        r#"SELECT recipient, failures, opened_at AS "opened_at: jiff_sqlx::Timestamp", open_until AS "open_until: jiff_sqlx::Timestamp"
         FROM collections.recipient_breaker WHERE recipient = ANY($1) ORDER BY recipient FOR UPDATE"#,
        recipients,
    )
    .fetch_all(connection)
    .await?;
    let breakers = rows.into_iter().map(|row| {
        let open = row.opened_at.zip(row.open_until).map(|(since, until)| Open {
            since: since.to_jiff(),
            until: until.to_jiff(),
        });
        let failures = row.failures;
        (row.recipient, Breaker { failures, open })
    });
    Ok(breakers.collect())
}

/// Saves breakers.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(connection: &mut PgConnection, breakers: &BTreeMap<String, Breaker>) -> Result<(), sqlx::Error> {
    let instants = |of: fn(&Open) -> Timestamp| -> Vec<Option<jiff_sqlx::Timestamp>> {
        let opens = breakers.values().map(|breaker| breaker.open.as_ref());
        opens.map(|open| open.map(of).map(jiff_sqlx::Timestamp::from)).collect()
    };
    sqlx::query!(
        "INSERT INTO collections.recipient_breaker (recipient, failures, opened_at, open_until)
         SELECT * FROM UNNEST($1::text[], $2::integer[], $3::timestamptz[], $4::timestamptz[])
         ON CONFLICT (recipient) DO UPDATE
         SET failures = EXCLUDED.failures, opened_at = EXCLUDED.opened_at, open_until = EXCLUDED.open_until",
        &breakers.keys().cloned().collect::<Vec<_>>(),
        &breakers.values().map(|breaker| breaker.failures).collect::<Vec<_>>(),
        instants(|open| open.since) as _,
        instants(|open| open.until) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Has attempts made again for these recipients, whose servers are others now.
pub async fn close(connection: &mut PgConnection, recipients: &[String]) -> Result<(), sqlx::Error> {
    let mut breakers = locked(connection, recipients).await?;
    breakers.values_mut().for_each(Breaker::close);
    save(connection, &breakers).await
}

/// Takes the one attempt that shows whether a server answers again, for those of these recipients for which no other replica has taken
/// it; until then none is made for them.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn probe(
    connection: &mut PgConnection,
    recipients: &[String],
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "WITH held AS MATERIALIZED (
             SELECT recipient FROM collections.recipient_breaker
             WHERE recipient = ANY($1) AND open_until <= $2 ORDER BY recipient FOR UPDATE
         )
         UPDATE collections.recipient_breaker b SET open_until = $3 FROM held
         WHERE b.recipient = held.recipient RETURNING b.recipient",
        recipients,
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(until) as _,
    )
    .fetch_all(connection)
    .await
}

/// Has the server of a recipient that is left alone tried at once.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn try_now(connection: &mut PgConnection, recipient: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE collections.recipient_breaker SET open_until = $2 WHERE recipient = $1 AND open_until > $2",
        recipient,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
