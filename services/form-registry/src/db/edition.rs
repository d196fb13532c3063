//! `forms.edition` with its file, on top of what is scheduled: no row means that nothing was uploaded.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    call::Done,
    door::word::Word,
    due::{
        DueDate, Punctuality,
        scheduled::{self, Place},
    },
    files::Content,
    period::ReportingPeriod,
};
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::{
    edition::{Channel, Edition, EditionState, Placement},
    key::EditionKey,
};

struct Row {
    parent: String,
    period: String,
    due_date: jiff_sqlx::Date,
    due_time: jiff_sqlx::Timestamp,
    provisional: bool,
    assumed: bool,
    calendar_version: String,
    is_not_kept: bool,
    state: String,
    filename: Option<String>,
    content_type: Option<String>,
    size_bytes: Option<i64>,
    sha256: Option<Vec<u8>>,
    uploaded_at: Option<jiff_sqlx::Timestamp>,
    uploaded_by: Option<String>,
    channels: Vec<String>,
    placed_at: Vec<jiff_sqlx::Timestamp>,
    placed_by: Vec<String>,
    punctualities: Vec<String>,
}

impl Row {
    fn file(&mut self) -> Option<Content> {
        Some(Content {
            filename: self.filename.take()?,
            content_type: self.content_type.take()?,
            size_bytes: self.size_bytes?,
            sha256: self.sha256.take()?,
            uploaded: Done {
                at: self.uploaded_at?.to_jiff(),
                by: self.uploaded_by.take()?,
            },
        })
    }

    fn placements(&mut self) -> Result<Vec<Placement>, sqlx::Error> {
        let placed = self.placed_at.iter().zip(std::mem::take(&mut self.placed_by));
        let rows = self.channels.iter().zip(placed).zip(&self.punctualities);
        rows.map(|((channel, (at, by)), punctuality)| {
            Ok(Placement {
                channel: Channel::read_stored(channel, "channel")?,
                placed: Done { at: at.to_jiff(), by },
                punctuality: Punctuality::read_stored(punctuality, "punctuality")?,
            })
        })
        .collect()
    }
}

impl TryFrom<Row> for Edition {
    type Error = sqlx::Error;

    fn try_from(mut row: Row) -> Result<Self, sqlx::Error> {
        let (date, time, version) = (row.due_date, row.due_time, std::mem::take(&mut row.calendar_version));
        Ok(Self {
            key: edition_key(&row.parent, &row.period)?,
            state: EditionState::read_stored(&row.state, "state")?,
            file: row.file(),
            placements: row.placements()?,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            is_not_kept: row.is_not_kept,
        })
    }
}

/// Which editions to read.
#[derive(Debug, Default)]
pub struct Filter {
    pub parent: Option<String>,
    pub period: Option<String>,
    pub year: Option<i16>,
    pub state: Option<EditionState>,
    /// Only what is overdue at this instant.
    pub overdue_at: Option<Timestamp>,
    /// Only what is due on this day or later.
    pub due_from: Option<Date>,
    /// Only what is due on this day or earlier.
    pub due_to: Option<Date>,
    /// Only after this place in the order.
    pub after: Option<Place>,
}

/// One edition.
pub async fn get(connection: &mut PgConnection, key: EditionKey) -> Result<Option<Edition>, sqlx::Error> {
    let filter = Filter {
        parent: Some(key.parent()),
        period: Some(key.period.to_string()),
        ..Filter::default()
    };
    Ok(list(connection, &filter, 1).await?.pop())
}

/// One edition, held against other writers until the transaction ends.
pub async fn locked(connection: &mut PgConnection, key: EditionKey) -> Result<Option<Edition>, sqlx::Error> {
    scheduled::lock(connection, &key.parent(), key.period).await?;
    get(connection, key).await
}

