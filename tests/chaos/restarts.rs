//! PostgreSQL restarted, and frozen, while submissions and uploads go on. Writes are back soon after it is, and no call is
//! longer than its deadline, and health tells the truth throughout.
//!
//! `LEGALSTAT_RESTARTS=whole` restarts it more often and freezes it for 30 seconds.

use std::time::{Duration, Instant};

use legalstat_proto::forms::v1::{
    UploadEditionFileHeader, UploadEditionFileRequest, upload_edition_file_request::Part,
};
use legalstat_test_support::system::System;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use prost::Message as _;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::{call::Call, load::Load, submission::submission, told_health::ToldHealth};

const SUBMITTERS: usize = 6;
const UPLOADERS: usize = 2;
const KINDS: [&str; 2] = ["submission", "upload"];
/// How long the database itself may take to be back, and a system to be sound before the next fault.
const PATIENCE: Duration = Duration::from_secs(60);

fn whole() -> bool {
    std::env::var("LEGALSTAT_RESTARTS").is_ok_and(|value| value == "whole")
}

/// How soon after the database is back writes and readiness must be. The short form runs beside other tests.
fn soon() -> Duration {
    Duration::from_secs(if whole() { 5 } else { 60 })
}

fn load(system: &System) -> Load {
    let mut load = Load::new();
    let edms = system.channel("request-intake", Some("edms"));
    for _ in 0..SUBMITTERS {
        let edms = edms.clone();
        load.add(KINDS[0], move || {
            let message = submission(&format!("restart-{}", Uuid::new_v4().simple()));
            Call::new(
                &edms,
                "/legalstat.requests.v1.RequestIntakeService/SubmitRequest",
                &message,
            )
        });
    }
    let operator = system.channel("form-registry", Some("operator"));
    for uploader in 0..UPLOADERS {
        let operator = operator.clone();
        load.add(KINDS[1], move || {
            upload(&operator, &format!("forms/1/editions/2024-M{:02}", uploader + 1))
        });
    }
    load
}

fn upload(operator: &tonic::transport::Channel, edition: &str) -> Call {
    let id = Uuid::new_v4().to_string();
    let header = Part::Header(UploadEditionFileHeader {
        name: edition.into(),
        filename: "form.csv".into(),
        content_type: "text/csv".into(),
        request_id: id.clone(),
        ..Default::default()
    });
    let parts = [header, Part::Chunk(id.into_bytes())];
    let messages = parts.map(|part| UploadEditionFileRequest { part: Some(part) }.encode_to_vec());
    Call::streamed(
        &operator.clone(),
        "/legalstat.forms.v1.FormRegistryService/UploadEditionFile",
        messages.to_vec(),
    )
}

/// Waits until the database takes a new connection. When it was still away, and when it was back.
async fn answers(url: &str) -> (Instant, Instant) {
    let began = Instant::now();
    let mut away = began;
    loop {
        let asked = Instant::now();
        let answered = async {
            let mut connection = PgConnection::connect(url).await?;
            connection.ping().await
        };
        if let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(10), answered).await {
            return (away, Instant::now());
        }
        away = asked;
        assert!(began.elapsed() < PATIENCE, "the database is back in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Puts faults in the way of a system under load, one after the other; each gives the instants at which the database was gone, was still
/// away, and was back.
async fn under_load<F: AsyncFn(&System) -> (Instant, Instant, Instant)>(name: &str, times: usize, fault: F) {
    let system = tokio::task::block_in_place(System::start);
    let (load, health, mut problems) = (load(&system), ToldHealth::of(&system), Vec::new());
    for _ in 0..times {
        let sound = load.back_since(Instant::now(), &KINDS, PATIENCE).await;
        problems.extend(sound.err());
        problems.extend(health.ready_since(Instant::now(), PATIENCE).await.err());
        let (gone, away, back) = fault(&system).await;
        match load.back_since(back, &KINDS, soon()).await {
            Ok(took) => eprintln!("{name}: writes are back after {took:?}"),
            Err(problem) => problems.push(problem),
        }
        match health.ready_since(back, soon()).await {
            Ok(took) => eprintln!("{name}: all services are ready after {took:?}"),
            Err(problem) => problems.push(problem),
        }
        problems.extend(health.untruths(gone, away).into_iter().take(5));
    }
    problems.extend(load.end(name).await);
    tokio::task::block_in_place(|| drop(system));
    assert!(problems.is_empty(), "{name}: {}", problems.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_back_soon_after_the_database_was_restarted_under_load() {
    under_load("restarted", if whole() { 5 } else { 1 }, async |system| {
        let url = system.database_url("legalstat");
        let postmaster = i32::try_from(system.postmaster()).expect("a process");
        // What `pg_ctl stop -m fast` sends.
        kill(Pid::from_raw(postmaster), Signal::SIGINT).expect("it runs");
        let gone = Instant::now();
        while kill(Pid::from_raw(postmaster), None).is_ok() {
            assert!(gone.elapsed() < PATIENCE, "the database stops");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (away, back) = answers(&url).await;
        (gone, away, back)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_back_soon_after_the_database_was_frozen_under_load() {
    let frozen = Duration::from_secs(if whole() { 30 } else { 8 });
    under_load("frozen", if whole() { 3 } else { 1 }, async |system| {
        system.signal_database(Signal::SIGSTOP);
        let gone = Instant::now();
        tokio::time::sleep(frozen).await;
        let away = Instant::now();
        system.signal_database(Signal::SIGCONT);
        (gone, away, Instant::now())
    })
    .await;
}
