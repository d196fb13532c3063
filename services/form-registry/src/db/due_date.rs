//! The due dates of `forms.edition` that are open: of editions not placed on the information service, for which alone the
//! Instruction sets the day.

use legalstat_kit::due::{DueDate, compare::Recomputed};
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::edition::EditionKey;

/// The open due dates after an edition, by form and period.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn open(
    connection: &mut PgConnection,
    after: Option<EditionKey>,
    most: i64,
) -> Result<Vec<(EditionKey, DueDate)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT form, period, due_date, due_time, provisional, assumed, calendar_version FROM forms.edition e
         WHERE ($1::integer IS NULL OR (form, period) > ($1, $2))
           AND NOT EXISTS (SELECT FROM forms.placement p
                           WHERE (p.form, p.period) = (e.form, e.period) AND p.channel = 'INFORMATION_SERVICE')
         ORDER BY form, period LIMIT $3",
        after.map(|key| key.form),
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
        Ok((edition_key(row.form, &row.period)?, due))
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
    let forms: Vec<i32> = recomputed.iter().map(|(key, _)| key.form).collect();
    let periods: Vec<String> = recomputed.iter().map(|(key, _)| key.period.to_string()).collect();
    let texts = |text: fn(&Recomputed) -> &String| {
        recomputed
            .iter()
            .map(|(_, item)| text(item).clone())
            .collect::<Vec<_>>()
    };
    let flags = |flag: fn(&Recomputed) -> bool| recomputed.iter().map(|(_, item)| flag(item)).collect::<Vec<_>>();
    lock(connection, &forms, &periods).await?;
    let rows = sqlx::query!(
        r#"UPDATE forms.edition e
         SET due_date = n.due_date, due_time = n.due_time, provisional = n.provisional, assumed = n.assumed,
             calendar_version = n.calendar_version
         FROM unnest($1::integer[], $2::text[], $3::text[], $4::date[], $5::timestamptz[], $6::boolean[],
                     $7::boolean[], $8::text[])
             AS n (form, period, old_calendar_version, due_date, due_time, provisional, assumed,
                   calendar_version)
         WHERE (e.form, e.period) = (n.form, n.period)
           AND e.calendar_version = n.old_calendar_version
           AND NOT EXISTS (SELECT FROM forms.placement p
                           WHERE (p.form, p.period) = (e.form, e.period) AND p.channel = 'INFORMATION_SERVICE')
         RETURNING e.form AS "form!", e.period AS "period!""#,
        &forms,
        &periods,
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
    rows.into_iter().map(|row| edition_key(row.form, &row.period)).collect()
}

/// Waits for whoever is placing one of the editions, so that the placement is seen by what follows.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn lock(connection: &mut PgConnection, forms: &[i32], periods: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT e.form FROM forms.edition e
         JOIN unnest($1::integer[], $2::text[]) AS n (form, period) ON (e.form, e.period) = (n.form, n.period)
         ORDER BY e.form, e.period FOR NO KEY UPDATE OF e",
        forms,
        periods,
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}
