//! `forms.edition` with its files and placements.

use jiff::Timestamp;
use legalstat_kit::schema::Database;
use legalstat_kit::{due::DueDate, period::ReportingPeriod};
use sqlx::{PgConnection, PgExecutor};

use super::{edition_key, unreadable};
use crate::domain::edition::{
    Channel, Edition, EditionFile, EditionKey, EditionState, Placement, Punctuality, SchedulePosition,
};

struct Row {
    form: i32,
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
    channels: Vec<String>,
    placed_at: Vec<jiff_sqlx::Timestamp>,
    punctualities: Vec<String>,
}

impl Row {
    fn file(&mut self) -> Option<EditionFile> {
        Some(EditionFile {
            filename: self.filename.take()?,
            content_type: self.content_type.take()?,
            size_bytes: self.size_bytes?,
            sha256: self.sha256.take()?,
            uploaded_at: self.uploaded_at?.to_jiff(),
        })
    }

    fn placements(&self) -> Result<Vec<Placement>, sqlx::Error> {
        let rows = self.channels.iter().zip(&self.placed_at).zip(&self.punctualities);
        rows.map(|((channel, placed_at), punctuality)| {
            Ok(Placement {
                channel: Channel::from_stored(channel).ok_or_else(|| unreadable("channel", channel))?,
                placed_at: placed_at.to_jiff(),
                punctuality: Punctuality::from_stored(punctuality)
                    .ok_or_else(|| unreadable("punctuality", punctuality))?,
            })
        })
        .collect()
    }
}

impl TryFrom<Row> for Edition {
    type Error = sqlx::Error;

    fn try_from(mut row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            key: edition_key(row.form, &row.period)?,
            state: EditionState::from_stored(&row.state).ok_or_else(|| unreadable("state", &row.state))?,
            file: row.file(),
            placements: row.placements()?,
            due: DueDate {
                date: row.due_date.to_jiff(),
                time: row.due_time.to_jiff(),
                provisional: row.provisional,
                assumed: row.assumed,
                calendar_version: row.calendar_version,
            },
        })
    }
}

/// Holds an edition against other writers until the transaction ends. Read it afterwards: another may have changed it
/// while this waited.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, edition: EditionKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT form FROM forms.edition WHERE form = $1 AND period = $2 FOR UPDATE",
        edition.form,
        edition.period.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(())
}

/// Which editions to read.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only this form's.
    pub form: Option<i32>,
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
pub async fn get(executor: impl PgExecutor<'_>, edition: EditionKey) -> Result<Option<Edition>, sqlx::Error> {
    let filter = Filter {
        form: Some(edition.form),
        period: Some(edition.period),
        ..Filter::default()
    };
    Ok(list(executor, &filter, 1).await?.pop())
}

/// Editions by due date, then form, then period.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(executor: impl PgExecutor<'_>, filter: &Filter, limit: i64) -> Result<Vec<Edition>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT e.form, e.period, e.due_date, e.due_time, e.provisional, e.assumed, e.calendar_version, e.state,
             f.filename AS "filename?", f.content_type AS "content_type?", f.size_bytes AS "size_bytes?",
             f.sha256 AS "sha256?", f.uploaded_at AS "uploaded_at?",
             ARRAY(SELECT p.channel FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
                   ORDER BY p.placed_at, p.channel) AS "channels!",
             ARRAY(SELECT p.placed_at FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
                   ORDER BY p.placed_at, p.channel) AS "placed_at!: Vec<jiff_sqlx::Timestamp>",
             ARRAY(SELECT p.punctuality FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
                   ORDER BY p.placed_at, p.channel) AS "punctualities!"
         FROM forms.edition e LEFT JOIN forms.edition_file f ON f.number = e.file
         WHERE ($1::integer IS NULL OR e.form = $1)
           AND ($2::text IS NULL OR e.period = $2)
           AND ($3::integer IS NULL OR extract(year FROM e.period_first_day) = $3)
           AND ($4::text IS NULL OR e.state = $4)
           AND ($5::date IS NULL OR (e.due_date, e.form, e.period) > ($5, $6, $7))
         ORDER BY e.due_date, e.form, e.period LIMIT $8"#,
        filter.form,
        filter.period.map(|period| period.to_string()),
        filter.year.map(i32::from),
        filter.state.map(EditionState::as_str),
        filter.after.as_ref().map(|after| jiff_sqlx::Date::from(after.due_date)) as _,
        filter.after.as_ref().map(|after| after.key.form),
        filter.after.as_ref().map(|after| after.key.period.to_string()),
        limit,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(Edition::try_from).collect()
}

/// Stores a file and makes it the one that counts for its edition; earlier files stay on record.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn replace_file(
    connection: &mut PgConnection,
    edition: EditionKey,
    file: &EditionFile,
    uploaded_by: &str,
) -> Result<(), sqlx::Error> {
    let number = sqlx::query_scalar!(
        "INSERT INTO forms.edition_file
             (form, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING number",
        edition.form,
        edition.period.to_string(),
        file.filename,
        file.content_type,
        file.size_bytes,
        file.sha256,
        jiff_sqlx::Timestamp::from(file.uploaded_at) as _,
        uploaded_by,
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE forms.edition SET file = $3, state = 'PREPARED' WHERE form = $1 AND period = $2",
        edition.form,
        edition.period.to_string(),
        number,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The editions of these forms that are placed on the information service.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn placed_on_information_service(db: &Database, forms: &[i32]) -> Result<Vec<EditionKey>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT form, period FROM forms.placement WHERE channel = 'INFORMATION_SERVICE' AND form = ANY ($1)",
        forms,
    )
    .fetch_all(&mut *db.connection().await?)
    .await?;
    rows.into_iter().map(|row| edition_key(row.form, &row.period)).collect()
}

/// How many editions of a year stand how to their due dates on the information service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PunctualityCounts {
    /// Placed before the due date ended.
    pub on_time: i64,
    /// Placed after it ended.
    pub late: i64,
    /// Not placed although it has ended.
    pub overdue: i64,
    /// Not placed and not due yet.
    pub not_due: i64,
}

/// Counts the editions of a year's periods, of one form or of all, at an instant.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn count_punctuality(
    db: &Database,
    year: i16,
    form: Option<i32>,
    now: Timestamp,
) -> Result<PunctualityCounts, sqlx::Error> {
    sqlx::query_as!(
        PunctualityCounts,
        r#"SELECT count(*) FILTER (WHERE p.punctuality = 'ON_TIME') AS "on_time!",
             count(*) FILTER (WHERE p.punctuality = 'LATE') AS "late!",
             count(*) FILTER (WHERE p.punctuality IS NULL AND e.due_time <= $3) AS "overdue!",
             count(*) FILTER (WHERE p.punctuality IS NULL AND e.due_time > $3) AS "not_due!"
         FROM forms.edition e LEFT JOIN forms.placement p
             ON (p.form, p.period) = (e.form, e.period) AND p.channel = 'INFORMATION_SERVICE'
         WHERE extract(year FROM e.period_first_day) = $1::integer AND ($2::integer IS NULL OR e.form = $2)"#,
        i32::from(year),
        form,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .fetch_one(&mut *db.connection().await?)
    .await
}
