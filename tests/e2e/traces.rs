//! One trace from the command line through the services to their databases, as a receiver of OTLP gets it.

#![expect(
    clippy::disallowed_methods,
    reason = "requests are received on the days before this one"
)]

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use legalstat_test_support::system::{System, program};
use nix::sys::signal::Signal;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind},
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// How long a trace may take to be exported, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(30);
const SUBMIT: &str = "legalstat.requests.v1.RequestIntakeService/SubmitRequest";
const REGISTRY: &str = "legalstat.forms.v1.FormRegistryService/";
const CALENDAR: &str = "legalstat.calendar.v1.CalendarService/";

/// Takes spans and keeps them, each with the name of the process that sent it.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut received = self.0.lock().expect("nobody panics while holding it");
        for resource in request.into_inner().resource_spans {
            let attributes = resource
                .resource
                .map(|resource| resource.attributes)
                .unwrap_or_default();
            let name = attributes.iter().find(|attribute| attribute.key == "service.name");
            let name = name.and_then(|name| text(name.value.as_ref()?.value.as_ref()?));
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            received.extend(spans.map(|span| (name.clone().unwrap_or_default(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    text(attribute.value.as_ref()?.value.as_ref()?)
}

/// The spans of one trace, each with its process, by their ids.
struct Trace(BTreeMap<Vec<u8>, (String, Span)>);

impl Trace {
    fn of(receiver: &Receiver, id: &[u8]) -> Self {
        let received = receiver.0.lock().expect("nobody panics while holding it");
        let spans = received.iter().filter(|(_, span)| span.trace_id == id);
        Self(spans.map(|one| (one.1.span_id.clone(), one.clone())).collect())
    }

    fn calls<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = &'a Span> {
        let spans = self.0.values().map(|(_, span)| span);
        spans.filter(move |span| span.kind() == SpanKind::Server && span.name.starts_with(beginning))
    }

    /// Whether a span is carried out for another: it, or what it is carried out for, begins with that.
    fn is_within(&self, span: &Span, other: &Span) -> bool {
        let parent = self.0.get(&span.parent_span_id);
        parent.is_some_and(|(_, parent)| parent.span_id == other.span_id || self.is_within(parent, other))
    }

    fn asks_database_within(&self, call: &Span) -> bool {
        let asks = |span: &Span| attribute(span, "db.system.name").as_deref() == Some("postgresql");
        self.0
            .values()
            .any(|(_, span)| asks(span) && self.is_within(span, call) && ends_after_it_begins(span))
    }

    /// What is missing between a command and the databases behind it. The command has a request checked before it sends it: what the one
    /// call is answered is kept, and not asked again by the other.
    fn missing(&self, command: &Span) -> Option<&'static str> {
        let calls = self.calls(SUBMIT);
        let submitted = calls.filter(|call| call.parent_span_id == command.span_id);
        let missing = submitted.map(|call| self.missing_within(call)).min();
        missing.unwrap_or(Some("the call of the command line"))
    }

    fn missing_within(&self, submitted: &Span) -> Option<&'static str> {
        if !self.asks_database_within(submitted) {
            return Some("what intake asks its database");
        }
        let registry = self.calls(REGISTRY).filter(|call| self.is_within(call, submitted));
        let registry: Vec<&Span> = registry.collect();
        if registry.is_empty() {
            return Some("what intake asks the registry");
        }
        if !registry.iter().any(|call| self.asks_database_within(call)) {
            return Some("what the registry asks its database");
        }
        match self.calls(CALENDAR).any(|call| self.is_within(call, submitted)) {
            true => None,
            false => Some("what the calendar is asked for it"),
        }
    }
}

fn ends_after_it_begins(span: &Span) -> bool {
    span.start_time_unix_nano > 0 && span.end_time_unix_nano >= span.start_time_unix_nano
}

/// The span with which each command that was given so far began, by when it came.
fn commands(receiver: &Receiver) -> Vec<Span> {
    let received = receiver.0.lock().expect("nobody panics while holding it");
    let commands = received.iter().filter(|(process, _)| process == "legalstat-cli");
    let begin = commands
        .map(|(_, span)| span)
        .filter(|span| span.parent_span_id.is_empty());
    begin.cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_one_trace_through_intake_registry_and_calendar_to_their_databases() {
    let receiver = Receiver::default();
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(receiver.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    tokio::task::block_in_place(|| {
        let mut system = System::start();
        system.end(Signal::SIGTERM);
        system.up_with(&["--otlp-endpoint", &endpoint]);
        let mut lacking = Vec::new();
        for days in 1..=TRIES {
            let request = system.file("request.json", &request(days));
            let mut submit = program(system.folder());
            submit.args([
                "requests", "submit", "--as", "operator", "--file", &request, "-o", "json",
            ]);
            let submitted = submit
                .env("LEGALSTAT_OTLP_ENDPOINT", &endpoint)
                .output()
                .expect("the program runs");
            let said = String::from_utf8_lossy(&submitted.stderr);
            assert!(submitted.status.success(), "{said}");
            let answer: serde_json::Value = serde_json::from_slice(&submitted.stdout).expect("it answers in JSON");
            if answer["state"] == "REQUEST_STATE_RECEIVED" {
                continue;
            }
            match missing(&receiver) {
                Some(part) => lacking.push(part),
                None => return,
            }
            assert!(lacking.len() < EXAMINED, "{lacking:?}");
        }
        panic!("no request of {TRIES} is examined within its call: {lacking:?}");
    });
}

/// What the trace of the last command lacks once it lacks nothing, or is not exported any more.
fn missing(receiver: &Receiver) -> Option<&'static str> {
    let began = Instant::now();
    loop {
        let commands = commands(receiver);
        let missing = match commands.last() {
            Some(command) => Trace::of(receiver, &command.trace_id).missing(command),
            None => Some("the command"),
        };
        if missing.is_none() || began.elapsed() > PATIENCE {
            return missing;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many requests are recorded at most, each received a day before the other. On a busy machine an examination takes longer than the
/// call waits for it, and a job makes it, in a trace of its own; the calendar is asked once about each day.
const TRIES: i64 = 50;
/// How many of those that are examined within their call may lack a part of their trace.
const EXAMINED: usize = 5;

/// A person's request on paper, received so many days ago.
fn request(days: i64) -> String {
    let received = Timestamp::now() - (24 * days).hours();
    let date = received.to_zoned(TimeZone::UTC).date();
    let (year, month, day) = (date.year(), date.month(), date.day());
    json!({ "request": {
        "requester": {
            "kind": "REQUESTER_KIND_INDIVIDUAL", "fullName": format!("Person {days}"), "postalAddress": "Astana",
        },
        "signatory": { "fullName": format!("Person {days}"), "capacity": "SIGNATORY_CAPACITY_APPLICANT" },
        "channel": "CHANNEL_PAPER", "receivedAt": received.to_string(),
        "externalDate": { "year": year, "month": month, "day": day },
        "essence": "Registered crimes", "language": "LANGUAGE_RU",
        "items": [{
            "kind": "ITEM_KIND_STATISTICS", "description": format!("Registered crimes {days}"), "unit": "UNIT_CRIME", "period": "2025-Q4",
        }],
    } })
    .to_string()
}
