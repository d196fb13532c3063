//! Drops files that no request was submitted with, once their time is over, and removes contents that no row has: what a crash between
//! a file and its row leaves, and what is left of an erasure.

use std::time::Duration;

use futures::TryStreamExt as _;
use legalstat_kit::{
    Context,
    files::FileStore,
    job,
    write::{self, Change},
};
use uuid::Uuid;

use crate::{
    db,
    domain::{attachment, names},
    erasing,
};

/// How long between two rounds: as long as a file waits, within these bounds.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// How long a file that no request may be submitted with any more stays: longer than any call takes that found it in time.
const MARGIN: Duration = Duration::from_secs(600);
/// How many files are looked for at a time.
const BATCH: i64 = 100;
/// How long between two looks at all contents.
const SWEPT_AGAIN: Duration = Duration::from_secs(3600);
/// How many contents are compared with the rows at a time.
const COMPARED: usize = 1000;
/// What the journal names as the method.
const METHOD: &str = "jobs/attachments";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, files: &FileStore, unbound_for: Duration) {
    let (own, stored) = (context.clone(), files.clone());
    let pause = unbound_for.clamp(SHORTEST, LONGEST);
    job::repeat(context, "dropping files without a request", pause, move || {
        let (context, files) = (own.clone(), stored.clone());
        async move { round(&context, &files, unbound_for).await }
    });
    let (own, stored) = (context.clone(), files.clone());
    job::repeat(context, "removing contents without a row", SWEPT_AGAIN, move || {
        let (context, files) = (own.clone(), stored.clone());
        async move { sweep(&context, &files).await }
    });
}

/// Removes all contents that no attachment has.
async fn sweep(context: &Context, files: &FileStore) -> anyhow::Result<()> {
    let Some(contents) = files.digests()? else {
        anyhow::bail!(
            "other services keep files in the same folder: contents without a row stay; give each service a folder of its own"
        );
    };
    let mut compared = contents.map_err(legalstat_kit::Error::of_job).try_chunks(COMPARED);
    let (mut all, mut unused) = (0, Vec::new());
    while let Some(some) = compared.try_next().await? {
        all += some.len();
        let mut connection = context.db.connection().await?;
        unused.extend(db::attachment::without_row(&mut connection, &some).await?);
    }
    if attachment::are_of_another_database(unused.len(), all) {
        let unused = unused.len();
        anyhow::bail!(
            "{unused} of {all} contents have no row: is this the database that belongs to the folder? they stay"
        );
    }
    let removed = erasing::remove_all_unused(&context.db, files, &unused).await;
    let removed = removed.map_err(legalstat_kit::Error::of_job)?;
    if removed > 0 {
        tracing::info!(removed, "contents without a row removed");
    }
    Ok(())
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
