//! How a year's editions stand to their due dates, from `forms.scheduled` and `forms.edition`.

use std::collections::HashMap;

use jiff::Timestamp;
use legalstat_kit::{door::word::Word, due::DueDate};
use sqlx::PgConnection;

use super::{edition_key, form};
use crate::domain::{edition::Channel, history::History, punctuality::Standing};

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
             ARRAY(SELECT DISTINCT p.channel FROM forms.placement p
                   WHERE (p.form, p.period) = (e.form, e.period)) AS "placed!",
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
    let rows = rows.fetch_all(&mut *connection).await?;
    let histories = form::histories(connection, None).await?;
    let histories = histories
        .iter()
        .map(|history| (history.last().form.list_number, history));
    let histories: HashMap<i32, &History> = histories.collect();
    let rows = rows.into_iter().map(|row| {
        let key = edition_key(&row.parent, &row.period)?;
        let governing = histories
            .get(&key.form)
            .and_then(|history| history.governing(key.period));
        let of_duty = governing
            .map(|version| version.form.channels_of_duty())
            .unwrap_or_default();
        let is_placed = |channel: &Channel| row.placed.iter().any(|placed| placed == channel.word());
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Standing {
            key,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            met_at: row.met_at.map(jiff_sqlx::Timestamp::to_jiff),
            // What was met otherwise than by its placements was met by the declaration.
            is_nil: row.met_at.is_some() && !of_duty.iter().all(is_placed),
            is_not_kept: row.is_not_kept,
        })
    });
    rows.collect()
}
