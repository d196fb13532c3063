//! The table of the days from which a service answers for what falls due: `answering_day`. The last one set counts; what was due
//! before it is not kept.

use std::ops::RangeInclusive;

use jiff::{Timestamp, civil::Date};
use sqlx::PgConnection;

use super::schedule::YEARS;
use crate::{Error, Refusal, call::Done, zone};

/// Why the day is what it is until somebody sets one.
const LOADED: &str = "the schedule was first loaded";
/// Who sets it then.
const LOADER: &str = "jobs/schedule";

/// A day from which a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweringDay {
    /// How many days were set up to this one; tells states apart.
    pub number: i32,
    /// What is due on this day is kept.
    pub day: Date,
    /// Why this day.
    pub reason: String,
    /// When it was set, and by whom.
    pub set: Done,
}

/// The days that were set, the latest first, at most `most`.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn history(connection: &mut PgConnection, most: i64) -> Result<Vec<AnsweringDay>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT number, day, reason, set_at, set_by FROM answering_day ORDER BY number DESC LIMIT $1",
        most,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| AnsweringDay {
        number: row.number,
        day: row.day.to_jiff(),
        reason: row.reason,
        set: Done {
            at: row.set_at.to_jiff(),
            by: row.set_by,
        },
    });
    Ok(rows.collect())
}

/// The day from which the service answers; `None` before anything was scheduled.
///
/// # Errors
/// When the database fails.
pub async fn day(connection: &mut PgConnection) -> Result<Option<Date>, sqlx::Error> {
    Ok(history(connection, 1).await?.first().map(|found| found.day))
}

/// The years of which periods can be due by a day and are answered for: the year before the first day too, whose last periods fall due in
/// the next; `None` before anything was scheduled.
///
/// # Errors
/// When the database fails.
pub async fn years(connection: &mut PgConnection, today: Date) -> Result<Option<RangeInclusive<i16>>, sqlx::Error> {
    let day = day(connection).await?;
    Ok(day.map(|day| (day.year() - 1).max(*YEARS.start())..=today.year().min(*YEARS.end())))
}

/// A day that is to be set.
pub struct NewDay {
    /// What is due on it will be kept.
    pub day: Date,
    /// Why this day.
    pub reason: String,
    /// When it is set, and by whom.
    pub set: Done,
    /// The number of the last day that the caller knows; empty where it does not matter.
    pub etag: String,
}

/// Sets the day, unless the last one was set for the same reason already. Gives whether it was, and then the days as [`history`] does.
///
/// # Errors
/// ETAG_MISMATCH about `name` when another day was set than the one that the caller knows, or is being set; or the database fails.
pub async fn set(
    connection: &mut PgConnection,
    name: &str,
    new: NewDay,
    most: i64,
) -> Result<(bool, Vec<AnsweringDay>), Error> {
    let mut history = history(connection, most).await?;
    let number = history.first().map_or(0, |last| last.number);
    if !new.etag.is_empty() && new.etag != number.to_string() {
        return Err(Refusal::changed(name).into());
    }
    let is_same = |last: &AnsweringDay| last.day == new.day && last.reason == new.reason;
    if history.first().is_some_and(is_same) {
        return Ok((true, history));
    }
    let set = AnsweringDay {
        number: number + 1,
        day: new.day,
        reason: new.reason,
        set: new.set,
    };
    if !insert(connection, &set).await? {
        return Err(Refusal::changed(name).into());
    }
    history.insert(0, set);
    history.truncate(usize::try_from(most).unwrap_or_default());
    Ok((false, history))
}

/// Stores a day; answers whether it did, which is not so when another has set one of this number meanwhile.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert(connection: &mut PgConnection, set: &AnsweringDay) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO answering_day (number, day, reason, set_at, set_by) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        set.number,
        jiff_sqlx::Date::from(set.day) as _,
        set.reason,
        jiff_sqlx::Timestamp::from(set.set.at) as _,
        set.set.by,
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}

/// Stores the day on which the schedule was first loaded, unless there is a day; answers whether it did. An earlier release
/// may have loaded it: then the journal tells when.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_default(connection: &mut PgConnection, now: Timestamp) -> Result<bool, sqlx::Error> {
    if !history(connection, 1).await?.is_empty() {
        return Ok(false);
    }
    let loaded = sqlx::query_scalar!("SELECT min(recorded_at) FROM journal_entry WHERE method = $1", LOADER);
    let loaded = loaded.fetch_one(&mut *connection).await?;
    let at = loaded.map_or(now, jiff_sqlx::Timestamp::to_jiff);
    let day = AnsweringDay {
        number: 1,
        day: zone::civil_day(at),
        reason: LOADED.into(),
        set: Done { at, by: LOADER.into() },
    };
    insert(connection, &day).await
}
