//! The table of due dates that moved: what was promised before, and what changed it.

use std::{collections::HashMap, fmt::Display};

use jiff::Timestamp;
use legalstat_proto::calendar::v1::{CalendarChangeKind, DueDateChange};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    door::{wire, word::Word},
    due::compare::Recomputed,
};

/// What moved due dates, as the table writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    ActRecorded,
    ActWithdrawn,
    RegistersLoaded,
    TermsChanged,
}

impl Word for Cause {
    const ALL: &'static [Self] = &[
        Self::ActRecorded,
        Self::ActWithdrawn,
        Self::RegistersLoaded,
        Self::TermsChanged,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::ActRecorded => "ACT_RECORDED",
            Self::ActWithdrawn => "ACT_WITHDRAWN",
            Self::RegistersLoaded => "REGISTERS_LOADED",
            Self::TermsChanged => "TERMS_CHANGED",
        }
    }
}

impl Cause {
    /// Those that the calendar tells of.
    pub const OF_CALENDAR: &'static [Self] = &[Self::ActRecorded, Self::ActWithdrawn, Self::RegistersLoaded];

    /// The same on the wire.
    pub fn kind(self) -> CalendarChangeKind {
        match self {
            Self::ActRecorded => CalendarChangeKind::ActRecorded,
            Self::ActWithdrawn => CalendarChangeKind::ActWithdrawn,
            Self::RegistersLoaded => CalendarChangeKind::RegistersLoaded,
            Self::TermsChanged => CalendarChangeKind::TermsChanged,
        }
    }
}

/// Why due dates move.
#[derive(Clone, Copy, Debug)]
pub(super) struct Why<'a> {
    pub cause: Cause,
    /// The act; empty when there is none.
    pub calendar_act: &'a str,
    /// The version that brought new terms, by its resource name; empty when the calendar changed.
    pub terms: &'a str,
    /// Why there are new terms.
    pub reason: &'a str,
}

/// Keeps what was promised before, for those whose date moved.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn record(
    connection: &mut PgConnection,
    now: Timestamp,
    why: Why<'_>,
    stored: &[&Recomputed],
) -> Result<(), sqlx::Error> {
    let moved: Vec<&&Recomputed> = stored.iter().filter(|item| item.moves()).collect();
    let dates = |date: fn(&Recomputed) -> jiff::civil::Date| -> Vec<jiff_sqlx::Date> {
        moved.iter().map(|item| date(item).into()).collect()
    };
    let texts =
        |text: fn(&Recomputed) -> &String| -> Vec<String> { moved.iter().map(|item| text(item).clone()).collect() };
    sqlx::query!(
        "INSERT INTO due_date_change
             (resource, changed_at, change, calendar_act, terms, reason, old_due_date, new_due_date,
              old_calendar_version, new_calendar_version)
         SELECT resource, $1, $2, $3, $4, $5, old_date, new_date, old_version, new_version
         FROM unnest($6::text[], $7::date[], $8::date[], $9::text[], $10::text[])
             AS moved (resource, old_date, new_date, old_version, new_version)",
        jiff_sqlx::Timestamp::from(now) as _,
        why.cause.word(),
        why.calendar_act,
        why.terms,
        why.reason,
        &texts(|item| &item.name),
        dates(|item| item.old.date) as _,
        dates(|item| item.new.date) as _,
        &texts(|item| &item.old.calendar_version),
        &texts(|item| &item.new.calendar_version),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How the due dates of these resources moved, by resource, each in order.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(
    executor: impl PgExecutor<'_>,
    resources: &[String],
) -> Result<HashMap<String, Vec<DueDateChange>>, sqlx::Error> {
    let mut moves: HashMap<String, Vec<DueDateChange>> = HashMap::new();
    if resources.is_empty() {
        return Ok(moves);
    }
    let rows = sqlx::query!(
        "SELECT resource, changed_at, change, calendar_act, terms, reason, old_due_date, new_due_date,
             old_calendar_version, new_calendar_version
         FROM due_date_change WHERE resource = ANY($1) ORDER BY number",
        resources,
    );
    for row in rows.fetch_all(executor).await? {
        let moved = DueDateChange {
            changed_at: Some(wire::to_timestamp(row.changed_at.to_jiff())),
            old_due_date: Some(wire::to_date(row.old_due_date.to_jiff())),
            new_due_date: Some(wire::to_date(row.new_due_date.to_jiff())),
            change: Cause::read_stored(&row.change, "change")?.kind().into(),
            calendar_act: row.calendar_act,
            terms: row.terms,
            reason: row.reason,
            old_calendar_version: row.old_calendar_version,
            new_calendar_version: row.new_calendar_version,
        };
        moves.entry(row.resource).or_default().push(moved);
    }
    Ok(moves)
}

/// How many times the due dates of these resources moved, by resource; those that never did are left out.
///
/// # Errors
/// When the database fails.
pub async fn counts(executor: impl PgExecutor<'_>, resources: &[String]) -> Result<HashMap<String, i64>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT resource, count(*) AS "count!" FROM due_date_change WHERE resource = ANY($1) GROUP BY resource"#,
        resources,
    );
    let rows = rows.fetch_all(executor).await?;
    Ok(rows.into_iter().map(|row| (row.resource, row.count)).collect())
}

/// How the due date of one resource moved, in order.
///
/// # Errors
/// When the database fails.
pub async fn of(executor: impl PgExecutor<'_>, resource: &impl Display) -> Result<Vec<DueDateChange>, sqlx::Error> {
    let name = resource.to_string();
    let mut moves = of_each(executor, std::slice::from_ref(&name)).await?;
    Ok(moves.remove(&name).unwrap_or_default())
}
