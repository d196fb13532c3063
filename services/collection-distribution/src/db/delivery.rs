//! `collections.delivery` and `collections.delivery_attempt`. Who writes a delivery holds its copy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use legalstat_kit::door::word::Word;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{copy::columns, edition_key};
use crate::domain::{
    delivery::{Address, Attempt, Delivery, Ended, Outcome},
    key::CopyKey,
};

mod beginning;

pub use beginning::{begin, begin_anew, begin_recall, begin_recalls, begin_waiting};

/// The delivery that a row beside its copy tells of.
pub(super) fn of_row(
    id: Option<Uuid>,
    (attempts, spared): (Option<i32>, Option<i32>),
    received_bytes: Option<i64>,
    (next_attempt_at, fence): (Option<jiff_sqlx::Timestamp>, Option<i64>),
    last_outcome: Option<&str>,
) -> Result<Option<Delivery>, sqlx::Error> {
    let Some((id, attempts)) = id.zip(attempts) else {
        return Ok(None);
    };
    let last_outcome = last_outcome.map(|word| Outcome::read_stored(word, "last_outcome"));
    Ok(Some(Delivery {
        id,
        attempts,
        spared: spared.unwrap_or_default(),
        received_bytes: received_bytes.unwrap_or_default(),
        next_attempt_at: next_attempt_at.map(jiff_sqlx::Timestamp::to_jiff),
        fence,
        last_outcome: last_outcome.transpose()?,
    }))
}

/// Ends the deliveries of copies whose last word is said; what an attempt under way comes to changes nothing any more.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn end(connection: &mut PgConnection, keys: &[CopyKey]) -> Result<(), sqlx::Error> {
    let (collections, periods, numbers) = columns(keys.iter());
    sqlx::query!(
        "UPDATE collections.delivery d
         SET next_attempt_at = NULL, fence = NULL, started_at = NULL, endpoint = NULL, claimed_until = NULL
         FROM UNNEST($1::text[], $2::text[], $3::integer[]) AS a (collection, period, number)
         WHERE (d.collection, d.period, d.copy_number) = (a.collection, a.period, a.number)
           AND (d.next_attempt_at IS NOT NULL OR d.fence IS NOT NULL)",
        &collections,
        &periods,
        &numbers,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The recipients for which deliveries are due, those for which one has been so longest first.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn due(connection: &mut PgConnection, now: Timestamp) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT r.id FROM collections.recipient r
         CROSS JOIN LATERAL (
             SELECT d.next_attempt_at FROM collections.delivery d
             WHERE d.recipient = r.id AND d.next_attempt_at <= $1 ORDER BY d.next_attempt_at LIMIT 1
         ) AS first
         ORDER BY first.next_attempt_at, r.id",
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .fetch_all(connection)
    .await
}

/// Has the statements that follow find rows by their keys, until [`as_usual`]. PostgreSQL plans them once, when the tables may still be small; read
/// from end to end they would take the longer the more copies there ever were.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn by_keys(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT set_config('enable_seqscan', 'off', true) AS a, set_config('enable_hashjoin', 'off', true) AS b,
             set_config('enable_mergejoin', 'off', true) AS c"#
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Has what follows in this transaction planned as the database is set up to.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn as_usual(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Not by pg_settings: that reads all the settings there are, which takes longer than what was done.
    sqlx::raw_sql("RESET enable_seqscan; RESET enable_hashjoin; RESET enable_mergejoin")
        .execute(connection)
        .await?;
    Ok(())
}

/// A delivery that this replica attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub key: CopyKey,
    pub recipient: String,
    /// Which claim it is: a result counts only while no other has followed.
    pub fence: i64,
    /// Which attempt it is, from 1, over all deliveries by hand.
    pub number: i32,
    pub started_at: Timestamp,
    pub address: Address,
    /// Whether the copy stood as it was issued.
    pub is_first: bool,
    /// Whether the copy was recalled, and that is told.
    pub is_recall: bool,
}

impl Claim {
    /// The id of the recipient whose server it is where the copy's own has ended.
    pub fn successor(&self) -> Option<String> {
        let holder = self.holder();
        (holder != self.recipient).then(|| holder.to_owned())
    }

    /// The id of the recipient whose server it is, and whose keys sign its receipt.
    pub fn holder(&self) -> &str {
        self.address.holder_or(&self.recipient)
    }
}

