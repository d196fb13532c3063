//! Streams that hold a place as long as they last, and lose it when they stand still.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, Weak},
    task::{Context as Polling, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http_body::Frame;
use legalstat_proto::common::v1::ErrorReason;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tonic::{Code, Status, body::Body};

use crate::Refusal;

/// The places that a call takes up.
pub(crate) type Places = Arc<[OwnedSemaphorePermit; 2]>;

/// How long a stream of bytes may move nothing, in or out.
pub(crate) const STILL: Duration = Duration::from_secs(60);

/// How long a stream of bytes may last.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    /// How long it may move nothing.
    still: Duration,
    /// How long it may take in all: a trickle moves, too.
    whole: Duration,
}

/// A minute without a move; in all as long as a call without a deadline.
pub(crate) const OF_BYTES: Ends = Ends {
    still: STILL,
    whole: Duration::from_secs(600),
};

/// A body that holds its places until it ends, is dropped or cut off.
pub(crate) fn held(body: Body, places: Places, ends: Option<Ends>) -> Body {
    // An answer without a message is its headers alone.
    if http_body::Body::is_end_stream(&body) {
        return body;
    }
    let flow = Arc::new(Mutex::new(Flow {
        stream: Some((body, places)),
        moved: Instant::now(),
        reader: None,
        cut: false,
    }));
    if let Some(ends) = ends {
        tokio::spawn(cut_when_still(Arc::downgrade(&flow), ends));
    }
    Body::new(Held(flow))
}

struct Flow {
    stream: Option<(Body, Places)>,
    moved: Instant,
    reader: Option<Waker>,
    /// Whether the reader is still to be told that he was cut off.
    cut: bool,
}

/// A stream that nobody reads is not polled either, so that a task of its own must watch it.
async fn cut_when_still(flow: Weak<Mutex<Flow>>, Ends { still, whole }: Ends) {
    let end = Instant::now() + whole;
    let mut next = Instant::now() + still;
    loop {
        tokio::time::sleep_until(next.min(end)).await;
        let Some(flow) = flow.upgrade() else { return };
        let mut flow = flow.lock().expect("no code panics while it holds this lock");
        if flow.stream.is_none() {
            return;
        }
        next = flow.moved + still;
        if Instant::now() >= next.min(end) {
            flow.stream = None;
            flow.cut = true;
            if let Some(reader) = flow.reader.take() {
                reader.wake();
            }
            return;
        }
    }
}

fn cut_off() -> Status {
    let message = "the stream was not read for a minute, or not to its end in ten";
    Refusal::new(Code::DeadlineExceeded, ErrorReason::DeadlineExceeded, message).into()
}

struct Held(Arc<Mutex<Flow>>);

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut flow = self.0.lock().expect("no code panics while it holds this lock");
        if std::mem::take(&mut flow.cut) {
            let mut trailers = http::HeaderMap::new();
            cut_off().add_header(&mut trailers)?;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let Some((body, _)) = &mut flow.stream else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(polling);
        match &polled {
            Poll::Pending => flow.reader = Some(polling.waker().clone()),
            Poll::Ready(Some(Ok(_))) => flow.moved = Instant::now(),
            Poll::Ready(None | Some(Err(_))) => flow.stream = None,
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use tokio::sync::Semaphore;

    use super::*;

    struct Endless(bool);

    impl http_body::Body for Endless {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            if self.0 {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"bytes")))))
            } else {
                Poll::Pending
            }
        }
    }

    fn place(free: &Arc<Semaphore>) -> Places {
        let take = || Arc::clone(free).try_acquire_owned().expect("it is free");
        Arc::new([take(), take()])
    }

    async fn frame(body: &mut Body) -> Frame<Bytes> {
        let frame = std::future::poll_fn(|polling| http_body::Body::poll_frame(Pin::new(body), polling)).await;
        frame.expect("it goes on").expect("no error")
    }

    fn code(frame: Frame<Bytes>) -> Option<Code> {
        let trailers = frame.into_trailers().ok()?;
        Some(Status::from_header_map(&trailers)?.code())
    }

    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(3600);

    async fn until_free(free: &Arc<Semaphore>) {
        let freed = free.acquire_many(2);
        let freed = tokio::time::timeout(Duration::from_secs(30), freed).await;
        freed.expect("the places are given back").expect("it is open").forget();
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_loses_its_places() {
        let (free, still) = (Arc::new(Semaphore::new(2)), SHORT);
        let mut body = held(
            Body::new(Endless(true)),
            place(&free),
            Some(Ends { still, whole: LONG }),
        );
        assert!(frame(&mut body).await.is_data());
        assert_eq!(free.available_permits(), 0);
        until_free(&free).await;
        assert_eq!(code(frame(&mut body).await), Some(Code::DeadlineExceeded));
    }

    #[tokio::test]
    async fn a_reader_who_waits_in_vain_is_told_so() {
        let (free, still) = (Arc::new(Semaphore::new(2)), SHORT);
        let mut body = held(
            Body::new(Endless(false)),
            place(&free),
            Some(Ends { still, whole: LONG }),
        );
        assert_eq!(code(frame(&mut body).await), Some(Code::DeadlineExceeded));
        until_free(&free).await;
    }

    #[tokio::test]
    async fn a_stream_that_moves_stays_and_a_trickle_ends_all_the_same() {
        let (free, whole) = (Arc::new(Semaphore::new(2)), 5 * SHORT);
        let (mut body, began) = (
            held(
                Body::new(Endless(true)),
                place(&free),
                Some(Ends { still: LONG, whole }),
            ),
            Instant::now(),
        );
        while frame(&mut body).await.is_data() {
            tokio::time::sleep(SHORT / 10).await;
        }
        assert!(began.elapsed() >= whole);
        until_free(&free).await;
    }

    #[tokio::test]
    async fn a_feed_holds_its_places_until_it_is_dropped() {
        let free = Arc::new(Semaphore::new(2));
        let mut feed = held(Body::new(Endless(false)), place(&free), None);
        let mut next = Box::pin(frame(&mut feed));
        assert!(poll!(&mut next).is_pending());
        assert_eq!(free.available_permits(), 0);
        drop(next);
        drop(feed);
        assert_eq!(free.available_permits(), 2);
    }
}
