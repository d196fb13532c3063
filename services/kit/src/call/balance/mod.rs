//! Calls to a service that may have several replicas: each goes to the address behind its name that has the fewest calls under way.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context as Polling, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, request::Parts};
use http_body_util::{BodyExt as _, Full};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};
use tonic::{
    Code, Status,
    body::Body,
    transport::{Endpoint, Error},
};
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::call::{access, client::LONGEST, deadline};

mod subchannels;
#[cfg(test)]
mod tests;

use subchannels::{Follower, Subchannel, Subchannels};

/// How often a name is looked up, and how often addresses that take no connection are tried.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// How many calls may be repeated: one in ten of those of the last ten seconds,
const REPEATED: f32 = 0.1;
const OF_THE_LAST: Duration = Duration::from_secs(10);
/// and one a second beyond.
const REPEATED_A_SECOND: u32 = 1;

/// A channel to a service. It tries each address before calls go there, and connects again whenever the line was cut. Each call has a
/// deadline, also while it waits for a connection: what its `grpc-timeout` says, or 5 s if it has one message and one answer. One that
/// ends without an answer is UNAVAILABLE; if it only reads, it is repeated once before, at another address if there is one, within its deadline and a budget.
#[derive(Clone)]
pub struct Balanced(Arc<Shared>);

struct Shared {
    name: String,
    subchannels: watch::Receiver<Subchannels>,
    /// Where the search for the least busy begins, so that those that are as busy have turns.
    turn: AtomicUsize,
    budget: TpsBudget,
    doubts: Arc<Notify>,
}

impl Balanced {
    /// A channel to the addresses that `resolve` gives, by connections that `connect` makes.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(super) fn new<R, A, C, F, S>(name: &str, endpoint: Endpoint, every: Duration, resolve: R, connect: C) -> Self
    where
        R: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
        C: Fn(SocketAddr) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let doubts = Arc::new(Notify::new());
        let (sender, subchannels) = watch::channel(None);
        let follower = Follower {
            name: name.to_owned(),
            endpoint,
            every,
            resolve,
            connect,
            doubts: doubts.clone(),
        };
        tokio::spawn(follower.follow(sender));
        Self(Arc::new(Shared {
            name: name.to_owned(),
            subchannels,
            turn: AtomicUsize::new(0),
            budget: TpsBudget::new(OF_THE_LAST, REPEATED_A_SECOND, REPEATED),
            doubts,
        }))
    }
}

impl tower::Service<http::Request<Body>> for Balanced {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Polling<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let shared = self.0.clone();
        Box::pin(async move { shared.answer(request).await })
    }
}

impl Shared {
    async fn answer(&self, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        let is_stream = deadline::is_stream(request.uri().path());
        let given = deadline::of_caller(request.headers()).ok().flatten();
        let Some(most) = given.or((!is_stream).then_some(LONGEST)) else {
            return self.once(request).await;
        };
        let until = Instant::now() + most;
        let answer = async {
            if is_stream || !access::only_reads(request.uri().path()) {
                return self.once(request).await;
            }
            self.twice_at_most(request, until).await
        };
        match timeout_at(until, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            // The channel's own time for the call may end a moment before this one.
            Ok(Err(failure)) if Instant::now() < until => Err(failure),
            _ => Err(Status::deadline_exceeded(format!("no answer of {} in time", self.name))),
        }
    }

    async fn once(&self, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        let to = self.least_busy(None).await?;
        to.call(request).await.map_err(unanswered)
    }

    async fn twice_at_most(
        &self,
        request: http::Request<Body>,
        until: Instant,
    ) -> Result<http::Response<Body>, Status> {
        self.budget.deposit();
        let (head, body) = request.into_parts();
        let message = body.collect().await?.to_bytes();
        let first = self.least_busy(None).await?;
        let failure = match first.call(whole(head.clone(), message.clone())).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => unanswered(failure),
        };
        if Instant::now() >= until || !self.budget.withdraw() {
            return Err(failure);
        }
        let second = self.least_busy(Some(&first)).await?;
        tracing::debug!(service = self.name, from = %first.address, to = %second.address, %failure, "a call is repeated");
        let mut again = whole(head, message);
        again.headers_mut().insert("grpc-timeout", left(until));
        second.call(again).await.map_err(unanswered)
    }

    /// The address to call; not that one if there is another.
    async fn least_busy(&self, not: Option<&Arc<Subchannel>>) -> Result<Arc<Subchannel>, Status> {
        if self.subchannels.borrow().is_none() {
            let mut subchannels = self.subchannels.clone();
            let looked_up = subchannels.wait_for(Option::is_some).await;
            drop(looked_up);
        }
        let subchannels = self.subchannels.borrow();
        let all = subchannels.as_deref().unwrap_or_default();
        let turn = self.turn.fetch_add(1, Relaxed) % all.len().max(1);
        let in_turn = all[turn..].iter().chain(&all[..turn]);
        let others = in_turn.filter(|known| not.is_none_or(|not| !Arc::ptr_eq(known, not)));
        let least_busy = others.min_by_key(|known| known.rank()).or(not).cloned();
        least_busy.ok_or_else(|| {
            self.doubts.notify_one();
            Status::unavailable(format!("no address is known of {}", self.name))
        })
    }
}

fn whole(head: Parts, message: Bytes) -> http::Request<Body> {
    http::Request::from_parts(head, Body::new(Full::new(message)))
}

/// The time that is left, as gRPC writes it.
fn left(until: Instant) -> HeaderValue {
    let left = until.saturating_duration_since(Instant::now());
    // Not less than it is, and eight digits at most.
    let milliseconds = (left.as_millis() + 1).min(99_999_999);
    HeaderValue::try_from(format!("{milliseconds}m")).expect("digits and a letter are a value")
}

/// What a call that got no answer is told. Where a connection ends, tonic has other codes too.
fn unanswered(error: Error) -> Status {
    let status = Status::from_error(Box::new(error));
    match status.code() {
        Code::Cancelled | Code::Internal | Code::Unknown => Status::unavailable(status.message()),
        _ => status,
    }
}
