//! Examines the requests that were accepted while a service was away, as soon as it is back.

use std::time::Duration;

use legalstat_kit::{
    Context, Error,
    due::follow,
    write::{self, Change},
};
use uuid::Uuid;

use crate::{
    clients::Services,
    db::{self, storing::Waiting},
    domain::{examination::Examination, names, rules::Rules},
};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// How many requests are fetched at a time.
const BATCH: i64 = 100;
/// After how many requests in a row that still wait a round ends: the service is still away.
const PATIENCE: usize = 3;
/// What the journal names as the method.
const METHOD: &str = "jobs/examination";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, services: Services) {
    let job = context.clone();
    context.tasks.spawn(async move {
        let mut after = 0;
        let mut told = String::new();
        while !job.stopped_within(PAUSE).await {
            match round(&job, &services, &mut after).await {
                Ok(()) => told.clear(),
                Err(error) => tell(&mut told, &error),
            }
        }
    });
}

/// Logs a failure once, not each second anew.
fn tell(told: &mut String, error: &Error) {
    // The words of a database's error only: its details can hold the row.
    let problem = match error {
        Error::Refusal(refusal) => refusal.message.clone(),
        Error::Unknown(error) => format!("{error:#}"),
    };
    if problem != *told {
        tracing::warn!(
            error = problem,
            "waiting requests cannot be examined; trying again every second"
        );
        *told = problem;
    }
}

/// Goes through the waiting requests from where the last round ended, so that one that cannot be examined does not keep
/// the others back.
async fn round(context: &Context, services: &Services, after: &mut i64) -> Result<(), Error> {
    let mut still_waiting = 0;
    loop {
        let batch = waiting(context, *after).await?;
        if batch.is_empty() {
            *after = 0;
            return Ok(());
        }
        let rules = db::rules::read(&context.db).await?;
        for request in batch {
            if context.shutdown.is_cancelled() {
                return Ok(());
            }
            *after = request.number;
            still_waiting = if examine(context, services, &rules, request.id).await? {
                0
            } else {
                still_waiting + 1
            };
            if still_waiting == PATIENCE {
                return Ok(());
            }
        }
    }
}

async fn waiting(context: &Context, after: i64) -> Result<Vec<Waiting>, sqlx::Error> {
    let mut connection = context.db.connection().await?;
    db::storing::waiting(&mut connection, after, BATCH).await
}

/// Examines one request and stores what came of it. False when a service is still away.
async fn examine(context: &Context, services: &Services, rules: &Rules, id: Uuid) -> Result<bool, Error> {
    let mut connection = context.db.connection().await?;
    let request = db::reading::read(&mut connection, &[id]).await?.pop();
    drop(connection);
    let Some(request) = request else { return Ok(true) };
    let examination = services.examine(&request.submission, rules).await;
    if examination.is_pending() {
        return Ok(false);
    }
    store(context, id, examination).await
}

/// False when the calendar has changed since it was asked.
async fn store(context: &Context, id: Uuid, examination: Examination) -> Result<bool, Error> {
    let stored = write::by_job(context, METHOD, move |write| {
        Box::pin(async move {
            // Of two replicas only one stores its examination.
            if !db::storing::lock_waiting(write.connection(), id).await? {
                return Ok(Vec::new());
            }
            if let Some(deadline) = &examination.deadline {
                let current = follow::is_current(write.connection(), &deadline.calendar_version).await?;
                anyhow::ensure!(current, "the calendar changed while it was asked");
            }
            let now = write.now();
            let explanation = db::storing::explain(write.connection(), &examination).await?;
            let number = db::registration::take_number(write.connection(), &examination).await?;
            db::storing::conclude(
                write.connection(),
                id,
                &examination,
                explanation,
                number.as_deref(),
                now,
            )
            .await?;
            Ok(vec![Change::of(&names::request(id), "request.examined")])
        })
    });
    stored.await?;
    Ok(true)
}
