//! The message of a unary call before the call is let in: who sends half of it keeps nobody from a place.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context as Polling, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use tonic::{Status, body::Body};

use crate::call::MESSAGE;

/// Waits until a body has ended, failed, or grown larger than any message may be, and gives the same body.
pub(crate) async fn arrived(mut body: Body) -> Body {
    let (mut frames, mut bytes) = (VecDeque::new(), 0);
    while bytes <= MESSAGE {
        match body.frame().await {
            None => return Body::new(Arrived { frames, rest: None }),
            Some(frame) => {
                let failed = frame.is_err();
                bytes += data(&frame);
                frames.push_back(frame);
                if failed {
                    return Body::new(Arrived { frames, rest: None });
                }
            }
        }
    }
    let rest = Some(body);
    Body::new(Arrived { frames, rest })
}

fn data(frame: &Result<Frame<Bytes>, Status>) -> usize {
    let data = frame.as_ref().ok().and_then(Frame::data_ref);
    data.map_or(0, Bytes::len)
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
