//! Tells of copies that nobody has confirmed though their editions were due: each once in the feed, and how many there are in the
//! metrics.

use std::time::Duration;

use legalstat_kit::{
    Context,
    call::telemetry,
    job,
    write::{self, Change},
};

use crate::db;

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(15);
/// How many copies are told at a time.
const BATCH: i64 = 500;
/// What the journal names as the method.
const METHOD: &str = "jobs/overdue";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context) {
    let own = context.clone();
    job::repeat(context, "overdue copies", PAUSE, move || {
        let context = own.clone();
        async move { round(&context).await }
    });
}

async fn round(context: &Context) -> anyhow::Result<()> {
    let batch = usize::try_from(BATCH)?;
    while tell(context).await? == batch {}
    let unconfirmed = {
        let mut connection = context.db.connection().await?;
        db::overdue::count(&mut connection, context.now()).await?
    };
    for (name, count) in [
        ("legalstat.collections.copies_unconfirmed", unconfirmed.all),
        ("legalstat.collections.copies_overdue", unconfirmed.overdue),
        ("legalstat.collections.copies_failed", unconfirmed.failed),
        ("legalstat.collections.recalls_unconfirmed", unconfirmed.recalls),
    ] {
        telemetry::gauge(name, count);
    }
    Ok(())
}

/// Tells how many were new.
async fn tell(context: &Context) -> anyhow::Result<usize> {
    write::by_job(context, METHOD, move |write| {
        Box::pin(async move {
            let now = write.now();
            let overdue = db::overdue::record(write.connection(), now, BATCH).await?;
            Ok(overdue.iter().map(|key| Change::of(key, "copy.overdue")).collect())
        })
    })
    .await
}
