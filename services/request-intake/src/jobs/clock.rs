//! Computes the due dates of requests anew whose requesters were asked or have answered: their clocks stood still, where their terms let
//! them. So whoever asks or answers waits for no calendar.

use std::{sync::Arc, time::Duration};

use jiff::civil::Date;
use legalstat_kit::{
    Context,
    due::{DueDate, follow},
    job,
    write::{self, Change},
    zone,
};
use uuid::Uuid;

use crate::{
    clients::calendar,
    db::{self, clock_stop::Uncounted, due_date::Moved, request::Stored},
    domain::{
        clock_stop::ClockStop,
        evidence::{Answer, Deadline},
        names,
        told::Told,
    },
    examining::{Examiner, LONGEST},
};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// How many requests are read at a time.
const BATCH: i64 = 100;
/// What the journal names as the method.
const METHOD: &str = "jobs/clock";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, examiner: Arc<Examiner>) {
    let job = Arc::new(Job {
        context: context.clone(),
        examiner,
    });
    job::repeat(context, "clocks that stood still", PAUSE, move || {
        let job = Arc::clone(&job);
        async move { job.round().await }
    });
}

struct Job {
    context: Context,
    examiner: Arc<Examiner>,
}

impl Job {
    /// Goes through what is not counted until the calendar is away. A request that cannot be read keeps none of the others back.
    async fn round(&self) -> anyhow::Result<()> {
        self.restart().await?;
        let (mut after, mut failed) = (None, Ok(()));
        loop {
            let mut connection = self.context.db.connection().await?;
            let uncounted = db::clock_stop::uncounted(&mut connection, after, BATCH).await?;
            let Some(last) = uncounted.last() else {
                return failed;
            };
            after = Some(last.request);
            let ids: Vec<Uuid> = uncounted.iter().map(|one| one.request).collect();
            // The requests first: a stop that is recorded in between comes with another version of its request, and that is not stored.
            let mut found = db::request::get(&mut connection, &ids).await?;
            let stops = db::clock_stop::of(&mut connection, &ids).await?;
            drop(connection);
            for Uncounted { request, is_due } in uncounted {
                let stops = stops.get(&request).map_or(&[][..], Vec::as_slice);
                let done = match found.remove(&request) {
                    None => Ok(true),
                    Some(Ok(stored)) => self.count(&stored, is_due, stops).await,
                    Some(Err(error)) => Err(error.into()),
                };
                match done {
                    Ok(true) => {}
                    Ok(false) => return failed,
                    Err(error) => failed = failed.and(Err(error.context(names::request(request)))),
                }
            }
        }
    }

    /// Ends the stops that requests came back from, whichever way and whichever release decided it.
    async fn restart(&self) -> anyhow::Result<()> {
        let mut connection = self.context.db.connection().await?;
        let left = db::clock_stop::left_standing(&mut connection).await?;
        drop(connection);
        if left.is_empty() {
            return Ok(());
        }
        write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move {
                db::clock_stop::restart(write.connection(), &left).await?;
                // The due date that follows from it is another change.
                Ok(Vec::<Change>::new())
            })
        })
        .await?;
        Ok(())
    }

    /// False while the calendar is away.
    async fn count(&self, stored: &Stored, is_due: bool, stops: &[ClockStop]) -> anyhow::Result<bool> {
        let computed = match stored.deadline.as_ref().filter(|_| is_due) {
            None => None,
            Some(deadline) => match self.ask(stored, deadline.registered_on, stops).await {
                Answer::Given(computed) => Some(computed),
                // Outside the calendar's years: the due date stays, as when the calendar changes.
                Answer::Refused(_) => None,
                Answer::Away => return Ok(false),
            },
        };
        store(&self.context, stored, computed).await?;
        Ok(true)
    }

    async fn ask(&self, stored: &Stored, registered_on: Date, stops: &[ClockStop]) -> Answer<Deadline> {
        let today = zone::civil_day(self.context.now());
        let question = calendar::question(
            stored.submission.requester.kind,
            stored.submission.received_at,
            Some(registered_on).filter(|day| *day <= today),
            stored.standing.extension,
            stops,
        );
        self.examiner.deadlines.answer(question, LONGEST).await
    }
}

/// Stores what was computed of a request as it was read, and tells it. What has changed meanwhile, or what the calendar has overtaken, is
/// computed in the next round; what another replica has stored of the same is told once.
///
/// # Errors
/// When the database fails.
pub async fn store(context: &Context, stored: &Stored, computed: Option<Deadline>) -> anyhow::Result<()> {
    let (request, version) = (stored.receipt.id, stored.standing.version);
    let moved = stored.deadline.as_ref().map(due).zip(computed).and_then(|(old, new)| {
        let explanation = db::explanation::digest(&new.steps);
        // Days that stand still and move nothing are told too.
        let is_another = said(&old) != said(&due(&new)) || stored.explanation != Some(explanation);
        is_another.then_some((old, new, explanation))
    });
    write::by_job(context, METHOD, move |write| {
        Box::pin(async move {
            let now = write.now();
            let connection = write.connection();
            if !db::clock_stop::lock(connection, request, version).await? {
                return Ok(Vec::new());
            }
            let Some((old, new, explanation)) = moved else {
                db::clock_stop::count(connection, request).await?;
                return Ok(Vec::new());
            };
            if !follow::is_current(connection, &new.calendar_version).await? {
                return Ok(Vec::new());
            }
            db::explanation::insert(connection, &explanation, &new.steps).await?;
            let moved = Moved {
                id: request,
                old: &old,
                new: &new,
                explanation,
            };
            if db::due_date::store(connection, &[moved], now).await?.is_empty() {
                return Ok(Vec::new());
            }
            db::clock_stop::count(connection, request).await?;
            Ok(vec![change(request, &old, &new)])
        })
    })
    .await?;
    Ok(())
}

/// What is said of a due date.
fn said(due: &DueDate) -> (Date, bool, bool) {
    (due.date, due.provisional, due.assumed)
}

fn due(deadline: &Deadline) -> DueDate {
    DueDate {
        date: deadline.due_date,
        time: deadline.due_time,
        provisional: deadline.provisional,
        assumed: deadline.assumed,
        calendar_version: deadline.calendar_version.clone(),
    }
}

fn change(request: Uuid, old: &DueDate, new: &Deadline) -> Change {
    let event = match old.date == new.due_date {
        true => "request.due_date_restated",
        false => "request.due_date_moved",
    };
    let told = Told {
        due_date: Some(new.due_date),
        ..Told::default()
    };
    let body = format!("CLOCK_STOPPED {} {}", old.date, new.due_date);
    Change::of(&names::request(request), event)
        .doing(body.as_bytes())
        .telling(&told)
}
