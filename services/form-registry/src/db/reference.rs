//! Loads the register that is embedded in the service. Loading it again changes nothing.

use anyhow::Context as _;
use legalstat_kit::schema::Database;

use super::form;
use crate::domain::{form::Form, register};

/// Stores the forms of Appendix 2 that are not there yet, and gives all that are registered.
///
/// # Errors
/// When the embedded register cannot be read or the database fails.
pub async fn load(db: &Database) -> anyhow::Result<Vec<Form>> {
    let register = register::appendix_2()?;
    let mut transaction = db.begin().await.context("loading the register of forms")?;
    let mut inserted = 0;
    for form in &register {
        inserted += usize::from(form::insert_missing(&mut transaction, form).await?);
    }
    transaction.commit().await?;
    if inserted > 0 {
        tracing::info!(forms = inserted, "the register of forms was loaded");
    }
    Ok(form::list(&mut *db.connection().await?, &form::Filter::default(), None).await?)
}
