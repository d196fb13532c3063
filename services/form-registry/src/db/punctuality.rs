//! How a year's editions stand to their due dates, from `forms.scheduled` and `forms.edition`.

use jiff::Timestamp;
use legalstat_kit::due::DueDate;
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::punctuality::Standing;

/// Every edition of a year's periods, of one form or of all, of one period or of all.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_year(
    connection: &mut PgConnection,
    year: i16,
    parent: Option<&str>,
    period: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT s.parent AS "parent!", s.period AS "period!", s.due_date AS "due_date!", s.due_time AS "due_time!",
             s.provisional AS "provisional!", s.assumed AS "assumed!", s.calendar_version AS "calendar_version!", s.met_at,
             -- What was met otherwise than by a placement was met by the declaration, whatever its form names by now.
             (s.met_at IS NOT NULL
              AND NOT EXISTS (SELECT FROM forms.placement p
                              WHERE (p.form, p.period) = (e.form, e.period) AND p.effective_at = s.met_at)) AS "is_nil!",
             coalesce((s.recorded_afterwards AND s.met_at <= $4)
                      OR s.due_date < (SELECT a.day FROM forms.answering_day a ORDER BY a.number DESC LIMIT 1),
                      false) AS "is_not_kept!"
         FROM forms.scheduled s
         LEFT JOIN forms.edition e ON (e.parent, e.period) = (s.parent, s.period)
         WHERE s.binding AND extract(year FROM s.first_day) = $1::integer
           AND ($2::text IS NULL OR s.parent = $2)
           AND ($3::text IS NULL OR s.period = $3)"#,
        i32::from(year),
        parent,
        period,
        jiff_sqlx::Timestamp::from(now) as _,
    );
    let rows = rows.fetch_all(connection).await?;
    let rows = rows.into_iter().map(|row| {
        let key = edition_key(&row.parent, &row.period)?;
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Standing {
            key,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            met_at: row.met_at.map(jiff_sqlx::Timestamp::to_jiff),
            is_nil: row.is_nil,
            is_not_kept: row.is_not_kept,
        })
    });
    rows.collect()
}
