//! Files of requests: what is known of each; their content lies in the folder of files.

use std::collections::HashMap;

use jiff::Timestamp;
use legalstat_kit::door::word::{Word, unreadable};
use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::{
    domain::attachment::{self, Attachment, Kind},
    signature::{Signer, Verdict},
};

struct Row {
    id: Uuid,
    kind: String,
    filename: String,
    content_type: String,
    size_bytes: i64,
    sha256: Vec<u8>,
    uploaded_by: String,
    uploaded_at: jiff_sqlx::Timestamp,
    signs: Option<Uuid>,
    signature: Option<String>,
    signature_detail: Option<String>,
    request: Option<Uuid>,
}

impl Row {
    fn read(self, signers: Vec<Signer>) -> Result<Attachment, sqlx::Error> {
        let detail = self.signature_detail;
        let verdict = self
            .signature
            .map(|word| attachment::verdict(&word, detail, signers).ok_or_else(|| unreadable("signature", &word)));
        Ok(Attachment {
            id: self.id,
            kind: Kind::read_stored(&self.kind, "kind")?,
            filename: self.filename,
            content_type: self.content_type,
            size_bytes: self.size_bytes,
            sha256: digest("sha256", self.sha256)?,
            uploaded_by: self.uploaded_by,
            uploaded_at: self.uploaded_at.to_jiff(),
            signs: self.signs,
            request: self.request,
            signature: verdict.transpose()?,
        })
    }
}

fn digest(column: &'static str, bytes: Vec<u8>) -> Result<[u8; 32], sqlx::Error> {
    bytes.try_into().map_err(|_| unreadable(column, "no SHA-256"))
}

/// The attachments with these ids.
///
/// # Errors
/// When the database fails, or this release cannot read one.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn get(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Attachment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, kind, filename, content_type, size_bytes, sha256, uploaded_by, uploaded_at, signs, signature,
             signature_detail, request
         FROM requests.attachment WHERE id = ANY ($1)",
        ids,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    let read = with_signers(connection, rows).await?;
    Ok(read.into_iter().map(|attachment| (attachment.id, attachment)).collect())
}

/// The attachments of these requests, those of one in the order of their uploads. A file that proves the dispatch of an answer is none
/// of what was asked with.
///
/// # Errors
/// As [`get`].
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_requests(connection: &mut PgConnection, requests: &[Uuid]) -> Result<Vec<Attachment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, kind, filename, content_type, size_bytes, sha256, uploaded_by, uploaded_at, signs, signature,
             signature_detail, request
         FROM requests.attachment AS a WHERE request = ANY ($1)
           AND NOT EXISTS (SELECT FROM requests.dispatch AS d WHERE d.request = a.request AND d.proof_file = a.id)
         ORDER BY uploaded_at, id",
        requests,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    with_signers(connection, rows).await
}

async fn with_signers(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Attachment>, sqlx::Error> {
    let signed = rows.iter().filter(|row| row.signature.as_deref() == Some("VALID"));
    let signed: Vec<Uuid> = signed.map(|row| row.id).collect();
    let mut signers = if signed.is_empty() {
        HashMap::new()
    } else {
        signers(connection, &signed).await?
    };
    let read = rows.into_iter().map(|row| {
        let signers = signers.remove(&row.id).unwrap_or_default();
        row.read(signers)
    });
    read.collect()
}

async fn signers(connection: &mut PgConnection, of: &[Uuid]) -> Result<HashMap<Uuid, Vec<Signer>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT attachment, name, iin, bin, serial_number, certificate_sha256, algorithm, signed_at AS "signed_at: jiff_sqlx::Timestamp",
             authorities, revocations_of AS "revocations_of: jiff_sqlx::Timestamp"
         FROM requests.attachment_signer WHERE attachment = ANY ($1) ORDER BY attachment, position"#,
        of,
    );
    let mut signers: HashMap<Uuid, Vec<Signer>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        signers.entry(row.attachment).or_default().push(Signer {
            name: row.name,
            iin: row.iin,
            bin: row.bin,
            serial_number: row.serial_number,
            certificate_sha256: digest("certificate_sha256", row.certificate_sha256)?,
            algorithm: row.algorithm,
            signed_at: row.signed_at.map(jiff_sqlx::Timestamp::to_jiff),
            chain: row.authorities,
            revocations_of: row.revocations_of.map(jiff_sqlx::Timestamp::to_jiff),
        });
    }
    Ok(signers)
}

/// What a caller has uploaded that belongs to no request: how many files and bytes.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn unbound_of(connection: &mut PgConnection, caller: &str) -> Result<(i64, i64), sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", coalesce(sum(size_bytes), 0)::bigint AS "bytes!"
         FROM requests.attachment WHERE uploaded_by = $1 AND request IS NULL"#,
        caller,
    );
    let row = row.fetch_one(connection).await?;
    Ok((row.count, row.bytes))
}

/// Holds content against others who store or drop it, to the end of the transaction.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_content(connection: &mut PgConnection, sha256: &[u8; 32]) -> Result<(), sqlx::Error> {
    let [first, ..] = sha256.as_chunks::<8>().0 else {
        return Ok(());
    };
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", i64::from_be_bytes(*first))
        .execute(connection)
        .await?;
    Ok(())
}

