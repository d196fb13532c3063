//! `collections.recipient_signing_key`: the keys with which recipients sign receipts.

use jiff::Timestamp;
use legalstat_kit::door::word::unreadable;
use sqlx::PgConnection;

use super::recipient_detail::Recorded;
use crate::domain::recipient::SigningKey;

struct Row {
    recipient: String,
    key: String,
    public_key: Vec<u8>,
    valid_from: jiff_sqlx::Timestamp,
    valid_to: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for SigningKey {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let public_key = row.public_key.try_into();
        Ok(Self {
            recipient: row.recipient,
            public_key: public_key.map_err(|_| unreadable("public_key", &row.key))?,
            id: row.key,
            valid_from: row.valid_from.to_jiff(),
            valid_to: row.valid_to.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// The keys of a recipient after one of them, by id.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    recipient: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<SigningKey>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT recipient, key, public_key, valid_from, valid_to FROM collections.recipient_signing_key
         WHERE recipient = $1 AND ($2::text IS NULL OR key > $2) ORDER BY key LIMIT $3",
        recipient,
        after,
        limit,
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter().map(SigningKey::try_from).collect()
}

/// All keys that a recipient ever had, by id.
///
/// # Errors
/// When the database fails.
pub async fn of(connection: &mut PgConnection, recipient: &str) -> Result<Vec<SigningKey>, sqlx::Error> {
    list(connection, recipient, None, i64::MAX).await
}

/// All keys that these recipients ever had, by recipient and id.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(connection: &mut PgConnection, recipients: &[String]) -> Result<Vec<SigningKey>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT recipient, key, public_key, valid_from, valid_to FROM collections.recipient_signing_key
         WHERE recipient = ANY($1) ORDER BY recipient, key",
        recipients,
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter().map(SigningKey::try_from).collect()
}

/// One key, held against other writers until the transaction ends.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn locked(
    connection: &mut PgConnection,
    recipient: &str,
    key: &str,
) -> Result<Option<SigningKey>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT recipient, key, public_key, valid_from, valid_to FROM collections.recipient_signing_key
         WHERE recipient = $1 AND key = $2 FOR UPDATE",
        recipient,
        key,
    );
    row.fetch_optional(connection)
        .await?
        .map(SigningKey::try_from)
        .transpose()
}

/// Enters a key.
///
/// # Errors
/// When the database fails; a violation of `recipient_signing_key_key` or `recipient_signing_key_of_one`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, key: &SigningKey, recorded: &Recorded) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.recipient_signing_key
             (recipient, key, public_key, valid_from, valid_to, reason, entered_at, entered_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        key.recipient,
        key.id,
        &key.public_key[..],
        jiff_sqlx::Timestamp::from(key.valid_from) as _,
        key.valid_to.map(jiff_sqlx::Timestamp::from) as _,
        recorded.reason,
        jiff_sqlx::Timestamp::from(recorded.at) as _,
        recorded.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says when a key stops.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn retire(
    connection: &mut PgConnection,
    key: &SigningKey,
    valid_to: Timestamp,
    recorded: &Recorded,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE collections.recipient_signing_key
         SET valid_to = $3, retirement_reason = $4, retired_at = $5, retired_by = $6
         WHERE recipient = $1 AND key = $2",
        key.recipient,
        key.id,
        jiff_sqlx::Timestamp::from(valid_to) as _,
        recorded.reason,
        jiff_sqlx::Timestamp::from(recorded.at) as _,
        recorded.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}
