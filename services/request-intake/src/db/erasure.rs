//! The erasure of personal data. What is erased of a row, and what stays, is the function `requests.erase`; the runtime role can do
//! nothing else to what it may not change.

use std::collections::HashMap;

use jiff::Timestamp;
use legalstat_kit::{call::Done, door::word::Word, law::LegalBasis};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{
    request::{RequesterKind, State},
    retention::{Erasure, Ordered},
};

/// The most requests that are counted of those that a rule would erase.
pub const COUNTED: i64 = 100_000;

/// The requests of a kind that ended in a state before an instant and are not erased, oldest first, locked until the transaction ends.
/// What somebody else holds is left for the next time.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_due(
    connection: &mut PgConnection,
    (kind, state): (RequesterKind, State),
    before: Timestamp,
    most: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM requests.request
         WHERE requester_kind = $1 AND state = $2 AND coalesce(changed_at, accepted_at) < $3 AND erased_at IS NULL
           AND state IN ('LEFT_WITHOUT_CONSIDERATION', 'ANSWERED', 'FORWARDED', 'RETURNED', 'TERMINATED', 'WITHDRAWN')
         ORDER BY coalesce(changed_at, accepted_at), number LIMIT $4
         FOR UPDATE SKIP LOCKED",
        kind.word(),
        state.word(),
        jiff_sqlx::Timestamp::from(before) as _,
        most,
    )
    .fetch_all(connection)
    .await
}

/// What would be erased of some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Up to [`COUNTED`] and one more.
    pub requests: i64,
    /// The one that ended first, and when.
    pub first: Option<(Uuid, Timestamp)>,
}

/// Counts the requests of a kind that ended in a state before an instant and are not erased.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn due(
    connection: &mut PgConnection,
    (kind, state): (RequesterKind, State),
    before: Timestamp,
) -> Result<Due, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH due AS (
             SELECT id, coalesce(changed_at, accepted_at) AS ended_at, number FROM requests.request
             WHERE requester_kind = $1 AND state = $2 AND coalesce(changed_at, accepted_at) < $3 AND erased_at IS NULL
               AND state IN ('LEFT_WITHOUT_CONSIDERATION', 'ANSWERED', 'FORWARDED', 'RETURNED', 'TERMINATED', 'WITHDRAWN')
             ORDER BY coalesce(changed_at, accepted_at), number LIMIT $4
         )
         SELECT (SELECT count(*) FROM due) AS "requests!", first.id AS "id?",
             first.ended_at AS "ended_at?: jiff_sqlx::Timestamp"
         FROM (VALUES (1)) AS one (one)
         LEFT JOIN (SELECT id, ended_at FROM due ORDER BY ended_at, number LIMIT 1) AS first ON true"#,
        kind.word(),
        state.word(),
        jiff_sqlx::Timestamp::from(before) as _,
        COUNTED + 1,
    );
    let row = row.fetch_one(connection).await?;
    Ok(Due {
        requests: row.requests,
        first: row.id.zip(row.ended_at.map(jiff_sqlx::Timestamp::to_jiff)),
    })
}

/// By what requests are erased, by whom and when.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    pub rule: Option<Uuid>,
    pub legal_basis: &'a LegalBasis,
    pub reason: &'a str,
    /// Who gave it first; none of a rule.
    pub ordered_by: Option<&'a str>,
    pub by: &'a str,
    pub at: Timestamp,
}

/// Erases the personal data of locked requests; the contents of their files are to be removed then, see [`contents`].
///
/// # Errors
/// When the database fails; a request that has not ended, or was erased before, breaks `request_erased` or `erasure_key`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn erase(connection: &mut PgConnection, requests: &[Uuid], order: &Order<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.erasure
             (request, rule, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason, erased_at,
              erased_by, ordered_by, attachments, attachment_bytes, answer_versions)
         SELECT r.id, $2, $3, $4, $5, $6, $7, $8, $9, $10, files.count, files.bytes, answers.count
         FROM unnest($1::uuid[]) AS r (id)
         CROSS JOIN LATERAL (
             SELECT count(*)::integer AS count, coalesce(sum(size_bytes), 0)::bigint AS bytes
             FROM requests.attachment WHERE request = r.id) AS files
         CROSS JOIN LATERAL (SELECT count(*)::integer AS count FROM requests.answer WHERE request = r.id) AS answers",
        requests,
        order.rule,
        order.legal_basis.act,
        order.legal_basis.provision,
        order.legal_basis.uri,
        order.legal_basis.assumed,
        order.reason,
        jiff_sqlx::Timestamp::from(order.at) as _,
        order.by,
        order.ordered_by,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("SELECT FROM requests.erase($1)", requests)
        .execute(connection)
        .await?;
    Ok(())
}

