//! Bodies as rows. Nothing is changed in place: a row is superseded, and others are written.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;

use crate::domain::body::{Bodies, Body, BodyKind, Facts, Written};

struct Row {
    number: i64,
    id: String,
    title_kk: String,
    title_ru: String,
    title_en: String,
    certificate_name: Option<String>,
    bin: Option<String>,
    kind: String,
    territory: Option<String>,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
    recorded_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Body {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            number: row.number,
            id: row.id,
            valid_from: row.valid_from.to_jiff(),
            facts: Facts {
                title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
                certificate_name: row.certificate_name,
                bin: row.bin,
                kind: BodyKind::read_stored(&row.kind, "kind")?,
                territory: row.territory,
                legal_basis: LegalBasis::of_row(
                    row.legal_basis_act,
                    row.legal_basis_provision,
                    row.legal_basis_uri,
                    row.legal_basis_assumed,
                ),
                valid_to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
            },
            recorded_at: row.recorded_at.to_jiff(),
        })
    }
}

/// All rows that count.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all(connection: &mut PgConnection) -> Result<Bodies, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT number, id, title_kk, title_ru, title_en, certificate_name, bin, kind, territory, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, recorded_at
         FROM requests.body WHERE superseded_at IS NULL ORDER BY id, valid_from"
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into);
    Ok(Bodies(rows.collect::<Result<_, _>>()?))
}

/// The rows of one body that count, by the day from which they hold.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of(connection: &mut PgConnection, id: &str) -> Result<Vec<Body>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT number, id, title_kk, title_ru, title_en, certificate_name, bin, kind, territory, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, recorded_at
         FROM requests.body WHERE superseded_at IS NULL AND id = $1 ORDER BY valid_from",
        id,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into);
    rows.collect()
}

/// Which bodies a list holds; empty filters take all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In force on this day.
    pub as_of: Option<Date>,
    pub kind: Option<BodyKind>,
    pub bin: Option<String>,
    /// Behind this body and day.
    pub after: Option<(String, Date)>,
}

/// The rows of a list, by body and day.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, filter: &Filter, most: i64) -> Result<Vec<Body>, sqlx::Error> {
    let (id, from) = filter.after.clone().unzip();
    let rows = sqlx::query_as!(
        Row,
        "SELECT number, id, title_kk, title_ru, title_en, certificate_name, bin, kind, territory, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, recorded_at
         FROM requests.body
         WHERE superseded_at IS NULL
           AND ($1::date IS NULL OR (valid_from <= $1 AND coalesce(valid_to, 'infinity') >= $1))
           AND ($2::text IS NULL OR kind = $2)
           AND ($3::text IS NULL OR bin = $3)
           AND ($4::text IS NULL OR (id, valid_from) > ($4, $5::date))
         ORDER BY id, valid_from LIMIT $6",
        filter.as_of.map(jiff_sqlx::Date::from) as _,
        filter.kind.map(BodyKind::word),
        filter.bin.as_deref(),
        id,
        from.map(jiff_sqlx::Date::from) as _,
        most,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into);
    rows.collect()
}

/// By whom and why a row is written.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

/// Writes what is known of a body from a day on.
///
/// # Errors
/// When the database fails; a violation of `body_one_at_a_time`, `body_period` or `body_certificate_name_of_one`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    id: &str,
    written: &Written,
    recorded: &Recorded,
) -> Result<i64, sqlx::Error> {
    let facts = &written.facts;
    sqlx::query_scalar!(
        "INSERT INTO requests.body
             (id, title_kk, title_ru, title_en, certificate_name, bin, kind, territory, legal_basis_act,
              legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, recorded_at,
              recorded_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         RETURNING number",
        id,
        facts.title.kk,
        facts.title.ru,
        facts.title.en,
        facts.certificate_name.as_deref(),
        facts.bin.as_deref(),
        facts.kind.word(),
        facts.territory.as_deref(),
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

/// Supersedes a row. False when another write has done so already.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn supersede(connection: &mut PgConnection, number: i64, now: Timestamp) -> Result<bool, sqlx::Error> {
    let superseded = sqlx::query!(
        "UPDATE requests.body SET superseded_at = greatest(recorded_at, $2) WHERE number = $1 AND superseded_at IS NULL",
        number,
        jiff_sqlx::Timestamp::from(now) as _,
    );
    Ok(superseded.execute(connection).await?.rows_affected() == 1)
}