/// Stores an attachment; the request that it belongs to, which is held, has changed then.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, attachment: &Attachment) -> Result<(), sqlx::Error> {
    let words = attachment.signature.as_ref().map(attachment::words);
    let bound_at = attachment.request.map(|_| attachment.uploaded_at);
    sqlx::query!(
        "INSERT INTO requests.attachment
             (id, kind, filename, content_type, size_bytes, sha256, uploaded_by, uploaded_at, signs, signature,
              signature_detail, request, bound_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        attachment.id,
        attachment.kind.word(),
        attachment.filename,
        attachment.content_type,
        attachment.size_bytes,
        &attachment.sha256[..],
        attachment.uploaded_by,
        jiff_sqlx::Timestamp::from(attachment.uploaded_at) as _,
        attachment.signs,
        words.map(|(word, _)| word),
        words.and_then(|(_, detail)| detail),
        attachment.request,
        bound_at.map(jiff_sqlx::Timestamp::from) as _,
    )
    .execute(&mut *connection)
    .await?;
    if let Some(Verdict::Valid(signers)) = &attachment.signature {
        insert_signers(connection, attachment.id, signers).await?;
    }
    if let Some(request) = attachment.request {
        sqlx::query!(
            // What a signature comes to is a check: the job makes it again. One that awaits clarification is examined after that.
            "UPDATE requests.request SET
                 changed_at = $2,
                 examination_pending = examination_pending OR ($3 AND state IN ('RECEIVED', 'REGISTERED', 'IN_PREPARATION'))
             WHERE id = $1",
            request,
            jiff_sqlx::Timestamp::from(attachment.uploaded_at) as _,
            attachment.kind != Kind::Attachment,
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

async fn insert_signers(connection: &mut PgConnection, of: Uuid, signers: &[Signer]) -> Result<(), sqlx::Error> {
    for (position, signer) in (0_i16..).zip(signers) {
        sqlx::query!(
            "INSERT INTO requests.attachment_signer
                 (attachment, position, name, serial_number, certificate_sha256, algorithm, signed_at, authorities,
                  revocations_of, iin, bin)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            of,
            position,
            signer.name,
            signer.serial_number,
            &signer.certificate_sha256[..],
            signer.algorithm,
            signer.signed_at.map(jiff_sqlx::Timestamp::from) as _,
            &signer.chain,
            signer.revocations_of.map(jiff_sqlx::Timestamp::from) as _,
            signer.iin,
            signer.bin,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Binds attachments to requests, each pair a request and an attachment, and tells how many: one that belongs to a request
/// already is not bound again.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn bind(connection: &mut PgConnection, pairs: &[(Uuid, Uuid)], now: Timestamp) -> Result<usize, sqlx::Error> {
    let bound = sqlx::query!(
        "UPDATE requests.attachment SET request = b.request, bound_at = $3
         FROM unnest($1::uuid[], $2::uuid[]) AS b (request, attachment)
         WHERE id = b.attachment AND attachment.request IS NULL",
        &column(pairs, |(request, _)| *request),
        &column(pairs, |(_, attachment)| *attachment),
        jiff_sqlx::Timestamp::from(now) as _,
    );
    let bound = bound.execute(connection).await?.rows_affected();
    Ok(usize::try_from(bound).unwrap_or(usize::MAX))
}

/// Some of those that belong to no request and were uploaded before a time, oldest first. A signed original stays as long as its
/// signature.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn expired(connection: &mut PgConnection, before: Timestamp, most: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM requests.attachment AS a
         WHERE request IS NULL AND uploaded_at < $1
           AND NOT EXISTS (SELECT FROM requests.attachment AS s WHERE s.signs = a.id)
         ORDER BY uploaded_at LIMIT $2",
        jiff_sqlx::Timestamp::from(before) as _,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Drops an attachment that belongs to no request, and tells its content; `None` when it is not there any more, or belongs to
/// one meanwhile.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn drop_unbound(connection: &mut PgConnection, id: Uuid) -> Result<Option<[u8; 32]>, sqlx::Error> {
    let dropped = sqlx::query_scalar!(
        "DELETE FROM requests.attachment WHERE id = $1 AND request IS NULL RETURNING sha256",
        id,
    );
    let sha256 = dropped.fetch_optional(connection).await?;
    sha256.map(|bytes| digest("sha256", bytes)).transpose()
}

/// Whether an attachment has this content.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn has_content(connection: &mut PgConnection, sha256: &[u8; 32]) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM requests.attachment WHERE sha256 = $1) AS "exists!""#,
        &sha256[..],
    )
    .fetch_one(connection)
    .await
}

/// Those of some contents that no attachment has.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn without_row(connection: &mut PgConnection, contents: &[[u8; 32]]) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT content AS "content!" FROM unnest($1::bytea[]) AS content
         WHERE NOT EXISTS (SELECT FROM requests.attachment WHERE sha256 = content)"#,
        &column(contents, |content| content.to_vec()),
    )
    .fetch_all(connection)
    .await
}
