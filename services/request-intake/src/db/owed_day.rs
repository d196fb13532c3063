//! By which day requests are to be given back or forwarded, as it was computed.

use jiff::Timestamp;
use legalstat_kit::door::word::{Word, unreadable};
use sqlx::PgConnection;
use uuid::Uuid;

use super::explanation;
use crate::domain::{
    evidence::Deadline,
    owed::{Owed, OwedKind},
};

/// A day that is kept.
pub struct Kept {
    pub owed: Owed,
    /// Without steps.
    pub deadline: Deadline,
    /// The digest of the steps.
    pub explanation: [u8; 32],
}

struct Row {
    owed: String,
    counted_from: Option<jiff_sqlx::Date>,
    registered_on: jiff_sqlx::Date,
    due_date: jiff_sqlx::Date,
    due_time: jiff_sqlx::Timestamp,
    provisional: bool,
    assumed: bool,
    calendar_version: String,
    term: String,
    explanation: Vec<u8>,
}

impl TryFrom<Row> for Kept {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let counted_from = row.counted_from.map(jiff_sqlx::Date::to_jiff);
        let owed = match (OwedKind::read_stored(&row.owed, "owed")?, counted_from) {
            (OwedKind::Return, Some(day)) => Owed::Return(day),
            // That a return has its day is a constraint of the table.
            (OwedKind::Return, None) => return Err(unreadable("counted_from", "no day")),
            (OwedKind::Forwarding, _) => Owed::Forwarding,
        };
        Ok(Self {
            owed,
            deadline: Deadline {
                registered_on: row.registered_on.to_jiff(),
                due_date: row.due_date.to_jiff(),
                due_time: row.due_time.to_jiff(),
                provisional: row.provisional,
                assumed: row.assumed,
                calendar_version: row.calendar_version,
                term: row.term,
                steps: Default::default(),
            },
            explanation: row
                .explanation
                .try_into()
                .map_err(|_| unreadable("explanation", "no digest"))?,
        })
    }
}

/// What is kept of a request as it stands; none when nothing was computed yet, its term has no such time, or the request, the rules or
/// the calendar have changed since.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn get(connection: &mut PgConnection, request: Uuid) -> Result<Option<Kept>, sqlx::Error> {
    // That who has one of them has all is a constraint of the table.
    let row = sqlx::query_as!(
        Row,
        r#"SELECT o.owed AS "owed!", o.counted_from AS "counted_from: jiff_sqlx::Date",
             o.registered_on AS "registered_on!: jiff_sqlx::Date", o.due_date AS "due_date!: jiff_sqlx::Date",
             o.due_time AS "due_time!: jiff_sqlx::Timestamp", o.provisional AS "provisional!", o.assumed AS "assumed!",
             o.calendar_version AS "calendar_version!", o.term AS "term!", o.explanation AS "explanation!"
         FROM requests.owed_day o JOIN requests.request r ON r.id = o.request AND r.version = o.version
         WHERE o.request = $1 AND o.due_date IS NOT NULL
           AND o.rules_revision = (SELECT revision FROM requests.rule_revision)
           AND o.followed IS NOT DISTINCT FROM (SELECT known_from FROM requests.calendar_following)"#,
        request,
    );
    row.fetch_optional(connection).await?.map(Kept::try_from).transpose()
}

