//! `collections.revision_file`: the files of each revision, and `collections.edition_file`, where those that were replaced stay too.

use legalstat_kit::{call::Done, files::Content};
use sqlx::PgConnection;

use crate::domain::{
    content::{EditionFile, Files},
    key::EditionKey,
};

/// The files of a revision in the order of their names, by the bytes of UTF-8; none when there is no such revision.
pub async fn of(
    connection: &mut PgConnection,
    edition: &EditionKey,
    revision: i32,
) -> Result<Vec<EditionFile>, sqlx::Error> {
    let mut files = of_each(connection, &[(edition, revision)]).await?;
    Ok(files.pop().into_iter().flatten().collect())
}

/// The files of each of these revisions.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(
    connection: &mut PgConnection,
    revisions: &[(&EditionKey, i32)],
) -> Result<Vec<Files>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT w.place AS "place!", f.filename, f.content_type, f.size_bytes, f.sha256, f.language,
             f.uploaded_at AS "uploaded_at: jiff_sqlx::Timestamp", f.uploaded_by
         FROM UNNEST($1::text[], $2::text[], $3::integer[]) WITH ORDINALITY AS w (collection, period, revision, place)
         JOIN collections.revision_file r USING (collection, period, revision)
         JOIN collections.edition_file f ON f.number = r.file"#,
        &revisions
            .iter()
            .map(|(key, _)| key.collection.clone())
            .collect::<Vec<_>>(),
        &revisions
            .iter()
            .map(|(key, _)| key.period.to_string())
            .collect::<Vec<_>>(),
        &revisions.iter().map(|(_, revision)| *revision).collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    let mut files = vec![Vec::new(); revisions.len()];
    for row in rows {
        let content = Content {
            filename: row.filename,
            content_type: row.content_type,
            size_bytes: row.size_bytes,
            sha256: row.sha256,
            uploaded: Done {
                at: row.uploaded_at.to_jiff(),
                by: row.uploaded_by,
            },
        };
        let place = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
        if let Some(of_revision) = files.get_mut(place) {
            of_revision.push(EditionFile {
                content,
                language: row.language,
            });
        }
    }
    Ok(files.into_iter().map(Files::from_iter).collect())
}

/// Stores a file that was uploaded for an edition, and gives its number.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn store(
    connection: &mut PgConnection,
    edition: &EditionKey,
    file: &EditionFile,
) -> Result<i64, sqlx::Error> {
    let content = &file.content;
    sqlx::query_scalar!(
        "INSERT INTO collections.edition_file
             (collection, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by, language)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number",
        edition.collection,
        edition.period.to_string(),
        content.filename,
        content.content_type,
        content.size_bytes,
        content.sha256,
        jiff_sqlx::Timestamp::from(content.uploaded.at) as _,
        content.uploaded.by,
        file.language,
    )
    .fetch_one(connection)
    .await
}

/// Puts a stored file among those of a revision, in place of one of its name.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn put(
    connection: &mut PgConnection,
    (edition, revision): (&EditionKey, i32),
    filename: &str,
    number: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.revision_file (collection, period, revision, filename, file) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (collection, period, revision, filename) DO UPDATE SET file = EXCLUDED.file",
        edition.collection,
        edition.period.to_string(),
        revision,
        filename,
        number,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a file out of a revision.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn remove(
    connection: &mut PgConnection,
    (edition, revision): (&EditionKey, i32),
    filename: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM collections.revision_file WHERE collection = $1 AND period = $2 AND revision = $3 AND filename = $4",
        edition.collection,
        edition.period.to_string(),
        revision,
        filename,
    )
    .execute(connection)
    .await?;
    Ok(())
}
