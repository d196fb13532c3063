//! The message of a unary call before the call is let in: who sends half of it keeps nobody from a place. And the end of what a
//! caller sends: one who hung up may have left it so, and his call is dropped before it is looked at as an end.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context as Polling, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use tokio::task;
use tonic::{Status, body::Body};

use crate::call::MESSAGE;

/// Waits until a body has ended, failed, or grown larger than any message may be, and gives the same body.
pub(crate) async fn arrived(mut body: Body) -> Body {
    let (mut frames, mut bytes) = (VecDeque::new(), 0);
    while bytes <= MESSAGE {
        let frame = body.frame().await;
        let failed = frame.as_ref().is_some_and(Result::is_err);
        let is_last = frame.is_none() || failed;
        if let Some(frame) = frame {
            bytes += data(&frame);
            frames.push_back(frame);
        }
        if is_last {
            if failed || !is_whole(&frames, bytes) {
                // The call of who hung up is dropped once it waits: what he left unsaid is not refused.
                task::yield_now().await;
            }
            return Body::new(Arrived { frames, rest: None });
        }
    }
    let rest = Some(body);
    Body::new(Arrived { frames, rest })
}

/// Whether there is as much as the message's own prefix says (gRPC over HTTP/2, "Length-Prefixed-Message"), if that came in one piece.
fn is_whole(frames: &VecDeque<Result<Frame<Bytes>, Status>>, bytes: usize) -> bool {
    let first = frames.iter().find_map(|frame| frame.as_ref().ok()?.data_ref());
    let Some([_, length @ ..]) = first.and_then(|data| data.first_chunk::<5>()) else {
        return false;
    };
    u32::from_be_bytes(*length) as usize == bytes - 5
}

fn data(frame: &Result<Frame<Bytes>, Status>) -> usize {
    let data = frame.as_ref().ok().and_then(Frame::data_ref);
    data.map_or(0, Bytes::len)
}

/// The same body, of many messages, which waits once before it ends or fails: the call of who hung up is dropped meanwhile.
pub(crate) fn streamed(body: Body) -> Body {
    Body::new(Streamed { body, last: None })
}

struct Streamed {
    body: Body,
    /// How it ended, once it has.
    last: Option<Option<Result<Frame<Bytes>, Status>>>,
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(last) = self.last.take() {
            return Poll::Ready(last);
        }
        match ready!(Pin::new(&mut self.body).poll_frame(polling)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            last => {
                self.last = Some(last);
                polling.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

struct Arrived {
    frames: VecDeque<Result<Frame<Bytes>, Status>>,
    rest: Option<Body>,
}

impl HttpBody for Arrived {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(frame) = self.frames.pop_front() {
            return Poll::Ready(Some(frame));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(polling),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.rest.as_ref().is_none_or(HttpBody::is_end_stream)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{FutureExt as _, poll, stream};
    use http_body_util::{Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_whole_message_is_given_at_once_and_one_that_is_not_after_a_wait_in_which_its_call_may_end() {
        for (message, is_whole) in [
            (&b"\0\0\0\0\x02ab"[..], true),
            (b"\0\0\0\0\0", true),
            (b"", false),
            (b"\0\0", false),
            (b"\0\0\0\0\x02a", false),
        ] {
            let body = Body::new(Full::from(message));
            let mut waiting = arrived(body).boxed();
            let given = match poll!(&mut waiting) {
                Poll::Ready(body) if is_whole => body,
                Poll::Pending if !is_whole => waiting.await,
                _ => panic!("{message:?}"),
            };
            let given = given.collect().await.expect("it is there").to_bytes();
            assert_eq!(given, message);
        }
    }

    #[tokio::test]
    async fn a_stream_is_given_as_it_comes_and_its_end_or_failure_after_a_wait_in_which_its_call_may_end() {
        for end in [None, Some(Err(Status::cancelled("the line was cut")))] {
            let fails = end.is_some();
            let chunk = Ok(Frame::data(Bytes::from_static(b"a")));
            let body = StreamBody::new(stream::iter([Some(chunk), end].into_iter().flatten()));
            let mut body = streamed(Body::new(body));
            assert!(matches!(poll!(pin!(body.frame())), Poll::Ready(Some(Ok(_)))));
            assert!(poll!(pin!(body.frame())).is_pending());
            let Poll::Ready(last) = poll!(pin!(body.frame())) else {
                panic!("it waits once");
            };
            assert_eq!(last.is_some_and(|last| last.is_err()), fails);
        }
    }
}
