//! Loads the register that is embedded in the service. Loading it again changes nothing.

use anyhow::Context as _;
use legalstat_kit::{
    Context,
    write::{self, Change},
};

use super::form;
use crate::domain::{form::Form, register};

/// Stores the forms of Appendix 2 that are not there yet, and gives all that are registered.
///
/// # Errors
/// When the embedded register cannot be read or the database fails.
pub async fn load(context: &Context) -> anyhow::Result<Vec<Form>> {
    let register = register::appendix_2()?;
    let loaded = write::by_job(context, "jobs/load-registers", |write| {
        Box::pin(async move {
            let mut inserted = false;
            for form in &register {
                inserted |= form::insert_missing(write.connection(), form).await?;
            }
            let loaded = inserted.then(|| Change::of(&"forms", "form-register.loaded"));
            Ok(loaded.into_iter().collect())
        })
    });
    if loaded.await.context("loading the register of forms")? > 0 {
        tracing::info!("the register of forms was loaded");
    }
    let mut connection = context.db.connection().await?;
    Ok(form::list(&mut connection, &form::Filter::default(), None).await?)
}
