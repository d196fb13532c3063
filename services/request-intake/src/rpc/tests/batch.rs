//! Several requests in one call, each with its own answer.

use std::time::Duration;

use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::requests::v1::{
    self as proto, BatchSubmitRequestsRequest, RequestState, SubmissionResult, SubmitRequestRequest,
    submission_result::Result as Became,
};
use prost::Message;
use tonic::Code;
use tonic_types::StatusExt;

use super::stage::{Client, Stage, recorded, request, submission, submit, submit_for_secret};

async fn batch(client: &mut Client, requests: Vec<SubmitRequestRequest>) -> Vec<Became> {
    let answer = client
        .batch_submit_requests(BatchSubmitRequestsRequest { requests })
        .await;
    let results = answer.expect("the batch is taken").into_inner().results;
    let became = |result: SubmissionResult| result.result.expect("each became something");
    results.into_iter().map(became).collect()
}

fn accepted(became: &Became) -> &proto::Request {
    match became {
        Became::Request(request) => request,
        Became::Failure(failure) => panic!("{failure:?}"),
    }
}

fn failure(became: &Became) -> &proto::SubmissionFailure {
    match became {
        Became::Failure(failure) => failure,
        Became::Request(request) => panic!("{request:?}"),
    }
}

#[tokio::test]
async fn one_bad_request_harms_no_other_and_has_all_its_violations() {
    let stage = Stage::set().await;
    let mut requests: Vec<_> = (0..5).map(|_| submission(request())).collect();
    requests[1].request.as_mut().expect("it has one").essence = String::new();
    requests[1].request.as_mut().expect("it has one").items.clear();
    requests[2].request_id = "x".into();
    requests[3].request = Some(recorded(proto::Channel::Paper));
    let became = batch(&mut stage.client("edms"), requests).await;
    assert_eq!(became.len(), 5);
    for place in [0, 4] {
        assert_eq!(accepted(&became[place]).state(), RequestState::Registered);
    }
    let broken = failure(&became[1]);
    assert_eq!(
        (broken.code, broken.reason.as_str()),
        (3, "ERROR_REASON_INVALID_FIELDS")
    );
    let status = tonic::Status::with_details(
        Code::from_i32(broken.code),
        broken.message.clone(),
        broken.status.clone().into(),
    );
    let details = status.get_error_details();
    let fields = details.bad_request().expect("it has fields").field_violations.iter();
    let fields: Vec<_> = fields.map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["request.essence", "request.items"]);
    assert_eq!(failure(&became[2]).reason, "ERROR_REASON_INVALID_FIELDS");
    assert_eq!(
        (failure(&became[3]).code, failure(&became[3]).reason.as_str()),
        (7, "ERROR_REASON_CHANNEL_NOT_OF_CALLER")
    );
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 2);
}

/// One that is sound, one that is not, and one by a channel of others.
fn two_refused_of_three() -> Vec<SubmitRequestRequest> {
    let mut broken = submission(request());
    broken.request.as_mut().expect("it has one").essence.clear();
    vec![
        submission(request()),
        broken,
        submission(recorded(proto::Channel::Paper)),
    ]
}

#[tokio::test]
async fn what_a_batch_refuses_is_in_the_journal_as_what_is_refused_alone() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let entries = async || {
        let sql = "SELECT method, reason, resource, caller, count FROM requests.journal_entry WHERE outcome = 'REFUSED'
                   ORDER BY number";
        let entries: Vec<(String, String, String, String, i32)> = sqlx::query_as(sql)
            .fetch_all(&mut stage.running.superuser().await)
            .await
            .expect("it is readable");
        entries
    };
    for message in two_refused_of_three().into_iter().skip(1) {
        submit(&mut edms, message).await.expect_err("it is refused");
    }
    let alone = entries().await;
    let reasons: Vec<&str> = alone.iter().map(|(_, reason, ..)| reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["ERROR_REASON_INVALID_FIELDS", "ERROR_REASON_CHANNEL_NOT_OF_CALLER"]
    );
    let became = batch(&mut edms, two_refused_of_three()).await;
    accepted(&became[0]);
    assert_eq!(entries().await, [alone.clone(), alone].concat());
}

