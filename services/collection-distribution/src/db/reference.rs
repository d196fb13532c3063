//! Loads the register that is embedded in the service. Loading it again changes nothing.

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};

use super::{collection, distribution, recipient};
use crate::domain::{collection::Collection, register};

/// Stores what Appendix 1 has and the database has not, and gives all collections that are registered.
///
/// # Errors
/// When the embedded register cannot be read or the database fails.
pub async fn load(connection: &mut PgConnection) -> anyhow::Result<Vec<Collection>> {
    let register = register::appendix_1()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "at the start, where nobody can drop it half way"
    )]
    let mut transaction = connection.begin().await.context("loading Appendix 1")?;
    let (mut collections, mut recipients, mut cells, mut groups) = (0, 0, 0, 0);
    for collection in &register.collections {
        collections += usize::from(collection::insert_missing(&mut transaction, collection).await?);
    }
    for recipient in &register.recipients {
        recipients += usize::from(recipient::insert_missing(&mut transaction, recipient).await?);
    }
    for cell in &register.cells {
        cells += usize::from(distribution::insert_missing_cell(&mut transaction, cell).await?);
    }
    for group in &register.groups {
        groups += usize::from(distribution::insert_missing_group(&mut transaction, group).await?);
    }
    transaction.commit().await?;
    if collections + recipients + cells + groups > 0 {
        tracing::info!(collections, recipients, cells, groups, "Appendix 1 was loaded");
    }
    Ok(collection::list(connection, &collection::Filter::default(), None).await?)
}
