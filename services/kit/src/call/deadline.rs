//! Deadlines of calls. tonic answers an expired `grpc-timeout` with CANCELLED and does not pass deadlines on; this layer
//! answers DEADLINE_EXCEEDED in time, and outgoing calls get what is left.

use std::{
    collections::HashSet,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::LazyLock,
    task::{Context as Polling, Poll},
    time::Duration,
};

use legalstat_proto::common::v1::ErrorReason;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};

use crate::{Refusal, call::caller::Peer};

/// The longest a call of a known caller may take whatever he says, and a stream when he says nothing; uploads and downloads take the
/// longest.
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

/// Work of the current call for a task of its own: there it has the deadline of the call.
pub(crate) fn inherited<T>(work: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    let deadline = DEADLINE.try_with(|deadline| *deadline);
    DEADLINE.scope(deadline.unwrap_or_else(|_| Instant::now() + LONGEST), work)
}

/// The methods that take or give more than one message.
static STREAMS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let services = legalstat_proto::descriptors().services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .filter(|method| method.is_client_streaming() || method.is_server_streaming())
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect()
});

/// Whether a method takes or gives more than one message, by its path.
pub(crate) fn is_stream(path: &str) -> bool {
    STREAMS.contains(path)
}

/// A `grpc-timeout` that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnreadableTimeout;

/// What a caller lets a call take, when it says so.
pub(crate) fn of_caller(headers: &http::HeaderMap) -> Result<Option<Duration>, UnreadableTimeout> {
    let mut given = headers.get_all("grpc-timeout").iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(header), None) => parse(header).map(Some).ok_or(UnreadableTimeout),
        (Some(_), Some(_)) => Err(UnreadableTimeout),
    }
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
pub struct DeadlineLayer {
    unary: Duration,
}

impl DeadlineLayer {
    /// A layer that lets a call with one message and one answer take so long when its caller sets no deadline, and a call
    /// of a stranger in any case.
    pub fn new(unary: Duration) -> Self {
        Self { unary }
    }

    fn timeout(self, request: &http::Request<Body>) -> Duration {
        // What cannot be read is refused further in, where the refusal goes into the journal.
        let given = of_caller(request.headers()).ok().flatten();
        let is_stream = is_stream(request.uri().path());
        let usual = if is_stream { LONGEST } else { self.unary };
        // A stranger's message takes memory as long as it may be on its way.
        let peer = request.extensions().get::<Peer>();
        let is_known = peer.is_some_and(|peer| peer.caller.is_some());
        let most = if is_known { LONGEST } else { usual };
        given.unwrap_or(usual).min(most)
    }
}

impl<S> tower::Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner, layer: *self }
    }
}

/// The service the layer makes.
#[derive(Clone)]
pub struct Deadline<S> {
    inner: S,
    layer: DeadlineLayer,
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
        let timeout = self.layer.timeout(&request);
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
    use std::sync::Arc;

    use tonic_types::StatusExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::Caller;

    #[test]
    fn the_timeout_header_is_read_as_grpc_writes_it() {
        let read = |text: &'static str| parse(&http::HeaderValue::from_static(text));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("1H"), Some(Duration::from_secs(3600)));
        for text in ["", "m", "123456789m", "-1m", "1x", "m1"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_timeout_given_twice_is_none() {
        let given = |values: &[&'static str]| {
            let mut headers = http::HeaderMap::new();
            for value in values {
                headers.append("grpc-timeout", http::HeaderValue::from_static(value));
            }
            of_caller(&headers)
        };
        assert_eq!(given(&[]), Ok(None));
        assert_eq!(given(&["1S"]), Ok(Some(Duration::from_secs(1))));
        assert_eq!(given(&["1S", "2S"]), Err(UnreadableTimeout));
        assert_eq!(given(&["x"]), Err(UnreadableTimeout));
    }

    #[test]
    fn a_call_without_a_deadline_ends_within_seconds_and_a_stream_may_go_on() {
        let layer = DeadlineLayer::new(Duration::from_secs(30));
        let timeout = |path: &str| {
            let mut request = http::Request::new(Body::empty());
            *request.uri_mut() = path.parse().expect("a path");
            layer.timeout(&request)
        };
        assert_eq!(timeout("/legalstat.calendar.v1.CalendarService/GetDay"), layer.unary);
        assert_eq!(timeout("/legalstat.calendar.v1.CalendarService/WatchCalendar"), LONGEST);
        assert_eq!(
            timeout("/legalstat.forms.v1.FormRegistryService/UploadEditionFile"),
            LONGEST
        );
        assert_eq!(timeout("/no/method"), layer.unary);
    }

    #[test]
    fn a_stranger_stretches_no_deadline() {
        let layer = DeadlineLayer::new(Duration::from_secs(30));
        let timeout = |caller: Option<Caller>, given: &str, path: &str| {
            let mut request = http::Request::post(path).header("grpc-timeout", given);
            let peer = Peer {
                address: ([127, 0, 0, 1], 1).into(),
                caller: caller.map(Arc::new),
                problem: None,
            };
            request.extensions_mut().expect("it is a request").insert(peer);
            layer.timeout(&request.body(Body::empty()).expect("it is a request"))
        };
        let known = || {
            Some(Caller {
                name: "edms".into(),
                roles: Vec::new(),
            })
        };
        let day = "/legalstat.calendar.v1.CalendarService/GetDay";
        let file = "/legalstat.forms.v1.FormRegistryService/DownloadEditionFile";
        assert_eq!(timeout(None, "600S", day), layer.unary);
        assert_eq!(timeout(None, "1S", day), Duration::from_secs(1));
        assert_eq!(timeout(None, "500S", file), Duration::from_secs(500));
        assert_eq!(timeout(known(), "500S", day), Duration::from_secs(500));
        assert_eq!(timeout(known(), "1H", day), LONGEST);
    }

    #[tokio::test]
    async fn a_deadline_that_is_too_short_to_be_kept_is_told_as_one_that_passed() {
        for given in ["1n", "1m", "0S"] {
            let forever = tower::service_fn(|_: http::Request<Body>| {
                std::future::pending::<Result<http::Response<Body>, Infallible>>()
            });
            let layer = DeadlineLayer::new(Duration::from_secs(30));
            let request = http::Request::post("/a/method").header("grpc-timeout", given);
            let request = request.body(Body::empty()).expect("it is a request");
            let Ok(answer) = tower::Layer::layer(&layer, forever).oneshot(request).await;
            let status = Status::from_header_map(answer.headers()).expect("it is refused");
            let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
            assert_eq!(status.code(), Code::DeadlineExceeded, "{given}");
            assert_eq!(reason.as_deref(), Some("ERROR_REASON_DEADLINE_EXCEEDED"));
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
