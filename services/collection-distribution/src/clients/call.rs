//! One call to a recipient's server, and what is seen of it: what fails first counts, for what fails later mostly fails because of it.

use std::{
    error::Error as _,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context as Polling, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use http::HeaderMap;
use http_body::Frame;
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use tonic::{Code, Status, body::Body};

use crate::{
    clients::{faults, wire::Wire},
    domain::delivery::{Failure, Outcome},
};

/// How many bytes an answer may have. The longest has a reason of 1000 characters.
pub(super) const ANSWER: usize = 64 * 1024;

/// What is seen of a call.
pub(super) struct Course {
    until: Instant,
    wire: Arc<Wire>,
    state: Mutex<State>,
}

struct State {
    failure: Option<Failure>,
    code: Option<Code>,
    sending: Sending,
}

/// Whose turn it is while a request is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// The server's, since then: it has not taken the last part yet.
    Theirs(Instant),
    /// Ours: the next part is still read.
    Ours,
    /// Nobody's: all of it is sent.
    Whole,
}

impl Course {
    pub(super) fn new(until: Instant, wire: Arc<Wire>) -> Self {
        let sending = Sending::Theirs(Instant::now());
        let state = Mutex::new(State {
            failure: None,
            code: None,
            sending,
        });
        Self { until, wire, state }
    }

    /// Notes what failed.
    pub(super) fn fail(&self, failure: Failure) {
        self.state().failure.get_or_insert(failure);
    }

    /// Notes what the server said at the head or the end of its answer.
    fn answered(&self, failure: Failure, said: &HeaderMap) {
        let status = Status::from_header_map(said);
        let mut state = self.state();
        state.code = status
            .map(|status| status.code())
            .filter(|_| failure.outcome == Outcome::Refused);
        state.failure.get_or_insert(failure);
    }

    /// Whether the server knows nothing of what was asked.
    pub(super) fn is_not_found(&self) -> bool {
        self.state().code == Some(Code::NotFound)
    }

    /// Whether all of the request was sent.
    pub(super) fn is_whole(&self) -> bool {
        self.state().sending == Sending::Whole
    }

    /// Why the call failed. What was seen says it; without that, what came could not be read.
    pub(super) fn failure(&self, status: &Status) -> Failure {
        let seen = self.state().failure.clone();
        seen.unwrap_or_else(|| {
            faults::unreadable(format!(
                "the answer cannot be read: {}",
                faults::quoted(status.message())
            ))
        })
    }

    /// Ends when the server has taken nothing for so long.
    pub(super) async fn stalled(&self, patience: Duration) -> Failure {
        loop {
            let sending = self.state().sending;
            let end = match sending {
                Sending::Theirs(since) => since + patience,
                Sending::Ours => Instant::now() + patience,
                Sending::Whole => return std::future::pending().await,
            };
            if end <= Instant::now() {
                let detail = format!("the server took no more bytes for {} s", patience.as_secs());
                return Failure::new(Outcome::NoAnswer, detail);
            }
            tokio::time::sleep_until(end.into()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    fn turn(&self, sending: Sending) {
        self.state().sending = sending;
    }

    /// Notes how HTTP/2 ended.
    fn broke(&self, error: &hyper::Error) {
        let failure = match error.source().and_then(|cause| cause.downcast_ref::<h2::Error>()) {
            Some(error) if error.is_library() => {
                faults::unreadable(format!("the server does not keep to HTTP/2: {}", reason(error)))
            }
            Some(error) if error.is_remote() => faults::broken(format!("the server broke off: {}", reason(error))),
            _ => self
                .wire
                .fault()
                .unwrap_or_else(|| faults::broken("the connection broke")),
        };
        self.fail(failure);
    }
}

fn reason(error: &h2::Error) -> String {
    error.reason().map(|reason| format!("{reason:?}")).unwrap_or_default()
}

/// What carries a call over its connection.
pub(super) struct Calling {
    sender: SendRequest<Body>,
    course: Arc<Course>,
}

impl Calling {
    pub(super) fn new(sender: SendRequest<Body>, course: Arc<Course>) -> Self {
        Self { sender, course }
    }
}

impl tower::Service<http::Request<Body>> for Calling {
    type Response = http::Response<Answering>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Polling<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let course = self.course.clone();
        let sent = request.map(|body| {
            let course = course.clone();
            Body::new(Request { body, course })
        });
        let answered = self.sender.send_request(sent);
        async move {
            let response = answered.await.map_err(|error| {
                course.broke(&error);
                failed()
            })?;
            let (head, body) = response.into_parts();
            if let Some(failure) = faults::of_head(&head) {
                course.answered(failure, &head.headers);
                return Err(failed());
            }
            let left = ANSWER;
            Ok(http::Response::from_parts(head, Answering { body, course, left }))
        }
        .boxed()
    }
}

/// Nobody reads it: the course of the call says what it was.
fn failed() -> Status {
    Status::unknown("the call failed")
}

/// The bytes that a call sends, as long as there is time for them.
struct Request {
    body: Body,
    course: Arc<Course>,
}

impl http_body::Body for Request {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if Instant::now() >= self.course.until {
            self.course.fail(faults::late());
            return Poll::Ready(Some(Err(failed())));
        }
        self.course.turn(Sending::Ours);
        let polled = Pin::new(&mut self.body).poll_frame(polling);
        match polled {
            Poll::Ready(Some(Ok(_))) => self.course.turn(Sending::Theirs(Instant::now())),
            // An end would tell the server that it has everything.
            Poll::Ready(None) if self.course.state().failure.is_some() => return Poll::Ready(Some(Err(failed()))),
            Poll::Ready(None) => self.course.turn(Sending::Whole),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }
}

/// The bytes of an answer.
pub(super) struct Answering {
    body: Incoming,
    course: Arc<Course>,
    left: usize,
}

impl http_body::Body for Answering {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = std::task::ready!(Pin::new(&mut self.body).poll_frame(polling));
        let sound = match &polled {
            None => return Poll::Ready(None),
            Some(Err(error)) => {
                self.course.broke(error);
                return Poll::Ready(Some(Err(failed())));
            }
            Some(Ok(frame)) => self.is_sound(frame),
        };
        match sound {
            true => Poll::Ready(polled.map(|frame| frame.map_err(|_| failed()))),
            false => Poll::Ready(Some(Err(failed()))),
        }
    }
}

impl Answering {
    fn is_sound(&mut self, frame: &Frame<Bytes>) -> bool {
        if let Some(trailers) = frame.trailers_ref() {
            let failure = faults::of_trailers(trailers);
            let sound = failure.is_none();
            failure
                .into_iter()
                .for_each(|failure| self.course.answered(failure, trailers));
            return sound;
        }
        match self.left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(left) => self.left = left,
            None => {
                self.course
                    .fail(faults::unreadable(format!("the answer has more than {ANSWER} bytes")));
                return false;
            }
        }
        true
    }
}
