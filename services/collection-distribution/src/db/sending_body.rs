//! `collections.sending_body`: which body of legal statistics sends the copies.

use anyhow::Context as _;
use jiff::civil::Date;
use sqlx::PgConnection;

/// The id of the body that sends copies on a day.
///
/// # Errors
/// When the database fails or names none for the day.
pub async fn of(connection: &mut PgConnection, day: Date) -> Result<String, legalstat_kit::Error> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM collections.sending_body WHERE valid_from <= $1 AND coalesce(valid_to >= $1, true)
         ORDER BY valid_from DESC LIMIT 1",
        jiff_sqlx::Date::from(day) as _,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.with_context(|| format!("no body sends collections on {day}"))?)
}
