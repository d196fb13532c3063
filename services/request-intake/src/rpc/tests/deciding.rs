//! What every verb has in common, seen on two of them.

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::requests::v1::{
    self as proto, AssignRequestRequest, Channel, ListRequestsRequest, RequestState, RequestView, Verb,
    WithdrawRequestRequest,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::stage::{Client, Stage, get, recorded, request, submission, submit};

async fn registered(stage: &Stage) -> proto::Request {
    let registered = submit(&mut stage.client("edms"), submission(request())).await;
    let registered = registered.expect("it is accepted");
    assert_eq!(registered.state(), RequestState::Registered);
    registered
}

fn assignment(request: &proto::Request, assignee: &str) -> AssignRequestRequest {
    AssignRequestRequest {
        name: request.name.clone(),
        assignee: assignee.into(),
        etag: request.etag.clone(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

pub(super) fn withdrawal(request: &proto::Request) -> WithdrawRequestRequest {
    WithdrawRequestRequest {
        name: request.name.clone(),
        reason: "by letter 7 of 2 March 2026".into(),
        etag: String::new(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

async fn assign(client: &mut Client, message: AssignRequestRequest) -> Result<proto::Request, Status> {
    client.assign_request(message).await.map(tonic::Response::into_inner)
}

async fn withdraw(client: &mut Client, message: WithdrawRequestRequest) -> Result<proto::Request, Status> {
    client.withdraw_request(message).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_registered_request_that_is_assigned_is_in_preparation_with_its_number_and_due_date() {
    let stage = Stage::set().await;
    let before = registered(&stage).await;
    assert_eq!(before.etag, "0");
    assert_eq!(
        before.update_time,
        before.coupon.as_ref().expect("it has one").accepted_at
    );
    let mut operator = stage.client("operator");
    let message = assignment(&before, "operator");
    let after = assign(&mut operator, message.clone()).await.expect("it is assigned");
    assert_eq!(after.state(), RequestState::InPreparation);
    assert_eq!(after.assignee, "operator");
    assert_eq!(after.registration_number, before.registration_number);
    assert_eq!(after.due_date, before.due_date);
    assert_ne!(after.etag, before.etag);
    let again = assign(&mut operator, message).await.expect("it was answered");
    assert_eq!(again, after);

    let read = get(&mut stage.client("edms"), &before.name).await.expect("it is there");
    let [decision] = &read.decisions[..] else {
        panic!("one decision, not {:?}", read.decisions)
    };
    assert_eq!(decision.verb(), Verb::Assign);
    assert_eq!(decision.decided_by, "operator");
    assert_eq!(
        (decision.state_before(), decision.state_after()),
        (RequestState::Registered, RequestState::InPreparation)
    );
    assert!(read.examination.expect("it was examined").checks[0].text.is_some());
    let count = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.assigned'";
    assert_eq!(stage.count(count).await, 1);
    let mut auditor = stage.client("auditor");
    let listed = auditor.list_requests(ListRequestsRequest {
        view: RequestView::Full.into(),
        ..Default::default()
    });
    let listed = listed.await.expect("they are listed").into_inner().requests;
    assert_eq!(listed[0].decisions, read.decisions);
}

#[tokio::test]
async fn of_two_officials_who_decide_on_what_they_have_read_the_second_is_told_to_read_again() {
    let stage = Stage::set().await;
    let read = registered(&stage).await;
    let (mut one, mut other) = (stage.client("operator"), stage.client("approver"));
    let (mine, yours) = tokio::join!(
        assign(&mut one, assignment(&read, "operator")),
        assign(&mut other, assignment(&read, "approver"))
    );
    assert!(mine.is_ok() != yours.is_ok(), "{mine:?} {yours:?}");
    refused(mine.and(yours), Code::Aborted, "ETAG_MISMATCH");
    let decided = "SELECT count(*) FROM requests.decision";
    assert_eq!(stage.count(decided).await, 1);
}

#[tokio::test]
async fn giving_a_request_to_who_has_it_changes_nothing_and_is_told_so() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    let first = assign(&mut operator, assignment(&registered(&stage).await, "operator")).await;
    let first = first.expect("it is assigned");
    let second = assign(&mut operator, assignment(&first, "operator")).await;
    assert_eq!(second.expect("it is so already"), first);
    let repeated = "SELECT count(*) FROM requests.journal_entry WHERE outcome = 'REPEATED'";
    assert_eq!(stage.count(repeated).await, 1);
}

#[tokio::test]
async fn who_brought_a_request_withdraws_it_and_nothing_can_be_done_with_it_afterwards() {
    let stage = Stage::set().await;
    let (mut edms, mut operator) = (stage.client("edms"), stage.client("operator"));
    let mut checked = withdrawal(&registered(&stage).await);
    let name = checked.name.clone();
    checked.validate_only = true;
    let shown = withdraw(&mut edms, checked).await.expect("it could be withdrawn");
    assert_eq!(shown.state(), RequestState::Withdrawn);
    let stands = get(&mut edms, &name).await.expect("it is there");
    assert_eq!(stands.state(), RequestState::Registered);

    let withdrawn = withdraw(&mut edms, withdrawal(&stands)).await.expect("it is withdrawn");
    assert_eq!(withdrawn.state(), RequestState::Withdrawn);
    let refused = assign(&mut operator, assignment(&withdrawn, "operator")).await;
    let refused = self::refused(refused, Code::FailedPrecondition, "WRONG_STATE");
    assert_eq!(metadata(&refused, "state"), "WITHDRAWN");
    assert_eq!(metadata(&refused, "allowed"), "");
}

#[tokio::test]
async fn a_system_withdraws_no_request_that_another_brought() {
    let stage = Stage::set().await;
    let recorded = submit(&mut stage.client("operator"), submission(recorded(Channel::Paper))).await;
    let recorded = recorded.expect("it is accepted");
    let answer = withdraw(&mut stage.client("edms"), withdrawal(&recorded)).await;
    refused(answer, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_eq!(stage.count("SELECT count(*) FROM requests.decision").await, 0);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_verb_is_told_at_once() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    let answer = assign(&mut operator, AssignRequestRequest::default()).await;
    let named = [
        ("assignee", "REQUIRED"),
        ("name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(answer), pairs(&named));
    let answer = withdraw(&mut operator, WithdrawRequestRequest::default()).await;
    let named = [
        ("reason", "REQUIRED"),
        ("name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(answer), pairs(&named));
    let unknown = AssignRequestRequest {
        name: format!("requests/{}", Uuid::new_v4()),
        assignee: "operator".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let answer = assign(&mut operator, unknown).await;
    refused(answer, Code::NotFound, "RESOURCE_NOT_FOUND");
}
