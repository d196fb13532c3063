//! UploadAttachment: what it takes, what it refuses, and what stays of what broke off.

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::requests::v1::{AttachmentKind as Kind, GetAttachmentUploadRequest, UploadAttachmentHeader};
use tonic::Code;
use uuid::Uuid;

use super::{
    attachments::{PDF, digest, download, header, messages, send, until, upload, uploaded, walk},
    stage::Stage,
};

#[tokio::test]
async fn what_is_wrong_with_a_header_is_told_at_once_and_nothing_is_kept() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let wrong = UploadAttachmentHeader {
        content_type: "pdf".into(),
        sha256: "x".into(),
        request_id: "x".into(),
        request: "requests/1".into(),
        signs: "x".into(),
        offset: 7,
        ..header(Kind::Unspecified, "../..")
    };
    let told = violations(upload(&mut edms, &wrong, PDF).await);
    let expected = pairs(&[
        ("header.kind", "REQUIRED"),
        ("header.filename", "REQUIRED"),
        ("header.content_type", "MEDIA_TYPE"),
        ("header.sha256", "SHA256"),
        ("header.request_id", "REQUEST_ID"),
        ("header.offset", "CONFLICT"),
        ("header.request", "RESOURCE_NAME"),
        ("header.signs", "RESOURCE_NAME"),
    ]);
    assert_eq!(told, expected);
    let unsigning = header(Kind::Signature, "a.p7s");
    let told = violations(upload(&mut edms, &unsigning, PDF).await);
    assert_eq!(told, pairs(&[("header.signs", "REQUIRED")]));
    let signs = format!("attachments/{}", Uuid::new_v4());
    let unknown = UploadAttachmentHeader { signs, ..unsigning };
    let told = violations(upload(&mut edms, &unknown, PDF).await);
    assert_eq!(told, pairs(&[("header.signs", "UNKNOWN")]));
    nothing_is_kept(&stage).await;
}

/// Waits until no content lies about.
async fn nothing_is_kept(stage: &Stage) {
    assert_eq!(stage.count("SELECT count(*) FROM requests.attachment").await, 0);
    let folder = stage.files.path().to_owned();
    let count = || walk(&folder);
    until(|| count() == 0).await;
}

#[tokio::test]
async fn content_that_is_empty_too_large_or_not_as_said_is_refused_and_leaves_nothing() {
    let stage = Stage::set_with(&[("LEGALSTAT_FILE_LIMIT", "2000000")]).await;
    let mut edms = stage.client("edms");
    let plain = || header(Kind::Attachment, "a.pdf");
    assert_eq!(
        violations(upload(&mut edms, &plain(), b"").await),
        pairs(&[("chunk", "REQUIRED")])
    );
    let large = refused(
        upload(&mut edms, &plain(), &vec![7; 2_000_001]).await,
        Code::InvalidArgument,
        "FILE_TOO_LARGE",
    );
    assert_eq!(metadata(&large, "limit_bytes"), "2000000");
    let announced = UploadAttachmentHeader {
        resumable: true,
        size_bytes: 2_000_001,
        sha256: digest(PDF),
        ..plain()
    };
    refused(
        upload(&mut edms, &announced, PDF).await,
        Code::InvalidArgument,
        "FILE_TOO_LARGE",
    );
    let other = UploadAttachmentHeader {
        sha256: digest(b"another"),
        ..plain()
    };
    refused(
        upload(&mut edms, &other, PDF).await,
        Code::InvalidArgument,
        "DIGEST_MISMATCH",
    );
    for (content_type, content) in [
        (
            "application/pdf",
            &b"MZ\x90\0.............................................................................."[..],
        ),
        ("image/png", PDF),
        ("text/plain", b"a\0b"),
    ] {
        let header = UploadAttachmentHeader {
            content_type: content_type.into(),
            ..plain()
        };
        let told = violations(upload(&mut edms, &header, content).await);
        assert_eq!(told, pairs(&[("header.content_type", "CONTENT")]), "{content_type}");
    }
    let large_chunk = messages(&plain(), &vec![7; 1024 * 1024 + 1], 1024 * 1024 + 1);
    assert_eq!(
        violations(send(&mut edms, large_chunk).await),
        pairs(&[("chunk", "SIZE")])
    );
    nothing_is_kept(&stage).await;
    // As large as it may be.
    upload(&mut edms, &plain(), &vec![7; 2_000_000])
        .await
        .expect("it is taken");
}

