//! `collections.recipient_detail`, and `collections.recipient_state`, which is what counts. Nothing is changed in place: a row is
//! superseded, and others are written.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::law::{LegalBasis, LocalizedText};
use sqlx::PgConnection;

use crate::domain::recipient::{self, Facts, Known, Recipient, Written};

struct Row {
    number: i64,
    id: String,
    appendix_column: Option<i32>,
    name_kk: String,
    name_ru: String,
    name_en: String,
    parent: Option<String>,
    certificate_name: Option<String>,
    endpoint: Option<String>,
    successor: Option<String>,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
    recorded_at: Option<jiff_sqlx::Timestamp>,
}

impl From<Row> for Known {
    fn from(row: Row) -> Self {
        Self {
            number: row.number,
            id: row.id,
            appendix_column: row.appendix_column,
            valid_from: row.valid_from.to_jiff(),
            facts: Facts {
                name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
                parent: row.parent,
                certificate_name: row.certificate_name,
                endpoint: row.endpoint,
                successor: row.successor,
                legal_basis: LegalBasis::of_row(
                    row.legal_basis_act,
                    row.legal_basis_provision,
                    row.legal_basis_uri,
                    row.legal_basis_assumed,
                ),
                valid_to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
            },
            recorded_at: row.recorded_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

/// Which states to read.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Only of this recipient.
    pub id: Option<&'a str>,
    /// Only those that hold on this day.
    pub day: Option<Date>,
    /// Only those with this name in the certificate, and all of recipients that became another or are what another became.
    pub speaking: Option<&'a str>,
}

/// What counts, by column of Appendix 1, headings first, and by the day from which it holds.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, filter: &Filter<'_>) -> Result<Vec<Known>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT number AS "number!", id AS "id!", appendix_column, name_kk AS "name_kk!", name_ru AS "name_ru!",
             name_en AS "name_en!", parent, certificate_name, endpoint, successor, legal_basis_act AS "legal_basis_act!",
             legal_basis_provision AS "legal_basis_provision!", legal_basis_uri AS "legal_basis_uri!",
             legal_basis_assumed AS "legal_basis_assumed!", valid_from AS "valid_from!", valid_to, recorded_at
         FROM collections.recipient_state
         WHERE ($1::text IS NULL OR id = $1)
           AND ($2::date IS NULL OR (valid_from <= $2 AND coalesce(valid_to, 'infinity') >= $2))
           AND ($3::text IS NULL OR certificate_name = $3 OR id IN (
                SELECT unnest(ARRAY[d.recipient, d.successor]) FROM collections.recipient_detail d
                WHERE d.superseded_at IS NULL AND d.successor IS NOT NULL))
         ORDER BY coalesce(appendix_column, 0), id, valid_from"#,
        filter.id,
        filter.day.map(jiff_sqlx::Date::from) as _,
        filter.speaking,
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(Known::from).collect())
}

/// All that counts of every recipient.
///
/// # Errors
/// When the database fails.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<Known>, sqlx::Error> {
    list(connection, &Filter::default()).await
}

/// The ids for which a certificate speaks on a day: that of the recipient that it names first, then those of recipients that have ended and
/// that it follows. None when it names no recipient.
///
/// # Errors
/// When the database fails.
pub async fn spoken_for(
    connection: &mut PgConnection,
    certificate: &str,
    day: Date,
) -> Result<Vec<String>, sqlx::Error> {
    let filter = Filter {
        speaking: Some(certificate),
        ..Filter::default()
    };
    let rows = list(connection, &filter).await?;
    let named = |row: &&Known| row.covers(day) && row.facts.certificate_name.as_deref() == Some(certificate);
    let named = rows.iter().find(named);
    Ok(named
        .map(|own| recipient::spoken_for(&rows, &own.id, day))
        .unwrap_or_default())
}

/// Nobody else changes who is entitled to copies, as a recipient or by a list, until the transaction ends.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_entitlements(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('collections.recipient_detail'), 0)")
        .execute(connection)
        .await?;
    Ok(())
}

/// Who is entitled to copies, and where their servers are, does not change until the transaction ends; others may hold to it as well.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn share_entitlements(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock_shared(hashtext('collections.recipient_detail'), 0)")
        .execute(connection)
        .await?;
    Ok(())
}

/// All that counts of one recipient, by the day from which it holds.
///
/// # Errors
/// When the database fails.
pub async fn of(connection: &mut PgConnection, id: &str) -> Result<Vec<Known>, sqlx::Error> {
    let filter = Filter {
        id: Some(id),
        ..Filter::default()
    };
    list(connection, &filter).await
}

/// By whom and why a row is written.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

/// Writes what is known of a recipient from a day on. The recipient must be there.
///
/// # Errors
/// When the database fails; a violation of `recipient_detail_one_at_a_time`, `recipient_detail_period`,
/// `recipient_detail_certificate_name_of_one`, `recipient_detail_parent` or `recipient_detail_successor`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    id: &str,
    written: &Written,
    recorded: &Recorded,
) -> Result<i64, sqlx::Error> {
    let facts = &written.facts;
    sqlx::query_scalar!(
        "INSERT INTO collections.recipient_detail
             (recipient, name_kk, name_ru, name_en, parent, certificate_name, endpoint, successor, legal_basis_act,
              legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, recorded_at,
              recorded_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         RETURNING number",
        id,
        facts.name.kk,
        facts.name.ru,
        facts.name.en,
        facts.parent.as_deref(),
        facts.certificate_name.as_deref(),
        facts.endpoint.as_deref(),
        facts.successor.as_deref(),
        facts.legal_basis.act,
        facts.legal_basis.provision,
        facts.legal_basis.uri,
        facts.legal_basis.assumed,
        jiff_sqlx::Date::from(written.valid_from) as _,
        facts.valid_to.map(jiff_sqlx::Date::from) as _,
        recorded.reason,
        jiff_sqlx::Timestamp::from(recorded.at) as _,
        recorded.by,
    )
    .fetch_one(connection)
    .await
}

/// Enters a recipient that no release brought; false when its id is taken.
///
/// # Errors
/// When the database fails; a violation of `recipient_parent`.
pub async fn enter(
    connection: &mut PgConnection,
    id: &str,
    appendix_column: Option<i32>,
    written: &Written,
) -> Result<bool, sqlx::Error> {
    let facts = written.facts.clone();
    let recipient = Recipient {
        id: id.to_owned(),
        appendix_column,
        name: facts.name,
        parent: facts.parent,
        legal_basis: facts.legal_basis,
        valid_from: written.valid_from,
        valid_to: facts.valid_to,
    };
    super::recipient::insert_missing(connection, &recipient).await
}

/// Supersedes a row. False when another write has done so already.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn supersede(connection: &mut PgConnection, number: i64, now: Timestamp) -> Result<bool, sqlx::Error> {
    let superseded = sqlx::query!(
        "UPDATE collections.recipient_detail SET superseded_at = greatest(recorded_at, $2)
         WHERE number = $1 AND superseded_at IS NULL",
        number,
        jiff_sqlx::Timestamp::from(now) as _,
    );
    Ok(superseded.execute(connection).await?.rows_affected() == 1)
}
