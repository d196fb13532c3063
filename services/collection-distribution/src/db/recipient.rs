//! `collections.recipient`.

use legalstat_kit::law::{LegalBasis, LocalizedText};
use sqlx::PgConnection;

use crate::domain::recipient::Recipient;

struct Row {
    id: String,
    appendix_column: Option<i32>,
    name_en: String,
    name_kk: String,
    name_ru: String,
    parent: Option<String>,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
}

impl From<Row> for Recipient {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            appendix_column: row.appendix_column,
            name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
            parent: row.parent,
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
            valid_from: row.valid_from.to_jiff(),
            valid_to: row.valid_to.map(|day| day.to_jiff()),
        }
    }
}

/// The recipients after one of them, by column of Appendix 1; headings come first.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Recipient>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, appendix_column, name_en, name_kk, name_ru, parent,
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to
         FROM collections.recipient
         WHERE ($1::text IS NULL
                OR (coalesce(appendix_column, 0), id)
                 > (SELECT coalesce(r.appendix_column, 0), r.id FROM collections.recipient r WHERE r.id = $1))
         ORDER BY coalesce(appendix_column, 0), id LIMIT $2",
        after,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Recipient::from).collect())
}

/// Whether there is such a recipient.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn exists(connection: &mut PgConnection, id: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM collections.recipient WHERE id = $1) AS "exists!""#,
        id
    )
    .fetch_one(connection)
    .await
}

/// Stores a recipient unless its id is taken; tells whether it was stored. Its parent must be there.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_missing(connection: &mut PgConnection, recipient: &Recipient) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO collections.recipient
             (id, appendix_column, name_en, name_kk, name_ru, parent,
              legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT DO NOTHING",
        recipient.id,
        recipient.appendix_column,
        recipient.name.en,
        recipient.name.kk,
        recipient.name.ru,
        recipient.parent.as_deref(),
        recipient.legal_basis.act,
        recipient.legal_basis.provision,
        recipient.legal_basis.uri,
        recipient.legal_basis.assumed,
        jiff_sqlx::Date::from(recipient.valid_from) as _,
        recipient.valid_to.map(jiff_sqlx::Date::from) as _,
    )
    .execute(connection)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}
