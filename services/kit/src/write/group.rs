//! Calls that arrive together share a transaction: one flush, one turn at what all of them lock. There is no timer. An idle
//! service answers at once; while one group is stored, others are prepared, and all that are ready then are stored next.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures::FutureExt as _;
use prost::Message;
use sqlx::PgConnection;
use tokio::sync::{Mutex, MutexGuard, Semaphore, mpsc, oneshot};
use tracing::{Instrument as _, Span};

use super::{
    Mutation, Outcome, Write, decoded,
    leaves::{self, Answer, Answered, Entry, Event},
    taken::{Asked, Askers, Calls, Planned, Taken, apart, refuse_all},
};
use crate::{
    Context, Error, Refusal,
    call::{patience, telemetry},
    job, lent, repeated,
};

/// A method whose calls are carried out in groups. What a group does is set-based: one statement for all, not one for each.
#[tonic::async_trait]
pub trait Grouped: Send + Sync + 'static {
    /// What begins a group's transaction: BEGIN, and behind it, in the same round trip, what each group would send first; its
    /// rows are [`Write::begun`].
    const BEGIN: &'static str = "BEGIN";

    /// What a call asks for.
    type Asked: Send + Sync + 'static;
    /// What is to be stored for it.
    type Plan: Send + Sync + 'static;
    /// What it is answered.
    type Answer: Message + Clone + Default + 'static;

    /// Decides about all, outside any transaction, in the order asked: here other services are asked, one batch call each.
    ///
    /// # Errors
    /// What keeps it from deciding about any of them.
    async fn prepare(&self, asked: &[&Self::Asked]) -> Result<Vec<Result<Self::Plan, Error>>, Error>;

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
    /// How many calls may wait or be carried out; one more is refused at once.
    pub calls: usize,
    /// How many bytes their messages may have together.
    pub bytes: usize,
    /// How many calls share a transaction at most.
    pub together: usize,
    /// How many groups are under way side by side: one is stored, the others are prepared.
    pub side_by_side: usize,
}

/// The calls of one method, gathered into groups.
pub struct Groups<G: Grouped> {
    queue: mpsc::Sender<Asked<G>>,
    room: Arc<Semaphore>,
}

impl<G: Grouped> Groups<G> {
    /// Starts the workers. They end when this is dropped and nothing waits any more, or with the service's tasks.
    pub fn start(context: &Context, grouped: G, limits: Limits) -> Self {
        let (queue, waiting) = mpsc::channel(limits.calls);
        let worker = Arc::new(Worker {
            context: context.clone(),
            grouped,
            waiting: Mutex::new(waiting),
            ready: Default::default(),
            storing: Mutex::new(()),
            together: limits.together,
        });
        for _ in 0..limits.side_by_side {
            job::spawn(context, "groups of calls", Arc::clone(&worker).work());
        }
        let room = Arc::new(Semaphore::new(limits.bytes.min(Semaphore::MAX_PERMITS)));
        Self { queue, room }
    }

    /// Carries out one call, with whichever others are there. Once it is taken up it runs to its end, whether its caller waits
    /// or not. `bytes` is the size of its message.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED at once when too many calls wait; otherwise as [`carry_out`](super::carry_out).
    pub async fn carry_out(&self, mutation: Mutation, asked: G::Asked, bytes: usize) -> Result<G::Answer, Error> {
        let overloaded = || Refusal::overloaded("too many calls of this method wait already; try again");
        let room = Arc::clone(&self.room).try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX));
        let (asker, answered) = oneshot::channel();
        let taken = Taken {
            mutation,
            what: asked,
            askers: Askers(vec![asker]),
            span: Span::current(),
            room: room.map_err(|_| overloaded())?,
        };
        self.queue.try_send(taken).map_err(|_| overloaded())?;
        let broken_off = "the line to the database is silent; repeat the call with its request_id";
        answered.await.map_err(|_| Refusal::unavailable(broken_off))?
    }
}

struct Worker<G: Grouped> {
    context: Context,
    grouped: G,
    waiting: Mutex<mpsc::Receiver<Asked<G>>>,
    /// What is to be stored next.
    ready: std::sync::Mutex<Vec<Planned<G>>>,
    /// Held by the worker that stores. A second one would only wait in the database for what the first has locked.
    storing: Mutex<()>,
    together: usize,
}

impl<G: Grouped> Worker<G> {
    async fn work(self: Arc<Self>) {
        let mut again = Vec::new();
        while let Some(taken) = self.take(std::mem::take(&mut again)).await {
            let (calls, others) = apart(taken);
            again = others;
            if let Some(planned) = turn(calls, |calls| self.prepare(calls)).await {
                self.ready().extend(planned);
            }
            self.store_ready().await;
        }
    }