#[tokio::test]
async fn a_name_loses_its_folders_and_what_turns_its_direction_and_keeps_every_script() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    for (given, kept) in [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\отчёт.docx", "отчёт.docx"),
        ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
        ("ملف طلب.pdf", "ملف طلب.pdf"),
        ("e\u{301}\u{323}.txt", "\u{1eb9}\u{301}.txt"),
        (
            "'; DROP TABLE requests.request; --{{7*7}}.txt",
            "'; DROP TABLE requests.request; --{{7*7}}.txt",
        ),
    ] {
        let file = uploaded(&mut edms, Kind::Attachment, given, b"words").await;
        assert_eq!(file.filename, kept, "{given:?}");
        assert_eq!(
            download(&mut edms, &file.name, 0)
                .await
                .expect("it is there")
                .0
                .filename,
            kept
        );
    }
}

#[tokio::test]
async fn thousands_of_chunks_are_one_file_and_a_repeated_upload_is_answered_as_the_first() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let content: Vec<u8> = (0..60_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
    let header = header(Kind::Attachment, "figures.csv");
    let file = send(&mut edms, messages(&header, &content, 7))
        .await
        .expect("it is taken");
    let again = upload(&mut edms, &header, &content).await.expect("it is the same call");
    assert_eq!(again, file);
    assert_eq!(
        download(&mut edms, &file.name, 0).await.expect("it is there").1,
        content
    );
    refused(
        upload(&mut edms, &header, b"another").await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    let checked = UploadAttachmentHeader {
        validate_only: true,
        request_id: Uuid::new_v4().to_string(),
        ..header
    };
    let shown = upload(&mut edms, &checked, b"only looked at")
        .await
        .expect("it would be taken");
    assert!(shown.name.is_empty() && shown.expire_time.is_none());
    assert_eq!(stage.count("SELECT count(*) FROM requests.attachment").await, 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_a_part_that_goes_on_or_nothing() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let content: Vec<u8> = (0..700_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
    let resumable = UploadAttachmentHeader {
        resumable: true,
        sha256: digest(&content),
        size_bytes: content.len() as i64,
        ..header(Kind::Attachment, "figures.csv")
    };
    let half = messages(&resumable, &content[..300_000], 100_000);
    refused(
        send(&mut edms, half).await,
        Code::FailedPrecondition,
        "UPLOAD_INCOMPLETE",
    );
    let asked = GetAttachmentUploadRequest {
        upload_id: resumable.request_id.clone(),
    };
    let there = edms
        .get_attachment_upload(asked.clone())
        .await
        .expect("it is kept")
        .into_inner();
    assert_eq!((there.received_bytes, there.size_bytes), (300_000, 700_000));
    let others = stage.client("operator").get_attachment_upload(asked.clone()).await;
    refused(others, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_eq!(stage.count("SELECT count(*) FROM requests.attachment").await, 0);
    let rest = UploadAttachmentHeader {
        offset: 300_000,
        ..resumable.clone()
    };
    let file = upload(&mut edms, &rest, &content[300_000..])
        .await
        .expect("it is whole");
    assert_eq!(file.sha256, resumable.sha256);
    refused(
        edms.get_attachment_upload(asked).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    // Whoever lost the answer asks for it again, and sends nothing.
    assert_eq!(upload(&mut edms, &resumable, b"").await.expect("it is replayed"), file);
    assert_eq!(
        download(&mut edms, &file.name, 0).await.expect("it is there").1,
        content
    );
}

#[tokio::test]
async fn a_stream_that_is_cut_leaves_nothing() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let begun = messages(&header(Kind::Attachment, "a.csv"), &[b'a'; 300_000], 100_000);
    // The caller hangs up while the service waits for more.
    let endless = tokio_stream::StreamExt::chain(tokio_stream::iter(begun), tokio_stream::pending());
    let folder = stage.files.path().to_owned();
    let sending = tokio::spawn(async move { edms.upload_attachment(endless).await.map(|_| ()) });
    until(|| walk(&folder) > 0).await;
    sending.abort();
    nothing_is_kept(&stage).await;
}
