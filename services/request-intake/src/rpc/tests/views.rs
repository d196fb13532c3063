//! How much of a request is told.

use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::requests::v1::{
    self as proto, GetRequestRequest, ListRequestsRequest, RequestView, SubmitRequestRequest,
};
use tonic::Status;

use super::stage::{Client, Stage, get, request, submission, submit};

/// A view that no release knows.
const UNKNOWN: i32 = 99;

async fn get_in(client: &mut Client, name: &str, view: i32) -> Result<proto::Request, Status> {
    let message = GetRequestRequest {
        name: name.into(),
        view,
        languages: Vec::new(),
    };
    client.get_request(message).await.map(tonic::Response::into_inner)
}

async fn list_in(client: &mut Client, view: i32) -> Result<Vec<proto::Request>, Status> {
    let message = ListRequestsRequest {
        view,
        ..Default::default()
    };
    let page = client.list_requests(message).await?;
    Ok(page.into_inner().requests)
}

/// A request without the texts of its checks and without its steps.
fn basic(request: &proto::Request) -> proto::Request {
    let mut basic = request.clone();
    let examination = basic.examination.as_mut().expect("it was examined");
    for check in &mut examination.checks {
        check.text = None;
    }
    basic.deadline.as_mut().expect("it has one").steps.clear();
    basic
}

async fn accepted(client: &mut Client) -> proto::Request {
    let message: SubmitRequestRequest = submission(request());
    let accepted = submit(client, message).await.expect("it is accepted");
    let checks = &accepted.examination.as_ref().expect("it was examined").checks;
    assert!(checks.iter().any(|check| check.text.is_some()));
    assert!(!accepted.deadline.as_ref().expect("it has one").steps.is_empty());
    accepted
}

#[tokio::test]
async fn one_request_is_told_in_full_unless_the_basic_view_is_asked_for() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let accepted = accepted(&mut edms).await;
    assert_eq!(get(&mut edms, &accepted.name).await.expect("it is there"), accepted);
    let full = get_in(&mut edms, &accepted.name, RequestView::Full.into()).await;
    assert_eq!(full.expect("it is there"), accepted);

    let told = get_in(&mut edms, &accepted.name, RequestView::Basic.into()).await;
    let told = told.expect("it is there");
    assert_eq!(told, basic(&accepted));
    let checks = &told.examination.as_ref().expect("it was examined").checks;
    assert_eq!(checks.len(), 14);
    assert!(
        checks
            .iter()
            .all(|check| check.outcome != 0 && check.legal_basis.is_some())
    );
    assert!(told.due_date.is_some());
    assert!(told.deadline.expect("it has one").due_time.is_some());
}

#[tokio::test]
async fn a_list_is_told_in_the_basic_view_unless_the_full_one_is_asked_for() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let accepted = accepted(&mut edms).await;
    for view in [RequestView::Unspecified, RequestView::Basic] {
        let listed = list_in(&mut edms, view.into()).await.expect("it lists");
        assert_eq!(listed, [basic(&accepted)], "{view:?}");
    }
    let listed = list_in(&mut edms, RequestView::Full.into()).await.expect("it lists");
    assert_eq!(listed, [accepted]);
}

#[tokio::test]
async fn a_view_that_is_unknown_is_refused() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let accepted = accepted(&mut edms).await;
    let expected = pairs(&[("view", "ENUM")]);
    assert_eq!(violations(get_in(&mut edms, &accepted.name, UNKNOWN).await), expected);
    assert_eq!(violations(list_in(&mut edms, UNKNOWN).await), expected);
}