/// Claims due deliveries, so many of each recipient as are shared out to it, those due longest first, and sets their copies on the way, but for those that were
/// recalled, whose recall is told until it is confirmed.
/// The release before says the last word of copies without ending their deliveries: those are ended, and not claimed. What another replica holds is passed over. A claim lasts `lease` by the clock of the database.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn claim(
    connection: &mut PgConnection,
    shares: &BTreeMap<String, i32>,
    addresses: &BTreeMap<String, Address>,
    now: Timestamp,
    lease: std::time::Duration,
) -> Result<Vec<Claim>, sqlx::Error> {
    let address = |recipient: &String| addresses.get(recipient).cloned().unwrap_or_default();
    let rows = sqlx::query!(
        r#"WITH asked AS (
             SELECT * FROM UNNEST($1::text[], $2::integer[], $3::text[]) AS a (recipient, share, endpoint)
         ), due AS MATERIALIZED (
             SELECT d.*, a.endpoint FROM asked a CROSS JOIN LATERAL (
                 SELECT d.collection, d.period, d.copy_number, c.state, c.state = 'RECALLED' AND c.recall_confirmed_at IS NULL AS is_recall
                 FROM collections.delivery d
                 JOIN collections.copy c ON (c.collection, c.period, c.number) = (d.collection, d.period, d.copy_number)
                 WHERE d.recipient = a.recipient AND d.next_attempt_at <= $4
                 ORDER BY d.next_attempt_at LIMIT a.share
                 FOR UPDATE OF d, c SKIP LOCKED) AS d
         ), sent AS (
             UPDATE collections.copy c SET state = 'SENDING', status_at = $4, status_reason = NULL
             FROM due WHERE (c.collection, c.period, c.number) = (due.collection, due.period, due.copy_number) AND due.state = 'ISSUED'
         ), ended AS (
             UPDATE collections.delivery d SET next_attempt_at = NULL
             FROM due WHERE (d.collection, d.period, d.copy_number) = (due.collection, due.period, due.copy_number)
               AND due.state NOT IN ('ISSUED', 'SENDING') AND NOT due.is_recall
         )
         UPDATE collections.delivery d
         SET next_attempt_at = NULL, attempts = d.attempts + 1, attempts_ever = d.attempts_ever + 1,
             fence = nextval('collections.delivery_fence'), started_at = $4, endpoint = due.endpoint,
             claimed_until = clock_timestamp() + make_interval(secs => $5)
         FROM due WHERE (d.collection, d.period, d.copy_number) = (due.collection, due.period, due.copy_number)
           AND (due.state IN ('ISSUED', 'SENDING') OR due.is_recall)
         RETURNING 'collections/' || d.collection AS "parent!", d.period, d.copy_number, d.recipient, d.fence AS "fence!",
             d.attempts_ever, due.state = 'ISSUED' AS "is_first!", due.is_recall AS "is_recall!""#,
        &shares.keys().cloned().collect::<Vec<_>>(),
        &shares.values().copied().collect::<Vec<_>>(),
        &shares.keys().map(|id| address(id).endpoint).collect::<Vec<_>>(),
        jiff_sqlx::Timestamp::from(now) as _,
        lease.as_secs_f64(),
    )
    .fetch_all(connection)
    .await?;
    let claims = rows.into_iter().map(|row| {
        Ok(Claim {
            key: CopyKey {
                edition: edition_key(&row.parent, &row.period)?,
                number: row.copy_number,
            },
            address: address(&row.recipient),
            recipient: row.recipient,
            fence: row.fence,
            number: row.attempts_ever,
            started_at: now,
            is_first: row.is_first,
            is_recall: row.is_recall,
        })
    });
    claims.collect()
}

/// Claims whose time is over, those with numbers above `after`, at most so many: their replicas have not told how they ended.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lost(connection: &mut PgConnection, after: i64, most: i64) -> Result<Vec<Claim>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT 'collections/' || collection AS "parent!", period, copy_number, recipient, fence AS "fence!", attempts_ever,
             started_at AS "started_at!: jiff_sqlx::Timestamp", endpoint AS "endpoint!"
         FROM collections.delivery WHERE claimed_until <= clock_timestamp() AND fence > $1 ORDER BY fence LIMIT $2"#,
        after,
        most,
    )
    .fetch_all(connection)
    .await?;
    let claims = rows.into_iter().map(|row| {
        Ok(Claim {
            key: CopyKey {
                edition: edition_key(&row.parent, &row.period)?,
                number: row.copy_number,
            },
            recipient: row.recipient,
            fence: row.fence,
            number: row.attempts_ever,
            started_at: row.started_at.to_jiff(),
            address: Address {
                endpoint: row.endpoint,
                ..Address::default()
            },
            is_first: false,
            is_recall: false,
        })
    });
    claims.collect()
}

/// How an attempt ended.
#[derive(Debug)]
pub struct Told<'a> {
    pub claim: &'a Claim,
    pub ended: Ended,
    /// What follows where the claim stands; `None` where it does not.
    pub followed_by: Option<Option<Timestamp>>,
    /// Whether the schedule begins anew with what follows.
    pub begins_anew: bool,
    /// Whether it uses up one of the schedule.
    pub is_counted: bool,
    /// The most bytes that the server said it has; 0 where it said nothing.
    pub received_bytes: i64,
}

