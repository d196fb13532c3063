//! Drops files that no request was submitted with, once their time is over.

use std::time::Duration;

use legalstat_kit::{
    Context,
    files::FileStore,
    job,
    write::{self, Change},
};
use uuid::Uuid;

use crate::{db, domain::names};

/// How long between two rounds: as long as a file waits, within these bounds.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// How long a file that no request may be submitted with any more stays: longer than any call takes that found it in time.
const MARGIN: Duration = Duration::from_secs(600);
/// How many files are looked for at a time.
const BATCH: i64 = 100;
/// What the journal names as the method.
const METHOD: &str = "jobs/attachments";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, files: &FileStore, unbound_for: Duration) {
    let (own, files) = (context.clone(), files.clone());
    let pause = unbound_for.clamp(SHORTEST, LONGEST);
    job::repeat(context, "dropping files without a request", pause, move || {
        let (context, files) = (own.clone(), files.clone());
        async move { round(&context, &files, unbound_for).await }
    });
}

async fn round(context: &Context, files: &FileStore, unbound_for: Duration) -> anyhow::Result<()> {
    loop {
        let before = context.now().checked_sub(unbound_for)?.checked_sub(MARGIN)?;
        let expired = {
            let mut connection = context.db.connection().await?;
            db::attachment::expired(&mut connection, before, BATCH).await?
        };
        let mut dropped = 0;
        for id in &expired {
            dropped += drop_one(context, files.clone(), *id).await?;
        }
        if dropped == 0 {
            return Ok(());
        }
    }
}

/// The content goes with the last attachment that has it, before the row does: what was not committed is dropped next time, and
/// until then the door takes no file of that age, so that no request is accepted with a row whose content is gone.
async fn drop_one(context: &Context, files: FileStore, id: Uuid) -> anyhow::Result<usize> {
    write::by_job(context, METHOD, move |write| {
        Box::pin(async move {
            let connection = write.connection();
            let Some(sha256) = db::attachment::drop_unbound(connection, id).await? else {
                return Ok(Vec::new());
            };
            db::attachment::lock_content(connection, &sha256).await?;
            if !db::attachment::has_content(connection, &sha256).await? {
                files.remove(&sha256).await.map_err(legalstat_kit::Error::of_job)?;
            }
            Ok(vec![Change::of(&names::attachment(id), "attachment.dropped")])
        })
    })
    .await
}
