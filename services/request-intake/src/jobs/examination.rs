//! Examines the requests that were accepted while a service was away, as soon as it is back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use legalstat_kit::{
    Context,
    due::follow,
    job,
    write::{self, Change},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    current_rules::CurrentRules,
    db::{self, examination::Waiting, request::Stored},
    domain::{
        examination::{Check, Examination},
        life::{self, Verb},
        names,
        rules::Rules,
        told::Told,
    },
    examining::{Examiner, LONGEST},
};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// How many requests are examined at a time.
const BATCH: i64 = 100;
/// What the journal names as the method.
const METHOD: &str = "jobs/examination";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, examiner: Arc<Examiner>, rules: Arc<CurrentRules>) {
    let job = Arc::new(Job {
        context: context.clone(),
        examiner,
        rules,
        after: AtomicI64::new(0),
    });
    job::repeat(context, "examination of waiting requests", PAUSE, move || {
        let job = Arc::clone(&job);
        async move { job.round().await }
    });
}

struct Job {
    context: Context,
    examiner: Arc<Examiner>,
    rules: Arc<CurrentRules>,
    /// Where the last round ended: a request that cannot be examined does not keep those behind it back.
    after: AtomicI64,
}

impl Job {
    /// Goes through the waiting requests until a service is away again.
    async fn round(&self) -> anyhow::Result<()> {
        loop {
            let mut connection = self.context.db.connection().await?;
            let after = self.after.load(Ordering::Relaxed);
            let waiting = db::examination::waiting(&mut connection, after, BATCH).await?;
            self.after
                .store(waiting.last().map_or(0, |last| last.number), Ordering::Relaxed);
            if waiting.is_empty() {
                return Ok(());
            }
            let requests = read(&mut connection, &waiting).await?;
            drop(connection);
            if !self.examine(requests).await? {
                return Ok(());
            }
        }
    }

    /// Examines requests and stores what came of it; one that fails keeps none of the others back. False when none could be
    /// examined: a service is still away.
    async fn examine(&self, requests: Vec<Request>) -> anyhow::Result<bool> {
        let rules = self.rules.get(&self.context.db).await?;
        let submissions: Vec<_> = requests
            .iter()
            .map(|request| (&request.stored.submission, request.kept.as_slice()))
            .collect();
        let examined = self.examiner.examine_again(&submissions, &rules, LONGEST).await;
        let (mut any, mut failed) = (false, Ok(()));
        for (request, examination) in requests.iter().zip(examined) {
            if examination.is_pending() {
                continue;
            }
            let (id, version) = (request.stored.receipt.id, request.stored.standing.version);
            let examination = comes_after(&request.stored, examination, &rules);
            match self.store(id, version, examination).await {
                Ok(stored) => any |= stored,
                Err(error) => failed = failed.and(Err(error.context(names::request(id)))),
            }
        }
        failed.map(|()| any)
    }

    /// False when nothing was stored: another replica has it, or the request or the calendar has changed meanwhile.
    async fn store(&self, id: Uuid, version: i32, examination: Examination) -> anyhow::Result<bool> {
        let examiner = Arc::clone(&self.examiner);
        let changed = write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move {
                // Of two replicas only one stores its examination.
                let Some(stands) = db::examination::lock_waiting(write.connection(), id, version).await? else {
                    return Ok(Vec::new());
                };
                if let Some(deadline) = &examination.deadline
                    && !follow::is_current(write.connection(), &deadline.calendar_version).await?
                {
                    examiner.deadlines.forget();
                    return Ok(Vec::new());
                }
                let verb = Verb::of(&examination, stands.state);
                let state = life::step(stands.state, verb)?;
                let now = write.now();
                let connection = write.connection();
                if verb == Verb::ExamineAgain {
                    db::examination::conclude_again(connection, id, &examination, now).await?;
                } else {
                    db::examination::conclude(connection, id, &examination, now).await?;
                }
                // Examined again, a registered request keeps its state, its number and its due date.
                let told = if verb == Verb::ExamineAgain {
                    Told::default()
                } else {
                    let due_date = examination.deadline.as_ref().map(|deadline| deadline.due_date);
                    Told {
                        executor: stands.assignee,
                        ..Told::of(state, due_date)
                    }
                };
                Ok(vec![Change::of(&names::request(id), "request.examined").telling(&told)])
            })
        });
        Ok(changed.await? > 0)
    }
}

/// An examination with what was found when the request was accepted: what it comes after.
fn comes_after(stored: &Stored, examination: Examination, rules: &Rules) -> Examination {
    let (duplicate, repeats) = (stored.likely_duplicate_of.is_some(), stored.repeats.is_some());
    let found = examination.found(duplicate, repeats, &stored.submission, rules);
    examination.with(&found)
}

/// A request that waits, as it was read.
struct Request {
    stored: Stored,
    /// The checks whose rules an official has found kept.
    kept: Vec<Check>,
}

/// Reads what waits. One that this release cannot read keeps none of the others back.
async fn read(connection: &mut PgConnection, waiting: &[Waiting]) -> anyhow::Result<Vec<Request>> {
    let ids: Vec<Uuid> = waiting.iter().map(|waiting| waiting.id).collect();
    let mut found = db::request::get(connection, &ids).await?;
    let mut kept = db::review::kept(connection, &ids).await?;
    let mut requests = Vec::with_capacity(ids.len());
    for id in ids {
        match found.remove(&id) {
            None => {}
            Some(Ok(stored)) => requests.push(Request {
                stored,
                kept: kept.remove(&id).unwrap_or_default(),
            }),
            Some(Err(error)) => {
                tracing::warn!(request = names::request(id), %error, "cannot be read, so not examined");
            }
        }
    }
    Ok(requests)
}
