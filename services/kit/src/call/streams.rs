//! One call on the wire, from its header to the last byte of its answer: what it holds, and when it no longer moves.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Polling, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::task::AtomicWaker;
use http_body::{Body as HttpBody, Frame, SizeHint};
use legalstat_proto::common::v1::ErrorReason;
use tokio::time::{Instant, Sleep};
use tonic::{Code, Status, body::Body};

use crate::{
    Refusal,
    call::{
        MESSAGE,
        connections::{Party, Place, Quota},
    },
};

tokio::task_local! {
    static STREAM: Arc<Stream>;
}

/// What all calls of a server share.
pub struct Shared {
    /// The calls under way.
    pub calls: Quota,
    /// The bytes of their messages.
    pub messages: Quota,
    /// The bytes of their answers that are not on the line yet.
    pub answers: Quota,
    /// How long a peer may neither send nor take.
    pub stall: Duration,
}

/// How many bytes of an answer HTTP/2 is given at once. A peer must take as many within the time for a stall.
const PIECE: usize = 16 * 1024;

/// One call on the wire. What it holds is free again when this is dropped.
pub struct Stream {
    place: Arc<Place>,
    shared: Arc<Shared>,
    party: Party,
    admitted: bool,
    bytes: AtomicUsize,
    /// Since when pieces of the answer wait for the peer to take them.
    handed: Mutex<Option<Instant>>,
    /// Who waits until they are on the line.
    waiting: AtomicWaker,
}

impl Stream {
    fn begin(place: Arc<Place>, shared: Arc<Shared>) -> Self {
        place.begin();
        let party = place.party();
        Self {
            admitted: shared.calls.take(1, &party),
            place,
            shared,
            party,
            bytes: AtomicUsize::new(0),
            handed: Mutex::new(None),
            waiting: AtomicWaker::new(),
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
        if more > 0 && !self.shared.messages.take(more, &self.party) {
            return Err(Refusal::overloaded(
                "the messages under way take all the memory there is for them",
            ));
        }
        self.bytes.fetch_add(more, Ordering::AcqRel);
        Ok(())
    }

    fn handed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.handed.lock().expect("no code panics while it holds this lock")
    }

    /// Ends once all that HTTP/2 was given of the answer is on the line.
    async fn taken(&self) {
        poll_fn(|polling| {
            self.waiting.register(polling.waker());
            match *self.handed() {
                Some(_) => Poll::Pending,
                None => Poll::Ready(()),
            }
        })
        .await;
    }

    /// Ends once the peer has taken nothing of its answer for too long.
    async fn stuck(&self) {
        loop {
            let handed = *self.handed();
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
            self.shared.messages.give_back(bytes, &self.party);
        }
        if self.admitted {
            self.shared.calls.give_back(1, &self.party);
        }
        self.place.end();
    }
}

/// Runs each call of a connection in a task of its own, and drops it when it is stuck: HTTP/2 then tells the peer. A peer that
/// does not take the end of an answer loses the connection.
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
                biased;
                () = call => {}
                () = watched.stuck() => return tracing::debug!("a caller did not take its answer"),
            }
            tokio::select! {
                biased;
                () = watched.taken() => {}
                () = watched.stuck() => watched.place.end_of_connection().cancel(),
            }
        }));
    }
}

/// The message of a call as it arrives. It ends with an error when the peer stops amid it.
pub struct RequestBody {
    body: hyper::body::Incoming,
    stream: Arc<Stream>,
    silence: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    /// The body of the call that this task is for.
    pub fn body(body: hyper::body::Incoming, stream: Arc<Stream>) -> Body {
        Body::new(Self {
            body,
            stream,
            silence: None,
        })
    }
}

type Polled = Option<Result<Frame<Bytes>, Status>>;

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Polled> {
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

/// A part of an answer, counted among the bytes of answers until HTTP/2 has written all of it.
struct Counted {
    bytes: Bytes,
    stream: Arc<Stream>,
}

impl Counted {
    fn count(bytes: Bytes, stream: &Arc<Stream>) -> Result<Bytes, Refusal> {
        if !stream.shared.answers.take(bytes.len(), &stream.party) {
            return Err(Refusal::overloaded(
                "the answers under way take all the memory there is for them",
            ));
        }
        let stream = stream.clone();
        Ok(Bytes::from_owner(Self { bytes, stream }))
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.stream
            .shared
            .answers
            .give_back(self.bytes.len(), &self.stream.party);
    }
}

/// What HTTP/2 has of an answer. It keeps whatever it is given, however little the peer takes, and drops it once it is on the
/// line.
struct Piece {
    bytes: Bytes,
    stream: Arc<Stream>,
}

impl Piece {
    fn hand(bytes: Bytes, stream: &Arc<Stream>) -> Bytes {
        *stream.handed() = Some(Instant::now());
        let stream = stream.clone();
        Bytes::from_owner(Self { bytes, stream })
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        *self.stream.handed() = None;
        self.stream.waiting.wake();
    }
}

/// The answer of a call as its peer takes it: the next piece only once the one before is on the line. Else the call would end,
/// and its limits with it, while HTTP/2 still holds a long answer. The end of an answer of one piece follows it at once, so that
/// both leave together.
pub struct ResponseBody {
    body: Body,
    stream: Arc<Stream>,
    /// What HTTP/2 has not been given yet of a part that has come from the service.
    rest: Bytes,
    pieces: Pieces,
}

/// How much of an answer HTTP/2 has been given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pieces {
    None,
    One,
    More,
}

impl ResponseBody {
    /// The body of the answer of the call that this task is for.
    pub fn body(body: Body, stream: Arc<Stream>) -> Body {
        Body::new(Self {
            body,
            stream,
            rest: Bytes::new(),
            pieces: Pieces::None,
        })
    }

    fn end_with(&mut self, refusal: Refusal) -> Polled {
        self.body = Body::empty();
        let mut trailers = http::HeaderMap::new();
        let status = Status::from(refusal);
        Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers)))
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Polled> {
        self.stream.waiting.register(polling.waker());
        let is_handed = self.stream.handed().is_some();
        if is_handed && (self.pieces == Pieces::More || !self.rest.is_empty()) {
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            let bytes = match ready!(Pin::new(&mut self.body).poll_frame(polling)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                    Ok(bytes) => bytes,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            };
            match Counted::count(bytes, &self.stream) {
                Ok(bytes) => self.rest = bytes,
                Err(refusal) => return Poll::Ready(self.end_with(refusal)),
            }
            if is_handed {
                return Poll::Pending;
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.pieces = match self.pieces {
            Pieces::None => Pieces::One,
            Pieces::One | Pieces::More => Pieces::More,
        };
        Poll::Ready(Some(Ok(Frame::data(Piece::hand(piece, &self.stream)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.stream.handed().is_none() && self.body.is_end_stream()
    }
}
