//! The contents of files: what an erasure takes of them, and what a crash leaves; and erasures side by side.

use std::{fs, time::Duration};

use legalstat_local::testing::{
    harness::{Ground, Running},
    refusals::{metadata, refused},
};
use legalstat_proto::requests::v1::{self as proto, AttachmentKind as Kind};
use tonic::Code;

use super::{
    attachments::{download, uploaded, with},
    erasure::{DUE, files, until_erased},
    retention::{approved_rule, rule},
    stage::NOW,
    verbs::{Desk, leaving, person},
};
use crate::SERVICE;

/// Another replica, with a clock that stands.
async fn replica(desk: &Desk, now: &str) -> Running {
    let services = desk.stage.fakes.url.clone();
    let settings = [
        ("LEGALSTAT_FILES", desk.stage.files.path().display().to_string()),
        ("LEGALSTAT_CALENDAR_URL", services.clone()),
        ("LEGALSTAT_FORM_REGISTRY_URL", services),
        ("LEGALSTAT_SIGNING_KEYS", Ground::shared().await.signing_keys()),
    ];
    let now: jiff::Timestamp = now.parse().expect("an instant");
    desk.stage.running.replica(&SERVICE, &settings, move || now).await
}

#[tokio::test]
async fn a_download_that_runs_while_its_file_is_erased_is_told_so() {
    const LARGE: usize = 40 * 1024 * 1024;
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let content: Vec<u8> = std::iter::repeat_n(b"large ", LARGE / 6).flatten().copied().collect();
    let file = uploaded(&mut operator, Kind::Attachment, "large.txt", &content).await;
    let request = desk.recorded(with(person(), &[&file])).await;
    let left = leaving(&request, "OPENLY_AVAILABLE");
    operator.leave_without_consideration(left).await.expect("it is left");
    let message = proto::DownloadAttachmentRequest {
        name: file.name.clone(),
        ..Default::default()
    };
    let mut running = operator
        .download_attachment(message)
        .await
        .expect("it begins")
        .into_inner();
    running
        .message()
        .await
        .expect("it goes on")
        .expect("the file is described");
    approved_rule(&desk, rule(30)).await;
    desk.set_clock(DUE);
    until_erased(&desk, &request).await;
    let gone = async {
        while files(desk.stage.files.path())
            .iter()
            .any(|(_, content)| content.len() > LARGE / 2)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone)
        .await
        .expect("the content is removed");
    let ended = loop {
        match running.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("all of it came"),
            Err(status) => break status,
        }
    };
    let ended = refused::<()>(Err(ended), Code::FailedPrecondition, "DATA_ERASED");
    assert_eq!(metadata(&ended, "resource"), file.name);
}

#[tokio::test]
async fn the_content_of_a_file_stays_while_another_request_has_it() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let content = b"%PDF-1.7\nshared";
    let mut requests = Vec::new();
    for _ in 0..2 {
        let file = uploaded(&mut operator, Kind::Attachment, "shared.pdf", content).await;
        requests.push(desk.recorded(with(person(), &[&file])).await);
    }
    let left = leaving(&requests[0], "OPENLY_AVAILABLE");
    operator.leave_without_consideration(left).await.expect("it is left");
    approved_rule(&desk, rule(30)).await;
    desk.set_clock(DUE);
    until_erased(&desk, &requests[0]).await;
    let name = &requests[1].attachments[0].name;
    let (_, read) = download(&mut operator, name, 0).await.expect("it is another's too");
    assert_eq!(read, content);
}

#[tokio::test]
async fn two_replicas_erase_each_request_once() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    for _ in 0..120 {
        let request = desk.of_person().await;
        let left = leaving(&request, "OPENLY_AVAILABLE");
        operator.leave_without_consideration(left).await.expect("it is left");
    }
    approved_rule(&desk, rule(30)).await;
    desk.set_clock(DUE);
    let replica = replica(&desk, DUE).await;
    let left = "SELECT count(*) FROM requests.request WHERE erased_at IS NULL";
    let erased = async {
        while desk.stage.count(left).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), erased)
        .await
        .expect("all are erased");
    for once in [
        "SELECT count(*) FROM requests.erasure",
        "SELECT count(DISTINCT resource) FROM requests.journal_entry WHERE method = 'jobs/erasure'",
        "SELECT count(*) FROM requests.journal_entry WHERE method = 'jobs/erasure'",
        "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.erased'",
    ] {
        assert_eq!(desk.stage.count(once).await, 120, "{once}");
    }
    replica.stop().await;
}

#[tokio::test]
async fn contents_that_no_row_has_are_removed_when_a_service_starts_and_others_stay() {
    let desk = Desk::open().await;
    let file = uploaded(&mut desk.operator(), Kind::Attachment, "kept.txt", b"kept").await;
    let folder = desk.stage.files.path();
    let orphan = "ab".repeat(32);
    fs::create_dir_all(folder.join("sha256/ab")).expect("it is made");
    fs::write(folder.join("sha256/ab").join(&orphan), "left by a crash").expect("it is written");
    let replica = replica(&desk, NOW).await;
    let swept = async {
        while files(folder).iter().any(|(name, _)| *name == orphan) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), swept)
        .await
        .expect("it is removed");
    let (_, read) = download(&mut desk.operator(), &file.name, 0)
        .await
        .expect("it is there");
    assert_eq!(read, b"kept");
    replica.stop().await;
}

#[tokio::test]
async fn the_content_of_an_erased_file_that_cannot_be_removed_is_removed_when_it_can_be() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let content = b"%PDF-1.7\nstays for a while";
    let file = uploaded(&mut operator, Kind::Attachment, "passport.pdf", content).await;
    let request = desk.recorded(with(person(), &[&file])).await;
    let left = leaving(&request, "OPENLY_AVAILABLE");
    operator.leave_without_consideration(left).await.expect("it is left");
    let folder = desk.stage.files.path();
    let place = folder.join("sha256").join(&file.sha256[..2]).join(&file.sha256);
    fs::remove_file(&place).expect("it is there");
    fs::create_dir(&place).expect("a folder stands in its place");
    fs::write(place.join("inside"), "x").expect("it is written");
    approved_rule(&desk, rule(30)).await;
    desk.set_clock(DUE);
    until_erased(&desk, &request).await;
    let waiting = "SELECT count(*) FROM requests.erased_content";
    assert_eq!(desk.stage.count(waiting).await, 1);
    fs::remove_dir_all(&place).expect("it goes");
    fs::write(&place, content).expect("it is back");
    let removed = async {
        while desk.stage.count(waiting).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), removed)
        .await
        .expect("it is removed");
    assert!(files(folder).iter().all(|(name, _)| *name != file.sha256));
}
