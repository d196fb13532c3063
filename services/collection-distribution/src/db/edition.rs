//! `collections.edition` with its content, on top of what is scheduled: no row means that nothing was uploaded.

use legalstat_kit::{
    call::Done,
    door::word::Word,
    due::{
        DueDate,
        scheduled::{self, Place, Scheduled},
    },
};
use sqlx::PgConnection;

use super::{edition_key, marking, marking_word, revision_file};
use crate::domain::{
    content::{EditionFile, Files},
    edition::{Edition, EditionState, Recall},
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
    state: String,
    revision: i32,
    marking_copies: Option<i32>,
    marking_reason: Option<String>,
    marking_expires_on: Option<jiff_sqlx::Date>,
    embargo_until: Option<jiff_sqlx::Timestamp>,
    sealed_at: Option<jiff_sqlx::Timestamp>,
    sealed_by: Option<String>,
    released_at: Option<jiff_sqlx::Timestamp>,
    released_by: Option<String>,
    partly_released_at: Option<jiff_sqlx::Timestamp>,
    partly_released_by: Option<String>,
    recalled_at: Option<jiff_sqlx::Timestamp>,
    recalled_by: Option<String>,
    recall_reason: Option<String>,
    copies_issued: i32,
    copies_total: i32,
}

impl TryFrom<Row> for Edition {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Self {
            // Read beside it.
            files: Files::default(),
            official_use: marking(row.marking_copies, row.marking_reason, row.marking_expires_on),
            embargo_until: row.embargo_until.map(|until| until.to_jiff()),
            recalled: recall(row.recalled_at, row.recalled_by, row.recall_reason),
            key: edition_key(&row.parent, &row.period)?,
            state: EditionState::read_stored(&row.state, "state")?,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            sealed: done(row.sealed_at, row.sealed_by),
            revision: row.revision,
            partly_released: done(row.partly_released_at, row.partly_released_by),
            released: done(row.released_at, row.released_by),
            copies_issued: row.copies_issued,
            copies_total: row.copies_total,
        })
    }
}

pub(super) fn recall(at: Option<jiff_sqlx::Timestamp>, by: Option<String>, reason: Option<String>) -> Option<Recall> {
    Some(Recall {
        done: done(at, by)?,
        reason: reason?,
    })
}

pub(super) fn done(at: Option<jiff_sqlx::Timestamp>, by: Option<String>) -> Option<Done> {
    Some(Done {
        at: at?.to_jiff(),
        by: by?,
    })
}

/// Which editions to read.
#[derive(Debug, Default)]
pub struct Filter {
    pub parent: Option<String>,
    pub period: Option<String>,
    pub year: Option<i16>,
    pub state: Option<EditionState>,
    /// Only after this place in the order.
    pub after: Option<Place>,
}

/// One edition.
pub async fn get(connection: &mut PgConnection, key: &EditionKey) -> Result<Option<Edition>, sqlx::Error> {
    let filter = Filter {
        parent: Some(key.parent()),
        period: Some(key.period.to_string()),
        ..Filter::default()
    };
    Ok(list(connection, &filter, 1).await?.pop())
}

/// One edition, held against other writers until the transaction ends.
pub async fn locked(connection: &mut PgConnection, key: &EditionKey) -> Result<Option<Edition>, sqlx::Error> {
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
             coalesce(e.state, 'SCHEDULED') AS "state!", coalesce(e.revision, 1) AS "revision!",
             e.marking_copies AS "marking_copies?", e.marking_reason AS "marking_reason?",
             e.marking_expires_on AS "marking_expires_on?", e.embargo_until AS "embargo_until?",
             e.sealed_at AS "sealed_at?", e.sealed_by AS "sealed_by?",
             e.released_at AS "released_at?", e.released_by AS "released_by?",
             e.partly_released_at AS "partly_released_at?", e.partly_released_by AS "partly_released_by?",
             e.recalled_at AS "recalled_at?", e.recalled_by AS "recalled_by?", e.recall_reason AS "recall_reason?",
             i.copies AS "copies_issued!", i.total AS "copies_total!"
         FROM collections.scheduled s
         LEFT JOIN collections.edition e ON (e.parent, e.period) = (s.parent, s.period)
         CROSS JOIN LATERAL (
             SELECT count(*)::integer AS copies, coalesce(max(c.copies_total), count(*)::integer) AS total
             FROM collections.copy c
             WHERE (c.collection, c.period, c.revision) = (e.collection, e.period, e.revision)) AS i
         WHERE s.binding
           AND ($1::text IS NULL OR s.parent = $1)
           AND ($2::text IS NULL OR s.period = $2)
           AND ($3::integer IS NULL OR extract(year FROM s.first_day) = $3)
           AND ($4::text IS NULL OR coalesce(e.standing, 'SCHEDULED') = $4)
           AND ($5::date IS NULL OR (s.due_date, s.position, s.parent, s.period) > ($5, $6, $7, $8))
         ORDER BY s.due_date, s.position, s.parent, s.period LIMIT $9"#,
        filter.parent,
        filter.period,
        filter.year.map(i32::from),
        filter.state.map(EditionState::word),
        after.map(|after| jiff_sqlx::Date::from(after.due_date)) as _,
        after.map(|after| after.position),
        after.map(|after| after.parent.as_str()),
        after.map(|after| after.period.to_string()),
        limit,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    let mut editions = rows.into_iter().map(Edition::try_from).collect::<Result<Vec<_>, _>>()?;
    let revisions: Vec<_> = editions
        .iter()
        .map(|edition| (&edition.key, edition.revision))
        .collect();
    let files = revision_file::of_each(connection, &revisions).await?;
    for (edition, files) in editions.iter_mut().zip(files) {
        edition.files = files;
    }
    Ok(editions)
}

