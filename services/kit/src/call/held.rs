//! Streams that hold their places as long as they last, and no longer than they may.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context as Polling, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::Frame;
use legalstat_proto::common::v1::ErrorReason;
use tokio::time::Sleep;
use tonic::{Code, Status, body::Body};

use crate::{Refusal, call::places::Places};

/// How long a stream of bytes out may last in all: a trickle moves, too. One that its reader no longer takes is dropped long
/// before, with the task of its call.
pub(crate) const OF_BYTES: Duration = Duration::from_secs(600);

/// A body that holds its places until it ends, is dropped, or has lasted so long.
pub(crate) fn held(body: Body, places: Places, whole: Option<Duration>) -> Body {
    // An answer without a message is its headers alone.
    if http_body::Body::is_end_stream(&body) {
        return body;
    }
    Body::new(Held {
        stream: Some((body, places)),
        end: whole.map(|whole| Box::pin(tokio::time::sleep(whole))),
    })
}

struct Held {
    /// `None` once it has ended.
    stream: Option<(Body, Places)>,
    end: Option<Pin<Box<Sleep>>>,
}

fn cut_off() -> Status {
    let message = "the stream was not read to its end in ten minutes";
    Refusal::new(Code::DeadlineExceeded, ErrorReason::DeadlineExceeded, message).into()
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { stream, end } = &mut *self;
        let Some((body, _)) = stream else {
            return Poll::Ready(None);
        };
        if end.as_mut().is_some_and(|end| end.as_mut().poll(polling).is_ready()) {
            *stream = None;
            let mut trailers = http::HeaderMap::new();
            cut_off().add_header(&mut trailers)?;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let polled = Pin::new(body).poll_frame(polling);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            *stream = None;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::poll;
    use tokio::{sync::Semaphore, time::Instant};

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

    #[tokio::test]
    async fn a_reader_who_waits_in_vain_is_told_so() {
        let free = Arc::new(Semaphore::new(2));
        let mut body = held(Body::new(Endless(false)), place(&free), Some(SHORT));
        assert_eq!(code(frame(&mut body).await), Some(Code::DeadlineExceeded));
        assert_eq!(free.available_permits(), 2);
    }

    #[tokio::test]
    async fn a_trickle_ends_all_the_same() {
        let (free, whole) = (Arc::new(Semaphore::new(2)), 5 * SHORT);
        let began = Instant::now();
        let mut body = held(Body::new(Endless(true)), place(&free), Some(whole));
        while frame(&mut body).await.is_data() {
            assert_eq!(free.available_permits(), 0);
            tokio::time::sleep(SHORT / 10).await;
        }
        assert!(began.elapsed() >= whole);
        assert_eq!(free.available_permits(), 2);
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
