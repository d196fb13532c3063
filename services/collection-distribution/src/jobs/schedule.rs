//! Fills the schedule at start: every edition that is not stored yet is stored with the due date that the calendar
//! computes for it. Until all are there, nothing is said about editions.

use sqlx::PgExecutor;
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

use crate::{
    clients, db,
    domain::{self, collection::Collection, edition::EditionKey},
};

/// What filling the schedule needs.
struct Job {
    context: Context,
    calendar: Calendar,
    collections: Vec<Collection>,
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
    if missing(&mut *context.db.connection().await?, &collections)
        .await?
        .is_empty()
    {
        completeness.reach();
        return Ok(());
    }
    let shutdown = context.shutdown.clone();
    let job = Arc::new(Job {
        context: context.clone(),
        calendar,
        collections,
    });
    context.tasks.spawn(async move {
        schedule::complete(&completeness, &shutdown, || fill(job.clone())).await;
    });
    Ok(())
}

/// Stores what is missing, batch by batch, and tells how many editions were stored.
async fn fill(job: Arc<Job>) -> anyhow::Result<u64> {
    let mut stored = 0;
    for batch in missing(&mut *job.context.db.connection().await?, &job.collections)
        .await?
        .chunks(BATCH)
    {
        let obligations = batch
            .iter()
            .map(|(collection, key)| clients::calendar::obligation(collection, key));
        let due_dates = job.calendar.due_dates(obligations).await?;
        let versions: HashSet<String> = due_dates.iter().map(|due| due.calendar_version.clone()).collect();
        let missing = due(batch, due_dates);
        stored += missing.len() as u64;
        write::by_job(&job.context, "jobs/schedule", move |write| {
            Box::pin(async move {
                schedule::require_current(write, versions).await?;
                db::edition::insert_missing(write.connection(), &missing).await?;
                Ok(vec![Change::of(&"schedule", "schedule.filled")])
            })
        })
        .await?;
    }
    Ok(stored)
}

async fn missing<'a>(
    db: impl PgExecutor<'_>,
    collections: &'a [Collection],
) -> Result<Vec<(&'a Collection, EditionKey)>, sqlx::Error> {
    let scheduled: HashSet<EditionKey> = db::edition::scheduled(db).await?.into_iter().collect();
    Ok(domain::schedule::candidates(collections)
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
