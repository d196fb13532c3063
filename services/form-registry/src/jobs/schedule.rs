//! Fills the schedule at start: every edition that is not stored yet is stored with the due date that the calendar
//! computes for it. Until all are there, nothing is said about editions.

use std::{collections::HashSet, sync::Arc};

use legalstat_kit::{
    Context,
    due::{
        DueDate,
        calendar::{BATCH, Calendar},
        schedule::{self, Completeness},
    },
    write::{self, Change},
};
use sqlx::PgExecutor;

use crate::{
    clients, db,
    domain::{self, edition::EditionKey, form::Form},
};

/// What filling the schedule needs.
struct Job {
    context: Context,
    calendar: Calendar,
    forms: Vec<Form>,
}

/// Asks for nothing when the schedule is whole; else fills it in the background, however long the calendar is away.
///
/// # Errors
/// When the database fails.
pub async fn start(
    context: &Context,
    calendar: Calendar,
    forms: Vec<Form>,
    completeness: Arc<Completeness>,
) -> anyhow::Result<()> {
    if missing(&mut *context.db.connection().await?, &forms).await?.is_empty() {
        completeness.reach();
        return Ok(());
    }
    let shutdown = context.shutdown.clone();
    let job = Arc::new(Job {
        context: context.clone(),
        calendar,
        forms,
    });
    context.tasks.spawn(async move {
        schedule::complete(&completeness, &shutdown, || fill(job.clone())).await;
    });
    Ok(())
}

/// Stores what is missing, batch by batch, and tells how many editions were stored.
async fn fill(job: Arc<Job>) -> anyhow::Result<u64> {
    let missing = missing(&mut *job.context.db.connection().await?, &job.forms).await?;
    let mut stored = 0;
    for batch in missing.chunks(BATCH) {
        let obligations = batch
            .iter()
            .map(|(form, key)| clients::calendar::obligation(form, *key));
        let due_dates = job.calendar.due_dates(obligations).await?;
        stored += store(&job.context, batch, due_dates).await?;
    }
    Ok(stored)
}

/// The editions that the calendar was not asked about yet.
///
/// # Errors
/// When the database fails.
pub(crate) async fn missing<'a>(
    db: impl PgExecutor<'_>,
    forms: &'a [Form],
) -> Result<Vec<(&'a Form, EditionKey)>, sqlx::Error> {
    let known: HashSet<EditionKey> = db::schedule::known_periods(db).await?.into_iter().collect();
    let candidates = domain::schedule::candidates(forms);
    Ok(candidates.filter(|(_, key)| !known.contains(key)).collect())
}

async fn store(context: &Context, batch: &[(&Form, EditionKey)], due_dates: Vec<DueDate>) -> anyhow::Result<u64> {
    let versions: HashSet<String> = due_dates.iter().map(|due| due.calendar_version.clone()).collect();
    let (due, not_due): (Vec<_>, Vec<_>) = batch
        .iter()
        .zip(due_dates)
        .partition(|((form, _), due)| form.holds_on(due.date));
    let keyed = |rows: Vec<(&(&Form, EditionKey), DueDate)>| {
        rows.into_iter().map(|((_, key), due)| (*key, due)).collect::<Vec<_>>()
    };
    let (due, not_due) = (keyed(due), keyed(not_due));
    let stored = due.len() as u64;
    write::by_job(context, "jobs/schedule", move |write| {
        Box::pin(async move {
            schedule::require_current(write, versions).await?;
            db::schedule::insert_editions(write.connection(), &due).await?;
            db::schedule::insert_periods_without_edition(write.connection(), &not_due).await?;
            Ok(vec![Change::of(&"schedule", "schedule.filled")])
        })
    })
    .await?;
    Ok(stored)
}
