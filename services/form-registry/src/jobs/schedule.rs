//! Fills the schedule at start: every edition that is not stored yet is stored with the due date that the calendar
//! computes for it. Until all are there, nothing is said about editions.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use legalstat_kit::Context;
use sqlx::{PgExecutor, PgPool};

use crate::{
    clients::calendar::{BATCH, Calendar},
    db,
    domain::{
        edition::{DueDate, EditionKey},
        form::Form,
        schedule,
    },
    error::FormsError,
};

/// How long between two tries to reach the calendar.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether the schedule is whole.
#[derive(Debug, Default)]
pub struct Completeness(AtomicBool);

impl Completeness {
    /// Refuses while the schedule is not whole: a part of it would pass for all of it.
    ///
    /// # Errors
    /// [`FormsError::ScheduleIncomplete`].
    pub fn require(&self) -> Result<(), FormsError> {
        if self.0.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(FormsError::ScheduleIncomplete)
        }
    }

    fn reached(&self) {
        self.0.store(true, Ordering::Release);
    }
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
    if missing(&context.db, &forms).await?.is_empty() {
        completeness.reached();
        return Ok(());
    }
    let job = context.clone();
    context.tasks.spawn(async move {
        tokio::select! {
            () = fill_until_whole(&job, &calendar, &forms) => completeness.reached(),
            () = job.shutdown.cancelled() => {}
        }
    });
    Ok(())
}

async fn fill_until_whole(context: &Context, calendar: &Calendar, forms: &[Form]) {
    let mut told = String::new();
    loop {
        match fill(&context.db, calendar, forms).await {
            Ok(stored) => {
                tracing::info!(stored, "the schedule is complete");
                return;
            }
            Err(error) => {
                let problem = format!("{error:#}");
                if problem != told {
                    tracing::warn!(
                        error = problem,
                        "the schedule cannot be completed yet; trying again every second"
                    );
                    told = problem;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Stores what is missing, batch by batch, and tells how many editions were stored.
async fn fill(db: &PgPool, calendar: &Calendar, forms: &[Form]) -> anyhow::Result<u64> {
    let missing = missing(db, forms).await?;
    let mut stored = 0;
    for batch in missing.chunks(BATCH) {
        let due_dates = calendar.due_dates(batch).await?;
        stored += store(db, batch, due_dates).await?;
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
    let known: HashSet<(i32, String)> = db::schedule::known_periods(db).await?.into_iter().collect();
    let candidates = schedule::candidates(forms);
    Ok(candidates
        .filter(|(_, key)| !known.contains(&(key.form, key.period.to_string())))
        .collect())
}

async fn store(db: &PgPool, batch: &[(&Form, EditionKey)], due_dates: Vec<DueDate>) -> Result<u64, sqlx::Error> {
    let (due, not_due): (Vec<_>, Vec<_>) = batch
        .iter()
        .zip(due_dates)
        .partition(|((form, _), due)| form.holds_on(due.date));
    let keyed = |rows: Vec<(&(&Form, EditionKey), DueDate)>| {
        rows.into_iter().map(|((_, key), due)| (*key, due)).collect::<Vec<_>>()
    };
    let mut transaction = db.begin().await?;
    let stored = db::schedule::insert_editions(&mut transaction, &keyed(due)).await?;
    db::schedule::insert_periods_without_edition(&mut transaction, &keyed(not_due)).await?;
    transaction.commit().await?;
    Ok(stored)
}
