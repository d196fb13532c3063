//! What a server that is told to stop does for those who have not noticed yet.

use std::time::{Duration, Instant};

use legalstat_proto::calendar::v1::calendar_service_server::SERVICE_NAME as CALENDAR;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{authority::WATCHER, stage::Stage};

/// The setting.
const DELAY: &str = "LEGALSTAT_SHUTDOWN_DELAY_SECONDS";
/// How long a state may take to come, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(30);

async fn health(stage: &Stage) -> HealthClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", stage.health())).expect("a URL");
    HealthClient::new(endpoint.connect().await.expect("it listens"))
}

fn of(service: &str) -> HealthCheckRequest {
    let service = service.to_owned();
    HealthCheckRequest { service }
}

/// Waits until a watcher is told this status.
async fn until(watch: &mut Streaming<HealthCheckResponse>, status: ServingStatus) {
    let told = async {
        while watch
            .message()
            .await
            .expect("the watch goes on")
            .expect("it has no end")
            .status()
            != status
        {}
    };
    tokio::time::timeout(PATIENCE, told).await.expect("it is told in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_says_so_and_takes_new_connections_for_the_delay() {
    let stage = Stage::start(&[(DELAY, 300)]).await;
    let mut health = health(&stage).await;
    let mut watch = health.watch(of(CALENDAR)).await.expect("it is told").into_inner();
    until(&mut watch, ServingStatus::Serving).await;
    let known = stage.channel(Some(&stage.authority.sign(WATCHER)));
    stage.day(known.clone()).await.expect("it serves");
    stage.tell_to_stop();
    until(&mut watch, ServingStatus::NotServing).await;
    stage.day(known).await.expect("who is connected is served");
    stage.day(stage.channel(None)).await.expect("who comes now is served");
    let lives = health.check(of("")).await.expect("it answers").into_inner();
    assert_eq!(
        lives.status(),
        ServingStatus::Serving,
        "nobody restarts what ends by itself"
    );
    // It does not say the contrary when it looks at its database the next time.
    let said = tokio::time::timeout(Duration::from_secs(3), watch.message()).await;
    assert!(said.is_err(), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_ends_once_the_delay_is_over_and_not_before() {
    let stage = Stage::start(&[(DELAY, 1)]).await;
    stage.day(stage.channel(None)).await.expect("it serves");
    let (address, told) = (stage.address(), Instant::now());
    stage.stop().await;
    assert!(told.elapsed() >= Duration::from_secs(1));
    let refused = tokio::net::TcpStream::connect(address).await;
    refused.expect_err("nobody listens any more");
}
