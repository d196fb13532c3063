//! Tells when an embargo has ended: nobody does anything then, and who watches the feed would not learn that an edition is out.

use std::time::Duration;

use legalstat_kit::{
    Context, job,
    write::{self, Change},
};

use crate::db;

/// What the journal names as the method.
const METHOD: &str = "jobs/embargo-ends";
const PAUSE: Duration = Duration::from_secs(1);

/// Starts the job: it looks each second for embargoes that have ended, until the service stops.
pub fn start(context: &Context) {
    let own = context.clone();
    job::repeat(context, "tell-embargo-ends", PAUSE, move || {
        let context = own.clone();
        async move { tell(&context).await }
    });
}

async fn tell(context: &Context) -> anyhow::Result<()> {
    if !db::embargo::has_ended(&mut *context.db.connection().await?, context.now()).await? {
        return Ok(());
    }
    let told = write::by_job(context, METHOD, |write| {
        Box::pin(async move {
            let now = write.now();
            let ended = db::embargo::note_ended(write.connection(), now).await?;
            let change = |key| Change::of(&key, "edition.embargo_ended");
            Ok(ended.into_iter().map(change).collect())
        })
    });
    told.await?;
    Ok(())
}
