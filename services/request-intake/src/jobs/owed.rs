//! Computes by which day requests are to be given back or forwarded, and again when the request, the rules or the calendar have changed: so
//! whoever reads a request waits for no calendar.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_kit::{
    Context,
    due::follow,
    job,
    write::{self, Change},
    zone,
};
use legalstat_proto::calendar::v1::ComputeDeadlineRequest;
use uuid::Uuid;

use crate::{
    clients::calendar,
    current_rules::CurrentRules,
    db::{self, owed_day::Computed, request::Stored},
    domain::{evidence::Answer, names, owed::Owed, rules::Rules},
    examining::{Examiner, LONGEST},
};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// How many requests are computed at a time.
const BATCH: i64 = 100;
/// What the journal names as the method.
const METHOD: &str = "jobs/owed";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, examiner: Arc<Examiner>, rules: Arc<CurrentRules>) {
    let job = Arc::new(Job {
        context: context.clone(),
        examiner,
        rules,
        after: Mutex::default(),
    });
    job::repeat(context, "days for returns and forwardings", PAUSE, move || {
        let job = Arc::clone(&job);
        async move { job.round().await }
    });
}

struct Job {
    context: Context,
    examiner: Arc<Examiner>,
    rules: Arc<CurrentRules>,
    /// Where the last round ended: what the calendar does not answer keeps nothing behind it back.
    after: Mutex<Option<Uuid>>,
}

/// A request, with what is owed of it and the place of the question about that among those of its batch.
struct Owing<'r> {
    stands: &'r Stored,
    owed: Option<Owed>,
    question: Option<usize>,
}

impl Job {
    /// Goes through what is not computed until the calendar is away. A request that cannot be read keeps none of the others back.
    async fn round(&self) -> anyhow::Result<()> {
        let mut failed = Ok(());
        loop {
            let mut connection = self.context.db.connection().await?;
            let followed = db::owed_day::followed(&mut connection).await?;
            let outdated = db::owed_day::outdated(&mut connection, self.after(), BATCH).await?;
            self.go_on_after(outdated.last().copied());
            if outdated.is_empty() {
                return failed;
            }
            let mut found = db::request::get(&mut connection, &outdated).await?;
            drop(connection);
            let mut read = Vec::with_capacity(found.len());
            // In their order, for in that they are stored too: of two replicas neither waits for the other in a circle.
            for id in outdated {
                match found.remove(&id) {
                    None => {}
                    Some(Ok(stored)) => read.push(stored),
                    Some(Err(error)) => failed = failed.and(Err(anyhow::Error::new(error).context(names::request(id)))),
                }
            }
            let rules = self.rules.get(&self.context.db).await?;
            let (computed, unasked) = self.compute(&read, &rules, followed).await;
            self.store(computed).await?;
            if let Some(unasked) = unasked {
                self.go_on_after(read[..unasked].last().map(|stands| stands.receipt.id));
                return failed;
            }
        }
    }

    fn after(&self) -> Option<Uuid> {
        *self.after.lock().expect("no code panics while it holds this lock")
    }

    fn go_on_after(&self, request: Option<Uuid>) {
        *self.after.lock().expect("no code panics while it holds this lock") = request;
    }

    /// What the calendar answered and, when it is away, the place of the first request about which it was not asked any more. A request
    /// whose question alone had no answer is left to a later round.
    async fn compute(
        &self,
        read: &[Stored],
        rules: &Rules,
        followed: Option<Timestamp>,
    ) -> (Vec<Computed>, Option<usize>) {
        let mut questions = Vec::new();
        let owing: Vec<Owing<'_>> = read
            .iter()
            .map(|stands| self.owing(stands, rules, &mut questions))
            .collect();
        let answers = match questions.is_empty() {
            true => Vec::new(),
            false => self.examiner.deadlines.answers(&questions, LONGEST).await,
        };
        let unasked = owing
            .iter()
            .position(|owing| owing.question.is_some_and(|question| question >= answers.len()));
        let is_away = !answers.is_empty() && answers.iter().all(|answer| *answer == Answer::Away);
        let unasked = unasked.or(is_away.then_some(read.len()));
        let computed = owing.into_iter().filter_map(|owing| {
            let deadline = match owing.question {
                None => None,
                Some(question) => match answers.get(question)? {
                    Answer::Given(deadline) => Some(deadline.clone()),
                    Answer::Refused(_) => None,
                    Answer::Away => return None,
                },
            };
            Some(Computed {
                request: owing.stands.receipt.id,
                version: owing.stands.standing.version,
                rules_revision: owing.stands.rules_revision,
                followed,
                owed: owing.owed,
                deadline,
            })
        });
        (computed.collect(), unasked)
    }

    /// Adds the question about what is owed unless another request has the same.
    fn owing<'r>(&self, stands: &'r Stored, rules: &Rules, questions: &mut Vec<ComputeDeadlineRequest>) -> Owing<'r> {
        let owed = Owed::of(rules, &stands.submission, &stands.standing, stands.examined_at);
        let question = owed.map(|owed| {
            let registered_on = stands.deadline.as_ref().map(|deadline| deadline.registered_on);
            let today = zone::civil_day(self.context.now());
            let question = calendar::owed(&stands.submission, registered_on, owed, today);
            let known = questions.iter().position(|asked| *asked == question);
            known.unwrap_or_else(|| {
                questions.push(question);
                questions.len() - 1
            })
        });
        Owing { stands, owed, question }
    }

    /// What the calendar has overtaken meanwhile, and what is being changed, is computed in the next round.
    async fn store(&self, computed: Vec<Computed>) -> anyhow::Result<()> {
        write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move {
                let mut computed = computed;
                let versions: BTreeSet<String> = computed.iter().filter_map(version).cloned().collect();
                for of in versions {
                    if !follow::is_current(write.connection(), &of).await? {
                        computed.retain(|computed| version(computed) != Some(&of));
                    }
                }
                let requests: Vec<Uuid> = computed.iter().map(|computed| computed.request).collect();
                let locked = db::owed_day::lock(write.connection(), &requests).await?;
                computed.retain(|computed| locked.contains(&computed.request));
                db::owed_day::store(write.connection(), &computed).await?;
                // Nothing was done with a request: what is kept follows from what is known of it.
                Ok(Vec::<Change>::new())
            })
        })
        .await?;
        Ok(())
    }
}

/// The version of the calendar that computed it.
fn version(computed: &Computed) -> Option<&String> {
    computed.deadline.as_ref().map(|deadline| &deadline.calendar_version)
}
