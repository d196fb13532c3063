//! Warns of due dates that come near or have passed, in the feed and in the metrics, and tells there how open requests stand.

use std::{sync::Arc, time::Duration};

use legalstat_kit::{
    Context,
    call::telemetry,
    job,
    write::{self, Change},
    zone,
};

use crate::{
    config::WarningDays,
    db::{self, due_warning::Warning},
    domain::{names, told::Told},
};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(15);
/// How many warnings are stored at a time.
const BATCH: i64 = 500;
/// What the journal names as the method.
const METHOD: &str = "jobs/warning";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, days: WarningDays) {
    let job = Arc::new(Job {
        context: context.clone(),
        days,
    });
    job::repeat(context, "warning of due dates", PAUSE, move || {
        let job = Arc::clone(&job);
        async move { job.round().await }
    });
}

struct Job {
    context: Context,
    days: WarningDays,
}

impl Job {
    async fn round(&self) -> anyhow::Result<()> {
        let batch = usize::try_from(BATCH)?;
        while self.warn().await? == batch {}
        self.count().await
    }

    /// Tells how many warnings were new.
    async fn warn(&self) -> anyhow::Result<usize> {
        let days = self.days.0.clone();
        write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move {
                let now = write.now();
                let today = zone::civil_day(now);
                let warnings = db::due_warning::record(write.connection(), &days, today, now, BATCH).await?;
                Ok(warnings.into_iter().map(change).collect())
            })
        })
        .await
    }

    async fn count(&self) -> anyhow::Result<()> {
        let now = self.context.now();
        let mut connection = self.context.db.connection().await?;
        let farthest = self.days.farthest();
        let standing = db::due_warning::count(&mut connection, farthest, zone::civil_day(now), now).await?;
        for (name, count) in [
            ("legalstat.requests.open", standing.open),
            ("legalstat.requests.due_soon", standing.due_soon),
            ("legalstat.requests.due_today", standing.due_today),
            ("legalstat.requests.overdue", standing.overdue),
            ("legalstat.requests.unexamined", standing.unexamined),
            (
                "legalstat.requests.oldest_unexamined_seconds",
                standing.oldest_unexamined_seconds,
            ),
        ] {
            telemetry::gauge(name, count);
        }
        Ok(())
    }
}

fn change(warning: Warning) -> Change {
    let name = names::request(warning.request);
    let told = Told {
        due_date: Some(warning.due_date),
        executor: warning.assignee,
        ..Told::default()
    };
    let change = if warning.overdue {
        Change::of(&name, "request.overdue")
    } else {
        Change::of(&name, "request.due_soon")
    };
    change.telling(&told)
}
