//! UploadAttachment, DownloadAttachment, and requests with files.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use legalstat_local::testing::{
    harness::Running,
    refusals::{metadata, pairs, refused, violations},
};
use legalstat_proto::requests::v1::{
    self as proto, Attachment, AttachmentKind as Kind, CheckOutcome, CheckRule, DownloadAttachmentRequest, Notice,
    RequestState, UploadAttachmentHeader, UploadAttachmentRequest, WatchRequestsRequest, WithdrawRequestRequest,
    download_attachment_response, upload_attachment_request::Part,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    stage::{Client, Stage, get, outcome, recorded, request, submission, submit},
    watching::{all, watch},
};
use crate::SERVICE;

pub(super) const PDF: &[u8] = b"%PDF-1.7\nThe request: how many crimes were registered in 2025?\n";
pub(super) const CONTENT: &[u8] = include_bytes!("../../signature/fixtures/content.txt");
/// The containers of the fixtures were signed before it.
pub(super) const LATER: &str = "2027-03-02T10:00:00+05:00";

pub(super) fn digest(content: &[u8]) -> String {
    hex::encode(legalstat_kit::door::wire::sha256(content))
}

pub(super) fn header(kind: Kind, filename: &str) -> UploadAttachmentHeader {
    UploadAttachmentHeader {
        kind: kind.into(),
        filename: filename.into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

fn message(part: Part) -> UploadAttachmentRequest {
    UploadAttachmentRequest { part: Some(part) }
}

pub(super) fn messages(header: &UploadAttachmentHeader, content: &[u8], chunk: usize) -> Vec<UploadAttachmentRequest> {
    let chunks = content.chunks(chunk).map(|chunk| message(Part::Chunk(chunk.to_vec())));
    std::iter::once(message(Part::Header(header.clone())))
        .chain(chunks)
        .collect()
}

pub(super) async fn send(client: &mut Client, messages: Vec<UploadAttachmentRequest>) -> Result<Attachment, Status> {
    let sent = client.upload_attachment(tokio_stream::iter(messages)).await;
    sent.map(tonic::Response::into_inner)
}

pub(super) async fn upload(
    client: &mut Client,
    header: &UploadAttachmentHeader,
    content: &[u8],
) -> Result<Attachment, Status> {
    send(client, messages(header, content, 300_000)).await
}

pub(super) async fn uploaded(client: &mut Client, kind: Kind, filename: &str, content: &[u8]) -> Attachment {
    upload(client, &header(kind, filename), content)
        .await
        .expect("it is taken")
}

/// A signature beside a signed original.
pub(super) async fn signature(client: &mut Client, original: &Attachment, container: &[u8]) -> Attachment {
    let header = UploadAttachmentHeader {
        signs: original.name.clone(),
        ..header(Kind::Signature, "request.p7s")
    };
    upload(client, &header, container).await.expect("it is taken")
}

pub(super) async fn download(client: &mut Client, name: &str, offset: i64) -> Result<(Attachment, Vec<u8>), Status> {
    let request = DownloadAttachmentRequest {
        name: name.into(),
        offset,
        length: 0,
        languages: Vec::new(),
    };
    let mut stream = client.download_attachment(request).await?.into_inner();
    let (mut file, mut content) = (None, Vec::new());
    while let Some(message) = stream.message().await? {
        match message.part.expect("every message carries a part") {
            download_attachment_response::Part::File(description) => file = Some(description),
            download_attachment_response::Part::Chunk(chunk) => content.extend(chunk),
        }
    }
    Ok((file.expect("the first message describes the file"), content))
}

pub(super) fn with(request: proto::Request, attachments: &[&Attachment]) -> proto::Request {
    let named = |attachment: &&Attachment| Attachment {
        name: attachment.name.clone(),
        ..Default::default()
    };
    proto::Request {
        attachments: attachments.iter().map(named).collect(),
        ..request
    }
}

#[tokio::test]
async fn a_file_belongs_to_its_caller_and_then_to_the_request_that_names_it() {
    let stage = Stage::set().await;
    let (mut edms, mut operator) = (stage.client("edms"), stage.client("operator"));
    let announced = UploadAttachmentHeader {
        sha256: digest(PDF).to_uppercase(),
        content_type: "application/pdf".into(),
        ..header(Kind::Attachment, "Сұрау салу №1.pdf")
    };
    let file = upload(&mut edms, &announced, PDF).await.expect("it is taken");
    assert!(file.name.starts_with("attachments/") && file.request.is_empty() && file.expire_time.is_some());
    assert_eq!(
        (file.filename.as_str(), file.content_type.as_str()),
        ("Сұрау салу №1.pdf", "application/pdf")
    );
    assert_eq!((file.size_bytes, file.sha256.clone()), (PDF.len() as i64, digest(PDF)));
    assert_eq!((file.uploaded_by.as_str(), file.signature.clone()), ("edms", None));
    // Nobody else knows of it; an official reads it.
    let elsewhere = download(&mut stage.client("kadagalau"), &file.name, 0).await;
    refused(elsewhere, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_eq!(
        download(&mut operator, &file.name, 0)
            .await
            .expect("an official reads it")
            .1,
        PDF
    );

    let accepted = submit(&mut edms, submission(with(request(), &[&file])))
        .await
        .expect("it is accepted");
    assert_eq!(accepted.state(), RequestState::Registered);
    assert_eq!(outcome(&accepted, CheckRule::Signature), CheckOutcome::NotApplicable);
    let bound = Attachment {
        request: accepted.name.clone(),
        expire_time: None,
        ..file.clone()
    };
    assert_eq!(accepted.attachments, std::slice::from_ref(&bound));
    assert_eq!(get(&mut edms, &accepted.name).await.expect("it is there"), accepted);
    let (described, content) = download(&mut edms, &file.name, 9).await.expect("it goes on");
    assert_eq!((described, content.as_slice()), (bound, &PDF[9..]));
    let beyond = download(&mut edms, &file.name, PDF.len() as i64 + 1).await;
    assert_eq!(violations(beyond), pairs(&[("offset", "OUT_OF_RANGE")]));
}

#[tokio::test]
async fn a_request_without_files_is_stored_and_read_as_before() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let accepted = submit(&mut edms, submission(request())).await.expect("it is accepted");
    assert!(accepted.attachments.is_empty() && accepted.etag == "0");
    assert_eq!(outcome(&accepted, CheckRule::Signature), CheckOutcome::NotApplicable);
    assert_eq!(stage.count("SELECT count(*) FROM requests.attachment").await, 0);
}

/// How many files of content there are, on their way or kept.
pub(super) fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |path: std::path::PathBuf| match path.file_name().and_then(|name| name.to_str()) {
        Some("receiving") => 0,
        _ if path.is_dir() => walk(&path),
        _ => 1,
    };
    entries.map(|entry| of(entry.path())).sum()
}

pub(super) async fn until(reached: impl Fn() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it comes to that");
}

#[tokio::test]
async fn an_attachment_is_bound_once_and_only_by_who_uploaded_it() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let file = uploaded(&mut edms, Kind::Attachment, "a.pdf", PDF).await;
    let named = |attachments: &[&Attachment]| submission(with(request(), attachments));
    let stranger = proto::Request {
        attachments: with(request(), &[&file]).attachments,
        ..recorded(proto::Channel::Paper)
    };
    let told = violations(submit(&mut stage.client("operator"), submission(stranger)).await);
    assert_eq!(told, pairs(&[("request.attachments[0].name", "UNKNOWN")]));
    let twice = violations(submit(&mut edms, named(&[&file, &file])).await);
    assert_eq!(twice, pairs(&[("request.attachments[1].name", "DUPLICATE")]));
    let unreadable = Attachment {
        name: "attachments/1".into(),
        ..Default::default()
    };
    let told = violations(submit(&mut edms, named(&[&unreadable])).await);
    assert_eq!(told, pairs(&[("request.attachments[0].name", "RESOURCE_NAME")]));
    let unknown = |_| Attachment {
        name: format!("attachments/{}", Uuid::new_v4()),
        ..Default::default()
    };
    let many: Vec<Attachment> = (0..21).map(unknown).collect();
    let told = violations(submit(&mut edms, named(&many.iter().collect::<Vec<_>>())).await);
    assert!(
        told.contains(&pairs(&[("request.attachments", "TOO_MANY")])[0]),
        "{told:?}"
    );

    // Of several that name it at the same moment one has it.
    let racing = (0..6).map(|_| {
        let (mut client, message) = (stage.client("edms"), named(&[&file]));
        async move { submit(&mut client, message).await }
    });
    let answers = futures::future::join_all(racing).await;
    let accepted: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(accepted.len(), 1);
    for lost in answers.into_iter().filter(Result::is_err) {
        assert!(
            violations(lost)
                .iter()
                .all(|(field, reason)| field.starts_with("request.attachments") && reason == "CONFLICT")
        );
    }
    let again = violations(submit(&mut edms, named(&[&file])).await);
    assert_eq!(again, pairs(&[("request.attachments[0].name", "CONFLICT")]));
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 1);
    // The numbers have no gap: what was refused took none.
    let next = submit(&mut edms, submission(request())).await.expect("it is accepted");
    assert_eq!(next.registration_number, "2026-000002");
}

