//! The table of a schedule: `scheduled`, one row for each duty and period.

use std::{collections::HashSet, fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use sqlx::PgConnection;

use crate::{
    door::word::unreadable,
    due::{DueDate, Terms, compare::Recomputed},
    period::ReportingPeriod,
};

/// What stands between the parent and the period in the name of what is scheduled.
const EDITIONS: &str = "/editions/";

/// One duty's due date for one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Whose duty it is, by its resource name.
    pub parent: String,
    /// The period.
    pub period: ReportingPeriod,
    /// When it is due.
    pub due: DueDate,
    /// How many times its due date moved.
    pub moves: i64,
    position: i32,
}

impl Scheduled {
    /// The name of what is due: `forms/1/editions/2019-M03`.
    pub fn name(&self) -> String {
        name(&self.parent, &self.period)
    }

    /// Where it stands in the order of the schedule.
    pub fn place(&self) -> Place {
        Place {
            due_date: self.due.date,
            position: self.position,
            parent: self.parent.clone(),
            period: self.period,
        }
    }
}

pub(super) fn name(parent: &str, period: &impl fmt::Display) -> String {
    format!("{parent}{EDITIONS}{period}")
}

fn period(stored: &str) -> Result<ReportingPeriod, sqlx::Error> {
    stored.parse().map_err(|_| unreadable("period", stored))
}

/// A place in the order of a schedule: by due date, then position and name of the parent, then period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// When it is due.
    pub due_date: Date,
    /// The parent's position.
    pub position: i32,
    /// The parent's name.
    pub parent: String,
    /// The period.
    pub period: ReportingPeriod,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.due_date, self.position, self.parent, self.period)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.split(' ').collect();
        let [due_date, position, parent, period] = parts[..] else {
            return Err(());
        };
        Ok(Self {
            due_date: due_date.parse().map_err(|_| ())?,
            position: position.parse().map_err(|_| ())?,
            parent: parent.to_owned(),
            period: period.parse().map_err(|_| ())?,
        })
    }
}

/// Which part of the schedule to read.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Only this parent's.
    pub parent: Option<&'a str>,
    /// Only periods of this year.
    pub year: Option<i16>,
    /// Only after this place in the order.
    pub after: Option<Place>,
}

/// The schedule in its order, at most `most` of it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    filter: &Filter<'_>,
    most: i64,
) -> Result<Vec<Scheduled>, sqlx::Error> {
    let after = filter.after.as_ref();
    let rows = sqlx::query!(
        r#"SELECT parent, period, position, due_date, due_time, provisional, assumed, calendar_version,
             (SELECT count(*) FROM due_date_change
              WHERE resource = (parent || '/editions/' || period) COLLATE "default") AS "moves!"
         FROM scheduled
         WHERE binding AND ($1::text IS NULL OR parent = $1)
           AND ($2::integer IS NULL OR extract(year FROM first_day) = $2)
           AND ($3::date IS NULL OR (due_date, position, parent, period) > ($3, $4, $5, $6))
         ORDER BY due_date, position, parent, period LIMIT $7"#,
        filter.parent,
        filter.year.map(i32::from),
        after.map(|after| jiff_sqlx::Date::from(after.due_date)) as _,
        after.map(|after| after.position),
        after.map(|after| after.parent.as_str()),
        after.map(|after| after.period.to_string()),
        most,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Scheduled {
            period: period(&row.period)?,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            moves: row.moves,
            position: row.position,
            parent: row.parent,
        })
    });
    rows.collect()
}

/// Holds the row of one duty and period against other writers until the transaction ends, its due date included. Read
/// what belongs to it afterwards: another may have changed it while this waited.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, parent: &str, period: ReportingPeriod) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT parent FROM scheduled WHERE parent = $1 AND period = $2 FOR UPDATE",
        parent,
        period.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(())
}

