use std::{sync::LazyLock, time::Duration};

use jiff::Timestamp;
use legalstat_kit::{Context, Service, job, run::Starting};
use legalstat_local::testing::harness::Running;
use tokio::sync::Notify;
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{SERVICE, domain::WorkingHours};

static CRASH: LazyLock<Notify> = LazyLock::new(Notify::new);

/// The calendar, with a job that panics when told to.
static CRASHING: Service<WorkingHours> = Service {
    start: start_with_a_crash,
    ..SERVICE
};

fn start_with_a_crash(context: Context, hours: WorkingHours) -> Starting {
    job::spawn(&context, "doomed", async {
        CRASH.notified().await;
        panic!("for the test");
    });
    (SERVICE.start)(context, hours)
}

#[tokio::test]
async fn a_service_whose_job_panics_serves_no_longer_and_ends_with_the_name_of_the_job() {
    let service = Running::start(&CRASHING, &[], || Timestamp::constant(1_795_514_400, 0)).await;
    let url = format!("http://{}", service.health());
    let probe = Endpoint::from_shared(url).expect("a URL").connect().await;
    let mut health = HealthClient::new(probe.expect("the health port listens"));
    let mut watch = health
        .watch(HealthCheckRequest::default())
        .await
        .expect("health is watched")
        .into_inner();
    let mut seen = Vec::new();
    let watching = async {
        while let Ok(Some(status)) = watch.message().await {
            seen.push(status.status());
            CRASH.notify_one();
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), watching).await;
    ended.expect("the service ends its watchers' streams, before the connection would be cut");
    assert_eq!(seen[..2], [ServingStatus::Serving, ServingStatus::NotServing]);
    let error = service.ended().await.expect_err("a job panicked");
    assert_eq!(error.to_string(), "the job doomed panicked: for the test");
}
