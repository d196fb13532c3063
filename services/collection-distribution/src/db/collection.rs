//! `collections.collection`.

use futures::future::BoxFuture;
use legalstat_kit::{
    door::word::Word,
    due::Duty,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;

use crate::domain::{
    collection::{Collection, Periodicity},
    key,
};

struct Row {
    id: String,
    appendix_row: i32,
    title_en: String,
    title_kk: String,
    title_ru: String,
    periodicity: String,
    due_day: i32,
    roll_forward: bool,
    roll_forward_basis_act: String,
    roll_forward_basis_provision: String,
    roll_forward_basis_uri: String,
    roll_forward_basis_assumed: bool,
    copies_total: i32,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
}

impl TryFrom<Row> for Collection {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let periodicity = Periodicity::read_stored(&row.periodicity, "periodicity")?;
        let roll_forward_basis = LegalBasis::of_row(
            row.roll_forward_basis_act,
            row.roll_forward_basis_provision,
            row.roll_forward_basis_uri,
            row.roll_forward_basis_assumed,
        );
        let legal_basis = LegalBasis::of_row(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        );
        Ok(Self {
            appendix_row: row.appendix_row,
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            periodicity,
            copies_total: row.copies_total,
            duty: Duty {
                parent: key::collection(&row.id),
                position: 0,
                periods: periodicity.periods(),
                due_day: row.due_day,
                roll_forward: row.roll_forward,
                roll_forward_basis,
                legal_basis,
                valid_from: row.valid_from.to_jiff(),
                valid_to: row.valid_to.map(|day| day.to_jiff()),
            },
            id: row.id,
        })
    }
}

/// Which collections to list.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Only this one.
    pub id: Option<&'a str>,
    /// Only those after this one.
    pub after: Option<&'a str>,
}

/// The collections in the order of Appendix 1; `None` as the limit means all.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    filter: &Filter<'_>,
    limit: Option<i64>,
) -> Result<Vec<Collection>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, appendix_row, title_en, title_kk, title_ru, periodicity, due_day, roll_forward,
             roll_forward_basis_act, roll_forward_basis_provision, roll_forward_basis_uri, roll_forward_basis_assumed,
             copies_total, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
             valid_from, valid_to
         FROM collections.collection
         WHERE ($1::text IS NULL OR id = $1)
           AND ($2::text IS NULL
                OR (appendix_row, id) > (SELECT c.appendix_row, c.id FROM collections.collection c WHERE c.id = $2))
         ORDER BY appendix_row, id LIMIT $3",
        filter.id,
        filter.after,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Collection::try_from).collect()
}

/// The duty of every collection, as the schedule reads them.
pub fn duties(connection: &mut PgConnection) -> BoxFuture<'_, Result<Vec<Duty>, sqlx::Error>> {
    Box::pin(async move {
        let collections = list(connection, &Filter::default(), None).await?;
        Ok(collections.into_iter().map(|collection| collection.duty).collect())
    })
}

/// One collection.
pub async fn get(connection: &mut PgConnection, id: &str) -> Result<Option<Collection>, sqlx::Error> {
    let filter = Filter {
        id: Some(id),
        after: None,
    };
    Ok(list(connection, &filter, None).await?.pop())
}

/// Stores a collection unless its id is taken; answers whether it was stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_missing(connection: &mut PgConnection, collection: &Collection) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO collections.collection
             (id, appendix_row, title_en, title_kk, title_ru, periodicity, due_day, roll_forward,
              roll_forward_basis_act, roll_forward_basis_provision, roll_forward_basis_uri, roll_forward_basis_assumed,
              copies_total, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
              valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT DO NOTHING",
        collection.id,
        collection.appendix_row,
        collection.title.en,
        collection.title.kk,
        collection.title.ru,
        collection.periodicity.word(),
        collection.duty.due_day,
        collection.duty.roll_forward,
        collection.duty.roll_forward_basis.act,
        collection.duty.roll_forward_basis.provision,
        collection.duty.roll_forward_basis.uri,
        collection.duty.roll_forward_basis.assumed,
        collection.copies_total,
        collection.duty.legal_basis.act,
        collection.duty.legal_basis.provision,
        collection.duty.legal_basis.uri,
        collection.duty.legal_basis.assumed,
        jiff_sqlx::Date::from(collection.duty.valid_from) as _,
        collection.duty.valid_to.map(jiff_sqlx::Date::from) as _,
    )
    .execute(connection)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}
