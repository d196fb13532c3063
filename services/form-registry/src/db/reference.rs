//! Loads the register that is embedded in the service. Loading it again changes nothing.

use anyhow::Context as _;
use legalstat_kit::{
    Call, Context,
    door::register::{edited as register_edited, tell_edited},
    write::{self, Change},
};

use super::form;
use crate::domain::{
    form::Form,
    history::{Kind, Recording},
    key, register,
};

/// What the journal names as the method.
const JOB: &str = "jobs/load-registers";
/// Why the forms of a release are recorded.
const REASON: &str = "the register of the release";

/// Stores the forms of Appendix 2 that are not there yet, and gives each registered form as it was first recorded. What an
/// administrator has recorded since stays, and is nothing to be told.
///
/// # Errors
/// When the embedded register cannot be read or the database fails.
pub async fn load(context: &Context) -> anyhow::Result<Vec<Form>> {
    let register = register::appendix_2()?;
    let released = register.clone();
    let loaded = write::by_job(context, JOB, |write| {
        Box::pin(async move {
            let mut inserted = false;
            let recorded = Call::system(JOB).done(write.now());
            for form in register {
                form::register(write.connection(), &form).await?;
                let first = Recording {
                    number: 1,
                    kind: Kind::Loaded,
                    form,
                    reason: REASON.into(),
                    recorded: recorded.clone(),
                };
                inserted |= form::record(write.connection(), &first).await?;
            }
            let loaded = inserted.then(|| Change::of(&"forms", "form-register.loaded"));
            Ok(loaded.into_iter().collect())
        })
    });
    if loaded.await.context("loading the register of forms")? > 0 {
        tracing::info!("the register of forms was loaded");
    }
    let mut connection = context.db.connection().await?;
    let histories = form::histories(&mut connection, None).await?;
    let stored: Vec<Form> = histories
        .iter()
        .map(|history| history.recordings()[0].form.clone())
        .collect();
    tell_edited("Appendix 2", &edited(&released, &stored));
    Ok(stored)
}

/// The names of the forms that are stored otherwise than the release brings them.
pub fn edited(released: &[Form], stored: &[Form]) -> Vec<String> {
    register_edited(released, stored, |row| key::form(row.list_number))
}
