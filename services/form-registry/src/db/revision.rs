//! `forms.revision` with its files in `forms.edition_file`, and `forms.withdrawal`.

use std::collections::HashMap;

use legalstat_kit::{call::Done, door::word::unreadable, files::Content};
use sqlx::PgConnection;

use super::{canonical, edition_key, observation};
use crate::domain::{
    edition::{EditionFile, Figures, Revision, Seal, Withdrawal},
    key::EditionKey,
};

/// The columns of several editions' keys.
fn columns(keys: &[EditionKey]) -> (Vec<i32>, Vec<String>) {
    keys.iter().map(|key| (key.form, key.period.to_string())).unzip()
}

pub(super) fn digest(column: &'static str, stored: Vec<u8>) -> Result<[u8; 32], sqlx::Error> {
    let length = stored.len();
    stored
        .try_into()
        .map_err(|_| unreadable(column, &format!("{length} bytes")))
}

/// The revisions of these editions, in order. `OFFSET 0` has each edition looked up in the index, here and below: a plan made for many
/// editions would read whole tables for one.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(
    connection: &mut PgConnection,
    keys: &[EditionKey],
) -> Result<HashMap<EditionKey, Vec<Revision>>, sqlx::Error> {
    let mut found: HashMap<EditionKey, Vec<Revision>> = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let (forms, periods) = columns(keys);
    let mut files = files_of_each(connection, &forms, &periods).await?;
    let rows = sqlx::query!(
        r#"SELECT r.parent AS "parent!", r.period, r.number, r.reason,
             r.prepared_at AS "prepared_at: jiff_sqlx::Timestamp", r.prepared_by,
             r.sealed_at AS "sealed_at: jiff_sqlx::Timestamp", r.sealed_by, r.content_sha256, r.figures_sha256,
             r.restricted, r.nil_reason, w.reason AS "withdrawal_reason?",
             w.withdrawn_at AS "withdrawn_at?: jiff_sqlx::Timestamp", w.withdrawn_by AS "withdrawn_by?"
         FROM unnest($1::integer[], $2::text[]) AS k (form, period)
         CROSS JOIN LATERAL (
             SELECT * FROM forms.revision r WHERE (r.form, r.period) = (k.form, k.period) OFFSET 0
         ) r
         LEFT JOIN LATERAL (
             SELECT w.reason, w.withdrawn_at, w.withdrawn_by FROM forms.withdrawal w
             WHERE (w.form, w.period) = (r.form, r.period) AND w.revision >= r.number AND r.sealed_at <= w.withdrawn_at
             ORDER BY w.revision LIMIT 1
         ) w ON true
         ORDER BY r.form, r.period, r.number"#,
        &forms,
        &periods,
    );
    for row in rows.fetch_all(connection).await? {
        let key = edition_key(&row.parent, &row.period)?;
        let seal = match (row.sealed_at, row.sealed_by, row.content_sha256) {
            (Some(at), Some(by), Some(content)) => Some(Seal {
                sealed: Done { at: at.to_jiff(), by },
                content_sha256: digest("content_sha256", content)?,
                figures_sha256: row
                    .figures_sha256
                    .map(|sha256| digest("figures_sha256", sha256))
                    .transpose()?,
                restricted: row.restricted.unwrap_or(false),
                nil_reason: row.nil_reason,
            }),
            _ => None,
        };
        let withdrawal = match (row.withdrawal_reason, row.withdrawn_at, row.withdrawn_by) {
            (Some(reason), Some(at), Some(by)) => Some(Withdrawal {
                reason,
                withdrawn: Done { at: at.to_jiff(), by },
            }),
            _ => None,
        };
        found.entry(key).or_default().push(Revision {
            number: row.number,
            reason: row.reason,
            prepared: Done {
                at: row.prepared_at.to_jiff(),
                by: row.prepared_by,
            },
            seal,
            withdrawal,
            files: files.remove(&(key, row.number)).unwrap_or_default(),
        });
    }
    Ok(found)
}

