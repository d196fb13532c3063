//! Copies that their recipients reject.

use legalstat_proto::collections::v1::{CopyState, RejectCopyRequest};

use super::{
    copies::{COURTS_COPY, confirm, confirming},
    *,
};

fn rejecting(name: &str) -> RejectCopyRequest {
    RejectCopyRequest {
        name: name.into(),
        reason: "the file does not open".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

async fn reject(client: &mut Client, request: &RejectCopyRequest) -> Result<Copy, Status> {
    client
        .reject_copy(request.clone())
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_recipient_rejects_its_copy_with_a_reason_and_that_is_final() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    let tried = RejectCopyRequest {
        validate_only: true,
        ..rejecting(COURTS_COPY)
    };
    reject(&mut court, &tried).await.expect("it would be rejected");
    assert_eq!(distribution.copies("supreme-court").await[0].state(), CopyState::Issued);
    let rejected = reject(&mut court, &rejecting(COURTS_COPY))
        .await
        .expect("it is its own");
    assert_eq!(
        (rejected.state(), rejected.status_reason.as_str()),
        (CopyState::Rejected, "the file does not open")
    );
    assert!(rejected.status_time.is_some() && !rejected.overdue);
    let other = RejectCopyRequest {
        reason: "not ours".into(),
        ..rejecting(COURTS_COPY)
    };
    assert_eq!(
        reject(&mut court, &other).await.expect("the first one counts"),
        rejected
    );
    refused(
        confirm(&mut court, &confirming(COURTS_COPY, CONTENT)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    for (kind, expected) in [("copy.rejected", 1), ("copy.rejection_repeated", 1)] {
        let told: i64 = sqlx::query_scalar("SELECT count(*) FROM collections.outbox_event WHERE kind = $1")
            .bind(kind)
            .fetch_one(&mut distribution.running.superuser().await)
            .await
            .expect("the query is right");
        assert_eq!(told, expected, "{kind}");
    }
    let kept = "SELECT count(*) FROM collections.receipt
         WHERE outcome = 'REJECTED' AND reason = 'the file does not open' AND said_by = 'supreme-court'";
    assert_eq!(distribution.count(kept).await, 1);
}

#[tokio::test]
async fn what_was_received_or_failed_is_not_rejected() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    confirm(&mut court, &confirming(COURTS_COPY, CONTENT))
        .await
        .expect("it is received");
    let refusal = refused(
        reject(&mut court, &rejecting(COURTS_COPY)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(metadata(&refusal, "resource"), COURTS_COPY);
    distribution
        .execute("UPDATE collections.copy SET state = 'FAILED', status_reason = 'away', received_at = NULL WHERE number = 25")
        .await;
    refused(
        reject(&mut court, &rejecting(COURTS_COPY)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
}

#[tokio::test]
async fn only_its_recipient_rejects_a_copy_and_says_why() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut senate = distribution.client(Some("senate"));
    refused(
        reject(&mut senate, &rejecting(COURTS_COPY)).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    refused(
        reject(&mut distribution.operator(), &rejecting(COURTS_COPY)).await,
        Code::PermissionDenied,
        "ROLE_MISSING",
    );
    let long = RejectCopyRequest {
        reason: "x".repeat(1001),
        ..rejecting(COURTS_COPY)
    };
    assert_eq!(
        violations(reject(&mut senate, &long).await),
        pairs(&[("reason", "TOO_LONG")])
    );
    let expected = [
        ("name", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(
        violations(reject(&mut senate, &RejectCopyRequest::default()).await),
        pairs(&expected)
    );
}
