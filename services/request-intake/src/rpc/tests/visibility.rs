//! Who sees which requests, by every way to a request.

use legalstat_local::testing::refusals::refused;
use legalstat_proto::requests::v1::{
    self as proto, Body, BodyKind, ListRequestsRequest, LookupRequestRequest, WatchRequestsRequest,
};
use tonic::Code;

use super::{
    answer_calls::{self, answered, item, read, registered},
    bodies::{self, BIN, create, ministry, updating},
    held::INDICATOR,
    stage::{Client, Stage, get, recorded, request, submission, submit},
    watching::{self, all},
};

/// The names of the requests that a caller finds by each way: one by one, by their numbers, in lists, and in the feed.
async fn seen(stage: &Stage, caller: &str, requests: &[proto::Request]) -> [Vec<String>; 5] {
    let mut client = stage.client(caller);
    let (mut got, mut looked_up) = (Vec::new(), Vec::new());
    for request in requests {
        match get(&mut client, &request.name).await {
            Ok(request) => got.push(request.name),
            refusal => {
                refused(refusal, Code::NotFound, "RESOURCE_NOT_FOUND");
            }
        }
        let coupon = request.coupon.as_ref().expect("it has one");
        looked_up.extend(lookup(&mut client, &coupon.number).await);
    }
    let by = |order_by: &str| ListRequestsRequest {
        order_by: order_by.into(),
        ..Default::default()
    };
    let arrived = listed(&mut client, by("number")).await;
    let received = listed(&mut client, by("received_at")).await;
    let mut feed = watching::watch(stage, caller, WatchRequestsRequest::default()).await;
    let told = all(&mut feed).await.0.into_iter();
    let told = told.filter_map(|message| Some(message.request_event?.request));
    [got, looked_up, arrived, received, told.collect()]
}

pub(super) async fn lookup(client: &mut Client, number: &str) -> Vec<String> {
    let message = LookupRequestRequest {
        number: number.into(),
        ..Default::default()
    };
    let found = client
        .lookup_request(message)
        .await
        .expect("it is looked up")
        .into_inner();
    found.requests.into_iter().map(|request| request.name).collect()
}

pub(super) async fn listed(client: &mut Client, message: ListRequestsRequest) -> Vec<String> {
    let page = client.list_requests(message).await.expect("it lists").into_inner();
    page.requests.into_iter().map(|request| request.name).collect()
}

#[tokio::test]
async fn a_system_a_body_another_body_and_officials_see_their_own_by_every_way() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    create(
        &stage,
        Body {
            certificate_name: "finance".into(),
            ..bodies::body("finance", BodyKind::StateBody)
        },
    )
    .await;
    let with = |bin: &str, request: proto::Request| proto::Request {
        requester: Some(proto::Requester {
            bin: bin.into(),
            ..request.requester.clone().expect("it has one")
        }),
        ..request
    };
    let mut requests = Vec::new();
    for (caller, request) in [
        ("edms", with(BIN, request())),
        ("edms", with("", request())),
        ("operator", with(BIN, recorded(proto::Channel::Paper))),
    ] {
        let accepted = submit(&mut stage.client(caller), submission(request)).await;
        requests.push(accepted.expect("it is accepted"));
    }
    let names: Vec<String> = requests.iter().map(|request| request.name.clone()).collect();
    for (caller, expected) in [
        ("edms", vec![0, 1]),
        ("kadagalau", vec![]),
        ("justice", vec![0, 2]),
        ("finance", vec![]),
        ("stranger", vec![]),
        ("auditor", vec![0, 1, 2]),
    ] {
        let expected: Vec<&String> = expected.iter().map(|at: &usize| &names[*at]).collect();
        for (way, found) in seen(&stage, caller, &requests).await.iter().enumerate() {
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{caller}, way {way}");
        }
    }
}

#[tokio::test]
async fn a_body_reads_the_answers_to_requests_with_its_bin_and_no_others() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    create(
        &stage,
        Body {
            certificate_name: "finance".into(),
            ..bodies::body("finance", BodyKind::StateBody)
        },
    )
    .await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let mut justice = stage.client("justice");
    refused(read(&mut justice, &asked).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    let answered = answered(&stage, &asked).await;
    let told = read(&mut justice, &asked).await.expect("it was dispatched");
    assert_eq!(told.sha256, answered.sha256);
    let (file, _) = answer_calls::download(&mut justice, &asked.name, proto::AnswerFormat::Json).await;
    assert_eq!(file.answer_sha256, answered.sha256);
    let other = read(&mut stage.client("finance"), &asked).await;
    refused(other, Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_body_that_ends_or_loses_its_certificate_sees_nothing_any_more() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    let accepted = submit(&mut stage.client("edms"), submission(request())).await;
    let name = accepted.expect("it is accepted").name;
    let mut justice = stage.client("justice");
    get(&mut justice, &name).await.expect("it has its BIN");
    let without = bodies::body("justice", BodyKind::StateBody);
    let message = updating(without, &["certificate_name"], None);
    bodies::update(&stage, message).await.expect("it is taken away");
    refused(get(&mut justice, &name).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert!(listed(&mut justice, ListRequestsRequest::default()).await.is_empty());
    let again = updating(ministry("justice"), &["certificate_name"], None);
    bodies::update(&stage, again).await.expect("it is given back");
    get(&mut justice, &name).await.expect("it sees it at once");
    let ended = Body {
        valid_to: bodies::day(2026, 3, 1),
        ..ministry("justice")
    };
    bodies::update(&stage, updating(ended, &["valid_to"], None))
        .await
        .expect("it ends");
    refused(get(&mut justice, &name).await, Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_token_of_a_list_is_not_taken_once_its_caller_sees_others() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    for _ in 0..2 {
        let accepted = submit(&mut stage.client("edms"), submission(request())).await;
        accepted.expect("it is accepted");
    }
    let mut justice = stage.client("justice");
    let message = ListRequestsRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = justice
        .list_requests(message.clone())
        .await
        .expect("it lists")
        .into_inner();
    let without = updating(bodies::body("justice", BodyKind::StateBody), &["bin"], None);
    bodies::update(&stage, without).await.expect("it has none");
    let next = ListRequestsRequest {
        page_token: page.next_page_token,
        ..message
    };
    refused(
        justice.list_requests(next).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
}
