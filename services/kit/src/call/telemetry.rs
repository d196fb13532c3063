//! Logs, traces and metrics. The only module that imports OpenTelemetry: its crates move in lockstep.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{LazyLock, OnceLock},
    task::{Context as Polling, Poll},
    time::Instant,
};

use anyhow::Context as _;
use opentelemetry::{
    KeyValue, global,
    metrics::Histogram,
    trace::{TraceContextExt as _, TracerProvider},
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use prometheus::{Registry, TextEncoder};
use tonic::{Code, body::Body};
use tracing::{Event, Instrument, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{Format, Json, Writer},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};
use uuid::Uuid;

use crate::{call::access, told};

/// Set once this process measures; until then nothing is.
static DURATION: OnceLock<Histogram<f64>> = OnceLock::new();
/// How many calls a transaction carries out together; set with [`DURATION`].
static GROUP: OnceLock<Histogram<u64>> = OnceLock::new();
/// What has been measured, for the page of metrics.
static MEASURED: OnceLock<Registry> = OnceLock::new();
/// The bounds in seconds of how long calls take, as the semantic conventions for RPC metrics give them. Those of the library are for
/// milliseconds: no call of less than five seconds could be told from another.
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// The bounds of how many calls are carried out together: powers of two up to more than any service lets share a transaction.
const GROUP_BOUNDS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// The revision of the sources that this program was built of. The build's environment names it (`LEGALSTAT_REVISION`), because sources can
/// be built without their repository; cargo compiles anew when it changes.
pub fn revision() -> &'static str {
    let given = option_env!("LEGALSTAT_REVISION").filter(|revision| !revision.is_empty());
    given.unwrap_or("unknown")
}

/// The release and the revision of the sources that this program was built of.
pub static RELEASE: LazyLock<String> =
    LazyLock::new(|| format!("{} (revision {})", env!("CARGO_PKG_VERSION"), revision()));

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

impl std::str::FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("neither text nor json"),
        }
    }
}

/// Exports what is left when dropped.
pub struct Telemetry {
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
}

/// Starts logging to standard error, first of which release it is, measuring, and exporting over OTLP when an endpoint is given. What is
/// logged decides nothing about traces: they have what this system does, from the level INFO on. Without an endpoint they are made and
/// passed on too, so that lines of the log have the ids of their trace, and end nowhere.
///
/// # Errors
/// A filter or an endpoint that cannot be used, or logging that was started before.
pub fn start(
    service: &'static str,
    filter: &str,
    format: LogFormat,
    endpoint: Option<&str>,
) -> anyhow::Result<Telemetry> {
    let resource = resource(service);
    let tracers = tracers(&resource, endpoint)?;
    let (meters, measured) = meters(&resource, endpoint)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_target(false)
            .boxed(),
        LogFormat::Json => json(std::io::stderr).boxed(),
    };
    tracing_subscriber::registry()
        .with(traces(&tracers))
        .with(lines.with_filter(EnvFilter::try_new(filter)?))
        .try_init()?;
    // The first line: what follows says something of its own.
    tracing::info!(service, release = RELEASE.as_str(), "starting");
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(tracers.clone());
    global::set_meter_provider(meters.clone());
    let meter = global::meter("legalstat");
    let duration = meter
        .f64_histogram("rpc.server.call.duration")
        .with_unit("s")
        .with_description("How long a call took, by method and gRPC code")
        .with_boundaries(BOUNDS.to_vec());
    DURATION.set(duration.build()).ok();
    let group = meter
        .u64_histogram("legalstat.write.group_size")
        .with_unit("{call}")
        .with_description("How many calls one transaction carried out together")
        .with_boundaries(GROUP_BOUNDS.to_vec());
    GROUP.set(group.build()).ok();
    MEASURED.set(measured).ok();
    Ok(Telemetry { tracers, meters })
}

fn tracers(resource: &Resource, endpoint: Option<&str>) -> anyhow::Result<SdkTracerProvider> {
    let mut tracers = SdkTracerProvider::builder().with_resource(resource.clone());
    if endpoint.is_none() {
        // Ids are all that is needed of what ends nowhere, unless a caller has asked for the trace and others export it.
        tracers = tracers.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    }
    if let Some(endpoint) = endpoint {
        let spans = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()?;
        tracers = tracers.with_batch_exporter(spans);
    }
    Ok(tracers.build())
}

