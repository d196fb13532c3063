//! The due dates of `collections.edition` that are open: of editions not released.

use legalstat_kit::{recompute::Recomputed, schedule::DueDate};
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

/// Stores recomputed due dates of editions that are still open and still have the old one, and tells which.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn store(
    connection: &mut PgConnection,
    recomputed: &[(EditionKey, &Recomputed)],
) -> Result<Vec<EditionKey>, sqlx::Error> {
    let dates = |date: fn(&Recomputed) -> jiff::civil::Date| -> Vec<jiff_sqlx::Date> {
        recomputed.iter().map(|(_, item)| date(item).into()).collect()
    };
    let flags = |flag: fn(&Recomputed) -> bool| recomputed.iter().map(|(_, item)| flag(item)).collect::<Vec<_>>();
    let rows = sqlx::query!(
        r#"UPDATE collections.edition e
         SET due_date = n.due_date, due_time = n.due_time, provisional = n.provisional, assumed = n.assumed,
             calendar_version = n.calendar_version
         FROM unnest($1::text[], $2::text[], $3::date[], $4::boolean[], $5::boolean[], $6::date[], $7::timestamptz[],
                     $8::boolean[], $9::boolean[], $10::text[])
             AS n (collection, period, old_due_date, old_provisional, old_assumed, due_date, due_time, provisional,
                   assumed, calendar_version)
         WHERE (e.collection, e.period) = (n.collection, n.period) AND e.state <> 'RELEASED'
           AND (e.due_date, e.provisional, e.assumed) = (n.old_due_date, n.old_provisional, n.old_assumed)
         RETURNING e.collection AS "collection!", e.period AS "period!""#,
        &recomputed
            .iter()
            .map(|(key, _)| key.collection.clone())
            .collect::<Vec<_>>(),
        &recomputed
            .iter()
            .map(|(key, _)| key.period.to_string())
            .collect::<Vec<_>>(),
        dates(|item| item.old.date) as _,
        &flags(|item| item.old.provisional),
        &flags(|item| item.old.assumed),
        dates(|item| item.new.date) as _,
        recomputed
            .iter()
            .map(|(_, item)| item.new.time.into())
            .collect::<Vec<jiff_sqlx::Timestamp>>() as _,
        &flags(|item| item.new.provisional),
        &flags(|item| item.new.assumed),
        &recomputed
            .iter()
            .map(|(_, item)| item.new.calendar_version.clone())
            .collect::<Vec<_>>(),
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| edition_key(row.collection, &row.period))
        .collect()
}
