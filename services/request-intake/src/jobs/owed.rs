//! Computes by which day requests are to be given back or forwarded, and again when the request, the rules or the calendar have changed: so
//! whoever reads a request waits for no calendar.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

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
    clients::calendar::{self, Telling},
    current_rules::CurrentRules,
    db::{self, owed_day::Computed, request::Stored},
    domain::{
        evidence::{Answer, Deadline},
        names,
        owed::Owed,
        rules::Rules,
    },
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
}

/// Answers of the calendar in a batch: many requests have one question.
type Answers = Vec<(ComputeDeadlineRequest, Option<Deadline>)>;

impl Job {
    /// Goes through what is not computed until the calendar is away. A request that cannot be read keeps none of the others back.
    async fn round(&self) -> anyhow::Result<()> {
        let (mut after, mut failed) = (None, Ok(()));
        loop {
            let mut connection = self.context.db.connection().await?;
            let followed = db::owed_day::followed(&mut connection).await?;
            let outdated = db::owed_day::outdated(&mut connection, after, BATCH).await?;
            let Some(last) = outdated.last() else {
                return failed;
            };
            after = Some(*last);
            let found = db::request::get(&mut connection, &outdated).await?;
            drop(connection);
            let mut read = Vec::with_capacity(found.len());
            for (id, stored) in found {
                match stored {
                    Ok(stored) => read.push(stored),
                    Err(error) => failed = failed.and(Err(anyhow::Error::new(error).context(names::request(id)))),
                }
            }
            let rules = self.rules.get(&self.context.db).await?;
            let Some(computed) = self.compute(&read, &rules, followed).await else {
                return failed;
            };
            self.store(computed).await?;
        }
    }

    /// None while the calendar is away.
    async fn compute(&self, read: &[Stored], rules: &Rules, followed: Option<Timestamp>) -> Option<Vec<Computed>> {
        let today = zone::civil_day(self.context.now());
        let (mut answers, mut computed) = (Answers::new(), Vec::with_capacity(read.len()));
        for stands in read {
            let owed = Owed::of(rules, &stands.submission, &stands.standing, stands.examined_at);
            let deadline = match owed {
                None => None,
                Some(owed) => {
                    let registered_on = stands.deadline.as_ref().map(|deadline| deadline.registered_on);
                    let question = calendar::telling(
                        stands.submission.requester.kind,
                        stands.submission.received_at,
                        registered_on.filter(|day| *day <= today),
                        match owed {
                            Owed::Return(cure_by) => Telling::Return(cure_by),
                            Owed::Forwarding => Telling::Forwarding,
                        },
                    );
                    self.answer(question, &mut answers).await?
                }
            };
            computed.push(Computed {
                request: stands.receipt.id,
                version: stands.standing.version,
                rules_revision: stands.rules_revision,
                followed,
                owed,
                deadline,
            });
        }
        Some(computed)
    }

    /// What the calendar says to a question: a day, or that the term has no such time. None while it is away.
    async fn answer(&self, question: ComputeDeadlineRequest, answers: &mut Answers) -> Option<Option<Deadline>> {
        if let Some((_, known)) = answers.iter().find(|(asked, _)| *asked == question) {
            return Some(known.clone());
        }
        let answer = match self.examiner.deadlines.answer(question.clone(), LONGEST).await {
            Answer::Given(deadline) => Some(deadline),
            Answer::Refused(_) => None,
            Answer::Away => return None,
        };
        answers.push((question, answer.clone()));
        Some(answer)
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
