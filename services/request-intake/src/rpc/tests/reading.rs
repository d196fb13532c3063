//! Who sees which requests, and in which order.

use futures::future::join_all;
use legalstat_local::testing::refusals::{refused, violations};
use legalstat_proto::{
    common::v1 as common,
    requests::v1::{self as proto, ListRequestsRequest, RequestState},
};
use tonic::Code;

use super::stage::{Client, Stage, get, recorded, request, submission, submit};

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

#[tokio::test]
async fn a_request_is_found_by_its_numbers_in_any_spelling_and_told_in_its_own() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    // «й» in two parts, and a dash as word processors set it.
    let given = proto::Request {
        external_number: "15–и\u{306}/М".into(),
        ..request()
    };
    let accepted = submit(&mut edms, submission(given)).await.expect("it is accepted");
    assert_eq!(accepted.external_number, "15–й/М", "it is stored in NFC");
    let coupon = accepted.coupon.clone().expect("it has one").number;
    for number in ["15–й/М", "15-Й/M", "15 и\u{306}/m"] {
        let asked = ListRequestsRequest {
            external_number: number.into(),
            ..Default::default()
        };
        let found = edms.list_requests(asked).await.expect("it lists").into_inner().requests;
        let told: Vec<_> = found.iter().map(|request| request.external_number.as_str()).collect();
        assert_eq!(told, ["15–й/М"], "{number:?}");
    }
    for number in [coupon.to_lowercase(), coupon.replace('-', " ")] {
        let asked = ListRequestsRequest {
            coupon_number: number,
            ..Default::default()
        };
        let found = edms.list_requests(asked).await.expect("it lists").into_inner().requests;
        assert_eq!(found.len(), 1);
    }
}

/// The names of the requests that are listed.
async fn listed(client: &mut Client, message: ListRequestsRequest) -> Vec<String> {
    let page = client.list_requests(message).await.expect("it lists").into_inner();
    page.requests.into_iter().map(|request| request.name).collect()
}

fn due_between(from: Option<common::Date>, to: Option<common::Date>) -> ListRequestsRequest {
    ListRequestsRequest {
        due_from: from,
        due_to: to,
        ..Default::default()
    }
}

#[tokio::test]
async fn requests_are_found_by_the_days_on_which_they_fall_due_both_included() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    submit(&mut operator, submission(recorded(proto::Channel::Oral)))
        .await
        .expect("it is accepted, and has no due date");
    let registered = submit(&mut stage.client("edms"), submission(request()))
        .await
        .expect("it is accepted");
    let due = registered.due_date.expect("it has one");
    let year = |year| Some(common::Date { year, ..due });
    let (before, on, after) = (year(due.year - 1), Some(due), year(due.year + 1));
    for (from, to, found) in [
        (on, on, true),
        (on, None, true),
        (None, on, true),
        (before, after, true),
        (after, None, false),
        (None, before, false),
    ] {
        let names = listed(&mut operator, due_between(from, to)).await;
        let expected: &[&String] = if found { &[&registered.name] } else { &[] };
        assert_eq!(names.iter().collect::<Vec<_>>(), expected, "{from:?} {to:?}");
    }
    let left = ListRequestsRequest {
        state: RequestState::LeftWithoutConsideration.into(),
        ..due_between(on, on)
    };
    assert!(listed(&mut operator, left).await.is_empty(), "filters hold together");
    assert!(
        listed(&mut stage.client("kadagalau"), due_between(on, on))
            .await
            .is_empty(),
        "a system sees only what it brought"
    );

    let reversed = operator.list_requests(due_between(after, before)).await;
    assert_eq!(violations(reversed), [("due_to".to_owned(), "RANGE".to_owned())]);
    let no_day = Some(common::Date { month: 13, ..due });
    let wrong = operator.list_requests(due_between(no_day, no_day)).await;
    assert_eq!(violations(wrong).len(), 2);
}

