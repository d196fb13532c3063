//! Messages that cannot be read. tonic refuses them by itself, with codes that blame the server and without a reason; this
//! layer says what is the matter.

use std::task::{Context as Polling, Poll};

use futures::{TryFutureExt as _, future::MapOk};
use legalstat_proto::common::v1::ErrorReason;
use tonic::{Code, Status, body::Body};

use crate::{Call, Refusal};

/// The codes with which tonic refuses what it cannot read.
const READING: [Code; 3] = [Code::Internal, Code::OutOfRange, Code::Unimplemented];

/// The layer. It runs inside the access layer, which therefore records the answer that the caller gets.
#[derive(Clone, Copy)]
pub struct UnreadableLayer;

impl<S> tower::Layer<S> for UnreadableLayer {
    type Service = Unreadable<S>;

    fn layer(&self, inner: S) -> Unreadable<S> {
        Unreadable { inner }
    }
}

/// The service the layer makes.
#[derive(Clone)]
pub struct Unreadable<S> {
    inner: S,
}

type Response = http::Response<Body>;

impl<S> tower::Service<http::Request<Body>> for Unreadable<S>
where
    S: tower::Service<http::Request<Body>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(Response) -> Response>;

    fn poll_ready(&mut self, polling: &mut Polling<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(polling)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // Health and reflection are no calls of ours and answer in their own words.
        let ours = request.extensions().get::<Call>().is_some();
        let answer: fn(Response) -> Response = if ours { explained } else { std::convert::identity };
        self.inner.call(request).map_ok(answer)
    }
}

/// The answer with a reason. What a handler refuses has one already.
fn explained(response: Response) -> Response {
    let headers = response.headers();
    if !headers.contains_key("grpc-status") || headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    match Status::from_header_map(headers) {
        Some(status) if READING.contains(&status.code()) => refused(&status),
        _ => response,
    }
}

fn refused(status: &Status) -> Response {
    let message = format!("the message cannot be read: {}", status.message());
    let refusal = Refusal::new(Code::InvalidArgument, ErrorReason::MessageUnreadable, message);
    Status::from(refusal).into_http()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(response: &Response) -> Option<Code> {
        Status::from_header_map(response.headers()).map(|status| status.code())
    }

    #[test]
    fn what_tonic_refuses_by_itself_is_the_callers_fault() {
        for code_of_tonic in READING {
            let answer = Status::new(code_of_tonic, "invalid wire type").into_http();
            assert_eq!(code(&explained(answer)), Some(Code::InvalidArgument));
        }
    }

    #[test]
    fn what_a_handler_refuses_or_answers_stays() {
        let refusal = Refusal::new(Code::OutOfRange, ErrorReason::YearOutOfRange, "2037");
        assert_eq!(
            code(&explained(Status::from(refusal).into_http())),
            Some(Code::OutOfRange)
        );
        let other = Status::new(Code::Cancelled, "gone").into_http();
        assert_eq!(code(&explained(other)), Some(Code::Cancelled));
        assert_eq!(code(&explained(http::Response::new(Body::empty()))), None);
    }
}
