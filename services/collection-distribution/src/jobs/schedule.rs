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
use sqlx::PgPool;

use crate::{
    clients::calendar::{BATCH, Calendar},
    db,
    domain::{
        collection::Collection,
        edition::{DueDate, EditionKey},
        schedule,
    },
    error::CollectionsError,
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
    /// [`CollectionsError::ScheduleIncomplete`].
    pub fn require(&self) -> Result<(), CollectionsError> {
        if self.0.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(CollectionsError::ScheduleIncomplete)
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
    collections: Vec<Collection>,
    completeness: Arc<Completeness>,
) -> anyhow::Result<()> {
    if missing(&context.db, &collections).await?.is_empty() {
        completeness.reached();
        return Ok(());
    }
    let job = context.clone();
    context.tasks.spawn(async move {
        tokio::select! {
            () = fill_until_whole(&job, &calendar, &collections) => completeness.reached(),
            () = job.shutdown.cancelled() => {}
        }
    });
    Ok(())
}

async fn fill_until_whole(context: &Context, calendar: &Calendar, collections: &[Collection]) {
    let mut told = String::new();
    loop {
        match fill(&context.db, calendar, collections).await {
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
async fn fill(db: &PgPool, calendar: &Calendar, collections: &[Collection]) -> anyhow::Result<u64> {
    let mut stored = 0;
    for batch in missing(db, collections).await?.chunks(BATCH) {
        let due_dates = calendar.due_dates(batch).await?;
        stored += db::edition::insert_missing(db, &due(batch, due_dates)).await?;
    }
    Ok(stored)
}

async fn missing<'a>(
    db: &PgPool,
    collections: &'a [Collection],
) -> Result<Vec<(&'a Collection, EditionKey)>, sqlx::Error> {
    let scheduled: HashSet<EditionKey> = db::edition::scheduled(db).await?.into_iter().collect();
    Ok(schedule::candidates(collections)
        .filter(|(_, key)| !scheduled.contains(key))
        .collect())
}

/// The editions that exist: those that fall due on a day on which the duty holds.
fn due(batch: &[(&Collection, EditionKey)], due_dates: Vec<DueDate>) -> Vec<(EditionKey, DueDate)> {
    let dated = batch
        .iter()
        .zip(due_dates)
        .filter(|((collection, _), due)| collection.holds_on(due.date));
    dated.map(|((_, key), due)| (key.clone(), due)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{names, register};

    #[test]
    fn an_edition_exists_only_when_it_falls_due_on_a_day_on_which_the_duty_holds() {
        let register = register::appendix_1().expect("the register is readable");
        let key = names::parse_edition("collections/crime/editions/2019-Q1").expect("a name");
        let exists = |day: &str| {
            let due_date = DueDate {
                date: day.parse().expect("a day"),
                time: "2019-04-15T18:00:00Z".parse().expect("an instant"),
                provisional: false,
                assumed: true,
                calendar_version: "1".into(),
            };
            !due(&[(&register.collections[0], key.clone())], vec![due_date]).is_empty()
        };
        assert!(!exists("2019-04-14"));
        assert!(exists("2019-04-15"));
    }
}