    fn ready(&self) -> std::sync::MutexGuard<'_, Vec<Planned<G>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what is ready, unless another worker stores: then that one takes it along.
    async fn store_ready(&self) {
        while !self.ready().is_empty()
            && let Some(_storing) = self.turn_to_store().await
        {
            loop {
                let (calls, others) = apart(self.take_ready());
                // Two with one key were prepared apart: the second is stored, or answered, after the first.
                self.ready().extend(others);
                if calls.is_empty() {
                    break;
                }
                turn(calls, |calls| self.store_all(calls)).await;
            }
        }
    }

    /// `None` when another worker stores and there is room for more that is ready.
    async fn turn_to_store(&self) -> Option<MutexGuard<'_, ()>> {
        if self.ready().len() < self.together {
            return self.storing.try_lock().ok();
        }
        Some(self.storing.lock().await)
    }

    fn take_ready(&self) -> Vec<Planned<G>> {
        let mut ready = self.ready();
        let count = ready.len().min(self.together);
        ready.drain(..count).collect()
    }

    /// The calls of the next turn: those left over from the last, and what waits. `None` at the end.
    async fn take(&self, mut taken: Vec<Asked<G>>) -> Option<Vec<Asked<G>>> {
        if taken.is_empty() {
            let received = async { self.waiting.lock().await.recv_many(&mut taken, self.together).await };
            let received = tokio::select! {
                received = received => received,
                () = self.tasks_closed() => 0,
            };
            if received == 0 {
                return None;
            }
        } else if let Ok(mut waiting) = self.waiting.try_lock() {
            while taken.len() < self.together
                && let Ok(call) = waiting.try_recv()
            {
                taken.push(call);
            }
        }
        // Nothing has begun for those who have hung up meanwhile.
        taken.retain(|call| !call.askers.have_hung_up());
        Some(taken)
    }

    /// Ends when the service stops and waits for its tasks: a connection that never closes must not keep a worker waiting.
    async fn tasks_closed(&self) {
        self.context.shutdown.cancelled().await;
        while !self.context.tasks.is_closed() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What is to be stored for those that were not answered before and are not refused.
    async fn prepare(&self, calls: Vec<Asked<G>>) -> Vec<Planned<G>> {
        let unanswered = self.replay(calls).await;
        self.plan(unanswered).await
    }

    async fn store_all(&self, planned: Vec<Planned<G>>) {
        match self.store(&planned).await {
            Ok(answers) => {
                for (call, answer) in planned.into_iter().zip(answers) {
                    call.askers.tell(&call.mutation, Ok(answer));
                }
            }
            Err(Stored::Failed(error)) if planned.len() == 1 => refuse_all(planned, error),
            Err(Stored::Clash) => self.store_without_those_answered(planned).await,
            Err(Stored::Failed(error)) => {
                let why = match error {
                    Error::Refusal(refusal) => refusal.message.into_string(),
                    Error::Unknown(error) => format!("{error:#}"),
                };
                if let Some(unlogged) = repeated::to_log(&why) {
                    let calls = planned.len();
                    tracing::warn!(
                        calls,
                        why,
                        unlogged,
                        "a group could not be stored; storing each call alone"
                    );
                }
                self.store_each(planned).await;
            }
        }
    }

    /// After a key was found answered: while its call was prepared, the first call with it was stored.
    async fn store_without_those_answered(&self, planned: Vec<Planned<G>>) {
        let all = planned.len();
        let unanswered = self.replay(planned).await;
        if unanswered.len() < all {
            self.ready().extend(unanswered);
        } else {
            self.store_each(unanswered).await;
        }
    }

    /// Answers those that were answered before, and gives the others; none when all are refused. Nothing else is asked for a
    /// repetition, so that what is away keeps none of them.
    async fn replay<T>(&self, calls: Calls<G, T>) -> Calls<G, T> {
        if calls.is_empty() {
            return calls;
        }
        let earlier = match self.answered(calls.iter().map(|call| &call.mutation).collect()).await {
            Ok(earlier) => earlier,
            Err(error) => {
                refuse_all(calls, error);
                return Vec::new();
            }
        };
        let mut unanswered = Vec::with_capacity(calls.len());
        for call in calls {
            match earlier.iter().find(|earlier| earlier.is_to(&call.mutation)) {
                None => unanswered.push(call),
                Some(earlier) => {
                    let answer = self.recall(&call.mutation, earlier).await;
                    call.askers.tell(&call.mutation, answer);
                }
            }
        }
        unanswered
    }

    async fn answered(&self, mutations: Vec<&Mutation>) -> Result<Vec<Answered>, Error> {
        let mut connection = self.context.db.writing().await?;
        let answered = leaves::answered(&mut connection, &mutations).await?;
        connection.done();
        Ok(answered)
    }

    async fn recall(&self, mutation: &Mutation, earlier: &Answered) -> Result<G::Answer, Error> {
        mutation.require_kept(earlier)?;
        let mut connection = self.context.db.connection().await?;
        self.grouped.recall(&mut connection, &earlier.kept).await
    }

    /// Decides about all; answers those that are refused and those that only check.
    async fn plan(&self, calls: Vec<Asked<G>>) -> Vec<Planned<G>> {
        if calls.is_empty() {
            return Vec::new();
        }
        let asked: Vec<&G::Asked> = calls.iter().map(|call| &call.what).collect();
        let plans = match unpanicked(self.grouped.prepare(&asked)).await {
            Ok(plans) => plans,
            Err(error) => {
                refuse_all(calls, error);
                return Vec::new();
            }
        };
        let mut planned = Vec::with_capacity(calls.len());
        for (call, plan) in calls.into_iter().zip(plans) {
            match plan {
                Ok(plan) if call.mutation.validate_only => {
                    call.askers.tell(&call.mutation, Ok(self.grouped.shown(plan)));
                }
                Ok(plan) => planned.push(call.planned(plan)),
                Err(error) => call.askers.tell(&call.mutation, Err(error)),
            }
        }
        planned
    }

    /// Stores each alone, after a group of them could not be stored. What another replica has answered meanwhile is replayed.
    async fn store_each(&self, planned: Vec<Planned<G>>) {
        let mut calls = planned.into_iter();
        while let Some(call) = calls.next() {
            let call = [call];
            let stored = self.store(&call).await;
            let [call] = call;
            let answer = match stored {
                Ok(mut answers) => answers.pop().ok_or_else(|| anyhow::anyhow!("no answer").into()),
                Err(Stored::Clash) => self.replayed(&call.mutation).await,
                Err(Stored::Failed(error)) => Err(error),
            };
            // The others would only wait as long for what is away.
            let away = answer.as_ref().err().filter(|error| error.is_away()).map(Error::again);
            call.askers.tell(&call.mutation, answer);
            if let Some(error) = away {
                return refuse_all(calls, error);
            }
        }
    }

    async fn replayed(&self, mutation: &Mutation) -> Result<G::Answer, Error> {
        let earlier = self.answered(vec![mutation]).await?.pop();
        let earlier = earlier.ok_or_else(|| anyhow::anyhow!("a key clashed and has no answer"))?;
        self.recall(mutation, &earlier).await
    }

    async fn store(&self, planned: &[Planned<G>]) -> Result<Vec<G::Answer>, Stored> {
        let mut write = Write::begin_with(&self.context, G::BEGIN).await?;
        let plans: Vec<&G::Plan> = planned.iter().map(|call| &call.what).collect();
        let outcomes = unpanicked(self.grouped.store(&mut write, &plans)).await?;
        let left = leave(&mut write, planned, &outcomes).await?;
        if left < planned.len() {
            // Another replica has answered one of the keys: dropping the transaction undoes all of it.
            return Err(Stored::Clash);
        }
        write.commit().await.map_err(Error::from)?;
        telemetry::group(planned.len());
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
#[derive(Debug)]
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

/// A panic as an error: it costs the calls of its group an answer, and not the service all the others.
async fn unpanicked<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    // What the work used is dropped with it, the transaction included.
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|_| Err(anyhow::anyhow!("a group of calls panicked").into()))
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
        if kept.is_empty() {
            return Err(anyhow::anyhow!("an answer without a byte cannot be told from a key that is claimed").into());
        }
        answers.push(Answer::to(&call.mutation, kept));
        for change in &outcome.changes {
            entries.push(Entry::done(&call.mutation, change));
            events.push(Event::of(change));
        }
    }
    let now = write.now;
    Ok(leaves::leave(write.connection(), now, &answers, &entries, &events).await?)
}

/// Does work for calls that have waited for it already: however many times it asks for the database, it waits once. `None` when
/// the line to the database went silent.
async fn turn<G: Grouped, T, F: Future>(calls: Calls<G, T>, work: impl FnOnce(Calls<G, T>) -> F) -> Option<F::Output> {
    // It belongs to the trace of the first: a group has no caller of its own.
    let span = calls.first().map_or_else(Span::none, |call| call.span.clone());
    let done = lent::unless_silent(patience::afresh(Box::pin(work(calls).instrument(span)))).await;
    done.inspect_err(|error| tracing::warn!(%error, "a group of calls was broken off"))
        .ok()
}
