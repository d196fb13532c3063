//! What is asked of requesters, supplied and mended, one after the other.

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::requests::v1::{self as proto, CheckOutcome, CheckRule, RequestState, Verdict};
use prost_types::FieldMask;
use tonic::Code;
use uuid::Uuid;

use super::{
    curing::{correction, verdict},
    stage::outcome,
    verbs::{Desk, clarification, day, extension, person, question, review},
    watching::{message, watch},
};

#[tokio::test]
async fn what_is_clarified_goes_back_to_where_it_was_asked_about() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let assigning = |request: &proto::Request| proto::AssignRequestRequest {
        name: request.name.clone(),
        assignee: "aliya".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    // Given to somebody before it was registered, it is not in preparation.
    desk.stage.fakes.set_away(true);
    let early = desk.recorded(person()).await;
    operator
        .assign_request(assigning(&early))
        .await
        .expect("it is assigned");
    desk.stage.fakes.set_away(false);
    desk.until_state(&early, RequestState::Registered).await;
    // Given to somebody while its requester is asked, it is.
    let late = desk.of_person().await;
    for request in [&early, &late] {
        let asking = operator.ask_clarification(question(request, &["essence"])).await;
        asking.expect("it is asked");
    }
    operator.assign_request(assigning(&late)).await.expect("it is assigned");
    for (request, state) in [(&early, RequestState::Registered), (&late, RequestState::InPreparation)] {
        let back = operator.provide_clarification(clarification(request, None)).await;
        assert_eq!(back.expect("it is supplied").into_inner().state(), state);
    }
}

#[tokio::test]
async fn another_examination_tells_neither_another_due_date_nor_a_second_registration() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut approver = desk.approver();
    let assigning = proto::AssignRequestRequest {
        name: request.name.clone(),
        assignee: "aliya".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    approver.assign_request(assigning).await.expect("it is assigned");
    approver
        .extend_request(extension(&request))
        .await
        .expect("it is extended");
    // What is mended leaves it without a unit: an examination of its own would ask the requester, and give it no due date.
    let mut given = person();
    given.items[0].unit = 0;
    approver
        .correct_request(correction(&request, &["items"], given))
        .await
        .expect("it is mended");
    let mut feed = watch(&desk.stage, "operator", proto::WatchRequestsRequest::default()).await;
    let examined = loop {
        let message = message(&mut feed).await;
        if message.event.is_some_and(|event| event.kind == "request.examined") {
            break message.request_event.expect("it is of a request");
        }
    };
    assert_eq!(
        (examined.state(), examined.due_date),
        (RequestState::Unspecified, None),
        "it leaves them as they were"
    );
    assert_eq!(examined.notices().collect::<Vec<_>>(), [proto::Notice::Execution]);
    let stands = desk.get(&request).await;
    assert_eq!(
        (stands.state(), stands.due_date),
        (RequestState::InPreparation, day(2026, 6, 2))
    );
    assert_eq!(outcome(&stands, CheckRule::Unit), CheckOutcome::Failed);
}

/// One whose unit was not named, so that its requester is asked for it.
async fn without_unit(desk: &Desk) -> proto::Request {
    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    let incomplete = desk.recorded(incomplete).await;
    assert_eq!(incomplete.state(), RequestState::AwaitingClarification);
    incomplete
}

#[tokio::test]
async fn a_defect_that_a_slip_of_the_pen_made_is_gone_with_it() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let incomplete = without_unit(&desk).await;
    let mended = operator
        .correct_request(correction(&incomplete, &["items"], person()))
        .await
        .expect("it is mended")
        .into_inner();
    assert_eq!(
        (mended.state(), mended.clarifications.len()),
        (RequestState::Received, 0)
    );
    let registered = desk.until_state(&incomplete, RequestState::Registered).await;
    assert_eq!(outcome(&registered, CheckRule::Unit), CheckOutcome::Passed);

    // What is mended and still lacks it is asked for it again.
    let still = without_unit(&desk).await;
    let mut given = person();
    given.requester.as_mut().expect("it has one").full_name = "Akhmetov Danial".into();
    operator
        .correct_request(correction(&still, &["requester.full_name"], given))
        .await
        .expect("it is mended");
    let asked = desk.until_state(&still, RequestState::AwaitingClarification).await;
    assert_eq!(asked.clarifications.len(), 1);

    // While an official waits for an answer it is not taken up.
    let asking = operator.ask_clarification(question(&still, &["essence"])).await;
    asking.expect("it is asked");
    let mended = operator
        .correct_request(correction(&still, &["items"], person()))
        .await
        .expect("it is mended")
        .into_inner();
    assert_eq!(
        (mended.state(), mended.clarifications.len()),
        (RequestState::AwaitingClarification, 2)
    );
}

