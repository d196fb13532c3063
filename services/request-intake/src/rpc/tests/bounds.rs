//! How much a verb takes, and how much one caller brings in a day.

use std::time::Duration;

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::requests::v1::{
    AttachmentKind as Kind, BatchSubmitRequestsRequest, CheckReview, CheckRule, Verdict,
    submission_result::Result as Became,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{
    attachments::{header, upload, uploaded},
    stage::{Stage, recorded, request, submission, submit},
    verbs::{Desk, forwarding, leaving, question, review},
};

#[tokio::test]
async fn a_verb_takes_so_many_parts_and_characters_and_no_more() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    let fields: Vec<String> = (0..21).map(|place| format!("items[{place}]")).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let answer = operator.ask_clarification(question(&request, &fields)).await;
    assert_eq!(violations(answer), pairs(&[("defects", "TOO_MANY")]));
    let verdict = |place: usize| CheckReview {
        rule: CheckRule::Unit.into(),
        field: format!("items[{place}].unit"),
        verdict: Verdict::Kept.into(),
    };
    let answer = operator
        .review_decision(review(&request, (0..401).map(verdict).collect()))
        .await;
    assert_eq!(violations(answer), pairs(&[("reviews", "TOO_MANY")]));
    let mut left = leaving(&request, &"A".repeat(61));
    left.reason = "б".repeat(2001);
    let answer = operator.leave_without_consideration(left).await;
    assert_eq!(
        violations(answer),
        pairs(&[("ground", "TOO_LONG"), ("reason", "TOO_LONG")])
    );
    let mut forwarded = forwarding(&request, &[]);
    forwarded.to_body = "Б".repeat(501);
    let answer = operator.forward_request(forwarded).await;
    assert_eq!(violations(answer), pairs(&[("to_body", "TOO_LONG")]));
    let mut most = leaving(&request, "OPENLY_AVAILABLE");
    most.reason = "б".repeat(2000);
    operator.leave_without_consideration(most).await.expect("it is left");
}

/// How long one must wait.
fn wait(refusal: &Status) -> Duration {
    let details = refusal.get_error_details();
    let told = details.retry_info().and_then(|told| told.retry_delay);
    told.expect("it says when to try again")
}

#[tokio::test]
async fn a_caller_submits_so_many_requests_in_a_day_alone_or_in_batches_and_others_go_on() {
    let stage = Stage::set_with(&[("LEGALSTAT_SUBMISSIONS_A_DAY", "3")]).await;
    let mut edms = stage.client("edms");
    submit(&mut edms, submission(request())).await.expect("it is the first");
    let batch = BatchSubmitRequestsRequest {
        requests: (0..3).map(|_| submission(request())).collect(),
    };
    let results = edms
        .batch_submit_requests(batch)
        .await
        .expect("each for itself")
        .into_inner()
        .results;
    let reasons: Vec<String> = results
        .into_iter()
        .map(|one| match one.result.expect("each became something") {
            Became::Request(_) => String::new(),
            Became::Failure(failure) => failure.reason,
        })
        .collect();
    assert_eq!(reasons, ["", "", "ERROR_REASON_RATE_EXCEEDED"]);
    let refusal = submit(&mut edms, submission(request())).await;
    let refusal = refused(refusal, Code::ResourceExhausted, "RATE_EXCEEDED");
    assert_eq!(metadata(&refusal, "of"), "submissions");
    assert_eq!(wait(&refusal), Duration::from_secs(86_400 / 3));
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 3);
    let paper = submission(recorded(legalstat_proto::requests::v1::Channel::Paper));
    submit(&mut stage.client("operator"), paper)
        .await
        .expect("an official is another caller");
}

#[tokio::test]
async fn a_caller_submits_so_many_bytes_in_a_day() {
    let stage = Stage::set_with(&[("LEGALSTAT_SUBMISSION_BYTES_A_DAY", "100")]).await;
    let mut edms = stage.client("edms");
    submit(&mut edms, submission(request()))
        .await
        .expect("it fills the day");
    let refusal = submit(&mut edms, submission(request())).await;
    let refusal = refused(refusal, Code::ResourceExhausted, "RATE_EXCEEDED");
    assert!(wait(&refusal) >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_caller_uploads_so_many_files_and_bytes_in_a_day() {
    for (setting, most) in [("LEGALSTAT_UPLOADS_A_DAY", "1"), ("LEGALSTAT_UPLOAD_BYTES_A_DAY", "10")] {
        let stage = Stage::set_with(&[(setting, most)]).await;
        let mut edms = stage.client("edms");
        uploaded(&mut edms, Kind::Attachment, "a.txt", b"more than ten bytes").await;
        let refusal = upload(&mut edms, &header(Kind::Attachment, "b.txt"), b"another").await;
        let refusal = refused(refusal, Code::ResourceExhausted, "RATE_EXCEEDED");
        assert_eq!(metadata(&refusal, "of"), "uploads");
        assert!(wait(&refusal) > Duration::from_secs(60), "{setting}");
        assert_eq!(stage.count("SELECT count(*) FROM requests.attachment").await, 1);
        uploaded(&mut stage.client("operator"), Kind::Attachment, "c.txt", b"of another").await;
    }
}
