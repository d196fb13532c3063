//! What tonic refuses by itself: messages that it cannot read, with codes that blame the server and without a reason. This layer
//! says what is the matter, each thing as what it is. It also refuses a deadline that cannot be read.

use std::task::{Context as Polling, Poll};

use futures::{
    TryFutureExt as _,
    future::{Either, MapOk, Ready, ready},
};
use http::HeaderName;
use legalstat_proto::common::v1::ErrorReason;
use tonic::{Code, Status, body::Body};

use crate::{
    Call, Refusal,
    call::{MESSAGE, deadline},
};

/// With this header tonic, as the protocol wants it, tells what it can inflate when it cannot inflate what came.
pub(crate) const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");

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
    type Future = Either<Ready<Result<Response, S::Error>>, MapOk<S::Future, fn(Response) -> Response>>;

    fn poll_ready(&mut self, polling: &mut Polling<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(polling)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if deadline::of_caller(request.headers()).is_err() {
            return Either::Left(ready(Ok(Status::from(no_timeout()).into_http())));
        }
        // Health and reflection are no calls of ours and answer in their own words.
        let ours = request.extensions().get::<Call>().is_some();
        let answer: fn(Response) -> Response = if ours { explained } else { std::convert::identity };
        Either::Right(self.inner.call(request).map_ok(answer))
    }
}

fn no_timeout() -> Refusal {
    let message = "the header grpc-timeout is not one number of up to eight digits and a unit of H, M, S, m, u or n";
    Refusal::new(Code::InvalidArgument, ErrorReason::TimeoutUnreadable, message)
}

/// The answer with a reason. What a handler refuses has one already.
fn explained(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if !headers.contains_key("grpc-status") || headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let accepted = headers.remove(ACCEPTED);
    let refusal = Status::from_header_map(headers).and_then(|status| cause(&status, accepted.is_some()));
    let mut response = match refusal {
        Some(refusal) => Status::from(refusal).into_http(),
        None => response,
    };
    response
        .headers_mut()
        .extend(accepted.map(|accepted| (ACCEPTED, accepted)));
    response
}

/// What tonic means by a status of its own, if it is about the message.
fn cause(status: &Status, names_compressions: bool) -> Option<Refusal> {
    let (code, reason) = match status.code() {
        Code::Unimplemented if names_compressions => (Code::Unimplemented, ErrorReason::CompressionUnknown),
        // The first is said of what a message announces, the second of what it inflates to.
        Code::OutOfRange | Code::ResourceExhausted => return Some(too_large()),
        Code::Internal => (Code::InvalidArgument, ErrorReason::MessageUnreadable),
        _ => return None,
    };
    let message = format!("the message cannot be read: {}", status.message());
    Some(Refusal::new(code, reason, message))
}

fn too_large() -> Refusal {
    let message = format!("the message has more than {MESSAGE} bytes");
    Refusal::new(Code::ResourceExhausted, ErrorReason::MessageTooLarge, message)
        .with("limit_bytes", &MESSAGE.to_string())
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    fn told(response: &Response) -> (Code, String) {
        let status = Status::from_header_map(response.headers()).expect("it is an answer");
        let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
        (status.code(), reason.unwrap_or_default())
    }

    #[test]
    fn what_tonic_refuses_by_itself_is_told_as_what_it_is() {
        for (of_tonic, code, reason) in [
            (Code::Internal, Code::InvalidArgument, "ERROR_REASON_MESSAGE_UNREADABLE"),
            (
                Code::OutOfRange,
                Code::ResourceExhausted,
                "ERROR_REASON_MESSAGE_TOO_LARGE",
            ),
            (
                Code::ResourceExhausted,
                Code::ResourceExhausted,
                "ERROR_REASON_MESSAGE_TOO_LARGE",
            ),
            (Code::Unimplemented, Code::Unimplemented, ""),
            (Code::Cancelled, Code::Cancelled, ""),
        ] {
            let answer = explained(Status::new(of_tonic, "as tonic says it").into_http());
            assert_eq!(told(&answer), (code, reason.to_owned()));
        }
    }

    #[test]
    fn an_unknown_compression_is_answered_with_those_that_are_known() {
        let mut answer = Status::unimplemented("compressed with br").into_http();
        answer
            .headers_mut()
            .insert(ACCEPTED, http::HeaderValue::from_static("gzip,identity"));
        let answer = explained(answer);
        let expected = (Code::Unimplemented, "ERROR_REASON_COMPRESSION_UNKNOWN".to_owned());
        assert_eq!(told(&answer), expected);
        assert_eq!(answer.headers()[ACCEPTED], "gzip,identity");
    }

    #[test]
    fn what_a_handler_refuses_or_answers_stays() {
        let refusal = Refusal::new(Code::OutOfRange, ErrorReason::YearOutOfRange, "2037");
        let expected = (Code::OutOfRange, "ERROR_REASON_YEAR_OUT_OF_RANGE".to_owned());
        assert_eq!(told(&explained(Status::from(refusal).into_http())), expected);
        let answer = explained(http::Response::new(Body::empty()));
        assert!(Status::from_header_map(answer.headers()).is_none());
    }
}