#[tokio::test]
async fn what_the_system_asked_a_requester_for_is_confirmed_or_reversed_by_an_official() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let asked = without_unit(&desk).await;
    for (found, state, open) in [
        (Verdict::Broken, RequestState::AwaitingClarification, 1),
        (Verdict::Kept, RequestState::Received, 0),
    ] {
        let reviewing = review(&asked, vec![verdict(CheckRule::Unit, "items[0].unit", found)]);
        let reviewed = operator.review_decision(reviewing).await;
        let reviewed = reviewed.expect("it is reviewed").into_inner();
        assert_eq!((reviewed.state(), reviewed.clarifications.len()), (state, open));
    }
    desk.until_state(&asked, RequestState::Registered).await;
}

#[tokio::test]
async fn a_second_spelling_of_a_field_is_no_second_question() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    let fields = ["Items[0].period", "period", "items[1].period"];
    let spelled = operator.ask_clarification(question(&request, &fields)).await;
    let expected = [
        ("defects[0].field", "UNKNOWN"),
        ("defects[1].field", "UNKNOWN"),
        ("defects[2].field", "UNKNOWN"),
    ];
    assert_eq!(violations(spelled), pairs(&expected));
}

#[tokio::test]
async fn another_question_never_puts_off_the_time_for_curing() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let request = desk.of_person().await;
    let examined = without_unit(&desk).await;
    for (request, first) in [(&request, "essence"), (&examined, "items[0].unit")] {
        operator
            .ask_clarification(question(request, &[first]))
            .await
            .expect("it is asked");
        desk.set_clock("2026-03-06T10:00:00+05:00");
        let mut later = question(request, &["addressee"]);
        later.cure_by = day(2026, 4, 1);
        assert_eq!(
            violations(operator.ask_clarification(later).await),
            pairs(&[("cure_by", "CONFLICT")])
        );
        let more = operator.ask_clarification(question(request, &["addressee"])).await;
        let more = more.expect("it is asked in the same time").into_inner();
        assert_eq!(more.cure_by, day(2026, 3, 12));
        desk.set_clock("2026-03-13T10:00:00+05:00");
        let late = operator.ask_clarification(question(request, &["language"])).await;
        let late = refused(late, Code::FailedPrecondition, "CURE_TERM_PASSED");
        assert_eq!(metadata(&late, "cure_by"), "2026-03-12");
        desk.set_clock("2026-03-02T10:00:00+05:00");
    }
}

#[tokio::test]
async fn a_clarification_changes_nothing_but_what_was_asked_about() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let request = desk.of_body().await;
    operator
        .ask_clarification(question(&request, &["items[0].period"]))
        .await
        .expect("it is asked");
    let mut edms = desk.stage.client("edms");
    let mut items = request.items.clone();
    items[0].until_period = "2025-Q2".into();
    items[0].description = "something else".into();
    let mut supplied = clarification(&request, Some(items.clone()));
    supplied.update_mask = Some(FieldMask {
        paths: ["items", "requester.bin", "essence"].map(str::to_owned).into(),
    });
    let given = supplied.request.as_mut().expect("it is given");
    given.essence = "another essence".into();
    given.requester = Some(proto::Requester {
        bin: "010140000004".into(),
        ..Default::default()
    });
    let refusal = edms.provide_clarification(supplied).await;
    let expected = [
        ("request.requester.bin", "CONFLICT"),
        ("request.essence", "CONFLICT"),
        ("request.items[0].description", "CONFLICT"),
    ];
    assert_eq!(violations(refusal), pairs(&expected));
    items[0].description.clone_from(&request.items[0].description);
    let supplied = edms.provide_clarification(clarification(&request, Some(items))).await;
    let supplied = supplied.expect("it is supplied").into_inner();
    assert_eq!(supplied.items[0].until_period, "2025-Q2");

    // So of what an examination asked for.
    let asked = without_unit(&desk).await;
    let mut items = person().items;
    items[0].period = "2024-Q1".into();
    let refusal = operator.provide_clarification(clarification(&asked, Some(items))).await;
    assert_eq!(violations(refusal), pairs(&[("request.items[0].period", "CONFLICT")]));
}
