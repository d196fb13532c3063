//! Loads the register that is embedded in the service. Loading it again changes nothing.

use anyhow::Context as _;
use legalstat_kit::{
    Context,
    write::{self, Change},
};
use sqlx::PgConnection;

use super::{collection, distribution, recipient};
use crate::domain::{
    collection::Collection,
    register::{self, Register},
};

/// Stores what Appendix 1 has and the database has not, and gives all collections that are registered.
///
/// # Errors
/// When the embedded register cannot be read or the database fails.
pub async fn load(context: &Context) -> anyhow::Result<Vec<Collection>> {
    let register = register::appendix_1()?;
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
    Ok(collection::list(&mut connection, &collection::Filter::default(), None).await?)
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
