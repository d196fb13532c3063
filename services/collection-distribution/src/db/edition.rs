//! `collections.edition`.

use legalstat_kit::{due::DueDate, period::ReportingPeriod};
use sqlx::{PgConnection, PgExecutor};

use super::{edition_key, unreadable};
use crate::domain::edition::{Content, Done, Edition, EditionKey, EditionState, SchedulePosition};

struct Row {
    collection: String,
    period: String,
    due_date: jiff_sqlx::Date,
    due_time: jiff_sqlx::Timestamp,
    provisional: bool,
    assumed: bool,
    calendar_version: String,
    state: String,
    filename: Option<String>,
    content_type: Option<String>,
    size_bytes: Option<i64>,
    sha256: Option<Vec<u8>>,
    uploaded_at: Option<jiff_sqlx::Timestamp>,
    uploaded_by: Option<String>,
    sealed_at: Option<jiff_sqlx::Timestamp>,
    sealed_by: Option<String>,
    released_at: Option<jiff_sqlx::Timestamp>,
    released_by: Option<String>,
    copies_issued: i32,
}

impl TryFrom<Row> for Edition {
    type Error = sqlx::Error;

    fn try_from(mut row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            content: row.content(),
            key: edition_key(row.collection, &row.period)?,
            state: EditionState::from_stored(&row.state).ok_or_else(|| unreadable("state", &row.state))?,
            due: DueDate {
                date: row.due_date.to_jiff(),
                time: row.due_time.to_jiff(),
                provisional: row.provisional,
                assumed: row.assumed,
                calendar_version: row.calendar_version,
            },
            sealed: done(row.sealed_at, row.sealed_by),
            released: done(row.released_at, row.released_by),
            copies_issued: row.copies_issued,
        })
    }
}

impl Row {
    fn content(&mut self) -> Option<Content> {
        Some(Content {
            filename: self.filename.take()?,
            content_type: self.content_type.take()?,
            size_bytes: self.size_bytes?,
            sha256: self.sha256.take()?,
            uploaded: done(self.uploaded_at, self.uploaded_by.take())?,
        })
    }
}

fn done(at: Option<jiff_sqlx::Timestamp>, by: Option<String>) -> Option<Done> {
    Some(Done {
        at: at?.to_jiff(),
        by: by?,
    })
}

/// Holds an edition against other writers until the transaction ends. Read it afterwards: another may have changed it
/// while this waited.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, key: &EditionKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT collection FROM collections.edition WHERE collection = $1 AND period = $2 FOR UPDATE",
        key.collection,
        key.period.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(())
}

/// Which editions to read.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only this collection's.
    pub collection: Option<String>,
    /// Only this period's.
    pub period: Option<ReportingPeriod>,
    /// Only periods of this year.
    pub year: Option<i16>,
    /// Only in this state.
    pub state: Option<EditionState>,
    /// Only after this place in the order.
    pub after: Option<SchedulePosition>,
}

/// One edition.
pub async fn get(executor: impl PgExecutor<'_>, key: &EditionKey) -> Result<Option<Edition>, sqlx::Error> {
    let filter = Filter {
        collection: Some(key.collection.clone()),
        period: Some(key.period),
        ..Filter::default()
    };
    Ok(list(executor, &filter, 1).await?.pop())
}

/// Editions by due date, then collection, then period.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(executor: impl PgExecutor<'_>, filter: &Filter, limit: i64) -> Result<Vec<Edition>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT e.collection, e.period, e.due_date, e.due_time, e.provisional, e.assumed, e.calendar_version, e.state,
             e.filename, e.content_type, e.size_bytes, e.sha256, e.uploaded_at, e.uploaded_by,
             e.sealed_at, e.sealed_by, e.released_at, e.released_by,
             (SELECT count(*)::integer FROM collections.copy c
              WHERE (c.collection, c.period) = (e.collection, e.period)) AS "copies_issued!"
         FROM collections.edition e
         WHERE ($1::text IS NULL OR e.collection = $1)
           AND ($2::text IS NULL OR e.period = $2)
           AND ($3::integer IS NULL OR extract(year FROM e.period_first_day) = $3)
           AND ($4::text IS NULL OR e.state = $4)
           AND ($5::date IS NULL OR (e.due_date, e.collection, e.period) > ($5, $6, $7))
         ORDER BY e.due_date, e.collection, e.period LIMIT $8"#,
        filter.collection.as_deref(),
        filter.period.map(|period| period.to_string()),
        filter.year.map(i32::from),
        filter.state.map(EditionState::as_str),
        filter.after.as_ref().map(|after| jiff_sqlx::Date::from(after.due_date)) as _,
        filter.after.as_ref().map(|after| after.key.collection.as_str()),
        filter.after.as_ref().map(|after| after.key.period.to_string()),
        limit,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(Edition::try_from).collect()
}

