//! Feeds of changes. Who watches is told in order what comes after a token, and nothing is left out; it is told when it has
//! caught up, hears at least a heartbeat, and can leave and come back with the last token. A feed ends with UNAVAILABLE and
//! RetryInfo when the service stops.
//!
//! Nothing is kept for a watcher but where it stands and a page at most: the next one is made when it has taken this one.

mod event;
mod outbox;
mod token;

use std::{collections::VecDeque, future::Future, time::Duration};

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use legalstat_proto::common::v1::ErrorReason;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::{Context, Error, Refusal};

pub use event::Event;
pub use outbox::{Outbox, Start, Telling};

/// What comes next for a watcher.
pub enum Next<M> {
    /// These messages; none where it may not be told of what happened.
    Told(Vec<M>),
    /// Nothing for now.
    End {
        /// Whether everything that has happened is told: not while something cannot be told yet.
        caught_up: bool,
    },
}

/// Where the messages of one watcher come from. It knows where the watcher stands.
pub trait Source: Send + 'static {
    /// A message of the feed.
    type Message: Send + 'static;

    /// What comes after the place where the watcher stands, which moves behind it.
    fn next(&mut self) -> impl Future<Output = Result<Next<Self::Message>, Error>> + Send;

    /// Waits until there may be more than the last [`next`](Self::next) has seen.
    fn more(&mut self) -> impl Future<Output = ()> + Send;

    /// A heartbeat from the place where the watcher stands; `None` for a watcher who wants none.
    fn heartbeat(&self, caught_up: bool) -> Option<Self::Message>;
}

/// The feed of one watcher, until it leaves, the service stops or the source fails.
pub fn stream<S: Source>(context: &Context, source: S) -> BoxStream<'static, Result<S::Message, Status>> {
    let watcher = Watcher {
        source,
        page: VecDeque::new(),
        caught_up: false,
        heartbeat: context.heartbeat,
        shutdown: context.shutdown.clone(),
    };
    stream::unfold(Some(watcher), |watcher| async {
        let mut watcher = watcher?;
        let shutdown = watcher.shutdown.clone();
        let told = tokio::select! {
            biased;
            () = shutdown.cancelled() => Err(stopping().into()),
            told = watcher.told() => told,
        };
        match told {
            Ok(message) => Some((Ok(message), Some(watcher))),
            Err(error) => Some((Err(error.into()), None)),
        }
    })
    .boxed()
}

fn stopping() -> Refusal {
    let message = "the service stops; watch again from the last token";
    let mut refusal = Refusal::new(Code::Unavailable, ErrorReason::ServiceStopping, message);
    refusal.retry_after = Some(Duration::from_secs(1));
    refusal
}

struct Watcher<S: Source> {
    source: S,
    /// What it has not taken yet of the last page.
    page: VecDeque<S::Message>,
    /// Whether it was told that it has caught up, and nothing since.
    caught_up: bool,
    heartbeat: Duration,
    shutdown: CancellationToken,
}

impl<S: Source> Watcher<S> {
    async fn told(&mut self) -> Result<S::Message, Error> {
        let mut due = Instant::now() + self.heartbeat;
        loop {
            if let Some(message) = self.page.pop_front() {
                self.caught_up = false;
                return Ok(message);
            }
            let beats = match self.source.next().await? {
                Next::Told(page) => {
                    self.page.extend(page);
                    // Long passages that it may not be told of are silence, too.
                    (self.page.is_empty() && due <= Instant::now()).then_some(false)
                }
                Next::End { caught_up: true } if !self.caught_up => {
                    self.caught_up = true;
                    Some(true)
                }
                Next::End { caught_up } => tokio::select! {
                    () = self.source.more() => None,
                    () = tokio::time::sleep_until(due) => Some(caught_up),
                },
            };
            if let Some(caught_up) = beats {
                due = Instant::now() + self.heartbeat;
                if let Some(heartbeat) = self.source.heartbeat(caught_up) {
                    return Ok(heartbeat);
                }
            }
        }
    }
}
