//! The due dates of `collections.edition` that are open: of editions not released.

use legalstat_kit::due::{DueDate, compare::Recomputed};
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::edition::EditionKey;

/// The open due dates after an edition, by collection and period.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn open(
    connection: &mut PgConnection,
    after: Option<&EditionKey>,
    most: i64,
) -> Result<Vec<(EditionKey, DueDate)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT collection, period, due_date, due_time, provisional, assumed, calendar_version FROM collections.edition
         WHERE ($1::text IS NULL OR (collection, period) > ($1, $2)) AND state <> 'RELEASED'
         ORDER BY collection, period LIMIT $3",
        after.map(|key| key.collection.as_str()),
        after.map(|key| key.period.to_string()),
        most,
    );
    let open = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let due = DueDate {
            date: row.due_date.to_jiff(),
            time: row.due_time.to_jiff(),
            provisional: row.provisional,
            assumed: row.assumed,
            calendar_version: row.calendar_version,
        };
        Ok((edition_key(row.collection, &row.period)?, due))
    });
    open.collect()
}

/// Stores recomputed due dates of editions that are still open and were not computed anew meanwhile, and tells which.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn store(
    connection: &mut PgConnection,
    recomputed: &[(EditionKey, &Recomputed)],
) -> Result<Vec<EditionKey>, sqlx::Error> {
    let texts = |text: fn(&Recomputed) -> &String| {
        recomputed
            .iter()
            .map(|(_, item)| text(item).clone())
            .collect::<Vec<_>>()
    };
    let flags = |flag: fn(&Recomputed) -> bool| recomputed.iter().map(|(_, item)| flag(item)).collect::<Vec<_>>();
    let rows = sqlx::query!(
        r#"UPDATE collections.edition e
         SET due_date = n.due_date, due_time = n.due_time, provisional = n.provisional, assumed = n.assumed,
             calendar_version = n.calendar_version
         FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::timestamptz[], $6::boolean[],
                     $7::boolean[], $8::text[])
             AS n (collection, period, old_calendar_version, due_date, due_time, provisional, assumed,
                   calendar_version)
         WHERE (e.collection, e.period) = (n.collection, n.period) AND e.state <> 'RELEASED'
           AND e.calendar_version = n.old_calendar_version
         RETURNING e.collection AS "collection!", e.period AS "period!""#,
        &recomputed
            .iter()
            .map(|(key, _)| key.collection.clone())
            .collect::<Vec<_>>(),
        &recomputed
            .iter()
            .map(|(key, _)| key.period.to_string())
            .collect::<Vec<_>>(),
        &texts(|item| &item.old.calendar_version),
        recomputed
            .iter()
            .map(|(_, item)| item.new.date.into())
            .collect::<Vec<jiff_sqlx::Date>>() as _,
        recomputed
            .iter()
            .map(|(_, item)| item.new.time.into())
            .collect::<Vec<jiff_sqlx::Timestamp>>() as _,
        &flags(|item| item.new.provisional),
        &flags(|item| item.new.assumed),
        &texts(|item| &item.new.calendar_version),
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| edition_key(row.collection, &row.period))
        .collect()
}
