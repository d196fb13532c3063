//! `forms.placement`, and the list of open data that one channel needs.

use jiff::{Timestamp, civil::Date};
use sqlx::PgConnection;

use crate::domain::edition::{Channel, EditionKey, Punctuality};

/// Stores the first placement of an edition on a channel.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    edition: EditionKey,
    channel: Channel,
    placed_at: Timestamp,
    placed_by: &str,
    punctuality: Punctuality,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO forms.placement (form, period, channel, placed_at, placed_by, punctuality)
         VALUES ($1, $2, $3, $4, $5, $6)",
        edition.form,
        edition.period.to_string(),
        channel.as_str(),
        jiff_sqlx::Timestamp::from(placed_at) as _,
        placed_by,
        punctuality.as_str(),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE forms.edition SET state = 'PLACED' WHERE form = $1 AND period = $2",
        edition.form,
        edition.period.to_string(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a form is on the approved list of open data on a day.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn on_open_data_list(connection: &mut PgConnection, form: i32, day: Date) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
             SELECT FROM forms.open_data_list
             WHERE form = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to >= $2)
         ) AS "listed!""#,
        form,
        jiff_sqlx::Date::from(day) as _,
    )
    .fetch_one(connection)
    .await
}