async fn files_of_each(
    connection: &mut PgConnection,
    forms: &[i32],
    periods: &[String],
) -> Result<HashMap<(EditionKey, i32), Vec<EditionFile>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT f.parent AS "parent!", f.period, f.revision, f.filename, f.content_type, f.size_bytes, f.sha256,
             f.uploaded_at AS "uploaded_at: jiff_sqlx::Timestamp", f.uploaded_by, f.language, f.restricted
         FROM unnest($1::integer[], $2::text[]) AS k (form, period)
         CROSS JOIN LATERAL (
             SELECT * FROM forms.edition_file f
             WHERE (f.form, f.period) = (k.form, k.period) AND f.removed_at IS NULL OFFSET 0
         ) f
         ORDER BY f.filename COLLATE "C""#,
        forms,
        periods,
    );
    let mut found: HashMap<_, Vec<EditionFile>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        let key = edition_key(&row.parent, &row.period)?;
        found.entry((key, row.revision)).or_default().push(EditionFile {
            content: Content {
                filename: row.filename,
                content_type: row.content_type,
                size_bytes: row.size_bytes,
                sha256: row.sha256,
                uploaded: Done {
                    at: row.uploaded_at.to_jiff(),
                    by: row.uploaded_by,
                },
            },
            language: row.language,
            restricted: row.restricted,
        });
    }
    Ok(found)
}

/// What the figures of a revision come to.
///
/// # Errors
/// When the database fails.
pub async fn figures(connection: &mut PgConnection, key: EditionKey, revision: i32) -> Result<Figures, sqlx::Error> {
    let sha256 = canonical::digest(connection, key, revision).await?;
    let restricted = !observation::restricted(connection, key, revision).await?.is_empty();
    Ok(Figures { sha256, restricted })
}

/// Stores the last revision of an edition unless it is there, and what sealed it once it is sealed.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save_last(connection: &mut PgConnection, key: EditionKey, revision: &Revision) -> Result<(), sqlx::Error> {
    let seal = revision.seal.as_ref();
    sqlx::query!(
        "INSERT INTO forms.revision
             (form, period, number, replaces, reason, prepared_at, prepared_by, sealed_at, sealed_by, content_sha256,
              figures_sha256, restricted, nil_reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (form, period, number) DO UPDATE
         SET sealed_at = EXCLUDED.sealed_at, sealed_by = EXCLUDED.sealed_by, content_sha256 = EXCLUDED.content_sha256,
             figures_sha256 = EXCLUDED.figures_sha256, restricted = EXCLUDED.restricted, nil_reason = EXCLUDED.nil_reason
         WHERE revision.sealed_at IS NULL",
        key.form,
        key.period.to_string(),
        revision.number,
        revision.replaces(),
        revision.reason,
        jiff_sqlx::Timestamp::from(revision.prepared.at) as _,
        revision.prepared.by,
        seal.map(|seal| jiff_sqlx::Timestamp::from(seal.sealed.at)) as _,
        seal.map(|seal| seal.sealed.by.as_str()),
        seal.map(|seal| seal.content_sha256.as_slice()),
        seal.and_then(|seal| seal.figures_sha256.as_ref().map(<[u8; 32]>::as_slice)),
        seal.map(|seal| seal.restricted),
        seal.and_then(|seal| seal.nil_reason.as_deref()),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores a file of a revision, in place of one of the same name; the earlier one stays on record.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn add_file(
    connection: &mut PgConnection,
    key: EditionKey,
    revision: i32,
    file: &EditionFile,
) -> Result<(), sqlx::Error> {
    let content = &file.content;
    remove_file(connection, key, revision, &content.filename, &content.uploaded).await?;
    sqlx::query!(
        "INSERT INTO forms.edition_file
             (form, period, revision, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by, language,
              restricted)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        key.form,
        key.period.to_string(),
        revision,
        content.filename,
        content.content_type,
        content.size_bytes,
        content.sha256,
        jiff_sqlx::Timestamp::from(content.uploaded.at) as _,
        content.uploaded.by,
        file.language,
        file.restricted,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a file out of its revision; it stays on record.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn remove_file(
    connection: &mut PgConnection,
    key: EditionKey,
    revision: i32,
    filename: &str,
    removed: &Done,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE forms.edition_file SET removed_at = $5, removed_by = $6
         WHERE form = $1 AND period = $2 AND revision = $3 AND filename = $4 AND removed_at IS NULL",
        key.form,
        key.period.to_string(),
        revision,
        filename,
        jiff_sqlx::Timestamp::from(removed.at) as _,
        removed.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores that an edition was taken back, with every sealed revision up to the given one.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn withdraw(
    connection: &mut PgConnection,
    key: EditionKey,
    revision: i32,
    withdrawal: &Withdrawal,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO forms.withdrawal (form, period, revision, reason, withdrawn_at, withdrawn_by)
         VALUES ($1, $2, $3, $4, $5, $6)",
        key.form,
        key.period.to_string(),
        revision,
        withdrawal.reason,
        jiff_sqlx::Timestamp::from(withdrawal.withdrawn.at) as _,
        withdrawal.withdrawn.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}
