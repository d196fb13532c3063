//! One call on the wire, from its header to the last byte of its answer: what it holds, and when it no longer moves.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Polling, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use legalstat_proto::common::v1::ErrorReason;
use tokio::time::{Instant, Sleep};
use tonic::{Code, Status, body::Body};

use crate::{
    Refusal,
    call::{
        MESSAGE,
        connections::{Neighbours, Place, Room},
    },
};

tokio::task_local! {
    static STREAM: Arc<Stream>;
}

/// What all calls of a server share.
pub struct Shared {
    /// The calls under way.
    pub calls: Room,
    /// The bytes of their messages.
    pub messages: Room,
    /// How long a peer may neither send nor take.
    pub stall: Duration,
}

/// One call on the wire. What it holds is free again when this is dropped.
pub struct Stream {
    place: Arc<Place>,
    shared: Arc<Shared>,
    known: bool,
    admitted: bool,
    bytes: AtomicUsize,
    /// Since when a part of the answer waits for the peer to take it.
    handed: Mutex<Option<Instant>>,
}

impl Stream {
    fn begin(place: Arc<Place>, shared: Arc<Shared>) -> Self {
        place.begin();
        let known = place.known();
        Self {
            admitted: shared.calls.take(1, (!known).then_some(&place.neighbours.calls)),
            place,
            shared,
            known,
            bytes: AtomicUsize::new(0),
            handed: Mutex::new(None),
        }
    }

    /// The call that this task is for.
    ///
    /// # Panics
    /// In a task that no [`Streams`] has begun.
    pub fn current() -> Arc<Self> {
        STREAM.with(Arc::clone)
    }

    /// Whether there was room for one more call.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when there was none.
    pub fn require_room(&self) -> Result<(), Refusal> {
        if self.admitted {
            return Ok(());
        }
        Err(Refusal::overloaded("more calls are under way than this service takes"))
    }

    /// Holds the bytes of a message, as many as the largest message may have: what comes after it takes its place.
    fn hold(&self, more: usize) -> Result<(), Refusal> {
        let before = self.bytes.load(Ordering::Acquire);
        let more = more.min(MESSAGE - before.min(MESSAGE));
        if more > 0 && !self.shared.messages.take(more, self.stranger(|of| &of.bytes)) {
            return Err(Refusal::overloaded(
                "the messages under way take all the memory there is for them",
            ));
        }
        self.bytes.fetch_add(more, Ordering::AcqRel);
        Ok(())
    }

    fn stranger(&self, taken: impl Fn(&Neighbours) -> &AtomicUsize) -> Option<&AtomicUsize> {
        (!self.known).then(|| taken(&self.place.neighbours))
    }

    fn set_handed(&self, handed: bool) {
        *self.handed.lock().expect("no code panics while it holds this lock") = handed.then(Instant::now);
    }

    /// Ends once the peer has taken nothing of its answer for too long.
    async fn stuck(&self) {
        loop {
            let handed = *self.handed.lock().expect("no code panics while it holds this lock");
            let until = handed.unwrap_or_else(Instant::now) + self.shared.stall;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        if bytes > 0 {
            self.shared.messages.give_back(bytes, self.stranger(|of| &of.bytes));
        }
        if self.admitted {
            self.shared.calls.give_back(1, self.stranger(|of| &of.calls));
        }
        self.place.end();
    }
}

/// Runs each call of a connection in a task of its own, and drops it when it is stuck: HTTP/2 then tells the peer.
#[derive(Clone)]
pub struct Streams {
    place: Arc<Place>,
    shared: Arc<Shared>,
}

impl Streams {
    /// The calls of one connection.
    pub fn new(place: Arc<Place>, shared: Arc<Shared>) -> Self {
        Self { place, shared }
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, call: F) {
        let stream = Arc::new(Stream::begin(self.place.clone(), self.shared.clone()));
        let watched = stream.clone();
        tokio::spawn(STREAM.scope(stream, async move {
            tokio::select! {
                () = call => {}
                () = watched.stuck() => tracing::debug!("a caller did not take its answer"),
            }
        }));
    }
}

/// The message of a call as it arrives. It ends with an error when the peer stops amid it.
pub struct Received {
    body: hyper::body::Incoming,
    stream: Arc<Stream>,
    silence: Option<Pin<Box<Sleep>>>,
}

impl Received {
    /// The body of the call that this task is for.
    pub fn body(body: hyper::body::Incoming, stream: Arc<Stream>) -> Body {
        Body::new(Self {
            body,
            stream,
            silence: None,
        })
    }
}

type Arrived = Option<Result<Frame<Bytes>, Status>>;

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Arrived> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(polling) else {
            let stall = self.stream.shared.stall;
            let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
            ready!(silence.as_mut().poll(polling));
            return Poll::Ready(Some(Err(stopped().into())));
        };
        self.silence = None;
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|error| Status::from_error(error.into()))?;
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.stream.hold(bytes).map_err(Status::from)?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn stopped() -> Refusal {
    Refusal::new(
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
        "the message stopped before its end; repeat the call with the same request_id",
    )
}

/// The answer of a call as its peer takes it.
pub struct Sent {
    body: Body,
    stream: Arc<Stream>,
}

impl Sent {
    /// The body of the answer of the call that this task is for.
    pub fn body(body: Body, stream: Arc<Stream>) -> Body {
        stream.set_handed(true);
        Body::new(Self { body, stream })
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Arrived> {
        // Who asks for more has taken what there was. While the service has nothing to tell, the peer owes nothing.
        let frame = Pin::new(&mut self.body).poll_frame(polling);
        self.stream.set_handed(matches!(frame, Poll::Ready(Some(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
