//! One server: layers, reflection, health, and the calls of a service over TLS until it is told to stop.

use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use http::{HeaderName, HeaderValue};
use legalstat_proto::{
    common::v1::ErrorReason,
    journal::v1::journal_service_server::{JournalServiceServer, SERVICE_NAME as JOURNAL},
};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Request, Response, Status, body::Body, codec::CompressionEncoding, service::Routes, transport::Endpoint,
};
use tonic_health::{
    ServingStatus,
    pb::{self, HealthCheckRequest, HealthCheckResponse, health_client::HealthClient, health_server::HealthServer},
    server::{HealthReporter, HealthService},
};
use tower::ServiceBuilder;

use crate::{
    Context, Process, Refusal,
    call::{
        MESSAGE,
        accepting::Acceptor,
        access::{self, AccessLayer},
        admission::AdmissionLayer,
        deadline::DeadlineLayer,
        telemetry::{self, TraceLayer},
        tls,
        unreadable::UnreadableLayer,
    },
    job::Once,
    journal::Journal,
    run::{limits::Limits, probe::Line},
    write::RefusalRecorder,
};

/// How long calls under way may take to end once no more are taken. With the delay before, and the time for its tasks and its
/// pool, this is less than the time after which containers are killed.
const DRAINING: Duration = Duration::from_secs(15);
/// How long between two looks at whether the service can serve.
const PROBING: Duration = Duration::from_secs(1);
/// How long tasks, and then the pool, may take to end.
pub(crate) const ENDING: Duration = Duration::from_secs(5);

/// Whether a server lives and serves. It answers on a port of its own and on the service's: under the empty name that the
/// process lives, under the names of its services that it serves, for which it needs where it stores and all it answers from.
#[derive(Clone)]
pub struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

