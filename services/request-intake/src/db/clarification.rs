//! What requesters are asked for.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::law::LocalizedText;
use sqlx::PgConnection;
use uuid::Uuid;

use super::column;

/// Something that a requester is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The field concerned; empty for the whole request.
    pub field: String,
    /// What is missing.
    pub text: LocalizedText,
}

/// Stores what the next examination of a request found missing, behind what was asked before.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_examination(
    connection: &mut PgConnection,
    request: Uuid,
    asked: &[LocalizedText],
) -> Result<(), sqlx::Error> {
    if asked.is_empty() {
        return Ok(());
    }
    let texts: Vec<&LocalizedText> = asked.iter().collect();
    insert(connection, request, &vec![None; asked.len()], &texts, false).await
}

/// Stores what an official asks the requester of a locked request for, by the decision that comes next.
///
/// # Errors
/// When the database fails; a field that an official asked about before breaks the constraint `clarification_asked_once`.
pub async fn ask(connection: &mut PgConnection, request: Uuid, defects: &[Defect]) -> Result<(), sqlx::Error> {
    let fields: Vec<Option<&str>> = defects.iter().map(|defect| Some(defect.field.as_str())).collect();
    let texts: Vec<&LocalizedText> = defects.iter().map(|defect| &defect.text).collect();
    insert(connection, request, &fields, &texts, true).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert(
    connection: &mut PgConnection,
    request: Uuid,
    fields: &[Option<&str>],
    texts: &[&LocalizedText],
    by_official: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.clarification (request, position, decision, field, text_kk, text_ru, text_en)
         SELECT $1, (before.positions + asked.number - 1)::integer, CASE WHEN $6 THEN before.decisions END, asked.field,
             asked.kk, asked.ru, asked.en
         FROM (SELECT (SELECT coalesce(max(position) + 1, 0) FROM requests.clarification WHERE request = $1) AS positions,
                      (SELECT coalesce(max(position) + 1, 0) FROM requests.decision WHERE request = $1) AS decisions) AS before,
             unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS asked (field, kk, ru, en, number)",
        request,
        fields as _,
        column(texts, |text| text.kk.as_str()) as _,
        column(texts, |text| text.ru.as_str()) as _,
        column(texts, |text| text.en.as_str()) as _,
        by_official,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A question that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The field that an official asked about; none when the examination asks.
    pub by_official: Option<String>,
}

/// What the requester of a request is asked for and has not supplied.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn open(connection: &mut PgConnection, request: Uuid) -> Result<Vec<Open>, sqlx::Error> {
    sqlx::query_as!(
        Open,
        "SELECT CASE WHEN decision IS NOT NULL THEN coalesce(field, '') END AS by_official
         FROM requests.clarification WHERE request = $1 AND provided_at IS NULL ORDER BY position",
        request,
    )
    .fetch_all(connection)
    .await
}

/// The fields that officials asked the requester about.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn asked_about(connection: &mut PgConnection, request: Uuid) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT field AS "field!" FROM requests.clarification WHERE request = $1 AND decision IS NOT NULL"#,
        request,
    )
    .fetch_all(connection)
    .await
}

/// Sets the last day for curing the defects of a locked request.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn set_cure_by(connection: &mut PgConnection, request: Uuid, cure_by: Date) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.request SET cure_by = $2 WHERE id = $1",
        request,
        jiff_sqlx::Date::from(cure_by) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Closes everything that the requester of a locked request was asked for.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn provided(connection: &mut PgConnection, request: Uuid, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.clarification SET provided_at = $2 WHERE request = $1 AND provided_at IS NULL",
        request,
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
