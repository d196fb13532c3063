//! Deadlines of calls. tonic answers an expired `grpc-timeout` with CANCELLED and does not pass deadlines on; this layer
//! answers DEADLINE_EXCEEDED in time, and outgoing calls get what is left.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context as Polling, Poll},
    time::Duration,
};

use legalstat_proto::common::v1::ErrorReason;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};

use crate::Refusal;

/// The longest a call may take when its caller sets no deadline; uploads and downloads take the longest.
const LONGEST: Duration = Duration::from_secs(600);
/// How long before the caller's deadline the answer leaves, so that it arrives in time.
const HEAD_START: Duration = Duration::from_millis(5);
/// How much of the time that is left a service keeps for itself when it calls another one.
const HOP: Duration = Duration::from_millis(20);

tokio::task_local! {
    static DEADLINE: Instant;
}

/// How long an outgoing call may take: at most `most`, and what is left of the current call less 20 ms for this hop.
pub fn remaining(most: Duration) -> Duration {
    let left = DEADLINE.try_with(|deadline| deadline.saturating_duration_since(Instant::now()).saturating_sub(HOP));
    left.map_or(most, |left| left.min(most))
}

/// Reads a `grpc-timeout` header: up to eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn parse(header: &http::HeaderValue) -> Option<Duration> {
    let text = header.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// The layer.
#[derive(Clone, Copy)]
pub struct DeadlineLayer;

impl<S> tower::Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

/// The service the layer makes.
#[derive(Clone)]
pub struct Deadline<S> {
    inner: S,
}

impl<S> tower::Service<http::Request<Body>> for Deadline<S>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, polling: &mut Polling<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(polling)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let timeout = request
            .headers()
            .get("grpc-timeout")
            .and_then(parse)
            .unwrap_or(LONGEST)
            .min(LONGEST);
        let deadline = Instant::now() + timeout;
        let answered = DEADLINE.scope(deadline, self.inner.call(request));
        Box::pin(async move {
            tokio::time::timeout_at(deadline - HEAD_START.min(timeout), answered)
                .await
                .unwrap_or_else(|_| Ok(Status::from(exceeded()).into_http()))
        })
    }
}

fn exceeded() -> Refusal {
    Refusal::new(
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
        "the deadline of the call passed; repeat it with the same request_id to learn whether it was carried out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_header_is_read_as_grpc_writes_it() {
        let read = |text: &'static str| parse(&http::HeaderValue::from_static(text));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("1H"), Some(Duration::from_secs(3600)));
        for text in ["", "m", "123456789m", "-1m", "1x", "m1"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[tokio::test]
    async fn an_outgoing_call_gets_what_is_left_less_one_hop() {
        assert_eq!(remaining(Duration::from_secs(3)), Duration::from_secs(3));
        let deadline = Instant::now() + Duration::from_millis(500);
        let left = DEADLINE
            .scope(deadline, async { remaining(Duration::from_secs(3)) })
            .await;
        assert!(left <= Duration::from_millis(480), "{left:?}");
    }
}
