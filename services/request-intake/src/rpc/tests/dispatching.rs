//! The dispatch of an answer, and the file that proves it.

use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::requests::v1::{
    self as proto, Answer, AttachmentKind as Kind, DownloadAttachmentRequest, GetRequestStatisticsRequest,
    RecordDispatchRequest, UploadAttachmentHeader,
};
use tonic::Code;

use super::{
    answer_calls::{UNTOLD, approval, approve, dispatch, dispatch_of, draft, draft_of, item, read, registered},
    attachments::{CONTENT, header, upload, uploaded},
    bodies::day,
    held::INDICATOR,
    stage::{Client, Stage, get, request, submission, submit},
};

/// An answer that only its dispatch is missing of.
async fn approved(stage: &Stage, asked: &proto::Request) -> Answer {
    let drafted = draft(&mut stage.client("operator"), draft_of(asked))
        .await
        .expect("it is drafted");
    approve(&mut stage.client("approver"), approval(&drafted, UNTOLD))
        .await
        .expect("it is approved")
}

async fn downloads(client: &mut Client, file: &proto::Attachment) -> Result<(), tonic::Status> {
    let message = DownloadAttachmentRequest {
        name: file.name.clone(),
        ..DownloadAttachmentRequest::default()
    };
    client.download_attachment(message).await.map(|_| ())
}

#[tokio::test]
async fn a_file_proves_a_dispatch_and_only_officials_see_it() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let answer = approved(&stage, &asked).await;
    let (mut operator, mut edms) = (stage.client("operator"), stage.client("edms"));
    let receipt = uploaded(&mut operator, Kind::Attachment, "receipt.txt", CONTENT).await;
    let proved = RecordDispatchRequest {
        proof_file: receipt.name.clone(),
        ..dispatch_of(&answer)
    };
    let trial = RecordDispatchRequest {
        validate_only: true,
        ..proved.clone()
    };
    dispatch(&mut operator, trial).await.expect("nothing is wrong with it");
    let answered = dispatch(&mut operator, proved.clone()).await.expect("it is dispatched");
    let told = answered
        .dispatch
        .clone()
        .expect("it is recorded")
        .proof_file
        .expect("it has one");
    assert_eq!(
        (&told.name, &told.sha256, told.size_bytes),
        (&receipt.name, &receipt.sha256, receipt.size_bytes)
    );
    assert_eq!(
        dispatch(&mut operator, proved).await.expect("it was answered"),
        answered
    );
    assert_eq!(
        read(&mut stage.client("auditor"), &asked).await.expect("it is there"),
        answered
    );
    downloads(&mut stage.client("auditor"), &receipt)
        .await
        .expect("an official reads it");

    let outside = read(&mut edms, &asked).await.expect("who brought it reads the answer");
    let outside = outside.dispatch.expect("it was dispatched");
    assert_eq!(
        (outside.proof.as_str(), outside.proof_file),
        ("registered letter 17", None)
    );
    let refusal = downloads(&mut edms, &receipt).await;
    refused(refusal, Code::NotFound, "RESOURCE_NOT_FOUND");
    for caller in ["edms", "operator"] {
        let stands = get(&mut stage.client(caller), &asked.name).await.expect("it is there");
        assert!(stands.attachments.is_empty(), "{caller}");
    }
}

#[tokio::test]
async fn what_cannot_prove_a_dispatch_is_refused_and_stays_as_it_was() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let answer = approved(&stage, &asked).await;
    let (mut operator, mut edms) = (stage.client("operator"), stage.client("edms"));
    let original = uploaded(&mut operator, Kind::SignedOriginal, "request.txt", CONTENT).await;
    let anothers = uploaded(&mut edms, Kind::Attachment, "a.txt", b"a").await;
    let of_request = UploadAttachmentHeader {
        request: asked.name.clone(),
        ..header(Kind::Attachment, "b.txt")
    };
    let of_request = upload(&mut operator, &of_request, b"b").await.expect("it is added");
    for (file, reason) in [
        ("receipt.txt", "RESOURCE_NAME"),
        ("attachments/0193f0c4-5a5b-7c61-9b55-1f9a6d1c2e01", "UNKNOWN"),
        (anothers.name.as_str(), "UNKNOWN"),
        (original.name.as_str(), "CONFLICT"),
        (of_request.name.as_str(), "CONFLICT"),
    ] {
        let wrong = RecordDispatchRequest {
            proof_file: file.into(),
            ..dispatch_of(&answer)
        };
        assert_eq!(
            violations(dispatch(&mut operator, wrong).await),
            pairs(&[("proof_file", reason)]),
            "{file}"
        );
    }
    assert_eq!(stage.count("SELECT count(*) FROM requests.dispatch").await, 0);

    // What proves a dispatch belongs to it for ever.
    let receipt = uploaded(&mut operator, Kind::Attachment, "receipt.txt", CONTENT).await;
    let proved = RecordDispatchRequest {
        proof_file: receipt.name.clone(),
        ..dispatch_of(&answer)
    };
    dispatch(&mut operator, proved).await.expect("it is dispatched");
    let mut again = super::attachments::with(request(), &[&receipt]);
    again.channel = proto::Channel::Paper.into();
    let refusal = violations(submit(&mut operator, submission(again)).await);
    assert_eq!(refusal, pairs(&[("request.attachments[0].name", "CONFLICT")]));
}

#[tokio::test]
async fn the_dispatch_meets_the_term_and_not_that_it_was_recorded() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let answer = approved(&stage, &asked).await;
    dispatch(&mut stage.client("operator"), dispatch_of(&answer))
        .await
        .expect("it is dispatched");
    // Sent two days before the due date, which is 2 April, and recorded two days after it.
    for sql in [
        "UPDATE requests.dispatch SET dispatched_at = '2026-03-31T10:00:00+05:00', recorded_at = '2026-04-04T10:00:00+05:00'",
        "UPDATE requests.decision SET decided_at = '2026-04-04T10:00:00+05:00' WHERE verb = 'RECORD_DISPATCH'",
    ] {
        stage.execute(sql).await;
    }
    let counts = async || {
        let message = GetRequestStatisticsRequest {
            include_forms: false,
            received_from: day(2026, 3, 2),
            received_to: day(2026, 3, 2),
        };
        let counted = stage.client("auditor").get_request_statistics(message).await;
        let total = counted
            .expect("they are counted")
            .into_inner()
            .total
            .expect("it has one");
        (total.answered_in_time, total.answered_late, total.median_days)
    };
    assert_eq!(counts().await, (1, 0, Some(29)));
    stage
        .execute("UPDATE requests.dispatch SET dispatched_at = '2026-04-03T10:00:00+05:00'")
        .await;
    assert_eq!(counts().await, (0, 1, Some(32)));
}
