//! One server: layers, reflection, health, and the calls of a service over TLS until it is told to stop.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use legalstat_proto::{
    common::v1::ErrorReason,
    journal::v1::journal_service_server::{JournalServiceServer, SERVICE_NAME as JOURNAL},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, codec::CompressionEncoding, service::Routes, transport::Endpoint};
use tonic_health::{
    ServingStatus,
    pb::{self, HealthCheckRequest, HealthCheckResponse, health_client::HealthClient, health_server::HealthServer},
    server::{HealthReporter, HealthService},
};
use tower::ServiceBuilder;

use crate::{
    Context, Refusal,
    call::{
        MESSAGE,
        accepting::Acceptor,
        access::{self, AccessLayer},
        admission::AdmissionLayer,
        deadline::DeadlineLayer,
        telemetry::TraceLayer,
        unreadable::UnreadableLayer,
    },
    job::Once,
    journal::Journal,
    run::{limits::Limits, probe::Line},
    write::RefusalRecorder,
};

/// How long calls under way may take to end after the service is told to stop. With the time for its tasks and its pool this
/// is less than the 30 s after which containers are killed.
const DRAINING: Duration = Duration::from_secs(15);
/// How long between two looks at whether the service can serve.
const PROBING: Duration = Duration::from_secs(1);
/// How long tasks, and then the pool, may take to end.
pub(crate) const ENDING: Duration = Duration::from_secs(5);

/// Whether a server lives and serves. It answers on a port of its own and on the service's: under the empty name that the
/// process lives, under the names of its services that it serves, for which it needs its database and all it answers from.
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
            services: [&[JOURNAL], services].concat(),
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
            let ready = is_there && context.is_complete();
            self.set(if ready {
                ServingStatus::Serving
            } else {
                ServingStatus::NotServing
            })
            .await;
            if context.stopped_within(PROBING).await {
                return;
            }
        }
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

/// Serves until the context's shutdown, then lets calls under way end.
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
    access::require_policies(services)?;
    access::require_policies(&[JOURNAL])?;
    let journal = JournalServiceServer::new(Journal::new(context))
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MESSAGE);
    let routes = routes
        .add_service(journal)
        .add_service(reflection(services).build_v1()?)
        .add_service(reflection(services).build_v1alpha()?)
        .add_service(HealthServer::new(ChecksOnly(health.service())));

    let recorder = RefusalRecorder::start(context);
    let service = ServiceBuilder::new()
        .layer(TraceLayer)
        .layer(DeadlineLayer::new(limits.unary))
        .layer(AccessLayer::new(recorder.clone(), [services, &[JOURNAL]].concat()))
        .layer(AdmissionLayer::new(&limits.shares))
        .layer(UnreadableLayer)
        .service(routes.prepare());
    let serving = acceptor.serve(listener, service);
    let telling = async {
        health.follow(context).await;
        health.end().await;
    };
    let out_of_time = async {
        context.shutdown.cancelled().await;
        tokio::time::sleep(DRAINING).await;
    };
    tokio::select! {
        // Watchers are told that the service stops also where no call is under way that would have to end first.
        _ = futures::future::join(serving, telling) => {}
        () = out_of_time => tracing::warn!("calls were still under way when the time for draining ended"),
    }
    recorder.end();
    context.tasks.close();
    tokio::time::timeout(ENDING, context.tasks.wait())
        .await
        .context("a task did not end in time")?;
    Ok(())
}

/// What tells of the contracts. Older tools ask for it under the name `v1alpha`.
fn reflection<'a>(services: &[&'static str]) -> tonic_reflection::server::Builder<'a> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(legalstat_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    [services, &[JOURNAL, "grpc.health.v1.Health"]]
        .concat()
        .into_iter()
        .fold(reflection, tonic_reflection::server::Builder::with_service_name)
}
