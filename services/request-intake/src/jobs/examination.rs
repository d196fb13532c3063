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
    db::{self, earlier::Sought, examination::Waiting, request::Stored},
    domain::{
        earlier::{Before, KnownBy},
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
        for (request, examination) in requests.into_iter().zip(examined) {
            if examination.is_pending() {
                continue;
            }
            let id = request.stored.receipt.id;
            match self.store(request.stored, examination, Arc::clone(&rules)).await {
                Ok(stored) => any |= stored,
                Err(error) => failed = failed.and(Err(error.context(names::request(id)))),
            }
        }
        failed.map(|()| any)
    }

    /// False when nothing was stored: another replica has it, or the request or the calendar has changed meanwhile.
    async fn store(&self, stored: Stored, examination: Examination, rules: Arc<Rules>) -> anyhow::Result<bool> {
        let examiner = Arc::clone(&self.examiner);
        let (id, version) = (stored.receipt.id, stored.standing.version);
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
                let examination = comes_after(write.connection(), &stored, examination, &rules).await?;
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

/// An examination with what the locked request comes after: what was found when it was accepted or, once it has changed, what is found
/// now.
async fn comes_after(
    connection: &mut PgConnection,
    stored: &Stored,
    examination: Examination,
    rules: &Rules,
) -> Result<Examination, sqlx::Error> {
    let before = (stored.likely_duplicate_of, stored.repeats);
    let mut after = before;
    if stored.standing.version > 0 {
        let (id, known_by) = (stored.receipt.id, KnownBy::of(&stored.submission));
        let found = db::earlier::find(connection, &Sought::again(id, &known_by)).await?;
        let found = found.of(0);
        let id_of = |before: &Option<Before>| before.as_ref().map(|before| before.id);
        after = (id_of(&found.likely_duplicate_of), id_of(&found.repeats));
        if after != before {
            db::earlier::update(connection, id, &found).await?;
        }
    }
    let found = examination.found(after.0.is_some(), after.1.is_some(), &stored.submission, rules);
    Ok(examination.with(&found))
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
