//! What was sent, as it is mended or supplied later.

use legalstat_kit::door::word::Word;
use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::domain::{
    earlier::KnownBy,
    request::{Item, Submission, Unit},
};

/// Stores what a locked request asks for now; its kind, channel and receipt stay.
///
/// # Errors
/// When the database fails.
pub async fn store(connection: &mut PgConnection, id: Uuid, submission: &Submission) -> Result<(), sqlx::Error> {
    store_request(connection, id, submission).await?;
    let items: Vec<(usize, &Item)> = submission.items.iter().enumerate().collect();
    store_items(connection, id, &items).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn store_request(connection: &mut PgConnection, id: Uuid, submission: &Submission) -> Result<(), sqlx::Error> {
    let (requester, signatory) = (&submission.requester, submission.signatory.as_ref());
    let external = submission.external.as_ref();
    sqlx::query!(
        "UPDATE requests.request SET
             external_number = $2, external_date = $3, addressee = $4, essence = $5, language = $6, requester_full_name = $7,
             requester_bin = $8, requester_iin = $9, requester_postal_address = $10, signatory_full_name = $11,
             signatory_capacity = $12, asked = $13, reports_crime_or_threat = $14
         WHERE id = $1",
        id,
        external
            .map(|external| external.number.as_str())
            .filter(|number| !number.is_empty()),
        external
            .and_then(|external| external.date)
            .map(jiff_sqlx::Date::from) as _,
        submission.addressee,
        submission.essence,
        submission.language.word(),
        requester.full_name,
        requester.bin,
        requester.iin,
        requester.postal_address,
        signatory.map(|signatory| signatory.full_name.as_str()),
        signatory.map(|signatory| signatory.capacity.word()),
        KnownBy::of(submission).asked,
        submission.reports_crime_or_threat.then_some(true),
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn store_items(connection: &mut PgConnection, id: Uuid, items: &[(usize, &Item)]) -> Result<(), sqlx::Error> {
    let places: Vec<i32> = items
        .iter()
        .map(|(place, _)| i32::try_from(*place).expect("the door lets no request with more than a hundred items in"))
        .collect();
    sqlx::query!(
        "INSERT INTO requests.item
             (request, position, kind, description, unit, period, until_period, form, indicator, detail, territories)
         SELECT $1, i.position, i.kind, i.description, i.unit, i.period, i.until_period, i.form, i.indicator, i.detail,
             string_to_array(i.territories, ' ')
         FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                     $10::text[], $11::text[])
             AS i (position, kind, description, unit, period, until_period, form, indicator, detail, territories)
         ON CONFLICT ON CONSTRAINT item_key DO UPDATE SET
             kind = excluded.kind, description = excluded.description, unit = excluded.unit, period = excluded.period,
             until_period = excluded.until_period, form = excluded.form, indicator = excluded.indicator,
             detail = excluded.detail, territories = excluded.territories",
        id,
        &places,
        column(items, |(_, item)| item.kind.word()) as _,
        column(items, |(_, item)| item.description.as_str()) as _,
        column(items, |(_, item)| item.unit.map(Unit::word)) as _,
        column(items, |(_, item)| item.period.map(|period| period.to_string())) as _,
        column(items, |(_, item)| item.until_period.map(|period| period.to_string())) as _,
        column(items, |(_, item)| item.form.as_deref()) as _,
        column(items, |(_, item)| item.indicator.as_deref()) as _,
        column(items, |(_, item)| item.detail.as_deref()) as _,
        &column(items, |(_, item)| item.territories.join(" ")),
    )
    .execute(connection)
    .await?;
    Ok(())
}
