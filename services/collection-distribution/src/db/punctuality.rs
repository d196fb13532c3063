//! How a year's editions and copies stand to their due dates, from `collections.scheduled` and `collections.copy`.

use futures::TryStreamExt as _;
use jiff::Timestamp;
use legalstat_kit::{door::word::Word, due::DueDate, due::scheduled::Scheduled};
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::{
    copy::CopyState,
    key::EditionKey,
    punctuality::{Issued, Standing},
};

struct Row {
    parent: String,
    period: String,
    due_date: jiff_sqlx::Date,
    due_time: jiff_sqlx::Timestamp,
    provisional: bool,
    assumed: bool,
    calendar_version: String,
    met_at: Option<jiff_sqlx::Timestamp>,
    is_kept: bool,
}

impl TryFrom<Row> for Standing {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Self {
            key: edition_key(&row.parent, &row.period)?,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            released_at: row.met_at.map(jiff_sqlx::Timestamp::to_jiff),
            is_kept: row.is_kept,
        })
    }
}

/// Which editions to read.
#[derive(Debug)]
pub struct Filter<'a> {
    /// Those of this year's periods.
    pub year: i16,
    /// Only of this collection, by its id.
    pub collection: Option<&'a str>,
    /// Only of this period.
    pub period: Option<&'a str>,
}

/// Every edition of a year's periods.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_year(connection: &mut PgConnection, filter: &Filter<'_>) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.parent, s.period, s.due_date, s.due_time, s.provisional, s.assumed, s.calendar_version, s.met_at,
             NOT s.recorded_afterwards AND s.due_date
                 >= coalesce((SELECT a.day FROM collections.answering_day a ORDER BY a.number DESC LIMIT 1), '-infinity') AS "is_kept!"
         FROM collections.scheduled s
         WHERE s.binding AND extract(year FROM s.first_day) = $1::integer
           AND ($2::text IS NULL OR s.parent = 'collections/' || $2)
           AND ($3::text IS NULL OR s.period = $3)
         ORDER BY s.due_date, s.parent, s.period"#,
        i32::from(filter.year),
        filter.collection,
        filter.period,
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter().map(Standing::try_from).collect()
}

/// How the editions of a part of the schedule stand, in its order.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_scheduled(
    connection: &mut PgConnection,
    scheduled: &[Scheduled],
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.parent, s.period, s.due_date, s.due_time, s.provisional, s.assumed, s.calendar_version, s.met_at,
             NOT s.recorded_afterwards AND s.due_date
                 >= coalesce((SELECT a.day FROM collections.answering_day a ORDER BY a.number DESC LIMIT 1), '-infinity') AS "is_kept!"
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS l (parent, period, place)
         JOIN collections.scheduled s ON (s.parent, s.period) = (l.parent, l.period) ORDER BY l.place"#,
        &scheduled.iter().map(|item| item.parent.clone()).collect::<Vec<_>>(),
        &scheduled.iter().map(|item| item.period.to_string()).collect::<Vec<_>>(),
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter().map(Standing::try_from).collect()
}

/// Tells every copy that was issued of some editions, with the place of its edition among them and its recipient, of some recipients or of
/// all.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn each_copy(
    connection: &mut PgConnection,
    editions: &[&EditionKey],
    recipients: Option<&[String]>,
    mut told: impl FnMut(usize, String, Issued),
) -> Result<(), sqlx::Error> {
    // By how many copies an edition has on average, a year's look worth compiling for; read by their keys, they are not.
    sqlx::query!(r#"SELECT set_config('jit', 'off', true) AS "set!""#)
        .fetch_one(&mut *connection)
        .await?;
    let rows = sqlx::query!(
        r#"SELECT e.place AS "place!", c.recipient, c.state, c.issued_at AS "issued_at: jiff_sqlx::Timestamp",
             c.received_at AS "received_at: jiff_sqlx::Timestamp"
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e (collection, period, place)
         -- By the key of each edition, however many copies an edition has on average.
         CROSS JOIN LATERAL (
             SELECT recipient, state, issued_at, received_at FROM collections.copy
             WHERE collection = e.collection AND period = e.period OFFSET 0
         ) AS c
         WHERE $3::text[] IS NULL OR c.recipient = ANY($3)"#,
        &editions.iter().map(|key| key.collection.clone()).collect::<Vec<_>>(),
        &editions.iter().map(|key| key.period.to_string()).collect::<Vec<_>>(),
        recipients,
    );
    let mut rows = rows.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let at = |at: jiff_sqlx::Timestamp| -> Timestamp { at.to_jiff() };
        let copy = Issued {
            state: CopyState::read_stored(&row.state, "state")?,
            issued_at: at(row.issued_at),
            received_at: row.received_at.map(at),
        };
        told(
            usize::try_from(row.place - 1).unwrap_or(usize::MAX),
            row.recipient,
            copy,
        );
    }
    Ok(())
}
