//! Calls that arrive together share a transaction: one flush, one turn at what all of them lock. There is no timer. An idle
//! service answers at once; while one group is stored, the next one gathers.

use std::{collections::HashSet, sync::Arc};

use prost::Message;
use sqlx::PgConnection;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

use super::{
    Mutation, Outcome, Write, decoded,
    leaves::{self, Answer, Entry, Event},
};
use crate::{Context, Error, Refusal, job};

/// A method whose calls are carried out in groups. What a group does is set-based: one statement for all, not one for each.
#[tonic::async_trait]
pub trait Grouped: Send + Sync + 'static {
    /// What a call asks for.
    type Asked: Send + Sync + 'static;
    /// What is to be stored for it.
    type Plan: Send + Sync + 'static;
    /// What it is answered.
    type Answer: Message + Default + 'static;

    /// Decides about all, outside any transaction, in the order asked: here other services are asked, one batch call each.
    ///
    /// # Errors
    /// What keeps it from deciding about any of them.
    async fn prepare(&self, asked: Vec<Self::Asked>) -> Result<Vec<Result<Self::Plan, Error>>, Error>;

    /// Stores all, and gives an outcome for each in their order. An error undoes the group; then each is tried alone, so that
    /// it meets only its own.
    async fn store(&self, write: &mut Write, plans: &[&Self::Plan]) -> Result<Vec<Outcome<Self::Answer>>, Error>;

    /// The answer to a call that only checks. Such a call never enters a transaction.
    fn shown(&self, plan: Self::Plan) -> Self::Answer;

    /// The very answer that was given before, from what was kept of it.
    async fn recall(&self, connection: &mut PgConnection, kept: &[u8]) -> Result<Self::Answer, Error> {
        let _ = connection;
        decoded(kept)
    }
}

/// How much waits and is carried out at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many calls may wait; one more is refused at once.
    pub waiting: usize,
    /// How many calls share a transaction at most.
    pub together: usize,
    /// How many groups are under way side by side.
    pub side_by_side: usize,
}

/// The calls of one method, gathered into groups.
pub struct Groups<G: Grouped> {
    queue: mpsc::Sender<Waiting<G>>,
}

struct Waiting<G: Grouped> {
    mutation: Mutation,
    asked: G::Asked,
    answer: oneshot::Sender<Result<G::Answer, Error>>,
}

/// A call with its plan.
struct Planned<G: Grouped> {
    mutation: Mutation,
    plan: G::Plan,
    answer: oneshot::Sender<Result<G::Answer, Error>>,
}

impl<G: Grouped> Groups<G> {
    /// Starts the workers. They end when this is dropped and nothing waits any more.
    pub fn start(context: &Context, grouped: G, limits: Limits) -> Self {
        let (queue, waiting) = mpsc::channel(limits.waiting);
        let worker = Arc::new(Worker {
            context: context.clone(),
            grouped,
            waiting: Mutex::new(waiting),
            together: limits.together,
        });
        for _ in 0..limits.side_by_side {
            job::spawn(context, "groups of calls", Arc::clone(&worker).work());
        }
        Self { queue }
    }

    /// Carries out one call, with whichever others are there. Once it is taken up it runs to its end, whether its caller waits
    /// or not.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED at once when too many calls wait; otherwise as [`carry_out`](super::carry_out).
    pub async fn carry_out(&self, mutation: Mutation, asked: G::Asked) -> Result<G::Answer, Error> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            mutation,
            asked,
            answer,
        };
        if self.queue.try_send(waiting).is_err() {
            return Err(Refusal::overloaded("too many calls of this method wait already; try again").into());
        }
        answered
            .await
            .map_err(|_| anyhow::anyhow!("a group of calls ended without an answer"))?
    }
}

struct Worker<G: Grouped> {
    context: Context,
    grouped: G,
    waiting: Mutex<mpsc::Receiver<Waiting<G>>>,
    together: usize,
}

