//! `collections.revision`: every revision of an edition, which the database keeps; and what was issued of them.

use jiff::Timestamp;
use legalstat_kit::call::Done;
use sqlx::PgConnection;

use super::{
    edition::{done, recall},
    marking, revision_file,
};
use crate::domain::{content::Files, edition::Recall, issuing::Issued, key::EditionKey, marking::OfficialUse};

/// A revision as it is told.
#[derive(Debug)]
pub struct Revision {
    pub number: i32,
    pub content_sha256: Vec<u8>,
    pub sealed: Option<Done>,
    pub partly_released: Option<Done>,
    pub released: Option<Done>,
    pub recalled: Option<Recall>,
    pub copies_issued: i32,
    /// The number of its first copy; `None` while none is issued.
    pub first_number: Option<i32>,
    /// How many recipients of its copies have confirmed its recall.
    pub recall_confirmed: i32,
    pub files: Files,
    /// How it is marked; `None` where it is open.
    pub official_use: Option<OfficialUse>,
    /// It is not released before; `None` where it may be at any time.
    pub embargo_until: Option<Timestamp>,
}

/// Every revision of an edition, in order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, edition: &EditionKey) -> Result<Vec<Revision>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT r.revision, r.sha256, r.sealed_at AS "sealed_at: jiff_sqlx::Timestamp", r.sealed_by,
             r.partly_released_at AS "partly_released_at: jiff_sqlx::Timestamp", r.partly_released_by,
             r.released_at AS "released_at: jiff_sqlx::Timestamp", r.released_by,
             r.recalled_at AS "recalled_at: jiff_sqlx::Timestamp", r.recalled_by, r.recall_reason,
             r.marking_copies, r.marking_reason, r.marking_expires_on AS "marking_expires_on: jiff_sqlx::Date",
             r.embargo_until AS "embargo_until: jiff_sqlx::Timestamp",
             i.copies AS "copies!", i.first, i.confirmed AS "confirmed!"
         FROM collections.revision r
         CROSS JOIN LATERAL (
             SELECT count(*)::integer AS copies, min(c.number) AS first, count(c.recall_confirmed_at)::integer AS confirmed
             FROM collections.copy c
             WHERE (c.collection, c.period, c.revision) = (r.collection, r.period, r.revision)) AS i
         WHERE r.collection = $1 AND r.period = $2 ORDER BY r.revision"#,
        edition.collection,
        edition.period.to_string(),
    )
    .fetch_all(&mut *connection)
    .await?;
    let keys: Vec<_> = rows.iter().map(|row| (edition, row.revision)).collect();
    let files = revision_file::of_each(connection, &keys).await?;
    let revisions = rows.into_iter().zip(files).map(|(row, files)| Revision {
        number: row.revision,
        content_sha256: row.sha256,
        sealed: done(row.sealed_at, row.sealed_by),
        partly_released: done(row.partly_released_at, row.partly_released_by),
        released: done(row.released_at, row.released_by),
        recalled: recall(row.recalled_at, row.recalled_by, row.recall_reason),
        copies_issued: row.copies,
        first_number: row.first,
        recall_confirmed: row.confirmed,
        files,
        official_use: marking(row.marking_copies, row.marking_reason, row.marking_expires_on),
        embargo_until: row.embargo_until.map(|until| until.to_jiff()),
    });
    Ok(revisions.collect())
}

/// Why a revision was recalled; `None` of one that was not.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn recall_reason(
    connection: &mut PgConnection,
    edition: &EditionKey,
    revision: i32,
) -> Result<Option<String>, sqlx::Error> {
    let reason = sqlx::query_scalar!(
        "SELECT recall_reason FROM collections.revision WHERE collection = $1 AND period = $2 AND revision = $3",
        edition.collection,
        edition.period.to_string(),
        revision,
    );
    Ok(reason.fetch_optional(connection).await?.flatten())
}

/// What was issued of an edition, of which this is the current revision. The edition must be held against other writers.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn issued(connection: &mut PgConnection, edition: &EditionKey, revision: i32) -> Result<Issued, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT recipient, revision = $3 AS "is_current!", max(number) AS "last!", count(*)::integer AS "copies!",
             max(copies_total) AS total
         FROM collections.copy WHERE collection = $1 AND period = $2 GROUP BY recipient, revision"#,
        edition.collection,
        edition.period.to_string(),
        revision,
    )
    .fetch_all(connection)
    .await?;
    let mut issued = Issued::default();
    for row in rows {
        issued.last_number = issued.last_number.max(row.last);
        if row.is_current {
            issued.copies_total = issued.copies_total.max(row.total);
            issued.of_recipient.insert(row.recipient, row.copies);
        }
    }
    Ok(issued)
}
