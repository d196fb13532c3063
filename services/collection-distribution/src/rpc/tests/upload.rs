//! Uploading and sealing the content of an edition.

use legalstat_proto::collections::v1::EditionState;

use super::*;

#[tokio::test]
async fn uploaded_content_prepares_the_edition_and_a_new_upload_replaces_it() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let large = vec![7; 1_500_000];
    let announced = UploadEditionContentHeader {
        sha256: digest(&large).to_uppercase(),
        ..header(CRIME)
    };
    let prepared = upload(&mut operator, &announced, &large).await.expect("it is taken");
    let content = prepared.content.as_ref().expect("it has content");
    assert_eq!(
        (prepared.state(), content.size_bytes),
        (EditionState::Prepared, 1_500_000)
    );
    assert_eq!(content.sha256, digest(&large));
    let replaced = upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    assert_eq!(
        replaced.content.as_ref().map(|content| content.sha256.clone()),
        Some(digest(CONTENT))
    );
    assert_eq!(edition(&mut operator, CRIME).await.expect("it is there"), replaced);
    assert_eq!(replaced.files.as_slice(), replaced.content.as_slice());
    let files = "SELECT count(*) FROM collections.edition_file";
    assert_eq!(distribution.count(files).await, 2, "what was replaced stays on record");
    distribution.until_nothing_is_staged().await;
}

#[tokio::test]
async fn content_that_cannot_be_taken_changes_nothing() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let other = UploadEditionContentHeader {
        sha256: digest(b"other"),
        ..header(CRIME)
    };
    refused(
        upload(&mut operator, &other, CONTENT).await,
        Code::InvalidArgument,
        "DIGEST_MISMATCH",
    );
    let too_large = upload(&mut operator, &header(CRIME), &vec![0; 2_000_001]).await;
    assert_eq!(
        metadata(
            &refused(too_large, Code::InvalidArgument, "FILE_TOO_LARGE"),
            "limit_bytes"
        ),
        "2000000"
    );
    assert_eq!(
        violations(upload(&mut operator, &header(CRIME), b"").await),
        pairs(&[("chunk", "REQUIRED")])
    );
    let early = upload(&mut operator, &header("collections/crime/editions/2025-Q2"), CONTENT).await;
    let early = refused(early, Code::FailedPrecondition, "PERIOD_NOT_ENDED");
    assert_eq!(metadata(&early, "legal_basis"), "Instruction, paras 12 and 13");
    let checked = UploadEditionContentHeader {
        validate_only: true,
        ..header(CRIME)
    };
    let checked = upload(&mut operator, &checked, CONTENT)
        .await
        .expect("it would be taken");
    assert_eq!(checked.state(), EditionState::Prepared);
    assert_eq!(
        edition(&mut operator, CRIME).await.expect("it is there").state(),
        EditionState::Scheduled
    );
    distribution.until_nothing_is_staged().await;
    let refusals = "SELECT count(*) FROM collections.journal_entry WHERE outcome = 'REFUSED'
         AND resource LIKE 'collections/crime/editions/2025-Q_'";
    assert_eq!(distribution.count(refusals).await, 4);
}

#[tokio::test]
async fn every_fault_of_a_header_is_named_and_messages_keep_their_order() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let wrong = UploadEditionContentHeader {
        name: "collections/crime/editions/2019-S1".into(),
        filename: "a/b".into(),
        content_type: "pdf".into(),
        sha256: "xyz".into(),
        request_id: "1".into(),
        language: "xx".into(),
        offset: 1,
        ..Default::default()
    };
    let expected = [
        ("header.name", "PERIOD_KIND"),
        ("header.filename", "FOLDER"),
        ("header.content_type", "MEDIA_TYPE"),
        ("header.sha256", "SHA256"),
        ("header.request_id", "REQUEST_ID"),
        ("header.language", "LANGUAGE"),
        ("header.offset", "CONFLICT"),
    ];
    assert_eq!(
        violations(upload(&mut operator, &wrong, CONTENT).await),
        pairs(&expected)
    );
    let chunk = || message(Part::Chunk(CONTENT.to_vec()));
    let head = || message(Part::Header(header(CRIME)));
    for (messages, fault) in [
        (vec![], ("header", "REQUIRED")),
        (vec![chunk(), head()], ("header", "REQUIRED")),
        (vec![head(), chunk(), head()], ("header", "REPEATED")),
        (
            vec![head(), message(Part::Chunk(vec![0; 1024 * 1024 + 1]))],
            ("chunk", "SIZE"),
        ),
        (vec![head(), message(Part::Chunk(Vec::new()))], ("chunk", "SIZE")),
    ] {
        assert_eq!(violations(send(&mut operator, messages).await), pairs(&[fault]));
    }
    distribution.until_nothing_is_staged().await;
}

#[tokio::test]
async fn only_the_content_that_was_seen_is_sealed_and_then_it_stays() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let empty = seal(&mut operator, &sealing(CRIME, CONTENT)).await;
    refused(empty, Code::FailedPrecondition, "CONTENT_MISSING");
    let uploading = header(CRIME);
    let prepared = upload(&mut operator, &uploading, CONTENT).await.expect("it is taken");
    refused(
        seal(&mut operator, &sealing(CRIME, b"other")).await,
        Code::InvalidArgument,
        "DIGEST_MISMATCH",
    );
    let request = sealing(CRIME, CONTENT);
    let sealed = seal(&mut operator, &request).await.expect("it is sealed");
    assert_eq!(sealed.state(), EditionState::Sealed);
    assert!(sealed.sealed_at.is_some());

    assert_eq!(seal(&mut operator, &request).await.expect("it is replayed"), sealed);
    refused(
        seal(&mut operator, &sealing(CRIME, CONTENT)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    refused(
        upload(&mut operator, &header(CRIME), b"new").await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(
        upload(&mut operator, &uploading, CONTENT)
            .await
            .expect("it is replayed"),
        prepared
    );
    let reused = upload(&mut operator, &uploading, b"new").await;
    let reused = refused(reused, Code::InvalidArgument, "REQUEST_ID_REUSED");
    assert_eq!(metadata(&reused, "resource"), CRIME);
    assert_eq!(edition(&mut operator, CRIME).await.expect("it is there"), sealed);
    distribution.until_nothing_is_staged().await;
}

#[tokio::test]
async fn two_seals_at_once_have_one_effect() {
    let distribution = Distribution::start().await;
    let (mut one, mut other) = (distribution.operator(), distribution.operator());
    upload(&mut one, &header(CRIME), CONTENT).await.expect("it is taken");
    let (first, second) = (sealing(CRIME, CONTENT), sealing(CRIME, CONTENT));
    let (first, second) = tokio::join!(seal(&mut one, &first), seal(&mut other, &second));
    assert_eq!(
        [&first, &second].iter().filter(|answer| answer.is_ok()).count(),
        1,
        "{first:?} {second:?}"
    );
    refused(first.and(second), Code::FailedPrecondition, "WRONG_STATE");
}

#[tokio::test]
async fn only_operators_upload_and_seal() {
    let distribution = Distribution::start().await;
    for (caller, code, expected) in [
        (Some("approver"), Code::PermissionDenied, "ROLE_MISSING"),
        (Some("supreme-court"), Code::PermissionDenied, "ROLE_MISSING"),
        (None, Code::Unauthenticated, "CERTIFICATE_REQUIRED"),
    ] {
        let mut client = distribution.client(caller);
        refused(upload(&mut client, &header(CRIME), CONTENT).await, code, expected);
        refused(seal(&mut client, &sealing(CRIME, CONTENT)).await, code, expected);
    }
}