#[tokio::test]
async fn a_page_token_belongs_to_the_due_dates_it_was_given_for() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let mut names = Vec::new();
    for _ in 0..3 {
        let registered = submit(&mut edms, submission(request())).await.expect("it is accepted");
        names.insert(0, registered);
    }
    let due = names[0].due_date;
    let first = ListRequestsRequest {
        page_size: 2,
        ..due_between(due, None)
    };
    let page = edms.list_requests(first.clone()).await.expect("it lists").into_inner();
    let next = ListRequestsRequest {
        page_token: page.next_page_token,
        ..first
    };
    assert_eq!(listed(&mut edms, next.clone()).await, [names[2].name.clone()]);
    for other in [due_between(None, due), due_between(due, due), due_between(None, None)] {
        let other = ListRequestsRequest {
            page_token: next.page_token.clone(),
            ..other
        };
        refused(
            edms.list_requests(other).await,
            Code::InvalidArgument,
            "PAGE_TOKEN_INVALID",
        );
    }
}

#[tokio::test]
async fn more_readers_of_a_request_that_has_moved_than_connections_are_all_answered() {
    let stage = Stage::set_with(&[("LEGALSTAT_DATABASE_READING_CONNECTIONS", "2")]).await;
    let mut edms = stage.client("edms");
    let accepted = submit(&mut edms, submission(request())).await.expect("it is accepted");
    stage
        .execute(
            "INSERT INTO requests.due_date_change (resource, changed_at, change, calendar_act, old_due_date, new_due_date,
                 old_calendar_version, new_calendar_version)
             SELECT 'requests/' || id, accepted_at, 'ACT_RECORDED', 'calendarActs/order-1', due_date - 1, due_date, '6', '7'
             FROM requests.request",
        )
        .await;
    let reading = (0..4).map(|_| {
        let mut edms = edms.clone();
        let name = &accepted.name;
        async move { get(&mut edms, name).await }
    });
    for read in join_all(reading).await {
        assert_eq!(read.expect("it is there").due_date_changes.len(), 1);
    }
}

#[tokio::test]
async fn requests_asked_for_at_once_are_each_answered_with_their_own() {
    let stage = Stage::set().await;
    let (edms, kadagalau) = (stage.client("edms"), stage.client("kadagalau"));
    let mut names = Vec::new();
    for _ in 0..3 {
        let accepted = submit(&mut edms.clone(), submission(request())).await;
        names.push(accepted.expect("it is accepted").name);
    }
    let missing = "requests/0198c0de-0000-7000-8000-000000000000".to_owned();
    names.push(missing.clone());
    let reading = (0..24).map(|at| {
        let (mut edms, mut kadagalau, name) = (edms.clone(), kadagalau.clone(), names[at % names.len()].clone());
        async move {
            let (own, other) = tokio::join!(get(&mut edms, &name), get(&mut kadagalau, &name));
            (name, own, other)
        }
    });
    for (name, own, other) in join_all(reading).await {
        refused(other, Code::NotFound, "RESOURCE_NOT_FOUND");
        match own {
            Ok(request) => assert_eq!(request.name, name),
            refusal => {
                assert_eq!(name, missing);
                refused(refusal, Code::NotFound, "RESOURCE_NOT_FOUND");
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_this_release_cannot_read_keeps_none_of_those_asked_for_with_it() {
    let stage = Stage::set().await;
    let edms = stage.client("edms");
    let mut names = Vec::new();
    for _ in 0..2 {
        let accepted = submit(&mut edms.clone(), submission(request())).await;
        names.push(accepted.expect("it is accepted").name);
    }
    stage
        .execute(
            "UPDATE requests.item SET period = 'a notation of the release after' WHERE request = (SELECT id FROM requests.request
             ORDER BY number LIMIT 1)",
        )
        .await;
    let reading = (0..32).map(|at| {
        let (mut edms, name) = (edms.clone(), names[at % 2].clone());
        async move { get(&mut edms, &name).await.map(|request| request.name) }
    });
    for (at, read) in join_all(reading).await.into_iter().enumerate() {
        match at % 2 {
            0 => assert_eq!(read.expect_err("it cannot be read").code(), Code::Internal),
            _ => assert_eq!(read.expect("it can be read"), names[1]),
        }
    }
}