/// Where the editions of a part of the schedule stand, in its order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn states(connection: &mut PgConnection, scheduled: &[Scheduled]) -> Result<Vec<EditionState>, sqlx::Error> {
    let states = sqlx::query_scalar!(
        r#"SELECT coalesce(e.standing, 'SCHEDULED') AS "state!"
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (parent, period, place)
         LEFT JOIN collections.edition e ON (e.parent, e.period) = (s.parent, s.period) ORDER BY s.place"#,
        &scheduled.iter().map(|item| item.parent.clone()).collect::<Vec<_>>(),
        &scheduled.iter().map(|item| item.period.to_string()).collect::<Vec<_>>(),
    );
    let states = states.fetch_all(connection).await?;
    states
        .iter()
        .map(|state| EditionState::read_stored(state, "state"))
        .collect()
}

/// Saves an edition in preparation to whose files this one was put; those that were replaced and earlier revisions stay on record.
pub async fn save_with_file(
    connection: &mut PgConnection,
    edition: &Edition,
    file: &EditionFile,
) -> Result<(), sqlx::Error> {
    let number = revision_file::store(connection, &edition.key, file).await?;
    let is_first = edition.files.first() == Some(file);
    save_prepared(connection, edition, is_first.then_some(number)).await?;
    let revision = (&edition.key, edition.revision);
    revision_file::put(connection, revision, &file.content.filename, number).await
}

/// Saves an edition in preparation from whose files the one of this name was taken.
pub async fn save_without_file(
    connection: &mut PgConnection,
    edition: &Edition,
    filename: &str,
) -> Result<(), sqlx::Error> {
    save_prepared(connection, edition, None).await?;
    revision_file::remove(connection, (&edition.key, edition.revision), filename).await
}

/// Saves what the files of an edition in preparation come to. Its first file has this number; `None` for one that was among the files
/// before.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn save_prepared(
    connection: &mut PgConnection,
    edition: &Edition,
    first: Option<i64>,
) -> Result<(), sqlx::Error> {
    let filename = edition.files.first().map(|file| file.content.filename.as_str());
    sqlx::query!(
        "INSERT INTO collections.edition (collection, period, state, file, sha256, uploaded_by, revision)
         SELECT $1, $2, $3, f.number, $4, f.uploaded_by, $5
         FROM collections.edition_file f
         WHERE f.number = coalesce($6, (
             SELECT r.file FROM collections.revision_file r
             WHERE r.collection = $1 AND r.period = $2 AND r.revision = $5 AND r.filename = $7))
         ON CONFLICT (collection, period) DO UPDATE
         SET state = EXCLUDED.state, file = EXCLUDED.file, sha256 = EXCLUDED.sha256, uploaded_by = EXCLUDED.uploaded_by,
             revision = EXCLUDED.revision, sealed_at = NULL, sealed_by = NULL, partly_released_at = NULL,
             partly_released_by = NULL, released_at = NULL, released_by = NULL, recalled_at = NULL, recalled_by = NULL,
             recall_reason = NULL",
        edition.key.collection,
        edition.key.period.to_string(),
        edition.state.word(),
        edition.files.sha256(),
        edition.revision,
        first,
        filename,
    )
    .execute(&mut *connection)
    .await?;
    save_terms(connection, edition).await
}

/// Saves how an edition in preparation is marked, and its embargo.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save_terms(connection: &mut PgConnection, edition: &Edition) -> Result<(), sqlx::Error> {
    let marked = edition.official_use.as_ref();
    sqlx::query!(
        "UPDATE collections.edition
         SET marking = $3, marking_copies = $4, marking_reason = $5, marking_expires_on = $6, embargo_until = $7
         WHERE collection = $1 AND period = $2",
        edition.key.collection,
        edition.key.period.to_string(),
        marking_word(marked),
        marked.map(|marked| marked.copies),
        marked.map(|marked| marked.reason.as_str()),
        marked.and_then(|marked| marked.expires_on).map(jiff_sqlx::Date::from) as _,
        edition.embargo_until.map(jiff_sqlx::Timestamp::from) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Saves where an edition with content stands, its seal, its release and its recall; the first release meets its due date.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(connection: &mut PgConnection, edition: &Edition) -> Result<(), sqlx::Error> {
    let (key, sealed, released) = (&edition.key, edition.sealed.as_ref(), edition.released.as_ref());
    let (part, recall) = (edition.partly_released.as_ref(), edition.recalled.as_ref());
    sqlx::query!(
        "UPDATE collections.edition
         SET state = $3, sealed_at = $4, sealed_by = $5, released_at = $6, released_by = $7,
             partly_released_at = $8, partly_released_by = $9, recalled_at = $10, recalled_by = $11, recall_reason = $12
         WHERE collection = $1 AND period = $2",
        key.collection,
        key.period.to_string(),
        edition.state.word(),
        sealed.map(|done| jiff_sqlx::Timestamp::from(done.at)) as _,
        sealed.map(|done| done.by.as_str()),
        released.map(|done| jiff_sqlx::Timestamp::from(done.at)) as _,
        released.map(|done| done.by.as_str()),
        part.map(|done| jiff_sqlx::Timestamp::from(done.at)) as _,
        part.map(|done| done.by.as_str()),
        recall.map(|recall| jiff_sqlx::Timestamp::from(recall.done.at)) as _,
        recall.map(|recall| recall.done.by.as_str()),
        recall.map(|recall| recall.reason.as_str()),
    )
    .execute(&mut *connection)
    .await?;
    match released {
        Some(done) => scheduled::meet(connection, &key.parent(), key.period, done.at).await,
        None => Ok(()),
    }
}
