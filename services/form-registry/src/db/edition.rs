//! `forms.edition` with its revisions and placements, on top of what is scheduled: no row means that nothing was prepared.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    door::word::Word,
    due::{
        DueDate,
        scheduled::{self, Place},
    },
    period::ReportingPeriod,
};
use sqlx::PgConnection;

use super::{edition_key, embargo, placement, revision};
use crate::domain::{
    edition::{Edition, EditionState},
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
    met_at: Option<jiff_sqlx::Timestamp>,
    is_not_kept: bool,
    state: String,
    effective: Option<i32>,
}

impl TryFrom<Row> for Edition {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Self {
            key: edition_key(&row.parent, &row.period)?,
            state: EditionState::read_stored(&row.state, "state")?,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            met_at: row.met_at.map(|at| at.to_jiff()),
            is_not_kept: row.is_not_kept,
            effective: row.effective,
            revisions: Vec::new(),
            placements: Vec::new(),
            embargo: None,
        })
    }
}

/// Which editions to read.
#[derive(Debug, Default)]
pub struct Filter {
    pub parent: Option<String>,
    pub period: Option<String>,
    pub year: Option<i16>,
    /// Only in this state, as it is shown.
    pub state: Option<EditionState>,
    /// The editions of which only the dates are shown, so that they are scheduled whatever they are.
    pub hidden: Vec<EditionKey>,
    /// Only what is overdue at the instant of the question.
    pub is_overdue: bool,
    /// Only what is due on this day or later.
    pub due_from: Option<Date>,
    /// Only what is due on this day or earlier.
    pub due_to: Option<Date>,
    /// Only after this place in the order.
    pub after: Option<Place>,
}

/// One edition, as it stands at an instant.
pub async fn get(
    connection: &mut PgConnection,
    key: EditionKey,
    now: Timestamp,
) -> Result<Option<Edition>, sqlx::Error> {
    let filter = Filter {
        parent: Some(key.parent()),
        period: Some(key.period.to_string()),
        ..Filter::default()
    };
    Ok(list(connection, &filter, 1, now).await?.pop())
}

/// One edition, held against other writers until the transaction ends.
pub async fn locked(
    connection: &mut PgConnection,
    key: EditionKey,
    now: Timestamp,
) -> Result<Option<Edition>, sqlx::Error> {
    scheduled::lock(connection, &key.parent(), key.period).await?;
    get(connection, key, now).await
}

/// Editions in the order of the schedule.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    filter: &Filter,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Edition>, sqlx::Error> {
    let after = filter.after.as_ref();
    let hidden = filter.hidden.iter().map(|key| (key.parent(), key.period.to_string()));
    let (hidden_parents, hidden_periods): (Vec<String>, Vec<String>) = hidden.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.parent, s.period, s.due_date, s.due_time, s.provisional, s.assumed, s.calendar_version, s.met_at,
             coalesce((s.recorded_afterwards AND s.met_at <= $10) OR s.due_date < a.day, false) AS "is_not_kept!",
             coalesce(e.state, 'SCHEDULED') AS "state!", e.effective AS "effective?"
         FROM forms.scheduled s
         LEFT JOIN forms.edition e ON (e.parent, e.period) = (s.parent, s.period)
         LEFT JOIN (SELECT day FROM forms.answering_day ORDER BY number DESC LIMIT 1) a ON true
         WHERE s.binding
           AND ($1::text IS NULL OR s.parent = $1)
           AND ($2::text IS NULL OR s.period = $2)
           AND ($3::integer IS NULL OR extract(year FROM s.first_day) = $3)
           AND ($4::text IS NULL
                OR CASE WHEN (s.parent, s.period) IN (SELECT * FROM unnest($14::text[], $15::text[])) THEN 'SCHEDULED'
                        ELSE coalesce(e.state, 'SCHEDULED') END = $4)
           AND ($5::date IS NULL OR (s.due_date, s.position, s.parent, s.period) > ($5, $6, $7, $8))
           AND (NOT $11 OR ((s.met_at IS NULL OR s.met_at > $10) AND s.due_time <= $10
                            AND s.due_date >= coalesce(a.day, s.due_date)))
           AND ($12::date IS NULL OR s.due_date >= $12)
           AND ($13::date IS NULL OR s.due_date <= $13)
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
        jiff_sqlx::Timestamp::from(now) as _,
        filter.is_overdue,
        filter.due_from.map(jiff_sqlx::Date::from) as _,
        filter.due_to.map(jiff_sqlx::Date::from) as _,
        &hidden_parents,
        &hidden_periods,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    let mut editions: Vec<Edition> = rows.into_iter().map(Edition::try_from).collect::<Result<_, _>>()?;
    let keys: Vec<EditionKey> = editions
        .iter()
        .filter(|edition| edition.state != EditionState::Scheduled)
        .map(|edition| edition.key)
        .collect();
    let only = (editions.len() == 1).then(|| editions[0].key);
    let mut revisions = revision::of_each(connection, &keys).await?;
    let mut placements = placement::of_each(connection, &keys).await?;
    let mut embargoes = embargo::holding(connection, only, now).await?;
    for edition in &mut editions {
        edition.revisions = revisions.remove(&edition.key).unwrap_or_default();
        edition.placements = placements.remove(&edition.key).unwrap_or_default();
        edition.embargo = embargoes.remove(&edition.key);
    }
    Ok(editions)
}

/// Where editions stand, in the order asked.
pub async fn states_of(connection: &mut PgConnection, keys: &[EditionKey]) -> Result<Vec<EditionState>, sqlx::Error> {
    let places: Vec<_> = keys.iter().map(|key| (key.parent(), key.period.to_string())).collect();
    states_at(connection, places).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn states_at(
    connection: &mut PgConnection,
    places: Vec<(String, String)>,
) -> Result<Vec<EditionState>, sqlx::Error> {
    let (parents, periods): (Vec<String>, Vec<String>) = places.into_iter().unzip();
    let states = sqlx::query_scalar!(
        r#"SELECT coalesce(e.state, 'SCHEDULED') AS "state!"
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (parent, period, place)
         LEFT JOIN forms.edition e ON (e.parent, e.period) = (s.parent, s.period) ORDER BY s.place"#,
        &parents,
        &periods,
    );
    let states = states.fetch_all(connection).await?;
    states
        .iter()
        .map(|state| EditionState::read_stored(state, "state"))
        .collect()
}

/// The periods of a form for which something was prepared.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn periods_begun(connection: &mut PgConnection, form: i32) -> Result<HashSet<ReportingPeriod>, sqlx::Error> {
    let rows = sqlx::query!("SELECT parent, period FROM forms.edition WHERE form = $1", form);
    let rows = rows.fetch_all(connection).await?;
    let keys = rows.into_iter().map(|row| edition_key(&row.parent, &row.period));
    keys.map(|key| Ok(key?.period)).collect()
}

/// Saves where an edition stands, with its last revision.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(connection: &mut PgConnection, edition: &Edition) -> Result<(), sqlx::Error> {
    let Some(last) = edition.revisions.last() else {
        return Ok(());
    };
    sqlx::query!(
        "INSERT INTO forms.edition (form, period, state, revision, effective) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (form, period) DO UPDATE
         SET state = EXCLUDED.state, revision = EXCLUDED.revision, effective = EXCLUDED.effective",
        edition.key.form,
        edition.key.period.to_string(),
        edition.state.word(),
        last.number,
        edition.effective,
    )
    .execute(connection)
    .await?;
    Ok(())
}
