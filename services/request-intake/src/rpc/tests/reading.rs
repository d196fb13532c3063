//! Who sees which requests, and in which order.

use legalstat_proto::requests::v1::{self as proto, ListRequestsRequest, RequestState};
use tonic::Code;

use super::{Client, Stage, get, recorded, refused, request, submission, submit, violations};

#[tokio::test]
async fn a_system_sees_only_what_it_brought_and_officials_see_all() {
    let stage = Stage::set().await;
    let (mut edms, mut kadagalau) = (stage.client("edms"), stage.client("kadagalau"));
    let brought = submit(&mut edms, submission(request())).await.expect("it is accepted");
    refused(
        get(&mut kadagalau, &brought.name).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let list = |caller: Client| async move {
        let mut caller = caller;
        let page = caller
            .list_requests(ListRequestsRequest::default())
            .await
            .expect("it lists")
            .into_inner();
        page.requests.len()
    };
    assert_eq!(list(edms).await, 1);
    assert_eq!(list(kadagalau).await, 0);
    assert_eq!(list(stage.client("operator")).await, 1);
    let malformed = get(&mut stage.client("operator"), "requests/1")
        .await
        .expect_err("it is no name");
    assert_eq!(malformed.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_list_is_newest_first_in_pages_and_filtered() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    let mut names = Vec::new();
    for channel in [proto::Channel::Oral, proto::Channel::Paper, proto::Channel::Email] {
        names.insert(
            0,
            submit(&mut operator, submission(recorded(channel)))
                .await
                .expect("it is accepted")
                .name,
        );
    }
    let registered = submit(&mut stage.client("edms"), submission(request()))
        .await
        .expect("it is accepted");
    names.insert(0, registered.name.clone());

    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let message = ListRequestsRequest {
            page_size: 3,
            page_token,
            ..Default::default()
        };
        let page = operator.list_requests(message).await.expect("it lists").into_inner();
        listed.extend(page.requests.into_iter().map(|request| request.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, names);

    let coupon_number = registered.coupon.expect("it has one").number;
    for filter in [
        ListRequestsRequest {
            state: RequestState::Registered.into(),
            ..Default::default()
        },
        ListRequestsRequest {
            external_number: "12-3/45".into(),
            ..Default::default()
        },
        ListRequestsRequest {
            coupon_number,
            ..Default::default()
        },
    ] {
        let found = operator
            .list_requests(filter)
            .await
            .expect("it lists")
            .into_inner()
            .requests;
        assert_eq!(
            found.iter().map(|request| &request.name).collect::<Vec<_>>(),
            [&registered.name]
        );
    }
    let wrong = ListRequestsRequest {
        state: 99,
        page_size: -1,
        ..Default::default()
    };
    assert_eq!(violations(operator.list_requests(wrong).await).len(), 2);
}
