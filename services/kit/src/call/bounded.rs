//! How large a message a caller without a certificate may send: what is read of it takes many times its bytes of memory. For the
//! same reason it comes as it is, and not compressed.

use std::{
    pin::Pin,
    task::{Context as Polling, Poll},
};

use bytes::Bytes;
use http_body::Frame;
use legalstat_proto::common::v1::ErrorReason;
use tonic::{Code, Status, body::Body};

use crate::{Refusal, call::unreadable::ACCEPTED};

/// How many bytes: room for every act that can be tried out, a hundred rules of each sort.
const MOST: usize = 256 * 1024;

/// The body, as long as it has no more bytes than a stranger may send.
pub(crate) fn bounded(body: Body) -> Body {
    Body::new(Bounded { body, left: MOST })
}

struct Bounded {
    body: Body,
    left: usize,
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(polling);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            match self.left.checked_sub(bytes) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(too_large()))),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// Refuses what comes compressed: the bytes on the wire do not tell how many it inflates to.
///
/// # Errors
/// The answer, which names what is read instead.
pub(crate) fn refuse_compressed(headers: &http::HeaderMap) -> Result<(), Box<http::Response<Body>>> {
    if headers
        .get_all("grpc-encoding")
        .iter()
        .all(|encoding| encoding == "identity")
    {
        return Ok(());
    }
    let message = "a call without a certificate may send no compressed message";
    let refusal = Refusal::new(Code::Unimplemented, ErrorReason::CompressionUnknown, message);
    let mut response = Status::from(refusal).into_http();
    let identity = http::HeaderValue::from_static("identity");
    response.headers_mut().insert(ACCEPTED, identity);
    Err(Box::new(response))
}

fn too_large() -> Status {
    let message = format!("a call without a certificate may send {MOST} bytes");
    let refusal = Refusal::new(Code::ResourceExhausted, ErrorReason::MessageTooLarge, message);
    refusal.with("limit_bytes", &MOST.to_string()).into()
}
