//! What the registry says of itself and to its callers while something that it needs is away, busy or full.

use legalstat_local::testing::{harness::Ground, relay::Relay};
use legalstat_proto::forms::v1::form_registry_service_server::SERVICE_NAME;
use tokio::time::Instant;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::*;

/// How long a call waits for a database that is busy.
const BUSY: Duration = Duration::from_secs(3);

async fn health(channel: Channel, service: &str) -> ServingStatus {
    let asked = HealthCheckRequest {
        service: service.into(),
    };
    let answer = HealthClient::new(channel).check(asked).await.expect("health answers");
    answer.into_inner().status()
}

async fn until(channel: &Channel, expected: ServingStatus) {
    let reached = async {
        while health(channel.clone(), SERVICE_NAME).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reached = tokio::time::timeout(PATIENCE, reached).await;
    reached.unwrap_or_else(|_| panic!("it never was {expected:?}"));
    assert_eq!(health(channel.clone(), "").await, ServingStatus::Serving, "it lives");
}

/// A refusal that says when to try again.
fn passing(answer: Result<Edition, Status>, reason: &str) {
    let refusal = refused(answer, Code::Unavailable, reason);
    let delay = refusal
        .get_error_details()
        .retry_info()
        .and_then(|retry| retry.retry_delay);
    assert!(delay.is_some(), "{reason} says when to try again");
}

#[tokio::test]
async fn the_registry_is_ready_only_while_its_schedule_is_complete() {
    let registry = Registry::without_calendar("2026-02-01T10:00:00+05:00").await;
    let channel = registry.running.channel(None);
    until(&channel, ServingStatus::NotServing).await;
    registry.calendar.open();
    until(&channel, ServingStatus::Serving).await;
}

#[tokio::test]
async fn the_registry_is_ready_only_while_its_database_is_there_and_lives_throughout() {
    let relay = Relay::before(Ground::shared().await.database_server()).await;
    let registry = Registry::behind(&relay, "2026-02-01T10:00:00+05:00").await;
    let channel = registry.running.channel(None);
    until(&channel, ServingStatus::Serving).await;
    for outage in [Relay::cut_off, Relay::freeze] {
        outage(&relay);
        until(&channel, ServingStatus::NotServing).await;
        // Known to be away, it keeps nobody waiting as long as one that is busy.
        let began = Instant::now();
        let answer = registry
            .client(None)
            .get_edition(edition("forms/1/editions/2025-M12"))
            .await;
        passing(answer.map(tonic::Response::into_inner), "DEPENDENCY_UNAVAILABLE");
        assert!(began.elapsed() < BUSY, "{:?}", began.elapsed());
        relay.release();
        until(&channel, ServingStatus::Serving).await;
    }
}

#[tokio::test]
async fn connections_that_take_longer_to_be_made_than_a_call_waits_are_made_all_the_same() {
    let relay = Relay::before(Ground::shared().await.database_server()).await;
    let registry = Registry::behind(&relay, "2026-02-01T10:00:00+05:00").await;
    let channel = registry.running.channel(None);
    until(&channel, ServingStatus::Serving).await;
    relay.cut_off();
    until(&channel, ServingStatus::NotServing).await;
    // Longer than a call waits for a connection, and than the question whether the database is there waits for its answer.
    relay.slow(&["SCRAM-SHA-256"], Duration::from_secs(4));
    relay.release();
    until(&channel, ServingStatus::Serving).await;
    let name = "forms/1/editions/2025-M12";
    let answered = async {
        while let Err(status) = registry.client(None).get_edition(edition(name)).await {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
        }
    };
    let answered = tokio::time::timeout(PATIENCE, answered).await;
    answered.expect("a connection is made in time");
}

fn edition(name: &str) -> legalstat_proto::forms::v1::GetEditionRequest {
    legalstat_proto::forms::v1::GetEditionRequest {
        name: name.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_disk_without_room_is_told_as_what_it_is_and_nothing_is_changed() {
    let registry = Registry::at("2026-02-01T10:00:00+05:00").await;
    let mut database = registry.database().await;
    for (sqlstate, reason) in [
        ("53100", "STORAGE_FULL"),
        ("58030", "STORAGE_FAILING"),
        ("53200", "DEPENDENCY_BUSY"),
        ("25006", "DEPENDENCY_UNAVAILABLE"),
    ] {
        let statements = format!(
            "CREATE OR REPLACE FUNCTION forms.fail() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'for the test' USING ERRCODE = '{sqlstate}'; END $$;
             CREATE OR REPLACE TRIGGER fails BEFORE INSERT ON forms.journal_entry FOR EACH ROW
             EXECUTE FUNCTION forms.fail()"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
            .execute(&mut database)
            .await
            .expect("the database is ours");
        let header = header("forms/1/editions/2025-M12");
        passing(upload(&mut registry.operator(), &header, b"content").await, reason);
    }
    assert_eq!(registry.count("edition_file").await, 0);
    registry.until_nothing_is_staged().await;
}

#[tokio::test]
async fn a_database_that_is_busy_is_told_from_one_that_is_away_and_waited_for_within_the_deadline() {
    let one = ("LEGALSTAT_DATABASE_READING_CONNECTIONS", "1");
    let registry = Registry::start_with(None, "2026-02-01T10:00:00+05:00", true, &[one]).await;
    registry.until_whole().await;
    let mut holder = registry.database().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE forms.edition")
        .execute(&mut holder)
        .await
        .expect("the database is ours");
    let get = |deadline: u64| {
        let (mut client, mut request) = (
            registry.operator(),
            tonic::Request::new(edition("forms/1/editions/2025-M12")),
        );
        request.set_timeout(Duration::from_millis(deadline));
        async move { client.get_edition(request).await.map(tonic::Response::into_inner) }
    };
    let first = tokio::spawn(get(60_000));
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = async {
        let mut look = registry.database().await;
        while sqlx::query_scalar::<_, i64>(waits)
            .fetch_one(&mut look)
            .await
            .expect("a count")
            < 1
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the first call has the connection");
    passing(get(60_000).await, "DEPENDENCY_BUSY");
    let began = Instant::now();
    get(500).await.expect_err("there is no other connection");
    assert!(began.elapsed() < BUSY, "{:?}", began.elapsed());
    holder.close().await.expect("it closes");
    // On a busy machine PostgreSQL has ended it meanwhile: no statement takes longer than ten seconds.
    if first.await.expect("it does not panic").is_err() {
        get(60_000).await.expect("it was only held up");
    }
}