/// Editions in the order of the schedule.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Edition>, sqlx::Error> {
    let after = filter.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.parent, s.period, s.due_date, s.due_time, s.provisional, s.assumed, s.calendar_version,
             coalesce(s.recorded_afterwards OR s.due_date < a.day, false) AS "is_not_kept!",
             coalesce(e.state, 'SCHEDULED') AS "state!",
             f.filename AS "filename?", f.content_type AS "content_type?", f.size_bytes AS "size_bytes?",
             f.sha256 AS "sha256?", f.uploaded_at AS "uploaded_at?", f.uploaded_by AS "uploaded_by?",
             ARRAY(SELECT p.channel FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
                   ORDER BY p.placed_at, p.channel) AS "channels!",
             ARRAY(SELECT p.placed_at FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
                   ORDER BY p.placed_at, p.channel) AS "placed_at!: Vec<jiff_sqlx::Timestamp>",
             ARRAY(SELECT p.placed_by FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
                   ORDER BY p.placed_at, p.channel) AS "placed_by!",
             ARRAY(SELECT p.punctuality FROM forms.placement p WHERE (p.form, p.period) = (e.form, e.period)
                   ORDER BY p.placed_at, p.channel) AS "punctualities!"
         FROM forms.scheduled s
         LEFT JOIN forms.edition e ON (e.parent, e.period) = (s.parent, s.period)
         LEFT JOIN forms.edition_file f ON f.number = e.file
         LEFT JOIN (SELECT day FROM forms.answering_day ORDER BY number DESC LIMIT 1) a ON true
         WHERE s.binding
           AND ($1::text IS NULL OR s.parent = $1)
           AND ($2::text IS NULL OR s.period = $2)
           AND ($3::integer IS NULL OR extract(year FROM s.first_day) = $3)
           AND ($4::text IS NULL OR coalesce(e.state, 'SCHEDULED') = $4)
           AND ($5::date IS NULL OR (s.due_date, s.position, s.parent, s.period) > ($5, $6, $7, $8))
           AND ($9::timestamptz IS NULL
                OR (s.met_at IS NULL AND s.due_time <= $9 AND s.due_date >= coalesce(a.day, s.due_date)))
           AND ($10::date IS NULL OR s.due_date >= $10)
           AND ($11::date IS NULL OR s.due_date <= $11)
         ORDER BY s.due_date, s.position, s.parent, s.period LIMIT $12"#,
        filter.parent,
        filter.period,
        filter.year.map(i32::from),
        filter.state.map(EditionState::word),
        after.map(|after| jiff_sqlx::Date::from(after.due_date)) as _,
        after.map(|after| after.position),
        after.map(|after| after.parent.as_str()),
        after.map(|after| after.period.to_string()),
        filter.overdue_at.map(jiff_sqlx::Timestamp::from) as _,
        filter.due_from.map(jiff_sqlx::Date::from) as _,
        filter.due_to.map(jiff_sqlx::Date::from) as _,
        limit,
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter().map(Edition::try_from).collect()
}

/// The periods of a form for which something was uploaded.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn periods_begun(connection: &mut PgConnection, form: i32) -> Result<HashSet<ReportingPeriod>, sqlx::Error> {
    let rows = sqlx::query!("SELECT parent, period FROM forms.edition WHERE form = $1", form);
    let rows = rows.fetch_all(connection).await?;
    let keys = rows.into_iter().map(|row| edition_key(&row.parent, &row.period));
    keys.map(|key| Ok(key?.period)).collect()
}

/// Saves an edition with a new file, which is from then on the one that counts; earlier files stay on record.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save_file(connection: &mut PgConnection, edition: &Edition) -> Result<(), sqlx::Error> {
    let Some(file) = &edition.file else {
        return Ok(());
    };
    sqlx::query!(
        "WITH stored AS (
             INSERT INTO forms.edition_file
                 (form, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
             VALUES ($1, $2, $4, $5, $6, $7, $8, $9) RETURNING form, period, number
         )
         INSERT INTO forms.edition (form, period, state, file) SELECT form, period, $3, number FROM stored
         ON CONFLICT (form, period) DO UPDATE SET state = EXCLUDED.state, file = EXCLUDED.file",
        edition.key.form,
        edition.key.period.to_string(),
        edition.state.word(),
        file.filename,
        file.content_type,
        file.size_bytes,
        file.sha256,
        jiff_sqlx::Timestamp::from(file.uploaded.at) as _,
        file.uploaded.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}