/// The requests after one, by id, of which something may be owed and nothing is kept, or what is kept was computed before the request, the
/// rules or the calendar changed.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn outdated(connection: &mut PgConnection, after: Option<Uuid>, most: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT r.id FROM requests.request r LEFT JOIN requests.owed_day o ON o.request = r.id
         WHERE (r.state = 'AWAITING_CLARIFICATION'
                OR r.reports_crime_or_threat AND r.state IN ('RECEIVED', 'REGISTERED', 'IN_PREPARATION'))
           AND (o.request IS NULL OR o.version <> r.version
                OR o.rules_revision <> (SELECT revision FROM requests.rule_revision)
                OR o.followed IS DISTINCT FROM (SELECT known_from FROM requests.calendar_following))
           AND ($1::uuid IS NULL OR r.id > $1)
         ORDER BY r.id LIMIT $2",
        after,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Which act of the calendar the service has taken up last.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn followed(connection: &mut PgConnection) -> Result<Option<Timestamp>, sqlx::Error> {
    let followed = sqlx::query_scalar!(
        r#"SELECT known_from AS "known_from: jiff_sqlx::Timestamp" FROM requests.calendar_following"#
    );
    let followed = followed.fetch_one(connection).await?;
    Ok(followed.map(jiff_sqlx::Timestamp::to_jiff))
}

/// What was computed of a request.
pub struct Computed {
    pub request: Uuid,
    /// As of which version of it and which revision of the rules.
    pub version: i32,
    pub rules_revision: i64,
    /// After which act of the calendar.
    pub followed: Option<Timestamp>,
    pub owed: Option<Owed>,
    /// None when its term has no such time.
    pub deadline: Option<Deadline>,
}

/// Keeps these requests from being changed until the transaction ends, and tells which: not those that somebody is changing. That is
/// done before explanations are stored, as whoever decides about a request does, so that neither waits for the other in a circle.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, requests: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM requests.request WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE SKIP LOCKED",
        requests,
    )
    .fetch_all(connection)
    .await
}

/// Stores what was computed, with its explanations. Whoever stores several gives them in the order of their requests, so that none waits
/// for another in a circle.
///
/// # Errors
/// When the database fails.
pub async fn store(connection: &mut PgConnection, computed: &[Computed]) -> Result<(), sqlx::Error> {
    let steps = computed.iter().filter_map(|computed| computed.deadline.as_ref());
    let mut explained: Vec<_> = steps
        .map(|deadline| (explanation::digest(&deadline.steps), &deadline.steps))
        .collect();
    // In the order in which submissions store them: neither waits for the other in a circle.
    explained.sort_unstable_by_key(|(sha256, _)| *sha256);
    explained.dedup_by_key(|(sha256, _)| *sha256);
    for (sha256, steps) in explained {
        explanation::insert(connection, &sha256, steps).await?;
    }
    for computed in computed {
        insert(connection, computed).await?;
    }
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert(connection: &mut PgConnection, computed: &Computed) -> Result<(), sqlx::Error> {
    let deadline = computed.deadline.as_ref();
    let explanation = deadline.map(|deadline| explanation::digest(&deadline.steps));
    sqlx::query!(
        "INSERT INTO requests.owed_day
             (request, owed, counted_from, registered_on, due_date, due_time, provisional, assumed, calendar_version, term,
              explanation, version, rules_revision, followed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT ON CONSTRAINT owed_day_key DO UPDATE SET
             owed = $2, counted_from = $3, registered_on = $4, due_date = $5, due_time = $6, provisional = $7, assumed = $8,
             calendar_version = $9, term = $10, explanation = $11, version = $12, rules_revision = $13, followed = $14",
        computed.request,
        computed.owed.map(|owed| owed.kind().word()),
        computed.owed.and_then(Owed::cure_by).map(jiff_sqlx::Date::from) as _,
        deadline.map(|deadline| jiff_sqlx::Date::from(deadline.registered_on)) as _,
        deadline.map(|deadline| jiff_sqlx::Date::from(deadline.due_date)) as _,
        deadline.map(|deadline| jiff_sqlx::Timestamp::from(deadline.due_time)) as _,
        deadline.map(|deadline| deadline.provisional),
        deadline.map(|deadline| deadline.assumed),
        deadline.map(|deadline| deadline.calendar_version.as_str()),
        deadline.map(|deadline| deadline.term.as_str()),
        explanation.as_ref().map(<[u8; 32]>::as_slice),
        computed.version,
        computed.rules_revision,
        computed.followed.map(jiff_sqlx::Timestamp::from) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
