//! The events of a service as a feed. One job a process reads them for all who watch, and none while nobody does.

use std::{
    collections::HashSet,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::stream::BoxStream;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tonic::Status;

use super::{
    Next, Source,
    event::{self, Event, Recent},
    stream,
    token::Position,
};
use crate::{Context, Error, FieldReason, Refusal, Violations, job, lent};

/// How long between two looks for events of other replicas.
const POLL: Duration = Duration::from_millis(250);
/// How long between two looks in any case: a service that is busy reads many events at once.
const PAUSE: Duration = Duration::from_millis(20);
/// How many events are read and told at once.
const PAGE: usize = 100;
/// How long the events may be out of reach before those who watch are told so.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long who watches from now on waits for the first look.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// The outbox of a service, for those who watch it.
#[derive(Clone)]
pub struct Outbox(Arc<Shared>);

struct Shared {
    context: Context,
    feed: &'static str,
    state: watch::Sender<State>,
    recent: Mutex<Recent>,
    joined: Notify,
    reading: tokio::sync::Mutex<Reading>,
}

/// How far the events can be told.
#[derive(Clone)]
enum State {
    /// Nobody has looked yet.
    Unknown,
    /// What is committed up to here is all there ever will be up to here.
    Settled {
        until: Position,
        /// Whether there may be more.
        more: bool,
    },
    /// They cannot be read.
    Failed(Arc<Error>),
}

/// What the job remembers between two looks.
#[derive(Default)]
struct Reading {
    settled: Option<Position>,
    /// The number that is settled once these transactions have ended.
    awaited: Option<(i64, HashSet<String>)>,
    failing: Option<Instant>,
}

/// Where a watcher begins.
#[derive(Clone, Copy, Debug)]
pub struct Start(From);

#[derive(Clone, Copy, Debug)]
enum From {
    Position(Position),
    Now,
}

/// What a service tells of its events, and to whom. Made anew for each watcher.
pub trait Telling: Send + Sync + 'static {
    /// A message of the feed.
    type Message: Send + 'static;

    /// Leaves only those events that this watcher may be told of now.
    fn retain_visible(&self, events: &mut Vec<Arc<Event>>) -> impl Future<Output = Result<(), Error>> + Send;

    /// A message with the token of its place: an event, or a heartbeat without one.
    fn message(&self, token: String, event: Option<&Event>, caught_up: bool) -> Self::Message;
}

impl Outbox {
    /// The outbox of the service that serves a feed, with the job that reads it. Tokens of feeds of another name are refused.
    pub fn start(context: &Context, feed: &'static str) -> Self {
        let outbox = Self(Arc::new(Shared {
            context: context.clone(),
            feed,
            state: watch::Sender::new(State::Unknown),
            recent: Mutex::default(),
            joined: Notify::new(),
            reading: tokio::sync::Mutex::default(),
        }));
        let own = outbox.clone();
        job::repeat(context, "read-events", PAUSE, move || {
            let shared = Arc::clone(&own.0);
            async move { shared.round().await }
        });
        outbox
    }

    /// Reads where a watcher wants to begin: behind a token, at the first event, or, by its field `only_new`, with what happens from now
    /// on.
    pub fn begin(&self, violations: &mut Violations, field: &str, token: &str, only_new: bool) -> Option<Start> {
        if only_new && !token.is_empty() {
            let problem = "a token says where to begin; leave out one of the two";
            violations.add("only_new", FieldReason::Conflict, problem);
        }
        let from = match (token, only_new) {
            ("", false) => From::Position(Position::BEGINNING),
            ("", true) => From::Now,
            (token, _) => {
                let read = Position::read(self.0.feed, token);
                let read = read.ok_or("not a token of this feed; watch from the beginning without one");
                From::Position(violations.check(field, FieldReason::Token, read)?)
            }
        };
        Some(Start(from))
    }

    /// The feed of one watcher.
    ///
    /// # Errors
    /// A violation of the field when the outbox does not hold the event of the token; UNAVAILABLE when it cannot be read.
    pub async fn watch<T: Telling>(
        &self,
        field: &str,
        start: Start,
        telling: T,
    ) -> Result<BoxStream<'static, Result<T::Message, Status>>, Error> {
        let shared = &self.0;
        if let From::Position(position) = start.0
            && !event::is_held(&mut *shared.context.db.connection().await?, position).await?
        {
            let problem = "the event of this token is not held any more; watch from the beginning without one";
            return Err(Violations::one(field, FieldReason::Token, problem).into());
        }
        let mut state = shared.state.subscribe();
        shared.joined.notify_one();
        let source = Watching {
            shared: Arc::clone(shared),
            at: match start.0 {
                From::Position(position) => position,
                From::Now => first_look(&mut state).await?,
            },
            state,
            telling,
        };
        Ok(stream(&shared.context, source))
    }
}