impl Health {
    /// Lives and does not serve yet.
    pub async fn new(services: &[&'static str]) -> Self {
        let health = Self {
            reporter: HealthReporter::new(),
            services: services.to_vec(),
        };
        health.set(ServingStatus::NotServing).await;
        health.reporter.set_service_status("", ServingStatus::Serving).await;
        health
    }

    async fn set(&self, status: ServingStatus) {
        for service in &self.services {
            self.reporter.set_service_status(*service, status).await;
        }
    }

    /// Follows the database and what the service answers from, until it stops.
    async fn follow(&self, context: &Context) {
        let (mut line, mut once) = (Line::default(), Once::new("readiness"));
        loop {
            let asked = tokio::select! {
                asked = context.db.probe().ask(&mut line) => asked,
                () = context.shutdown.cancelled() => return,
            };
            let is_there = once.note(asked).is_some();
            self.tell(is_there && context.is_complete()).await;
            if context.stopped_within(PROBING).await {
                return;
            }
        }
    }

    /// Follows what a server without a database says of itself, until it stops.
    async fn follow_alone(&self, process: &Process, ready: impl Fn() -> anyhow::Result<()> + Clone + Send + 'static) {
        let mut once = Once::new("readiness");
        loop {
            let asked = tokio::task::spawn_blocking(ready.clone()).await;
            let asked = asked.map_err(anyhow::Error::new).flatten();
            self.tell(once.note(asked).is_some()).await;
            if process.stopped_within(PROBING).await {
                return;
            }
        }
    }

    async fn tell(&self, ready: bool) {
        let status = if ready {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        self.set(status).await;
    }

    /// Told to stop, a server says so and serves on: a balancer that has not noticed yet loses no call. A crash ends the delay.
    async fn leave(&self, process: &Process, delay: Duration) {
        self.set(ServingStatus::NotServing).await;
        process.stopped_within(delay).await;
        process.shutdown.cancel();
    }

    /// Tells watchers that the server stops, and then ends their streams, so that none of them keeps the server from ending.
    async fn end(&self) {
        self.set(ServingStatus::NotServing).await;
        self.reporter.set_service_status("", ServingStatus::NotServing).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        for service in [&[""], &self.services[..]].concat() {
            self.reporter.clone().clear_service_status(service).await;
        }
    }

    fn service(&self) -> HealthService {
        HealthService::from_health_reporter(self.reporter.clone())
    }

    /// Answers in plaintext until `shutdown`: probes speak no TLS.
    pub fn listen(&self, listener: TcpListener, limits: &Limits, shutdown: CancellationToken) {
        let probes = Routes::new(HealthServer::new(self.service())).prepare();
        tokio::spawn(Acceptor::for_probes(limits, shutdown).serve(listener, probes));
    }
}

/// Health beside calls. A watch has no end, and strangers may ask for health: the health port has room for watches of its own,
/// and a client that is told UNIMPLEMENTED here takes the server for healthy, as the health protocol wants it.
struct ChecksOnly(HealthService);

#[tonic::async_trait]
impl pb::health_server::Health for ChecksOnly {
    type WatchStream = <HealthService as pb::health_server::Health>::WatchStream;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.check(request).await
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let message = "health is watched on the health port; here it can be asked with Check";
        Err(Refusal::new(Code::Unimplemented, ErrorReason::MethodUnknown, message).into())
    }
}

/// How long a service may take to answer whether it serves.
const HEALTH_ANSWER: Duration = Duration::from_secs(5);

/// Asks the service of this full name that runs on this machine whether it serves.
///
/// # Errors
/// When it does not serve or does not answer.
pub async fn ask_health(port: u16, service: &str) -> anyhow::Result<()> {
    let asking = async {
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?
            .connect()
            .await?;
        let answer = HealthClient::new(channel)
            .check(HealthCheckRequest {
                service: service.to_owned(),
            })
            .await?
            .into_inner();
        anyhow::ensure!(
            answer.status() == pb::health_check_response::ServingStatus::Serving,
            "it does not serve"
        );
        Ok(())
    };
    tokio::time::timeout(HEALTH_ANSWER, asking)
        .await
        .context("it does not answer")?
}

/// Binds an address.
///
/// # Errors
/// Names the address that cannot be bound.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// Serves until it is told to stop, and on for the delay of the limits while it says that it does not serve; then the context's
/// shutdown begins, and calls under way end. A shutdown that begins by itself, after a crash, has no delay.
///
/// # Errors
/// A method that does not say who may call it, or a connection layer that fails.
pub async fn serve(
    context: &Context,
    routes: Routes,
    services: &[&'static str],
    health: &Health,
    listener: TcpListener,
    acceptor: Acceptor,
    limits: &Limits,
) -> anyhow::Result<()> {
    let journal = JournalServiceServer::new(Journal::new(context))
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MESSAGE);
    let recorder = RefusalRecorder::start(context);
    let served = [services, &[JOURNAL]].concat();
    let routes = with_reflection_and_health(routes.add_service(journal), &served, health)?;
    let service = layered(routes, AccessLayer::new(Some(recorder.clone()), served), limits);
    let telling = async {
        tokio::select! {
            () = health.follow(context) => {}
            () = context.told_to_stop.cancelled() => health.leave(context, limits.shutdown_delay).await,
        }
        health.end().await;
    };
    until_drained(context, acceptor.serve(listener, service), telling).await;
    recorder.end();
    all_ended(context).await
}

/// Serves as [`serve`] does, without a database and so without a journal. Refusals are in the log. `ready` says each second whether it
/// can serve.
///
/// # Errors
/// As [`serve`].
pub async fn serve_alone(
    process: &Process,
    routes: Routes,
    services: &[&'static str],
    listeners: super::Listeners,
    tls: watch::Receiver<Arc<tls::Server>>,
    limits: &Limits,
    ready: impl Fn() -> anyhow::Result<()> + Clone + Send + 'static,
) -> anyhow::Result<()> {
    let health_shutdown = CancellationToken::new();
    let _health_stops_last = health_shutdown.clone().drop_guard();
    let health = Health::new(services).await;
    health.listen(listeners.health, limits, health_shutdown);
    let routes = with_reflection_and_health(routes, services, &health)?;
    let service = layered(routes, AccessLayer::new(None, services), limits);
    let acceptor = Acceptor::for_calls(tls, limits, process.shutdown.clone());
    let telling = async {
        tokio::select! {
            () = health.follow_alone(process, ready) => {}
            () = process.told_to_stop.cancelled() => health.leave(process, limits.shutdown_delay).await,
        }
        health.end().await;
    };
    until_drained(process, acceptor.serve(listeners.calls, service), telling).await;
    process.require_sound().and(all_ended(process).await)
}

fn with_reflection_and_health(routes: Routes, services: &[&'static str], health: &Health) -> anyhow::Result<Routes> {
    access::require_policies(services)?;
    Ok(routes
        .add_service(reflection(services).build_v1()?)
        .add_service(reflection(services).build_v1alpha()?)
        .add_service(HealthServer::new(ChecksOnly(health.service()))))
}

/// The routes behind the layers that every call passes.
fn layered(
    routes: Routes,
    access: AccessLayer,
    limits: &Limits,
) -> impl tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    ServiceBuilder::new()
        .map_response(versioned)
        .layer(TraceLayer)
        .layer(DeadlineLayer::new(limits.unary))
        .layer(access)
        .layer(AdmissionLayer::new(&limits.shares))
        .layer(UnreadableLayer)
        .service(routes.prepare())
}

/// Serves, and tells of the server's health, until the shutdown and then until calls under way have ended or had their time.
async fn until_drained(process: &Process, serving: impl Future<Output = ()>, telling: impl Future<Output = ()>) {
    let out_of_time = async {
        process.shutdown.cancelled().await;
        tokio::time::sleep(DRAINING).await;
    };
    tokio::select! {
        // Watchers are told that the service stops also where no call is under way that would have to end first.
        _ = futures::future::join(serving, telling) => {}
        () = out_of_time => tracing::warn!("calls were still under way when the time for draining ended"),
    }
}

async fn all_ended(process: &Process) -> anyhow::Result<()> {
    process.tasks.close();
    tokio::time::timeout(ENDING, process.tasks.wait())
        .await
        .context("a task did not end in time")
}

/// The headers of every answer that say which release gave it, and of which revision of the sources.
const VERSION: HeaderName = HeaderName::from_static("legalstat-version");
const REVISION: HeaderName = HeaderName::from_static("legalstat-revision");

fn versioned(mut response: http::Response<Body>) -> http::Response<Body> {
    let headers = response.headers_mut();
    headers.insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    if let Ok(revision) = HeaderValue::from_str(telemetry::revision()) {
        headers.insert(REVISION, revision);
    }
    response
}

/// What tells of the contracts. Older tools ask for it under the name `v1alpha`.
fn reflection<'a>(services: &[&'static str]) -> tonic_reflection::server::Builder<'a> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(legalstat_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    [services, &["grpc.health.v1.Health"]]
        .concat()
        .into_iter()
        .fold(reflection, tonic_reflection::server::Builder::with_service_name)
}
