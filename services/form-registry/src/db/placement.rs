//! `forms.placement`, and the list of open data that one channel needs.

use jiff::civil::Date;
use legalstat_kit::{door::word::Word, due::scheduled};
use sqlx::PgConnection;

use crate::domain::edition::{Channel, Edition};

/// Saves an edition with a new placement on a channel. The one on the information service meets its due date.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(connection: &mut PgConnection, edition: &Edition, channel: Channel) -> Result<(), sqlx::Error> {
    let Some(placement) = edition.placement(channel) else {
        return Ok(());
    };
    let (key, placed) = (edition.key, &placement.placed);
    sqlx::query!(
        "WITH placed AS (
             INSERT INTO forms.placement (form, period, channel, placed_at, placed_by, punctuality)
             VALUES ($1, $2, $4, $5, $6, $7)
         )
         UPDATE forms.edition SET state = $3 WHERE form = $1 AND period = $2",
        key.form,
        key.period.to_string(),
        edition.state.word(),
        channel.word(),
        jiff_sqlx::Timestamp::from(placed.at) as _,
        placed.by,
        placement.punctuality.word(),
    )
    .execute(&mut *connection)
    .await?;
    if channel == Channel::InformationService {
        scheduled::meet(connection, &key.parent(), key.period, placed.at).await?;
    }
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
