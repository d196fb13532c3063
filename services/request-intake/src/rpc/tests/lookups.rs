//! Looking requests up by any of their numbers.

use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::requests::v1::{self as proto, LookupRequestRequest, RequestView};

use super::{
    lists::accept,
    stage::{Stage, request},
    visibility::lookup,
};

#[tokio::test]
async fn a_request_is_looked_up_by_each_of_its_numbers_and_every_match_is_told() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let numbered = |number: &str| proto::Request {
        external_number: number.into(),
        ..request()
    };
    let first = accept(&mut edms, numbered("15–й/М")).await;
    let second = accept(&mut edms, numbered("15 Й/M")).await;
    // A sender numbers as it likes, also as this system does.
    let third = accept(&mut edms, numbered(&first.registration_number)).await;
    let coupon = first.coupon.as_ref().expect("it has one").number.clone();
    for (number, expected) in [
        (coupon.to_lowercase(), vec![&first]),
        (coupon.replace('-', " "), vec![&first]),
        (first.registration_number.clone(), vec![&third, &first]),
        (first.registration_number.replace('-', "–"), vec![&third, &first]),
        ("15-й/m".into(), vec![&second, &first]),
        ("none".into(), vec![]),
    ] {
        let expected: Vec<&String> = expected.iter().map(|request| &request.name).collect();
        let found = lookup(&mut edms, &number).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{number}");
    }
    let full = LookupRequestRequest {
        number: coupon,
        view: RequestView::Full.into(),
        ..Default::default()
    };
    let found = edms
        .lookup_request(full)
        .await
        .expect("it is looked up")
        .into_inner()
        .requests;
    assert!(!found[0].deadline.as_ref().expect("it has one").steps.is_empty());
    let nothing = edms.lookup_request(LookupRequestRequest::default()).await;
    assert_eq!(violations(nothing), pairs(&[("number", "REQUIRED")]));
}

#[tokio::test]
async fn many_requests_of_one_number_come_in_pages() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let mut names = Vec::new();
    for _ in 0..5 {
        names.insert(0, accept(&mut edms, request()).await.name);
    }
    let mut message = LookupRequestRequest {
        number: "12-3/45".into(),
        page_size: 2,
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = edms
            .lookup_request(message.clone())
            .await
            .expect("it is looked up")
            .into_inner();
        found.extend(page.requests.into_iter().map(|request| request.name));
        if page.next_page_token.is_empty() {
            break;
        }
        message.page_token = page.next_page_token;
    }
    assert_eq!(found, names);
}