/// The order to erase the data of a request that somebody gave last.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn ordered(connection: &mut PgConnection, request: Uuid) -> Result<Option<Ordered>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason,
             ordered_at AS "ordered_at: jiff_sqlx::Timestamp", ordered_by
         FROM requests.erasure_order WHERE request = $1"#,
        request,
    );
    Ok(row.fetch_optional(connection).await?.map(|row| Ordered {
        by: Done {
            by: row.ordered_by,
            at: row.ordered_at.to_jiff(),
        },
        legal_basis: LegalBasis::of_row(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        ),
        reason: row.reason,
    }))
}

/// Stores an order, in the place of another that was not carried out.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn order(connection: &mut PgConnection, request: Uuid, ordered: &Ordered) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.erasure_order
             (request, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason, ordered_at, ordered_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT ON CONSTRAINT erasure_order_key DO UPDATE SET
             legal_basis_act = EXCLUDED.legal_basis_act, legal_basis_provision = EXCLUDED.legal_basis_provision,
             legal_basis_uri = EXCLUDED.legal_basis_uri, legal_basis_assumed = EXCLUDED.legal_basis_assumed,
             reason = EXCLUDED.reason, ordered_at = EXCLUDED.ordered_at, ordered_by = EXCLUDED.ordered_by",
        request,
        ordered.legal_basis.act,
        ordered.legal_basis.provision,
        ordered.legal_basis.uri,
        ordered.legal_basis.assumed,
        ordered.reason,
        jiff_sqlx::Timestamp::from(ordered.by.at) as _,
        ordered.by.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The digests of contents that were erased and are not removed yet, in order behind one, at most `most`.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn contents(connection: &mut PgConnection, after: &[u8], most: i64) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT sha256 FROM requests.erased_content WHERE sha256 > $1 ORDER BY sha256 LIMIT $2",
        after,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Notes that content is removed. Who is just erasing a file with the same content is waited for.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn remove_content(connection: &mut PgConnection, sha256: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM requests.erased_content WHERE sha256 = $1", sha256)
        .execute(connection)
        .await?;
    Ok(())
}

/// The attachments of requests, each with its request.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn attachments(connection: &mut PgConnection, requests: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT request AS "request!", id FROM requests.attachment WHERE request = ANY ($1)"#,
        requests,
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.request, row.id)).collect())
}

/// What was erased of these requests; of one whose data are there nothing is told.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_requests(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<HashMap<Uuid, Erasure>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT request, rule, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason,
             erased_at AS "erased_at: jiff_sqlx::Timestamp", erased_by, ordered_by, attachments, attachment_bytes, answer_versions
         FROM requests.erasure WHERE request = ANY ($1)"#,
        requests,
    );
    let erased = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let erasure = Erasure {
            at: row.erased_at.to_jiff(),
            rule: row.rule,
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
            reason: row.reason,
            by: row.erased_by,
            ordered_by: row.ordered_by,
            attachments: row.attachments,
            attachment_bytes: row.attachment_bytes,
            answer_versions: row.answer_versions,
        };
        (row.request, erasure)
    });
    Ok(erased.collect())
}

/// The place of the last erasure; 0 when there is none.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn last(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT coalesce(max(number), 0) AS "last!" FROM requests.erasure"#)
        .fetch_one(connection)
        .await
}

/// The requests that were erased behind a place in the order of erasures, at most `most`, with the place of the last.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn since(connection: &mut PgConnection, after: i64, most: i64) -> Result<Vec<(i64, Uuid)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT number, request FROM requests.erasure WHERE number > $1 ORDER BY number LIMIT $2",
        after,
        most,
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.number, row.request)).collect())
}