async fn first_look(state: &mut watch::Receiver<State>) -> Result<Position, Error> {
    let settled = async {
        let seen = state.wait_for(|state| matches!(state, State::Settled { .. })).await;
        match seen.as_deref() {
            Ok(State::Settled { until, .. }) => Some(*until),
            _ => None,
        }
    };
    let settled = tokio::time::timeout(FIRST_LOOK, settled).await;
    let unread = || Refusal::unavailable("the events cannot be read at the moment; watch again");
    Ok(settled.ok().flatten().ok_or_else(unread)?)
}

impl Shared {
    async fn round(&self) -> anyhow::Result<()> {
        let mut reading = self.reading.lock().await;
        if self.state.receiver_count() == 0 {
            *reading = Reading::default();
            *self.recent() = Recent::default();
            self.state.send_replace(State::Unknown);
            self.joined.notified().await;
        } else {
            let pause = if reading.awaited.is_some() { PAUSE } else { POLL };
            tokio::select! {
                () = self.context.events.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        let looked = lent::unless_silent(self.look(&mut reading)).await.flatten();
        let Err(error) = looked else {
            reading.failing = None;
            return Ok(());
        };
        let told = anyhow::anyhow!("{error}");
        if reading.failing.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
            self.state.send_replace(State::Failed(Arc::new(error.into())));
        } else if let Some(until) = reading.settled {
            self.state.send_replace(State::Settled { until, more: true });
        }
        Err(told)
    }

    /// Settles what can be settled.
    async fn look(&self, reading: &mut Reading) -> Result<(), sqlx::Error> {
        let before = reading.settled;
        let from = before.unwrap_or(Position::BEGINNING);
        let mut connection = self.context.db.planned().await?;
        let looked = event::look(&mut connection, from.number).await?;
        let until = match reading.awaited.take() {
            _ if looked.writers.is_empty() => looked.newest,
            Some((number, writers)) if writers.is_disjoint(&looked.writers) => number,
            Some((number, writers)) => {
                let left = writers.intersection(&looked.writers).cloned().collect();
                reading.awaited = Some((number, left));
                from.number
            }
            None => from.number,
        };
        if until > from.number {
            let events = event::last(&mut connection, from.number, until, Recent::MOST).await?;
            reading.settled = Some(events.last().map_or(from, |event| event.position()));
            self.recent().add(from.number, events);
        }
        if reading.awaited.is_none() && looked.newest > until {
            reading.awaited = Some((looked.newest, looked.writers));
        }
        // Before anything is settled nobody knows what is new.
        if reading.settled.is_none() && reading.awaited.is_some() {
            return Ok(());
        }
        let settled = *reading.settled.get_or_insert(from);
        let more = reading.awaited.is_some();
        self.state.send_if_modified(|state| {
            let same = matches!(state, State::Settled { until, more: m } if (*until, *m) == (settled, more));
            *state = State::Settled { until: settled, more };
            !same
        });
        Ok(())
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().expect("no code panics while it holds this lock")
    }

    /// The first events behind a number that are settled.
    async fn first(&self, after: i64, until: i64) -> Result<Vec<Arc<Event>>, Error> {
        let recent = self.recent().first(after, PAGE);
        if let Some(events) = recent {
            return Ok(events);
        }
        let read = async {
            let mut connection = self.context.db.connection().await?;
            event::first(&mut connection, after, until, PAGE).await
        };
        Ok(lent::unless_silent(read).await.flatten()?)
    }
}

/// One watcher of the outbox.
struct Watching<T> {
    shared: Arc<Shared>,
    at: Position,
    state: watch::Receiver<State>,
    telling: T,
}

impl<T: Telling> Source for Watching<T> {
    type Message = T::Message;

    async fn next(&mut self) -> Result<Next<T::Message>, Error> {
        let state = self.state.borrow_and_update().clone();
        let (until, more) = match state {
            State::Settled { until, more } => (until, more),
            State::Unknown => return Ok(Next::End { caught_up: false }),
            State::Failed(error) => return Err(error.again()),
        };
        if self.at.number >= until.number {
            return Ok(Next::End { caught_up: !more });
        }
        let mut events = self.shared.first(self.at.number, until.number).await?;
        let end = events.last().map_or(until, |event| event.position());
        lent::unless_silent(self.telling.retain_visible(&mut events)).await??;
        self.at = end;
        let feed = self.shared.feed;
        let message = |event: &Arc<Event>| self.telling.message(event.position().token(feed), Some(event), false);
        Ok(Next::Told(events.iter().map(message).collect()))
    }

    async fn more(&mut self) {
        // The sender lives as long as this: it is never closed.
        self.state.changed().await.ok();
    }

    fn heartbeat(&self, caught_up: bool) -> Option<T::Message> {
        let token = self.at.token(self.shared.feed);
        Some(self.telling.message(token, None, caught_up))
    }
}
