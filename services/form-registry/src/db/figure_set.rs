//! `forms.figure_set`: which revisions of which editions hold figures, and who may be served them.

use jiff::Timestamp;
use legalstat_kit::{call::Done, period::ReportingPeriod};
use sqlx::PgConnection;

use super::{canonical, edition_key};
use crate::domain::{
    key::{self, EditionKey},
    serving::{Held, Standing},
};

/// The figures of a form within some periods.
#[derive(Debug)]
pub struct Filter<'a> {
    pub form: i32,
    pub first: Option<ReportingPeriod>,
    pub last: Option<ReportingPeriod>,
    /// Only these periods.
    pub among: Option<&'a [String]>,
}

/// The figures that revisions hold, with where each stands, by period and revision.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn held(
    connection: &mut PgConnection,
    filter: &Filter<'_>,
    now: Timestamp,
) -> Result<Vec<Held>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT f.id, f.period, f.revision, f.sha256,
             r.sealed_at IS NOT NULL AS "sealed!",
             EXISTS (SELECT FROM forms.placement p
                     WHERE (p.form, p.period, p.revision) = (f.form, f.period, f.revision) AND p.effective_at <= $5) AS "placed!",
             EXISTS (SELECT FROM forms.withdrawal w
                     WHERE (w.form, w.period) = (f.form, f.period) AND w.revision >= f.revision) AS "withdrawn!",
             coalesce(r.restricted, false) AS "restricted!",
             coalesce(e.effective > f.revision, false) AS "superseded!"
         FROM forms.figure_set f
         LEFT JOIN forms.edition e ON (e.form, e.period) = (f.form, f.period)
         JOIN forms.scheduled s ON (s.parent, s.period) = (f.parent, f.period)
         JOIN forms.revision r ON (r.form, r.period, r.number) = (f.form, f.period, f.revision)
         WHERE f.form = $1
           AND ($2::date IS NULL OR s.first_day >= $2)
           AND ($3::date IS NULL OR s.last_day <= $3)
           AND ($4::text[] IS NULL OR f.period = ANY ($4))
         ORDER BY s.first_day, f.period, f.revision"#,
        filter.form,
        filter.first.map(|period| jiff_sqlx::Date::from(period.first_day())) as _,
        filter.last.map(|period| jiff_sqlx::Date::from(period.last_day())) as _,
        filter.among,
        jiff_sqlx::Timestamp::from(now) as _,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(Held {
            set: row.id,
            key: edition_key(&key::form(filter.form), &row.period)?,
            revision: row.revision,
            sha256: row.sha256,
            standing: Standing {
                sealed: row.sealed,
                placed: row.placed,
                // What is declared nil has no figures.
                nil: false,
                withdrawn: row.withdrawn,
                restricted: row.restricted,
                superseded: row.superseded,
            },
        })
    });
    rows.collect()
}

/// How many figures one statement drops: each ends well within the time that a statement has.
const DROPPED: i64 = 100_000;

/// Drops the figures that a revision holds; whether it held any.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn clear(connection: &mut PgConnection, key: EditionKey, revision: i32) -> Result<bool, sqlx::Error> {
    let Some(set) = canonical::figure_set(connection, key, revision).await? else {
        return Ok(false);
    };
    loop {
        let dropped = sqlx::query!(
            "DELETE FROM forms.observation
             WHERE ctid = ANY (ARRAY(SELECT o.ctid FROM forms.observation o WHERE o.figure_set = $1 LIMIT $2))",
            set,
            DROPPED,
        );
        if dropped.execute(&mut *connection).await?.rows_affected() == 0 {
            break;
        }
    }
    sqlx::query!("DELETE FROM forms.figure_set WHERE id = $1", set)
        .execute(connection)
        .await?;
    Ok(true)
}

/// Records that a revision holds figures; gives their number.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    (key, revision): (EditionKey, i32),
    rows: i64,
    sha256: &[u8; 32],
    by: &Done,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO forms.figure_set (form, period, revision, rows, sha256, imported_at, imported_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        key.form,
        key.period.to_string(),
        revision,
        rows,
        &sha256[..],
        jiff_sqlx::Timestamp::from(by.at) as _,
        by.by,
    )
    .fetch_one(connection)
    .await
}
