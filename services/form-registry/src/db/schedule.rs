//! The rows that make the schedule: editions, and the periods found to have none.

use legalstat_kit::due::DueDate;
use sqlx::{PgConnection, PgExecutor};

use super::edition_key;
use crate::domain::edition::EditionKey;

/// The forms and periods that the calendar was asked about already.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn known_periods(db: impl PgExecutor<'_>) -> Result<Vec<EditionKey>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT form AS "form!", period AS "period!" FROM forms.edition
         UNION ALL SELECT form, period FROM forms.period_without_edition"#
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|row| edition_key(row.form, &row.period)).collect()
}

/// Stores scheduled editions; those already there stay as they are. Tells how many were stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_editions(
    connection: &mut PgConnection,
    editions: &[(EditionKey, DueDate)],
) -> Result<u64, sqlx::Error> {
    let column = |days: fn(&EditionKey) -> jiff::civil::Date| -> Vec<jiff_sqlx::Date> {
        editions.iter().map(|(key, _)| days(key).into()).collect()
    };
    let inserted = sqlx::query!(
        "INSERT INTO forms.edition
             (form, period, period_first_day, period_last_day, due_date, due_time, provisional, assumed,
              calendar_version, state)
         SELECT *, 'SCHEDULED'
         FROM UNNEST($1::integer[], $2::text[], $3::date[], $4::date[], $5::date[], $6::timestamptz[], $7::boolean[],
                     $8::boolean[], $9::text[])
         ON CONFLICT DO NOTHING",
        &editions.iter().map(|(key, _)| key.form).collect::<Vec<_>>(),
        &editions
            .iter()
            .map(|(key, _)| key.period.to_string())
            .collect::<Vec<_>>(),
        column(|key| key.period.first_day()) as _,
        column(|key| key.period.last_day()) as _,
        editions
            .iter()
            .map(|(_, due)| due.date.into())
            .collect::<Vec<jiff_sqlx::Date>>() as _,
        editions
            .iter()
            .map(|(_, due)| due.time.into())
            .collect::<Vec<jiff_sqlx::Timestamp>>() as _,
        &editions.iter().map(|(_, due)| due.provisional).collect::<Vec<_>>(),
        &editions.iter().map(|(_, due)| due.assumed).collect::<Vec<_>>(),
        &editions
            .iter()
            .map(|(_, due)| due.calendar_version.clone())
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected())
}

/// Stores that these periods have no edition, so that the calendar is not asked about them again.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_periods_without_edition(
    connection: &mut PgConnection,
    periods: &[(EditionKey, DueDate)],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO forms.period_without_edition (form, period, due_date, calendar_version)
         SELECT * FROM UNNEST($1::integer[], $2::text[], $3::date[], $4::text[])
         ON CONFLICT DO NOTHING",
        &periods.iter().map(|(key, _)| key.form).collect::<Vec<_>>(),
        &periods
            .iter()
            .map(|(key, _)| key.period.to_string())
            .collect::<Vec<_>>(),
        periods
            .iter()
            .map(|(_, due)| due.date.into())
            .collect::<Vec<jiff_sqlx::Date>>() as _,
        &periods
            .iter()
            .map(|(_, due)| due.calendar_version.clone())
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