#[tokio::test]
async fn a_batch_whose_refusals_cannot_be_stored_is_not_told() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let requests: Vec<_> = two_refused_of_three().into_iter().skip(1).collect();
    let mut database = stage.running.superuser().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE requests.journal_entry IN EXCLUSIVE MODE")
        .execute(&mut database)
        .await
        .expect("it is locked");
    let message = BatchSubmitRequestsRequest { requests };
    let untold = edms.batch_submit_requests(message.clone()).await;
    refused(untold, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    sqlx::raw_sql("COMMIT")
        .execute(&mut database)
        .await
        .expect("it is free");
    let until_told = async {
        while edms.clone().batch_submit_requests(message.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), until_told)
        .await
        .expect("it is told");
    let sql =
        "SELECT count(*) FILTER (WHERE reason = 'ERROR_REASON_INVALID_FIELDS'), count(*) FROM requests.journal_entry
               WHERE outcome = 'REFUSED'";
    let (invalid, all): (i64, i64) = sqlx::query_as(sql)
        .fetch_one(&mut database)
        .await
        .expect("it is readable");
    assert!(
        invalid > 0 && all == 2 * invalid,
        "{invalid} of {all}: each time both or neither"
    );
}

#[tokio::test]
async fn a_repetition_has_the_same_answer_by_either_method_and_no_second_effect() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let (first, second) = (submission(request()), submission(request()));
    let alone = submit_for_secret(&mut edms, first.clone())
        .await
        .expect("it is accepted");
    let became = batch(&mut edms, vec![first.clone(), second.clone(), second.clone()]).await;
    assert_eq!(accepted(&became[0]), &alone);
    assert_eq!(
        accepted(&became[1]),
        accepted(&became[2]),
        "the second is the repetition of the first"
    );
    let again = submit_for_secret(&mut edms, second.clone())
        .await
        .expect("it is a repetition");
    assert_eq!(accepted(&became[1]), &again);
    let other = SubmitRequestRequest {
        request_id: first.request_id,
        ..submission(proto::Request {
            essence: "another".into(),
            ..request()
        })
    };
    let became = batch(&mut edms, vec![other]).await;
    assert_eq!(failure(&became[0]).reason, "ERROR_REASON_REQUEST_ID_REUSED");
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 2);
    let entries = "SELECT count(*) FROM requests.journal_entry WHERE outcome = 'DONE' AND resource LIKE 'requests/%'";
    assert_eq!(stage.count(entries).await, 2);
}

#[tokio::test]
async fn a_trial_within_a_batch_changes_nothing() {
    let stage = Stage::set().await;
    let trial = SubmitRequestRequest {
        validate_only: true,
        ..submission(request())
    };
    let became = batch(&mut stage.client("edms"), vec![trial, submission(request())]).await;
    assert_eq!(accepted(&became[0]).name, "");
    assert_ne!(accepted(&became[1]).name, "");
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 1);
}

#[tokio::test]
async fn a_hundred_are_taken_in_their_order_and_one_more_is_not() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let numbered = |place: usize| {
        submission(proto::Request {
            external_number: format!("n-{place}"),
            ..request()
        })
    };
    let became = batch(&mut edms, (0..100).map(numbered).collect()).await;
    for (place, became) in became.iter().enumerate() {
        assert_eq!(accepted(became).external_number, format!("n-{place}"));
    }
    for requests in [Vec::new(), (0..101).map(numbered).collect()] {
        let reason = if requests.is_empty() { "REQUIRED" } else { "TOO_MANY" };
        let refusal = edms
            .batch_submit_requests(BatchSubmitRequestsRequest { requests })
            .await;
        assert_eq!(violations(refusal), pairs(&[("requests", reason)]));
    }
    let refusal = stage
        .client("auditor")
        .batch_submit_requests(BatchSubmitRequestsRequest::default())
        .await;
    refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
}

#[tokio::test]
async fn a_batch_larger_than_a_message_is_refused_whole_and_says_how_large_one_may_be() {
    let stage = Stage::set().await;
    let mut large = request();
    large.essence = "ш".repeat(10_000);
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let mut message = submission(large.clone());
            message.request.as_mut().expect("it has one").items = vec![
                proto::Item {
                    description: "ш".repeat(4000),
                    ..large.items[0].clone()
                };
                4
            ];
            message
        })
        .collect();
    let message = BatchSubmitRequestsRequest { requests };
    assert!(message.encoded_len() > 4 * 1024 * 1024);
    let refusal = stage.client("edms").batch_submit_requests(message).await;
    let status = refused(refusal, Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    assert!(status.message().contains("4194304"), "{}", status.message());
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 0);
}