/// What this system does, from the level INFO on, as spans of OpenTelemetry.
fn traces<S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync>(tracers: &SdkTracerProvider) -> impl Layer<S> {
    let traces = tracing_opentelemetry::layer().with_tracer(tracers.tracer("legalstat"));
    traces.with_filter(Targets::new().with_target("legalstat", LevelFilter::INFO))
}

/// Lines of the log as JSON objects.
fn json<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().json().with_writer(writer);
    lines.map_event_format(Traced)
}

/// The JSON object of an event and in it the ids of the span in which it came, named as the specification of OpenTelemetry has them for
/// formats other than its own ("Trace Context in non-OTLP Log Formats"): `trace_id` and `span_id`.
struct Traced(Format<Json>);

impl<S, N> FormatEvent<S, N> for Traced
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, of: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        // The layer of traces keeps it up as spans are entered and left, whatever the filter of the log lets through.
        let context = opentelemetry::Context::current();
        let ids = context.span().span_context().clone();
        if !ids.is_valid() {
            return self.0.format_event(of, to, event);
        }
        let mut line = String::new();
        self.0.format_event(of, Writer::new(&mut line), event)?;
        let (trace, span) = (ids.trace_id(), ids.span_id());
        // What follows is an object that has a timestamp at least.
        let object = line.trim_start_matches('{');
        write!(to, r#"{{"trace_id":"{trace}","span_id":"{span}",{object}"#)
    }
}

/// What measures, and where the page of metrics finds what it measured.
fn meters(resource: &Resource, endpoint: Option<&str>) -> anyhow::Result<(SdkMeterProvider, Registry)> {
    let measured = Registry::new();
    let page = opentelemetry_prometheus::exporter()
        .with_registry(measured.clone())
        .build()?;
    let mut meters = SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_reader(page);
    if let Some(endpoint) = endpoint {
        let metrics = opentelemetry_otlp::MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()?;
        meters = meters.with_periodic_exporter(metrics);
    }
    Ok((meters.build(), measured))
}

/// Who tells: the service, and which of its processes. Without the latter the series of two replicas would be taken for one.
#[expect(
    clippy::disallowed_methods,
    reason = "made once, where the process starts, and nothing is decided by it"
)]
fn resource(service: &'static str) -> Resource {
    let instance = KeyValue::new("service.instance.id", Uuid::new_v4().to_string());
    Resource::builder()
        .with_service_name(service)
        .with_attribute(instance)
        .build()
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.tracers.shutdown().ok();
        self.meters.shutdown().ok();
    }
}

/// What this process has measured, in Prometheus's text format, with the names that OpenTelemetry's rules give them there.
///
/// # Errors
/// When the process measures nothing, or two metrics contradict each other.
pub fn page() -> anyhow::Result<String> {
    let measured = MEASURED.get().context("this process measures nothing")?;
    Ok(TextEncoder::new().encode_to_string(&measured.gather())?)
}

/// Tells how many there are of something now.
pub fn gauge(name: &'static str, count: i64) {
    global::meter("legalstat").i64_gauge(name).build().record(count, &[]);
}

/// Tells that a transaction carried out so many calls together.
pub fn group(calls: usize) {
    if let Some(group) = GROUP.get() {
        group.record(calls as u64, &[]);
    }
}

/// Adds the current trace to the headers of an outgoing call.
pub fn inject(headers: &mut http::HeaderMap) {
    struct Carrier<'a>(&'a mut http::HeaderMap);
    impl opentelemetry::propagation::Injector for Carrier<'_> {
        fn set(&mut self, key: &str, value: String) {
            if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(key), http::HeaderValue::try_from(value)) {
                self.0.insert(name, value);
            }
        }
    }
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut Carrier(headers)));
}

fn adopt(span: &Span, headers: &http::HeaderMap) {
    struct Carrier<'a>(&'a http::HeaderMap);
    impl opentelemetry::propagation::Extractor for Carrier<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key).and_then(|value| value.to_str().ok())
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&Carrier(headers)));
    // This fails only for a span that is switched off, and such a span needs no parent.
    span.set_parent(parent).ok();
}

/// The layer that traces and measures every call.
#[derive(Clone, Copy)]
pub struct TraceLayer;

impl<S> tower::Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner }
    }
}

/// The service the layer makes.
#[derive(Clone)]
pub struct Trace<S> {
    inner: S,
}

