//! `forms.placement`, and the list of open data that one channel needs.

use std::{collections::HashMap, fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{call::Done, door::word::Word, due::Punctuality};
use sqlx::PgConnection;

use super::{edition_key, revision::digest};
use crate::domain::{
    edition::{Channel, Lateness, Placement},
    key::EditionKey,
};

struct Row {
    form: i32,
    period: String,
    channel: String,
    revision: i32,
    placed_at: jiff_sqlx::Timestamp,
    placed_by: String,
    address: String,
    content_sha256: Vec<u8>,
    effective_at: jiff_sqlx::Timestamp,
    due_date: jiff_sqlx::Date,
    calendar_version: String,
    punctuality: String,
    late_days: i32,
    ordered: Option<bool>,
}

impl TryFrom<Row> for Placement {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let channel = Channel::read_stored(&row.channel, "channel")?;
        Ok(Self {
            edition: edition_key(&format!("forms/{}", row.form), &row.period)?,
            channel,
            revision: row.revision,
            placed: Done {
                at: row.placed_at.to_jiff(),
                by: row.placed_by,
            },
            address: row.address,
            content_sha256: digest("content_sha256", row.content_sha256)?,
            effective_at: row.effective_at.to_jiff(),
            due_date: row.due_date.to_jiff(),
            calendar_version: row.calendar_version,
            lateness: Lateness {
                punctuality: Punctuality::read_stored(&row.punctuality, "punctuality")?,
                days: row.late_days,
            },
            // An earlier release did not record it: then the information service counted alone.
            ordered: row.ordered.unwrap_or(channel == Channel::InformationService),
        })
    }
}

/// A place in the order of placements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    placed_at: Timestamp,
    form: i32,
    period: String,
    channel: &'static str,
    revision: i32,
}

impl Place {
    pub fn of(placement: &Placement) -> Self {
        Self {
            placed_at: placement.placed.at,
            form: placement.edition.form,
            period: placement.edition.period.to_string(),
            channel: placement.channel.word(),
            revision: placement.revision,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            placed_at,
            form,
            period,
            channel,
            revision,
        } = self;
        write!(f, "{placed_at} {form} {period} {channel} {revision}")
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.split(' ').collect();
        let [placed_at, form, period, channel, revision] = parts[..] else {
            return Err(());
        };
        Ok(Self {
            placed_at: placed_at.parse().map_err(|_| ())?,
            form: form.parse().map_err(|_| ())?,
            period: period.to_owned(),
            channel: Channel::read(channel).ok_or(())?.word(),
            revision: revision.parse().map_err(|_| ())?,
        })
    }
}

/// Which placements to read.
#[derive(Debug, Default)]
pub struct Filter {
    pub form: Option<i32>,
    pub period: Option<String>,
    pub channel: Option<Channel>,
    /// Not those of these editions.
    pub hidden: Vec<EditionKey>,
    /// Only after this place in the order.
    pub after: Option<Place>,
}

/// The placements in the order in which they were made.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Placement>, sqlx::Error> {
    let after = filter.after.as_ref();
    let (hidden_forms, hidden_periods): (Vec<i32>, Vec<String>) = filter
        .hidden
        .iter()
        .map(|key| (key.form, key.period.to_string()))
        .unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT form, period, channel, revision, placed_at, placed_by, address, content_sha256, effective_at, due_date,
             calendar_version, punctuality, late_days, ordered
         FROM forms.placement
         WHERE ($1::integer IS NULL OR form = $1) AND ($2::text IS NULL OR period = $2)
           AND ($3::text IS NULL OR channel = $3)
           AND (form, period) NOT IN (SELECT * FROM unnest($10::integer[], $11::text[]))
           AND ($4::timestamptz IS NULL
                OR (placed_at, form, period COLLATE "C", channel COLLATE "C", revision) > ($4, $5, $6, $7, $8))
         ORDER BY placed_at, form, period COLLATE "C", channel COLLATE "C", revision LIMIT $9"#,
        filter.form,
        filter.period,
        filter.channel.map(Channel::word),
        after.map(|after| jiff_sqlx::Timestamp::from(after.placed_at)) as _,
        after.map(|after| after.form),
        after.map(|after| after.period.as_str()),
        after.map(|after| after.channel),
        after.map(|after| after.revision),
        limit,
        &hidden_forms,
        &hidden_periods,
    );
    rows.fetch_all(connection)
        .await?
        .into_iter()
        .map(Placement::try_from)
        .collect()
}

/// The placements of these editions, of each in the order in which they were made.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(
    connection: &mut PgConnection,
    keys: &[EditionKey],
) -> Result<HashMap<EditionKey, Vec<Placement>>, sqlx::Error> {
    let mut found: HashMap<EditionKey, Vec<Placement>> = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let (forms, periods): (Vec<i32>, Vec<String>) = keys.iter().map(|key| (key.form, key.period.to_string())).unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT p.form, p.period, p.channel, p.revision, p.placed_at, p.placed_by, p.address, p.content_sha256,
             p.effective_at, p.due_date, p.calendar_version, p.punctuality, p.late_days, p.ordered
         FROM unnest($1::integer[], $2::text[]) AS k (form, period)
         CROSS JOIN LATERAL (
             SELECT * FROM forms.placement p WHERE (p.form, p.period) = (k.form, k.period) OFFSET 0
         ) p
         ORDER BY p.placed_at, p.form, p.period COLLATE "C", p.channel COLLATE "C", p.revision"#,
        &forms,
        &periods,
    );
    for row in rows.fetch_all(connection).await? {
        let placement = Placement::try_from(row)?;
        found.entry(placement.edition).or_default().push(placement);
    }
    Ok(found)
}

/// Stores a placement.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(connection: &mut PgConnection, placement: &Placement) -> Result<(), sqlx::Error> {
    let (key, placed) = (placement.edition, &placement.placed);
    sqlx::query!(
        "INSERT INTO forms.placement
             (form, period, channel, revision, placed_at, placed_by, address, content_sha256, effective_at, due_date,
              calendar_version, punctuality, late_days, ordered)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        key.form,
        key.period.to_string(),
        placement.channel.word(),
        placement.revision,
        jiff_sqlx::Timestamp::from(placed.at) as _,
        placed.by,
        placement.address,
        placement.content_sha256.as_slice(),
        jiff_sqlx::Timestamp::from(placement.effective_at) as _,
        jiff_sqlx::Date::from(placement.due_date) as _,
        placement.calendar_version,
        placement.lateness.punctuality.word(),
        placement.lateness.days,
        placement.ordered,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_among_placements_is_read_as_it_is_written() {
        let text = "2025-02-05T05:00:00.000001Z 1 2025-M01 OFFICIAL_WEBSITE 2";
        let place: Place = text.parse().expect("a place");
        assert_eq!(place.to_string(), text);
        for other in [
            "",
            "2025-02-05T05:00:00Z 1 2025-M01",
            "2025-02-05T05:00:00Z 1 2025-M01 ELSEWHERE 2",
        ] {
            assert_eq!(other.parse::<Place>(), Err(()), "{other}");
        }
    }
}
