//! Answers: versions of drafts, approvals and dispatches. Nothing of them is ever changed.

use jiff::Timestamp;
use legalstat_kit::door::word::Word;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{
    decision::OfficialCapacity,
    dispatch::{Dispatch, Means, SignatureVerdict},
};

/// A version of an answer.
#[derive(Clone, Debug)]
pub struct Version {
    pub version: i32,
    /// The canonical JSON.
    pub canonical: Vec<u8>,
    pub sha256: Vec<u8>,
    pub written_by: String,
    pub written_at: Timestamp,
    /// The digest of the request that it answers; none when a replica of the release before made it.
    pub submission_sha256: Option<Vec<u8>>,
    pub approval: Option<Approved>,
}

/// The approval of a version.
#[derive(Clone, Debug)]
pub struct Approved {
    pub approved_by: String,
    pub capacity: OfficialCapacity,
    pub approved_at: Timestamp,
    pub signature: Vec<u8>,
    pub verdict: SignatureVerdict,
    pub signer: String,
}

/// The last version of the answer to a request.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn last(connection: &mut PgConnection, request: Uuid) -> Result<Option<Version>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT a.version, a.canonical, a.sha256, a.written_by, a.written_at AS "written_at: jiff_sqlx::Timestamp",
             a.submission_sha256, p.approved_by AS "approved_by?", p.capacity AS "capacity?",
             p.approved_at AS "approved_at?: jiff_sqlx::Timestamp", p.signature AS "signature?", p.verdict AS "verdict?",
             p.signer AS "signer?"
         FROM requests.answer a
         LEFT JOIN requests.answer_approval p ON p.request = a.request AND p.version = a.version
         WHERE a.request = $1 ORDER BY a.version DESC LIMIT 1"#,
        request,
    );
    let Some(row) = row.fetch_optional(connection).await? else {
        return Ok(None);
    };
    let by = row.approved_by.zip(row.capacity).zip(row.approved_at);
    let what = row.signature.zip(row.verdict).zip(row.signer);
    let approval = by
        .zip(what)
        .map(|(((approved_by, capacity), at), ((signature, verdict), signer))| {
            Ok::<_, sqlx::Error>(Approved {
                approved_by,
                capacity: OfficialCapacity::read_stored(&capacity, "capacity")?,
                approved_at: at.to_jiff(),
                signature,
                verdict: SignatureVerdict::read_stored(&verdict, "verdict")?,
                signer,
            })
        });
    Ok(Some(Version {
        version: row.version,
        canonical: row.canonical,
        sha256: row.sha256,
        written_by: row.written_by,
        written_at: row.written_at.to_jiff(),
        submission_sha256: row.submission_sha256,
        approval: approval.transpose()?,
    }))
}

/// Everyone who has written a version, in the order of their first.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn writers(connection: &mut PgConnection, request: Uuid) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT written_by FROM requests.answer WHERE request = $1 GROUP BY written_by ORDER BY min(version)",
        request
    )
    .fetch_all(connection)
    .await
}

/// Stores a version.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, request: Uuid, version: &Version) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.answer (request, version, canonical, sha256, written_by, written_at, submission_sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        request,
        version.version,
        version.canonical,
        version.sha256,
        version.written_by,
        jiff_sqlx::Timestamp::from(version.written_at) as _,
        version.submission_sha256,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores the approval of a version, whose signature encloses nothing of it.
///
/// # Errors
/// When the database fails; the constraint `answer_approval_by_another` when who approves wrote a version.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn approve(
    connection: &mut PgConnection,
    request: Uuid,
    version: i32,
    approved: &Approved,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.answer_approval
             (request, version, approved_by, capacity, approved_at, signature, verdict, signer, is_detached)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, true)",
        request,
        version,
        approved.approved_by,
        approved.capacity.word(),
        jiff_sqlx::Timestamp::from(approved.approved_at) as _,
        approved.signature,
        approved.verdict.word(),
        approved.signer,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores the dispatch of a version.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn dispatch(
    connection: &mut PgConnection,
    request: Uuid,
    version: i32,
    dispatch: &Dispatch,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.dispatch (request, version, means, dispatched_at, proof, recorded_by, recorded_at, proof_file)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        request,
        version,
        dispatch.means.word(),
        jiff_sqlx::Timestamp::from(dispatch.dispatched_at) as _,
        dispatch.proof,
        dispatch.recorded_by,
        jiff_sqlx::Timestamp::from(dispatch.recorded_at) as _,
        dispatch.proof_file,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The dispatch of the answer to a request.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn dispatched(connection: &mut PgConnection, request: Uuid) -> Result<Option<Dispatch>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT means, dispatched_at AS "dispatched_at: jiff_sqlx::Timestamp", proof, recorded_by,
             recorded_at AS "recorded_at: jiff_sqlx::Timestamp", proof_file
         FROM requests.dispatch WHERE request = $1"#,
        request,
    );
    let row = row.fetch_optional(connection).await?.map(|row| {
        Ok(Dispatch {
            means: Means::read_stored(&row.means, "means")?,
            dispatched_at: row.dispatched_at.to_jiff(),
            proof: row.proof,
            recorded_by: row.recorded_by,
            recorded_at: row.recorded_at.to_jiff(),
            proof_file: row.proof_file,
        })
    });
    row.transpose()
}

/// Whether a file proves the dispatch of an answer.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn is_proof(connection: &mut PgConnection, file: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM requests.dispatch WHERE proof_file = $1) AS "is_proof!""#,
        file,
    )
    .fetch_one(connection)
    .await
}