#[tokio::test]
async fn a_file_is_added_to_a_request_until_that_is_closed() {
    let stage = Stage::set().await;
    let (mut edms, mut operator) = (stage.client("edms"), stage.client("operator"));
    let accepted = submit(&mut edms, submission(request())).await.expect("it is accepted");
    let to = |kind, filename: &str| UploadAttachmentHeader {
        request: accepted.name.clone(),
        ..header(kind, filename)
    };
    let added = upload(&mut operator, &to(Kind::SignedOriginal, "scan.pdf"), PDF)
        .await
        .expect("it is added");
    assert_eq!(
        (added.request.as_str(), added.expire_time),
        (accepted.name.as_str(), None)
    );
    let read = get(&mut edms, &accepted.name).await.expect("it is there");
    assert_eq!(read.attachments, std::slice::from_ref(&added));
    assert!(read.etag != accepted.etag && read.update_time.is_some());
    // Who sees the request reads its files, whoever uploaded them.
    assert_eq!(
        download(&mut edms, &added.name, 0)
            .await
            .expect("it is of its request")
            .1,
        PDF
    );
    let second = violations(upload(&mut edms, &to(Kind::SignedOriginal, "b.pdf"), PDF).await);
    assert_eq!(second, pairs(&[("header.kind", "CONFLICT")]));
    let kinds = "SELECT count(*) FROM requests.outbox_event
                 WHERE kind = 'request.attachment_added' AND resource LIKE 'requests/%' OR kind = 'attachment.uploaded'";
    assert_eq!(stage.count(kinds).await, 2);
    let mut feed = watch(&stage, "edms", WatchRequestsRequest::default()).await;
    let told = all(&mut feed).await.0.pop().and_then(|message| message.request_event);
    let told = told.expect("it is told of the request");
    assert_eq!(told.notices().collect::<Vec<_>>(), [Notice::Execution]);
    assert_eq!(
        (told.state(), told.as_of_now, told.registration_number),
        (RequestState::Unspecified, false, accepted.registration_number.clone())
    );
    let elsewhere = upload(&mut stage.client("kadagalau"), &to(Kind::Attachment, "a.pdf"), PDF).await;
    refused(elsewhere, Code::NotFound, "RESOURCE_NOT_FOUND");

    for place in 1..20 {
        let header = to(Kind::Attachment, &format!("{place}.pdf"));
        upload(&mut edms, &header, PDF).await.expect("there is room");
    }
    let told = violations(upload(&mut edms, &to(Kind::Attachment, "21.pdf"), PDF).await);
    assert_eq!(told, pairs(&[("header.request", "TOO_MANY")]));
    let withdrawal = WithdrawRequestRequest {
        name: accepted.name.clone(),
        reason: "by letter".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    edms.withdraw_request(withdrawal).await.expect("it is withdrawn");
    let closed = upload(&mut edms, &to(Kind::Attachment, "late.pdf"), PDF).await;
    let closed = refused(closed, Code::FailedPrecondition, "WRONG_STATE");
    assert_eq!(metadata(&closed, "state"), "WITHDRAWN");
    assert!(metadata(&closed, "allowed_states").contains("REGISTERED"));
}

#[tokio::test]
async fn what_no_request_names_is_dropped_after_its_time_and_content_stays_while_another_needs_it() {
    let (stage, clock) = with_clock("1").await;
    let mut edms = stage.client("edms");
    let original = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
    let beside = signature(&mut edms, &original, include_bytes!("../../signature/fixtures/rsa.p7s")).await;
    let (kept, same) = (
        uploaded(&mut edms, Kind::Attachment, "a.pdf", PDF).await,
        uploaded(&mut edms, Kind::Attachment, "b.pdf", PDF).await,
    );
    submit(&mut edms, submission(with(request(), &[&kept])))
        .await
        .expect("it is accepted");
    {
        let mut clock = clock.lock().expect("no test panics here");
        *clock += SignedDuration::from_secs(700);
    }
    let waited = async {
        while stage.count("SELECT count(*) FROM requests.attachment").await > 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waited)
        .await
        .expect("they are dropped");
    for gone in [&original, &beside, &same] {
        refused(
            download(&mut edms, &gone.name, 0).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
    }
    assert_eq!(
        download(&mut edms, &kept.name, 0).await.expect("its request has it").1,
        PDF
    );
    let folder = stage.files.path().to_owned();
    until(|| walk(&folder) == 1).await;
    let named = violations(submit(&mut edms, submission(with(request(), &[&same]))).await);
    assert_eq!(named, pairs(&[("request.attachments[0].name", "UNKNOWN")]));
}

/// A stage whose clock the test sets.
async fn with_clock(unbound_seconds: &str) -> (Stage, Arc<Mutex<Timestamp>>) {
    let clock = Arc::new(Mutex::new(LATER.parse::<Timestamp>().expect("an instant")));
    let told = Arc::clone(&clock);
    let settings = [("LEGALSTAT_UNBOUND_SECONDS", unbound_seconds)];
    let stage = Stage::set_on(&settings, async move |settings| {
        Running::start(&SERVICE, settings, move || *told.lock().expect("no test panics here")).await
    });
    (stage.await, clock)
}

#[tokio::test]
async fn what_has_expired_is_taken_for_no_request_and_signed_by_nothing_before_it_is_dropped_too() {
    let (stage, clock) = with_clock("86400").await;
    let mut edms = stage.client("edms");
    let file = uploaded(&mut edms, Kind::Attachment, "a.pdf", PDF).await;
    let original = uploaded(&mut edms, Kind::SignedOriginal, "request.txt", CONTENT).await;
    *clock.lock().expect("no test panics here") += SignedDuration::from_secs(86_400);
    let named = violations(submit(&mut edms, submission(with(request(), &[&file]))).await);
    assert_eq!(named, pairs(&[("request.attachments[0].name", "UNKNOWN")]));
    let signing = UploadAttachmentHeader {
        signs: original.name.clone(),
        ..header(Kind::Signature, "request.p7s")
    };
    let container = include_bytes!("../../signature/fixtures/rsa.p7s");
    let told = violations(upload(&mut edms, &signing, container).await);
    assert_eq!(told, pairs(&[("header.signs", "UNKNOWN")]));
    let gone = download(&mut edms, &file.name, 0).await;
    refused(gone, Code::NotFound, "RESOURCE_NOT_FOUND");
    // They are there still: nothing that is under way loses them.
    assert_eq!(stage.count("SELECT count(*) FROM requests.attachment").await, 2);
}

#[tokio::test]
async fn content_that_was_dropped_without_its_row_is_taken_for_no_request() {
    let (stage, clock) = with_clock("1").await;
    let mut edms = stage.client("edms");
    let file = uploaded(&mut edms, Kind::Attachment, "a.pdf", PDF).await;
    for statement in [
        "CREATE FUNCTION requests.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no disk'; END $$",
        "CREATE CONSTRAINT TRIGGER fails AFTER DELETE ON requests.attachment DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION requests.fail()",
    ] {
        stage.execute(statement).await;
    }
    *clock.lock().expect("no test panics here") += SignedDuration::from_secs(700);
    let folder = stage.files.path().to_owned();
    until(|| walk(&folder) == 0).await;
    assert_eq!(
        stage.count("SELECT count(*) FROM requests.attachment").await,
        1,
        "the commit failed"
    );
    let named = violations(submit(&mut edms, submission(with(request(), &[&file]))).await);
    assert_eq!(named, pairs(&[("request.attachments[0].name", "UNKNOWN")]));
}

#[tokio::test]
async fn what_waits_for_a_request_is_limited_by_caller() {
    let stage = Stage::set_with(&[("LEGALSTAT_UNBOUND_BYTES", "100")]).await;
    let mut edms = stage.client("edms");
    let first = uploaded(&mut edms, Kind::Attachment, "a.pdf", &[PDF, PDF].concat()).await;
    let full = upload(&mut edms, &header(Kind::Attachment, "b.pdf"), PDF).await;
    refused(full, Code::ResourceExhausted, "OVERLOADED");
    uploaded(&mut stage.client("operator"), Kind::Attachment, "c.pdf", PDF).await;
    submit(&mut edms, submission(with(request(), &[&first])))
        .await
        .expect("it is accepted");
    uploaded(&mut edms, Kind::Attachment, "b.pdf", PDF).await;
}