/// Holds every row of a parent as [`lock`] does one. Read afterwards what was begun of them.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_all(connection: &mut PgConnection, parent: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT period FROM scheduled WHERE parent = $1 ORDER BY period FOR UPDATE",
        parent
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Records when a duty was met for a period; from then on its due date never moves. The first time counts. It may lie ahead,
/// where what meets the duty is out only then, and counts from then on. What was due before the day from which the service
/// answers is marked as recorded afterwards.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn meet(
    connection: &mut PgConnection,
    parent: &str,
    period: ReportingPeriod,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE scheduled
         SET met_at = $3,
             recorded_afterwards
                 = coalesce(due_date < (SELECT day FROM answering_day ORDER BY number DESC LIMIT 1), false)
         WHERE parent = $1 AND period = $2 AND met_at IS NULL",
        parent,
        period.to_string(),
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every parent and period that has a row, binding or not.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn known(connection: &mut PgConnection) -> Result<HashSet<(String, ReportingPeriod)>, sqlx::Error> {
    let rows = sqlx::query!("SELECT parent, period FROM scheduled")
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| Ok((row.parent, period(&row.period)?)))
        .collect()
}

/// A row that is not there yet.
pub(super) struct New {
    parent: String,
    position: i32,
    period: ReportingPeriod,
    due: DueDate,
    binding: bool,
}

impl New {
    /// A period that falls due by these terms; `None` when none of them has it.
    pub fn of(terms: &Terms, period: ReportingPeriod, due: DueDate) -> Option<Self> {
        let duty = terms.governing(period)?;
        Some(Self {
            parent: duty.parent.clone(),
            position: duty.position,
            period,
            binding: terms.binds(period, due.date),
            due,
        })
    }

    /// The version of the calendar that computed its due date.
    pub fn calendar_version(&self) -> &str {
        &self.due.calendar_version
    }
}

/// Stores due dates of periods that have no row yet; a row that is there stays as it is.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_missing(connection: &mut PgConnection, rows: &[New]) -> Result<(), sqlx::Error> {
    let due: Vec<&DueDate> = rows.iter().map(|row| &row.due).collect();
    let days = |day: fn(ReportingPeriod) -> Date| -> Vec<jiff_sqlx::Date> {
        rows.iter().map(|row| day(row.period).into()).collect()
    };
    let inserted = sqlx::query!(
        "INSERT INTO scheduled
             (parent, position, binding, period, first_day, last_day, due_date, due_time, provisional, assumed,
              calendar_version)
         SELECT * FROM unnest($1::text[], $2::integer[], $3::boolean[], $4::text[], $5::date[], $6::date[], $7::date[],
                              $8::timestamptz[], $9::boolean[], $10::boolean[], $11::text[])
         ON CONFLICT DO NOTHING",
        &rows.iter().map(|row| row.parent.clone()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.position).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.binding).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.period.to_string()).collect::<Vec<_>>(),
        days(ReportingPeriod::first_day) as _,
        days(ReportingPeriod::last_day) as _,
        dates(&due) as _,
        times(&due) as _,
        &flags(&due, |due| due.provisional),
        &flags(&due, |due| due.assumed),
        &versions(&due),
    );
    inserted.execute(connection).await?;
    Ok(())
}

/// A row of one parent, binding or not.
pub(super) struct Row {
    pub period: ReportingPeriod,
    pub due: DueDate,
    pub binding: bool,
    pub is_met: bool,
}

/// Every row of a parent, held against other writers until the transaction ends.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn rows_of(connection: &mut PgConnection, parent: &str) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT period, due_date, due_time, provisional, assumed, calendar_version, binding,
             met_at IS NOT NULL AS "is_met!"
         FROM scheduled WHERE parent = $1 ORDER BY period FOR UPDATE"#,
        parent,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Row {
            period: period(&row.period)?,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            binding: row.binding,
            is_met: row.is_met,
        })
    });
    rows.collect()
}

/// Stores due dates of a parent, and whether they bind, for periods that are not met.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn update(
    connection: &mut PgConnection,
    parent: &str,
    rows: &[(ReportingPeriod, DueDate, bool)],
) -> Result<(), sqlx::Error> {
    let due: Vec<&DueDate> = rows.iter().map(|(_, due, _)| due).collect();
    let updated = sqlx::query!(
        "UPDATE scheduled s
         SET due_date = n.due_date, due_time = n.due_time, provisional = n.provisional, assumed = n.assumed,
             calendar_version = n.calendar_version, binding = n.binding
         FROM unnest($2::text[], $3::date[], $4::timestamptz[], $5::boolean[], $6::boolean[], $7::text[], $8::boolean[])
             AS n (period, due_date, due_time, provisional, assumed, calendar_version, binding)
         WHERE s.parent = $1 AND s.period = n.period AND s.met_at IS NULL",
        parent,
        &rows.iter().map(|(period, _, _)| period.to_string()).collect::<Vec<_>>(),
        dates(&due) as _,
        times(&due) as _,
        &flags(&due, |due| due.provisional),
        &flags(&due, |due| due.assumed),
        &versions(&due),
        &rows.iter().map(|(_, _, binding)| *binding).collect::<Vec<_>>(),
    );
    updated.execute(connection).await?;
    Ok(())
}