impl<S> tower::Service<http::Request<Body>> for Trace<S>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, polling: &mut Polling<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(polling)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = access::known_method(request.uri().path())
            .unwrap_or("/_OTHER")
            .trim_start_matches('/');
        let span = tracing::info_span!(
            "rpc",
            otel.name = %method,
            otel.kind = "server",
            rpc.system.name = "grpc",
            rpc.method = %method,
            rpc.response.status_code = tracing::field::Empty,
            "error.type" = tracing::field::Empty,
        );
        adopt(&span, request.headers());
        let answered = span.in_scope(|| self.inner.call(request));
        let began = Instant::now();
        let measured = async move {
            let response = answered.await?;
            if let Some(duration) = DURATION.get() {
                let code = response.headers().get("grpc-status");
                let code = code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
                let code = told::code(code);
                Span::current().record("rpc.response.status_code", code);
                let mut attributes = vec![
                    KeyValue::new("rpc.system.name", "grpc"),
                    KeyValue::new("rpc.method", method),
                    KeyValue::new("rpc.response.status_code", code),
                ];
                if FAULTS.contains(&code) {
                    Span::current().record("error.type", code);
                    attributes.push(KeyValue::new("error.type", code));
                }
                duration.record(began.elapsed().as_secs_f64(), &attributes);
            }
            Ok(response)
        };
        Box::pin(measured.instrument(span))
    }
}

/// The codes by which a server is at fault, by OpenTelemetry's conventions for gRPC; the others are the caller's.
const FAULTS: [&str; 6] = [
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
];

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        io,
        sync::{Arc, Mutex},
    };

    use tower::{Layer as _, Service as _, service_fn};

    use super::*;

    /// The lines that a log would have.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test panics here").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn all(&self) -> Vec<serde_json::Value> {
            let lines = self.0.lock().expect("no test panics here");
            let lines = serde_json::Deserializer::from_slice(&lines).into_iter();
            lines.map(|line| line.expect("a line is an object")).collect()
        }
    }

    /// Without an endpoint, and with a log that is told nothing of spans.
    #[tokio::test]
    async fn a_line_of_the_log_has_the_ids_of_its_call_in_the_trace_of_the_caller() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        const CALLER: &str = "00f067aa0ba902b7";
        global::set_text_map_propagator(TraceContextPropagator::new());
        let (lines, tracers) = (
            Lines::default(),
            tracers(&resource("calendar"), None).expect("no endpoint"),
        );
        let written = lines.clone();
        let log = json(move || written.clone()).with_filter(LevelFilter::WARN);
        let subscriber = tracing_subscriber::registry().with(traces(&tracers)).with(log);
        let _logging = tracing::subscriber::set_default(subscriber);
        let mut traced = TraceLayer.layer(service_fn(async |_: http::Request<Body>| {
            tracing::warn!("within the call");
            let within = tracing::info_span!("within");
            within.in_scope(|| tracing::warn!("within what the call does"));
            Ok::<_, Infallible>(http::Response::new(Body::empty()))
        }));
        for caller in [Some(format!("00-{TRACE}-{CALLER}-01")), None] {
            let mut request = http::Request::new(Body::empty());
            let caller = caller.map(|caller| caller.parse().expect("it is a header"));
            caller.map(|caller| request.headers_mut().insert("traceparent", caller));
            traced.call(request).await.expect("it answers");
        }
        tracing::warn!("outside of all calls");
        let lines = lines.all();
        let id = |line: usize, name: &str| lines[line].get(name).and_then(serde_json::Value::as_str);
        for line in 0..5 {
            assert!(
                lines[line]["fields"]["message"].is_string() && lines[line]["timestamp"].is_string(),
                "{lines:?}"
            );
        }
        for line in [0, 1] {
            assert_eq!(id(line, "trace_id"), Some(TRACE));
            assert!(id(line, "span_id").is_some_and(|id| id.len() == 16 && id != CALLER));
        }
        assert_ne!(id(0, "span_id"), id(1, "span_id"));
        // A call of nobody's trace begins one.
        assert_eq!(id(2, "trace_id"), id(3, "trace_id"));
        assert!(id(2, "trace_id").is_some_and(|id| id.len() == 32 && id != TRACE));
        assert_eq!((id(4, "trace_id"), id(4, "span_id")), (None, None));
    }

    #[test]
    fn every_process_of_a_service_tells_its_metrics_under_an_id_of_its_own() {
        let instance = || {
            let id = resource("calendar").get(&"service.instance.id".into());
            Uuid::parse_str(&id.expect("it has one").to_string()).expect("it is a UUID")
        };
        assert_ne!(instance(), instance());
        let name = resource("calendar").get(&"service.name".into());
        assert_eq!(name.expect("it has one").to_string(), "calendar");
    }
}
