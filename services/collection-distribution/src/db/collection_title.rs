//! `collections.collection_title`: what collections are called from a day on, after the register.

use jiff::Timestamp;
use legalstat_kit::law::LocalizedText;
use sqlx::PgConnection;

use super::recipient_detail::Recorded;
use crate::domain::collection::{Collection, Title};

/// All titles of some collections that count, that of the register first, each with the id of its collection.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of(
    connection: &mut PgConnection,
    collections: &[&Collection],
) -> Result<Vec<(String, Title)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT number, collection, title_kk, title_ru, title_en, valid_from
         FROM collections.collection_title WHERE superseded_at IS NULL AND collection = ANY($1) ORDER BY collection, valid_from",
        &collections.iter().map(|collection| collection.id.clone()).collect::<Vec<_>>(),
    );
    let rows = rows.fetch_all(connection).await?;
    let loaded = collections.iter().map(|collection| {
        let title = Title {
            number: 0,
            text: collection.title.clone(),
            valid_from: collection.duty.valid_from,
        };
        (collection.id.clone(), title)
    });
    let recorded = rows.into_iter().map(|row| {
        let title = Title {
            number: row.number,
            text: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            valid_from: row.valid_from.to_jiff(),
        };
        (row.collection, title)
    });
    Ok(loaded.chain(recorded).collect())
}

/// Writes what a collection is called from a day on.
///
/// # Errors
/// When the database fails; a violation of `collection_title_day`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    collection: &str,
    title: &Title,
    recorded: &Recorded,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO collections.collection_title
             (collection, title_kk, title_ru, title_en, valid_from, reason, recorded_at, recorded_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING number",
        collection,
        title.text.kk,
        title.text.ru,
        title.text.en,
        jiff_sqlx::Date::from(title.valid_from) as _,
        recorded.reason,
        jiff_sqlx::Timestamp::from(recorded.at) as _,
        recorded.by,
    )
    .fetch_one(connection)
    .await
}

/// Supersedes a title. False when another write has done so already.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn supersede(connection: &mut PgConnection, number: i64, now: Timestamp) -> Result<bool, sqlx::Error> {
    let superseded = sqlx::query!(
        "UPDATE collections.collection_title SET superseded_at = greatest(recorded_at, $2)
         WHERE number = $1 AND superseded_at IS NULL",
        number,
        jiff_sqlx::Timestamp::from(now) as _,
    );
    Ok(superseded.execute(connection).await?.rows_affected() == 1)
}