impl<G: Grouped> Worker<G> {
    async fn work(self: Arc<Self>) {
        let mut again = Vec::new();
        loop {
            let mut taken = std::mem::take(&mut again);
            if taken.is_empty() && self.waiting.lock().await.recv_many(&mut taken, self.together).await == 0 {
                return;
            }
            // Nothing has begun for those who have hung up meanwhile.
            taken.retain(|call| !call.answer.is_closed());
            let (calls, repeated) = apart(taken);
            again = repeated;
            self.turn(calls).await;
        }
    }

    async fn turn(&self, calls: Vec<Waiting<G>>) {
        let unanswered = match self.replay(calls).await {
            Ok(unanswered) => unanswered,
            Err((calls, error)) => {
                return refuse_all(calls.into_iter().map(|call| (call.mutation, call.answer)), error);
            }
        };
        let mut planned = self.plan(unanswered).await;
        if planned.is_empty() {
            return;
        }
        match self.store(&planned).await {
            Ok(outcomes) => answer(planned, outcomes),
            Err(Stored::Clash) => self.store_each(planned).await,
            Err(Stored::Failed(error)) if planned.len() == 1 || error.is_away() => {
                refuse_all(planned.drain(..).map(|call| (call.mutation, call.answer)), error);
            }
            Err(Stored::Failed(_)) => self.store_each(planned).await,
        }
    }

    /// Answers those that were answered before, and gives the others.
    async fn replay(&self, calls: Vec<Waiting<G>>) -> Result<Vec<Waiting<G>>, (Vec<Waiting<G>>, Error)> {
        let found = async {
            let mutations: Vec<&Mutation> = calls.iter().map(|call| &call.mutation).collect();
            let mut connection = self.context.db.connection().await?;
            let earlier = leaves::answered(&mut connection, &mutations).await?;
            Ok::<_, sqlx::Error>((connection, earlier))
        };
        let (mut connection, earlier) = match found.await {
            Ok(found) => found,
            Err(error) => return Err((calls, error.into())),
        };
        let mut unanswered = Vec::with_capacity(calls.len());
        for call in calls {
            let Some(earlier) = earlier.iter().find(|earlier| earlier.is_to(&call.mutation)) else {
                unanswered.push(call);
                continue;
            };
            let answer = match call.mutation.require_same_body(&earlier.body_sha256) {
                Ok(()) => self.grouped.recall(&mut connection, &earlier.kept).await,
                Err(refusal) => Err(refusal.into()),
            };
            call.answer
                .send(answer.map_err(|error| call.mutation.refused(error)))
                .ok();
        }
        Ok(unanswered)
    }

    /// Decides about all; answers those that are refused and those that only check.
    async fn plan(&self, calls: Vec<Waiting<G>>) -> Vec<Planned<G>> {
        if calls.is_empty() {
            return Vec::new();
        }
        let (mut asked, mut rest) = (Vec::with_capacity(calls.len()), Vec::with_capacity(calls.len()));
        for call in calls {
            asked.push(call.asked);
            rest.push((call.mutation, call.answer));
        }
        let plans = match self.grouped.prepare(asked).await {
            Ok(plans) => plans,
            Err(error) => {
                refuse_all(rest.into_iter(), error);
                return Vec::new();
            }
        };
        let mut planned = Vec::with_capacity(rest.len());
        for ((mutation, answer), plan) in rest.into_iter().zip(plans) {
            match plan {
                Ok(plan) if mutation.validate_only => {
                    answer.send(Ok(self.grouped.shown(plan))).ok();
                }
                Ok(plan) => planned.push(Planned { mutation, plan, answer }),
                Err(error) => {
                    answer.send(Err(mutation.refused(error))).ok();
                }
            }
        }
        planned
    }

