//! The events that writes leave, read in the order of commits, for the change feed of a service.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use sqlx::PgPool;

/// A place in the order of events: after everything of earlier transactions, and within one by number. Written as
/// `{transaction}-{number}`; the default lies before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    transaction: u64,
    number: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transaction, self.number)
    }
}

impl FromStr for Position {
    type Err = ();

    /// Reads what was written; an empty text is the default.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let (transaction, number) = text.split_once('-').ok_or(())?;
        let position = Self {
            transaction: transaction.parse().map_err(drop)?,
            number: number.parse().map_err(drop)?,
        };
        (position.number >= 0).then_some(position).ok_or(())
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place.
    pub position: Position,
    /// When the write was made that left it.
    pub occurred_at: Timestamp,
    /// What happened, for example `edition.placed`.
    pub kind: String,
    /// To which resource.
    pub resource: String,
}

/// The first events after a place, at most `most`. Numbers are given out before commits: a reader that went by them alone
/// would pass over an event whose transaction takes longer. So nothing is told while an earlier transaction still runs.
///
/// Events of a database that was dumped and loaded into another server bear transactions which that server has not come to
/// yet. They count as earlier than all of its own; when it comes to them they are told once more.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn after(db: &PgPool, position: Position, most: i64) -> anyhow::Result<Vec<Event>> {
    let rows = sqlx::query!(
        r#"WITH running AS (
             SELECT pg_snapshot_xmin(snapshot) AS first, pg_snapshot_xmax(snapshot) AS next
             FROM pg_current_snapshot() AS snapshot
         ), event AS (
             SELECT CASE WHEN transaction < next THEN transaction ELSE '0'::xid8 END AS place, number, occurred_at, kind,
                 resource
             FROM outbox_event, running WHERE transaction < first OR transaction >= next
         )
         SELECT place::text AS "transaction!", number, occurred_at, kind, resource FROM event, running
         WHERE (place, number) > (CASE WHEN $1::text::xid8 < next THEN $1::text::xid8 ELSE '0'::xid8 END, $2)
         ORDER BY place, number LIMIT $3"#,
        position.transaction.to_string(),
        position.number,
        most,
    );
    let events = rows.fetch_all(db).await?.into_iter().map(|row| {
        Ok(Event {
            position: Position {
                transaction: row.transaction.parse()?,
                number: row.number,
            },
            occurred_at: row.occurred_at.to_jiff(),
            kind: row.kind,
            resource: row.resource,
        })
    });
    events.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let position = Position {
            transaction: 18_446_744_073_709_551_615,
            number: 7,
        };
        assert_eq!(position.to_string().parse(), Ok(position));
        assert_eq!("".parse(), Ok(Position::default()));
        for broken in ["7", "7-", "-7", "1-1-1", "a-1", "1--1", " 1-1"] {
            assert_eq!(broken.parse::<Position>(), Err(()), "{broken:?}");
        }
    }
}
