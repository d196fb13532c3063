//! Counts of requests.

use std::ops::Range;

use jiff::Timestamp;
use legalstat_kit::door::word::Word;
use sqlx::PgConnection;

use crate::domain::{
    examination::CheckRule,
    request::{Channel, RequesterKind, State},
    statistics::{Alike, Ended, Ground},
};

/// The requests received between two instants, counted by what they have in common; by the forms that they ask for only `with_forms`, since
/// their items are read for it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn alike(
    connection: &mut PgConnection,
    received: &Range<Timestamp>,
    now: Timestamp,
    with_forms: bool,
) -> Result<Vec<Alike>, sqlx::Error> {
    let rows = sqlx::query!(
        // What was never decided on has no decision to look for.
        r#"SELECT r.requester_kind, r.channel, r.state, r.registration_number IS NOT NULL AS "is_registered!",
             ceil(extract(epoch FROM coalesce(sent.dispatched_at, d.answered_at) - r.received_at) / 86400)::integer AS days,
             coalesce(sent.dispatched_at, d.answered_at) <= r.due_time AS in_time,
             -- The longer time of a term is part of it.
             coalesce(d.is_extended AND r.due_part IS DISTINCT FROM 'LONG_BASE', false) AS "is_extended!",
             coalesce(r.due_time < $3 AND r.state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION'), false)
                 AS "is_overdue!",
             CASE WHEN $4 THEN
                 ARRAY(SELECT DISTINCT coalesce(i.form, split_part(i.indicator, '/indicators/', 1)) FROM requests.item AS i
                       WHERE i.request = r.id AND num_nonnulls(i.form, i.indicator) > 0 ORDER BY 1)
             ELSE '{}' END AS "forms!",
             count(*) AS "count!"
         FROM requests.request AS r
         LEFT JOIN LATERAL (
             SELECT max(decided_at) FILTER (WHERE state_after = 'ANSWERED') AS answered_at,
                 bool_or(verb = 'EXTEND') AS is_extended
             FROM requests.decision WHERE r.version > 0 AND request = r.id
         ) AS d ON true
         -- The dispatch meets the term, and not that it was recorded.
         LEFT JOIN requests.dispatch AS sent ON r.state = 'ANSWERED' AND sent.request = r.id
         WHERE r.received_at >= $1 AND r.received_at < $2
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"#,
        jiff_sqlx::Timestamp::from(received.start) as _,
        jiff_sqlx::Timestamp::from(received.end) as _,
        jiff_sqlx::Timestamp::from(now) as _,
        with_forms,
    );
    let alike = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(Alike {
            kind: RequesterKind::read_stored(&row.requester_kind, "requester_kind")?,
            channel: Channel::read_stored(&row.channel, "channel")?,
            state: State::read_stored(&row.state, "state")?,
            is_registered: row.is_registered,
            answered: row.days.zip(row.in_time),
            is_extended: row.is_extended,
            is_overdue: row.is_overdue,
            forms: row.forms,
            count: row.count,
        })
    });
    alike.collect()
}

/// Of the requests received between two instants those left without consideration or terminated: by the ground of the official who did
/// so, else by the rules that their examination found broken.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn ended(
    connection: &mut PgConnection,
    received: &Range<Timestamp>,
) -> Result<Vec<(Ground, Ended)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT decided.ground AS "ground?", broken.rule AS "rule?",
             count(*) FILTER (WHERE r.state = 'LEFT_WITHOUT_CONSIDERATION') AS "left!",
             count(*) FILTER (WHERE r.state = 'TERMINATED') AS "terminated!"
         FROM requests.request AS r
         LEFT JOIN LATERAL (
             SELECT d.ground FROM requests.decision AS d
             WHERE r.version > 0 AND d.request = r.id AND d.verb IN ('LEAVE_WITHOUT_CONSIDERATION', 'TERMINATE')
             ORDER BY d.position DESC LIMIT 1
         ) AS decided ON true
         LEFT JOIN LATERAL (
             SELECT DISTINCT f.rule FROM requests.finding AS f
             WHERE decided.ground IS NULL AND f.id = ANY (r.findings) AND f.outcome = 'FAILED'
             UNION
             SELECT e.rule FROM requests.examination_check AS e
             WHERE decided.ground IS NULL AND r.findings = '{}' AND e.request = r.id AND e.round = r.examination_round
               AND e.outcome = 'FAILED'
         ) AS broken ON true
         WHERE r.received_at >= $1 AND r.received_at < $2 AND r.state IN ('LEFT_WITHOUT_CONSIDERATION', 'TERMINATED')
         GROUP BY 1, 2"#,
        jiff_sqlx::Timestamp::from(received.start) as _,
        jiff_sqlx::Timestamp::from(received.end) as _,
    );
    let ended = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let ground = match (row.ground, row.rule) {
            (Some(ground), _) => Ground::Decided(ground),
            (None, Some(rule)) => Ground::Broken(CheckRule::read_stored(&rule, "rule")?),
            (None, None) => Ground::Unknown,
        };
        let (left, terminated) = (row.left, row.terminated);
        Ok((ground, Ended { left, terminated }))
    });
    ended.collect()
}