    /// Stores each alone, after a group of them could not be stored. What another replica has answered meanwhile is replayed.
    async fn store_each(&self, planned: Vec<Planned<G>>) {
        for call in planned {
            let call = [call];
            let stored = self.store(&call).await;
            let [call] = call;
            let answer = match stored {
                Ok(mut outcomes) => outcomes.pop().ok_or_else(|| anyhow::anyhow!("no outcome").into()),
                Err(Stored::Clash) => self.replayed(&call.mutation).await,
                Err(Stored::Failed(error)) => Err(error),
            };
            call.answer
                .send(answer.map_err(|error| call.mutation.refused(error)))
                .ok();
        }
    }

    async fn replayed(&self, mutation: &Mutation) -> Result<G::Answer, Error> {
        let mut connection = self.context.db.connection().await?;
        let earlier = leaves::answered(&mut connection, &[mutation]).await?.pop();
        let earlier = earlier.ok_or_else(|| anyhow::anyhow!("a key clashed and has no answer"))?;
        mutation.require_same_body(&earlier.body_sha256)?;
        self.grouped.recall(&mut connection, &earlier.kept).await
    }

    async fn store(&self, planned: &[Planned<G>]) -> Result<Vec<G::Answer>, Stored> {
        let mut write = Write::begin(&self.context).await?;
        let plans: Vec<&G::Plan> = planned.iter().map(|call| &call.plan).collect();
        let outcomes = self.grouped.store(&mut write, &plans).await?;
        let left = leave(&mut write, planned, &outcomes).await?;
        if left < planned.len() {
            // Another replica has answered one of the keys: dropping the transaction undoes all of it.
            return Err(Stored::Clash);
        }
        write.transaction.commit().await.map_err(Error::from)?;
        let mut answers = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            if let Some(then) = outcome.committed {
                then();
            }
            answers.push(outcome.answer);
        }
        Ok(answers)
    }
}

/// Why a group was not stored.
enum Stored {
    /// A key was answered by another replica meanwhile.
    Clash,
    /// It failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stored {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn leave<G: Grouped>(
    write: &mut Write,
    planned: &[Planned<G>],
    outcomes: &[Outcome<G::Answer>],
) -> Result<usize, Error> {
    if planned.len() != outcomes.len() {
        return Err(anyhow::anyhow!("{} calls came to {} outcomes", planned.len(), outcomes.len()).into());
    }
    let (mut answers, mut entries, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for (call, outcome) in planned.iter().zip(outcomes) {
        let kept = outcome.kept.clone().unwrap_or_else(|| outcome.answer.encode_to_vec());
        answers.push(Answer::to(&call.mutation, kept));
        for change in &outcome.changes {
            entries.push(Entry::done(&call.mutation, change));
            events.push(Event::of(change));
        }
    }
    let now = write.now;
    Ok(leaves::leave(write.connection(), now, &answers, &entries, &events).await?)
}

/// The first call of every key, and the others: they are replayed once the first is answered.
fn apart<G: Grouped>(calls: Vec<Waiting<G>>) -> (Vec<Waiting<G>>, Vec<Waiting<G>>) {
    let mut keys: HashSet<(String, Uuid)> = HashSet::new();
    calls
        .into_iter()
        .partition(|call| keys.insert((call.mutation.call.caller.name.clone(), call.mutation.request_id)))
}

fn answer<G: Grouped>(planned: Vec<Planned<G>>, answers: Vec<G::Answer>) {
    for (call, answer) in planned.into_iter().zip(answers) {
        call.answer.send(Ok(answer)).ok();
    }
}

/// Tells all of them the same; an unexpected error is logged once.
fn refuse_all<A>(calls: impl Iterator<Item = (Mutation, oneshot::Sender<Result<A, Error>>)>, error: Error) {
    let mut error = Some(error);
    for (mutation, answer) in calls {
        let told = error.as_ref().and_then(Error::again);
        let told = told
            .or_else(|| error.take())
            .unwrap_or_else(|| anyhow::anyhow!("as the others of its group").into());
        answer.send(Err(mutation.refused(told))).ok();
    }
}