/// Every collection and period that the schedule has.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn scheduled(executor: impl PgExecutor<'_>) -> Result<Vec<EditionKey>, sqlx::Error> {
    let rows = sqlx::query!("SELECT collection, period FROM collections.edition")
        .fetch_all(executor)
        .await?;
    rows.into_iter()
        .map(|row| edition_key(row.collection, &row.period))
        .collect()
}

/// Stores scheduled editions; those already there stay as they are. Tells how many were stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_missing(
    executor: impl PgExecutor<'_>,
    editions: &[(EditionKey, DueDate)],
) -> Result<u64, sqlx::Error> {
    let days = |day: fn(&(EditionKey, DueDate)) -> jiff::civil::Date| -> Vec<jiff_sqlx::Date> {
        editions.iter().map(|edition| day(edition).into()).collect()
    };
    let texts = |text: fn(&(EditionKey, DueDate)) -> String| editions.iter().map(text).collect::<Vec<_>>();
    let inserted = sqlx::query!(
        "INSERT INTO collections.edition
             (collection, period, period_first_day, period_last_day, due_date, due_time, provisional, assumed,
              calendar_version, state)
         SELECT *, 'SCHEDULED'
         FROM UNNEST($1::text[], $2::text[], $3::date[], $4::date[], $5::date[], $6::timestamptz[], $7::boolean[],
                     $8::boolean[], $9::text[])
         ON CONFLICT DO NOTHING",
        &texts(|(key, _)| key.collection.clone()),
        &texts(|(key, _)| key.period.to_string()),
        days(|(key, _)| key.period.first_day()) as _,
        days(|(key, _)| key.period.last_day()) as _,
        days(|(_, due)| due.date) as _,
        editions
            .iter()
            .map(|(_, due)| due.time.into())
            .collect::<Vec<jiff_sqlx::Timestamp>>() as _,
        &editions.iter().map(|(_, due)| due.provisional).collect::<Vec<_>>(),
        &editions.iter().map(|(_, due)| due.assumed).collect::<Vec<_>>(),
        &texts(|(_, due)| due.calendar_version.clone()),
    )
    .execute(executor)
    .await?;
    Ok(inserted.rows_affected())
}

/// Gives an edition its content, in place of any it had.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn prepare(connection: &mut PgConnection, key: &EditionKey, content: &Content) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE collections.edition
         SET state = 'PREPARED', filename = $3, content_type = $4, size_bytes = $5, sha256 = $6, uploaded_at = $7,
             uploaded_by = $8
         WHERE collection = $1 AND period = $2",
        key.collection,
        key.period.to_string(),
        content.filename,
        content.content_type,
        content.size_bytes,
        content.sha256,
        jiff_sqlx::Timestamp::from(content.uploaded.at) as _,
        content.uploaded.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Seals an edition.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn seal(connection: &mut PgConnection, key: &EditionKey, sealed: &Done) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE collections.edition SET state = 'SEALED', sealed_at = $3, sealed_by = $4
         WHERE collection = $1 AND period = $2",
        key.collection,
        key.period.to_string(),
        jiff_sqlx::Timestamp::from(sealed.at) as _,
        sealed.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks an edition as released; its copies are issued apart.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn release(connection: &mut PgConnection, key: &EditionKey, released: &Done) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE collections.edition SET state = 'RELEASED', released_at = $3, released_by = $4
         WHERE collection = $1 AND period = $2",
        key.collection,
        key.period.to_string(),
        jiff_sqlx::Timestamp::from(released.at) as _,
        released.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}
