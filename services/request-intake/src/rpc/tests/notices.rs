//! That requesters were told of forwardings and extensions.

use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::requests::v1::{self as proto, NoticeMeans, RecordNoticeRequest, RequestState};
use tonic::Code;
use uuid::Uuid;

use super::verbs::{Desk, day, forwarding};

fn notice(request: &proto::Request, decision: i32) -> RecordNoticeRequest {
    RecordNoticeRequest {
        name: request.name.clone(),
        decision,
        notified_on: day(2026, 3, 3),
        means: NoticeMeans::Telephone.into(),
        etag: String::new(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

#[tokio::test]
async fn that_the_requester_was_told_is_recorded_afterwards_with_means_and_name_and_once() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    operator
        .forward_request(forwarding(&request, &[]))
        .await
        .expect("it is passed on");
    let early = operator.record_notice(notice(&request, 0)).await;
    assert_eq!(violations(early), pairs(&[("notified_on", "IN_FUTURE")]));
    desk.set_clock("2026-03-10T10:00:00+05:00");
    let before = desk.get(&request).await;
    assert_eq!(
        (before.state(), &before.decisions[0].notice),
        (RequestState::Forwarded, &None)
    );
    let message = RecordNoticeRequest {
        etag: before.etag.clone(),
        ..notice(&request, 0)
    };
    let told = operator
        .record_notice(message.clone())
        .await
        .expect("it is recorded")
        .into_inner();
    assert_ne!(told.etag, before.etag);
    let again = operator
        .record_notice(message)
        .await
        .expect("it is a repetition")
        .into_inner();
    assert_eq!(again, told);
    let stands = desk.get(&request).await;
    assert_eq!((stands.state(), stands.etag), (RequestState::Forwarded, told.etag));
    let decision = &stands.decisions[0];
    assert_eq!((stands.decisions.len(), decision.notified_on), (1, day(2026, 3, 3)));
    let recorded = decision.notice.as_ref().expect("it is told");
    assert_eq!(
        (
            recorded.means(),
            recorded.recorded_by.as_str(),
            recorded.notified_on,
            recorded.late
        ),
        (NoticeMeans::Telephone, "operator", day(2026, 3, 3), false)
    );
    let twice = operator.record_notice(notice(&request, 0)).await;
    assert_eq!(violations(twice), pairs(&[("decision", "DUPLICATE")]));
    let events = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.notice_recorded'";
    assert_eq!(desk.stage.count(events).await, 1);
}

#[tokio::test]
async fn a_notice_after_its_last_day_is_told_as_late() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    operator
        .forward_request(forwarding(&request, &[]))
        .await
        .expect("it is passed on");
    desk.set_clock("2026-03-10T10:00:00+05:00");
    let late = RecordNoticeRequest {
        notified_on: day(2026, 3, 9),
        ..notice(&request, 0)
    };
    operator.record_notice(late).await.expect("it is recorded");
    let decision = &desk.get(&request).await.decisions[0];
    assert_eq!(decision.notify_by, day(2026, 3, 5));
    assert!(decision.notice.as_ref().is_some_and(|notice| notice.late));
}

#[tokio::test]
async fn a_notice_of_anything_else_or_of_another_day_is_refused_with_everything_wrong() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    desk.set_clock("2026-03-10T10:00:00+05:00");
    let nothing = operator.record_notice(RecordNoticeRequest::default()).await;
    let named = [
        ("notified_on", "REQUIRED"),
        ("means", "REQUIRED"),
        ("name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(nothing), pairs(&named));
    for place in [0, -1, 7] {
        let missing = operator.record_notice(notice(&request, place)).await;
        assert_eq!(violations(missing), pairs(&[("decision", "OUT_OF_RANGE")]), "{place}");
    }
    super::lists::assign(&mut operator, &request, "aliya").await;
    let assigned = operator.record_notice(notice(&request, 0)).await;
    assert_eq!(violations(assigned), pairs(&[("decision", "CONFLICT")]));
    operator
        .forward_request(forwarding(&request, &[]))
        .await
        .expect("it is passed on");
    let before = operator.record_notice(notice(&request, 1)).await;
    assert_eq!(violations(before), pairs(&[("notified_on", "RANGE")]));
    let stale = RecordNoticeRequest {
        etag: request.etag.clone(),
        ..notice(&request, 1)
    };
    refused(operator.record_notice(stale).await, Code::Aborted, "ETAG_MISMATCH");
    let denied = desk.stage.client("edms").record_notice(notice(&request, 1)).await;
    assert_eq!(denied.expect_err("officials only").code(), Code::PermissionDenied);
}