/// An open due date as it is stored.
pub(super) struct Open {
    pub parent: String,
    pub period: ReportingPeriod,
    pub due: DueDate,
}

impl Open {
    pub fn name(&self) -> String {
        name(&self.parent, &self.period)
    }
}

/// The due dates that are not met, after the one of this name, by parent and period.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn open(
    connection: &mut PgConnection,
    after: Option<&str>,
    most: i64,
) -> Result<Vec<Open>, sqlx::Error> {
    let after = after.and_then(|name| name.rsplit_once(EDITIONS));
    let rows = sqlx::query!(
        "SELECT parent, period, due_date, due_time, provisional, assumed, calendar_version FROM scheduled
         WHERE binding AND met_at IS NULL AND ($1::text IS NULL OR (parent, period) > ($1, $2))
         ORDER BY parent, period LIMIT $3",
        after.map(|(parent, _)| parent),
        after.map(|(_, period)| period),
        most,
    );
    let open = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (date, time, version) = (row.due_date, row.due_time, row.calendar_version);
        Ok(Open {
            period: period(&row.period)?,
            due: DueDate::of_row(date, time, row.provisional, row.assumed, version),
            parent: row.parent,
        })
    });
    open.collect()
}

/// Stores recomputed due dates that are still open and were not computed anew meanwhile, and answers which.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn store(
    connection: &mut PgConnection,
    recomputed: &[Recomputed],
) -> Result<Vec<String>, sqlx::Error> {
    let new: Vec<&DueDate> = recomputed.iter().map(|item| &item.new).collect();
    let old: Vec<&DueDate> = recomputed.iter().map(|item| &item.old).collect();
    let keys = recomputed.iter().filter_map(|item| item.name.rsplit_once(EDITIONS));
    let (parents, periods): (Vec<String>, Vec<String>) = keys.map(|(one, other)| (one.into(), other.into())).unzip();
    let rows = sqlx::query!(
        r#"UPDATE scheduled s
         SET due_date = n.due_date, due_time = n.due_time, provisional = n.provisional, assumed = n.assumed,
             calendar_version = n.calendar_version
         FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::timestamptz[], $6::boolean[], $7::boolean[],
                     $8::text[])
             AS n (parent, period, old_calendar_version, due_date, due_time, provisional, assumed, calendar_version)
         WHERE (s.parent, s.period) = (n.parent, n.period) AND s.met_at IS NULL
           AND s.calendar_version = n.old_calendar_version
         RETURNING s.parent AS "parent!", s.period AS "period!""#,
        &parents,
        &periods,
        &versions(&old),
        dates(&new) as _,
        times(&new) as _,
        &flags(&new, |due| due.provisional),
        &flags(&new, |due| due.assumed),
        &versions(&new),
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| name(&row.parent, &row.period)).collect())
}

fn dates(due: &[&DueDate]) -> Vec<jiff_sqlx::Date> {
    due.iter().map(|due| due.date.into()).collect()
}

fn times(due: &[&DueDate]) -> Vec<jiff_sqlx::Timestamp> {
    due.iter().map(|due| due.time.into()).collect()
}

fn flags(due: &[&DueDate], flag: fn(&DueDate) -> bool) -> Vec<bool> {
    due.iter().map(|due| flag(due)).collect()
}

fn versions(due: &[&DueDate]) -> Vec<String> {
    due.iter().map(|due| due.calendar_version.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_schedule_is_read_as_it_is_written() {
        let text = "2025-01-05 1 forms/1 2024-M12";
        let place: Place = text.parse().expect("a place");
        assert_eq!((place.position, place.parent.as_str()), (1, "forms/1"));
        assert_eq!(place.to_string(), text);
        for other in [
            "2025-01-05",
            "2025-01-05 1 forms/1",
            "2025-01-05 1 forms/1 2024-M12 x",
            "x 1 forms/1 2024-M12",
        ] {
            assert_eq!(other.parse::<Place>(), Err(()), "{other}");
        }
    }
}
