//! Loads the register that is embedded in the service. Loading it again changes nothing.

use anyhow::Context as _;
use jiff::civil::Date;
use legalstat_kit::{
    Context,
    door::register::{edited as register_edited, tell_edited},
    write::{self, Change},
};
use sqlx::PgConnection;

use super::{collection, distribution, recipient};
use crate::domain::{
    collection::Collection,
    distribution::{Cell, Group},
    key,
    register::{self, Dated, Register},
};

/// Stores what Appendix 1 has and the database has not.
///
/// # Errors
/// When the embedded register cannot be read or the database fails.
pub async fn load(context: &Context) -> anyhow::Result<()> {
    let register = register::appendix_1()?;
    let released = register.clone();
    let loaded = write::by_job(context, "jobs/load-registers", |write| {
        Box::pin(async move {
            let rows = insert_missing(write.connection(), &register).await?;
            let loaded = (rows > 0).then(|| Change::of(&"collections", "collection-register.loaded"));
            Ok(loaded.into_iter().collect())
        })
    });
    if loaded.await.context("loading Appendix 1")? > 0 {
        tracing::info!("Appendix 1 was loaded");
    }
    let mut connection = context.db.connection().await?;
    tell_edited("Appendix 1", &edited(&mut connection, &released).await?);
    Ok(())
}

/// The rows that are stored otherwise than the release brings them.
///
/// # Errors
/// When the database fails.
pub async fn edited(connection: &mut PgConnection, released: &Register) -> Result<Vec<String>, sqlx::Error> {
    let collections = collection::list(&mut *connection, &collection::Filter::default(), None).await?;
    let recipients = recipient::list(&mut *connection, None, i64::MAX).await?;
    let cells = distribution::all_cells(&mut *connection).await?;
    let groups = distribution::all_groups(connection).await?;
    let of_collection = |row: &Collection| key::collection(&row.id);
    let of_cell = |row: &Dated<Cell>| cell(&row.collection, "column", row.part.column, row.valid_from);
    let of_group = |row: &Dated<Group>| cell(&row.collection, "columns from", row.part.first_column, row.valid_from);
    Ok([
        register_edited(&released.collections, &collections, of_collection),
        register_edited(&released.recipients, &recipients, |row| key::recipient(&row.id)),
        register_edited(&released.cells, &cells, of_cell),
        register_edited(&released.groups, &groups, of_group),
    ]
    .concat())
}

fn cell(collection: &str, what: &str, column: i32, from: Date) -> String {
    format!("{}, {what} {column}, from {from}", key::collection(collection))
}

/// Answers how many rows were not there.
async fn insert_missing(connection: &mut PgConnection, register: &Register) -> Result<usize, sqlx::Error> {
    let mut rows = 0;
    for collection in &register.collections {
        rows += usize::from(collection::insert_missing(connection, collection).await?);
    }
    for recipient in &register.recipients {
        rows += usize::from(recipient::insert_missing(connection, recipient).await?);
    }
    for cell in &register.cells {
        rows += usize::from(distribution::insert_missing_cell(connection, cell).await?);
    }
    for group in &register.groups {
        rows += usize::from(distribution::insert_missing_group(connection, group).await?);
    }
    Ok(rows)
}