/// Records how attempts ended, and when the next ones follow. What a claim that does not stand any more came to is recorded too, unless
/// its sender was given up as lost: what was told then stays.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record(connection: &mut PgConnection, told: &[Told<'_>]) -> Result<(), sqlx::Error> {
    let (collections, periods, numbers) = columns(told.iter().map(|one| &one.claim.key));
    let at = |instant: Timestamp| jiff_sqlx::Timestamp::from(instant);
    sqlx::query!(
        "WITH ended AS (
             SELECT * FROM UNNEST($1::text[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::timestamptz[],
                     $7::timestamptz[], $8::text[], $9::text[], $10::timestamptz[], $11::boolean[], $12::integer[], $13::bigint[], $14::boolean[])
                 AS e (collection, period, copy_number, number, endpoint, started_at, ended_at, outcome, detail, next_at, stands, spares,
                     received_bytes, anew)
         ), followed AS (
             UPDATE collections.delivery d
             SET attempts = CASE WHEN e.anew THEN 0 ELSE d.attempts - e.spares END,
                 spared = CASE WHEN e.anew THEN 0 ELSE d.spared + e.spares END,
                 received_bytes = CASE WHEN e.anew THEN 0 ELSE greatest(d.received_bytes, e.received_bytes) END, next_attempt_at = e.next_at, last_outcome = e.outcome,
                 fence = NULL, started_at = NULL, endpoint = NULL, claimed_until = NULL
             FROM ended e
             WHERE e.stands AND (d.collection, d.period, d.copy_number) = (e.collection, e.period, e.copy_number)
         )
         INSERT INTO collections.delivery_attempt
             (collection, period, copy_number, number, endpoint, started_at, ended_at, outcome, detail)
         SELECT collection, period, copy_number, number, endpoint, started_at, ended_at, outcome, detail FROM ended
         ON CONFLICT DO NOTHING",
        &collections,
        &periods,
        &numbers,
        &told.iter().map(|one| one.claim.number).collect::<Vec<_>>(),
        &told.iter().map(|one| one.claim.address.endpoint.clone()).collect::<Vec<_>>(),
        &told.iter().map(|one| at(one.claim.started_at)).collect::<Vec<_>>() as _,
        &told.iter().map(|one| at(one.ended.at)).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.ended.outcome.word().to_owned()).collect::<Vec<_>>(),
        &told.iter().map(|one| one.ended.detail.clone()).collect::<Vec<_>>() as &[Option<String>],
        &told.iter().map(|one| one.followed_by.flatten().map(at)).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.followed_by.is_some()).collect::<Vec<_>>(),
        &told.iter().map(|one| i32::from(!one.is_counted)).collect::<Vec<_>>(),
        &told.iter().map(|one| one.received_bytes).collect::<Vec<_>>(),
        &told.iter().map(|one| one.begins_anew).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The attempts to deliver a copy before this number, the latest first, the one under way among them.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn attempts(
    connection: &mut PgConnection,
    key: &CopyKey,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<Attempt>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT number AS "number!", started_at AS "started_at!: jiff_sqlx::Timestamp", ended_at AS "ended_at: jiff_sqlx::Timestamp",
             outcome, detail, endpoint AS "endpoint!"
         FROM (
             SELECT number, started_at, ended_at, outcome, detail, endpoint FROM collections.delivery_attempt
             WHERE collection = $1 AND period = $2 AND copy_number = $3
             UNION ALL
             SELECT attempts_ever, started_at, NULL, NULL, NULL, endpoint FROM collections.delivery
             WHERE collection = $1 AND period = $2 AND copy_number = $3 AND fence IS NOT NULL) AS attempt
         WHERE $4::integer IS NULL OR number < $4
         ORDER BY number DESC LIMIT $5"#,
        key.edition.collection,
        key.edition.period.to_string(),
        key.number,
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    let attempts = rows.into_iter().map(|row| {
        let ended = row.ended_at.zip(row.outcome).map(|(at, outcome)| {
            Ok::<_, sqlx::Error>(Ended {
                at: at.to_jiff(),
                outcome: Outcome::read_stored(&outcome, "outcome")?,
                detail: row.detail,
            })
        });
        Ok(Attempt {
            number: row.number,
            started_at: row.started_at.to_jiff(),
            ended: ended.transpose()?,
            endpoint: row.endpoint,
        })
    });
    attempts.collect()
}

/// How deliveries stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Those whose next attempt could be made.
    pub due: i64,
    /// Those of which an attempt is under way, in all replicas.
    pub under_way: i64,
    /// For how many seconds the one has been due that has been so longest.
    pub oldest_due_seconds: i64,
    /// Servers that are left alone.
    pub breakers_open: i64,
}

/// Counts deliveries.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn count(connection: &mut PgConnection, now: Timestamp) -> Result<Standing, sqlx::Error> {
    sqlx::query_as!(
        Standing,
        r#"SELECT due.count AS "due!", (SELECT count(*) FROM collections.delivery WHERE claimed_until IS NOT NULL) AS "under_way!",
             coalesce(extract(epoch FROM $1 - due.oldest)::bigint, 0) AS "oldest_due_seconds!",
             (SELECT count(*) FROM collections.recipient_breaker WHERE open_until > $1) AS "breakers_open!"
         FROM (SELECT count(*) AS count, min(next_attempt_at) AS oldest FROM collections.delivery WHERE next_attempt_at <= $1) AS due"#,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .fetch_one(connection)
    .await
}
