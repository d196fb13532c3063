//! Events as they are read from the outbox. All SQL of the feed stands here.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use sqlx::PgConnection;

use super::token::Position;

/// Something that a write told, as it stands in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    number: i64,
    /// What happened, for example `edition.placed`.
    pub kind: String,
    /// To which resource.
    pub resource: String,
    /// What the event tells besides, in the service's own notation.
    pub told: Option<String>,
    /// When, by the clock of the service that did it.
    pub occurred_at: Timestamp,
}

impl Event {
    /// Its number in the outbox. Of two events of one resource, whose writes wait for each other, the later has the greater.
    pub const fn number(&self) -> i64 {
        self.number
    }

    pub(super) fn position(&self) -> Position {
        Position::behind(self.number, &self.kind, &self.resource, self.occurred_at)
    }
}

struct Row {
    number: i64,
    kind: String,
    resource: String,
    told: Option<String>,
    occurred_at: jiff_sqlx::Timestamp,
}

impl From<Row> for Arc<Event> {
    fn from(row: Row) -> Self {
        Self::new(Event {
            number: row.number,
            kind: row.kind,
            resource: row.resource,
            told: row.told,
            occurred_at: row.occurred_at.to_jiff(),
        })
    }
}

/// How far the outbox goes.
pub(super) struct Look {
    /// The greatest number that is committed.
    pub(super) newest: i64,
    /// The transactions under way that may have drawn a smaller number; asked for only when `newest` is beyond what is settled.
    pub(super) writers: HashSet<String>,
}

/// Looks how far the outbox goes beyond `settled`.
///
/// Who writes an event holds this lock on the table before it draws a number, and until it has ended. So whoever drew a smaller
/// number than one that is seen committed here either holds the lock when the locks are listed, which is after the snapshot
/// of this statement, or has ended, and the next statement sees what it wrote. Transactions that write no event keep nobody
/// waiting, however long they last; `pg_snapshot_xmin` would wait for all of the whole server.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn look(connection: &mut PgConnection, settled: i64) -> Result<Look, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT coalesce(newest, 0) AS "newest!",
             CASE WHEN newest > $1 THEN ARRAY(
                 SELECT virtualtransaction FROM pg_locks
                 WHERE locktype = 'relation' AND relation = 'outbox_event'::regclass AND mode = 'RowExclusiveLock'
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
             ELSE '{}' END AS "writers!"
         FROM (SELECT max(number) AS newest FROM outbox_event) AS outbox"#,
        settled,
    )
    .fetch_one(connection)
    .await?;
    Ok(Look {
        newest: row.newest,
        writers: row.writers.into_iter().collect(),
    })
}

/// The first events after one number and up to another.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn first(
    connection: &mut PgConnection,
    after: i64,
    until: i64,
    most: usize,
) -> Result<Vec<Arc<Event>>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT number, kind, resource, told, occurred_at FROM outbox_event
         WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3",
        after,
        until,
        i64::try_from(most).unwrap_or(i64::MAX),
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(Into::into).collect())
}

/// The last events after one number and up to another, in order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn last(
    connection: &mut PgConnection,
    after: i64,
    until: i64,
    most: usize,
) -> Result<Vec<Arc<Event>>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT number, kind, resource, told, occurred_at FROM outbox_event
         WHERE number > $1 AND number <= $2 ORDER BY number DESC LIMIT $3",
        after,
        until,
        i64::try_from(most).unwrap_or(i64::MAX),
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().rev().map(Into::into).collect())
}

/// Whether the outbox holds the event of a position.
pub(super) async fn is_held(connection: &mut PgConnection, position: Position) -> Result<bool, sqlx::Error> {
    let held = first(connection, position.number - 1, position.number, 1).await?;
    Ok(position == Position::BEGINNING || held.first().is_some_and(|event| event.position() == position))
}

/// The newest events, for all who have nearly caught up.
#[derive(Default)]
pub(super) struct Recent {
    /// Everything behind this number is held.
    after: i64,
    events: VecDeque<Arc<Event>>,
}

impl Recent {
    /// How many are held.
    pub(super) const MOST: usize = 1000;

    /// Adds the [`last`] of at most [`MOST`](Self::MOST) that were read after a number.
    pub(super) fn add(&mut self, after: i64, read: Vec<Arc<Event>>) {
        if self.events.is_empty() {
            self.after = after;
        }
        if read.len() == Self::MOST {
            self.events.clear();
            self.after = read[0].number - 1;
        }
        self.events.extend(read);
        while self.events.len() > Self::MOST
            && let Some(oldest) = self.events.pop_front()
        {
            self.after = oldest.number;
        }
    }

    /// The first events behind a number; `None` when some of them are not held any more.
    pub(super) fn first(&self, after: i64, most: usize) -> Option<Vec<Arc<Event>>> {
        let held = after >= self.after;
        let begin = self.events.partition_point(|event| event.number <= after);
        held.then(|| self.events.iter().skip(begin).take(most).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(numbers: std::ops::RangeInclusive<i64>) -> Vec<Arc<Event>> {
        let event = |number| Event {
            number,
            kind: "edition.placed".into(),
            resource: "forms/1".into(),
            told: None,
            occurred_at: Timestamp::UNIX_EPOCH,
        };
        numbers.map(|number| Arc::new(event(number))).collect()
    }

    fn numbers(recent: &Recent, after: i64, most: usize) -> Option<Vec<i64>> {
        let first = recent.first(after, most)?;
        Some(first.iter().map(|event| event.number).collect())
    }

    #[test]
    fn what_is_not_held_any_more_is_not_passed_over() {
        let mut recent = Recent::default();
        recent.add(10, events(11..=13));
        assert_eq!(numbers(&recent, 9, 10), None, "it was not read");
        assert_eq!(numbers(&recent, 10, 2), Some(vec![11, 12]));
        assert_eq!(numbers(&recent, 13, 2), Some(vec![]));
        recent.add(13, events(15..=1010));
        assert_eq!(numbers(&recent, 10, 1), Some(vec![11]), "999 are held");
        recent.add(1010, events(1011..=1013));
        assert_eq!(numbers(&recent, 11, 1), None, "only a thousand are held");
        assert_eq!(numbers(&recent, 12, 2), Some(vec![13, 15]));
    }

    #[test]
    fn a_leap_leaves_no_gap() {
        let mut recent = Recent::default();
        recent.add(0, events(1..=5));
        recent.add(5, events(2001..=3000));
        assert_eq!(numbers(&recent, 5, 1), None, "6 to 2000 were not read");
        assert_eq!(numbers(&recent, 2000, 1), Some(vec![2001]));
        assert_eq!(numbers(&recent, 2999, 9), Some(vec![3000]));
    }
}
