//! Loads the register that is embedded in the service. Loading it again changes nothing.

use anyhow::Context as _;
use legalstat_kit::{
    Context,
    door::register::{edited as register_edited, tell_edited},
    write::{self, Change},
};

use super::form;
use crate::domain::{form::Form, key, register};

/// Stores the forms of Appendix 2 that are not there yet, and gives all that are registered.
///
/// # Errors
/// When the embedded register cannot be read or the database fails.
pub async fn load(context: &Context) -> anyhow::Result<Vec<Form>> {
    let register = register::appendix_2()?;
    let released = register.clone();
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
    let stored = form::list(&mut connection, &form::Filter::default(), None).await?;
    tell_edited("Appendix 2", &edited(&released, &stored));
    Ok(stored)
}

/// The names of the forms that are stored otherwise than the release brings them.
pub fn edited(released: &[Form], stored: &[Form]) -> Vec<String> {
    register_edited(released, stored, |row| key::form(row.list_number))
}
