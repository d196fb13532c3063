//! Requests that an official ends: left without consideration, returned, terminated, forwarded.

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::{
    calendar::v1::TermPart,
    requests::v1::{
        self as proto, ForwardRequestRequest, LeaveWithoutConsiderationRequest, OfficialCapacity, RequestState,
        ReturnRequestRequest, TerminateRequestRequest, Verb,
    },
};
use tonic::Code;

use super::{
    stage::request,
    verbs::{Desk, clarification, day, forwarding, leaving, person, question, returning, termination},
};

fn last(request: &proto::Request) -> &proto::Decision {
    request.decisions.last().expect("something was decided")
}

#[tokio::test]
async fn an_official_leaves_a_request_without_consideration_on_a_ground_that_is_a_rule() {
    let desk = Desk::open().await;
    let request = desk.of_body().await;
    let mut operator = desk.operator();
    let other = operator.leave_without_consideration(leaving(&request, "BECAUSE")).await;
    assert_eq!(violations(other), pairs(&[("ground", "UNKNOWN")]));
    let message = leaving(&request, "OPENLY_AVAILABLE");
    let left = operator
        .leave_without_consideration(message.clone())
        .await
        .expect("it is left")
        .into_inner();
    assert_eq!(left.state(), RequestState::LeftWithoutConsideration);
    assert_eq!(left.registration_number, request.registration_number);
    let again = operator
        .leave_without_consideration(message)
        .await
        .expect("it was answered");
    assert_eq!(again.into_inner(), left);

    let read = desk.get(&request).await;
    let decision = last(&read);
    assert_eq!(decision.verb(), Verb::LeaveWithoutConsideration);
    assert_eq!(
        (decision.ground.as_str(), decision.decided_by.as_str()),
        ("OPENLY_AVAILABLE", "operator")
    );
    let basis = decision.legal_basis.as_ref().expect("it rests on law");
    assert_eq!((basis.provision.as_str(), basis.assumed), ("para 7", true));
    for left in [
        "journal_entry WHERE outcome = 'DONE' AND method LIKE '%LeaveWithoutConsideration'",
        "outbox_event WHERE kind = 'request.left_without_consideration'",
    ] {
        let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM requests.{left}")));
        let count = count
            .fetch_one(&mut desk.stage.running.superuser().await)
            .await
            .expect("it counts");
        assert_eq!(count, 1, "{left}");
    }
}

#[tokio::test]
async fn a_ground_that_an_operator_enters_counts_from_the_next_decision_on() {
    let desk = Desk::open().await;
    let request = desk.of_body().await;
    desk.stage
        .execute(
            "INSERT INTO requests.verb_rule
             SELECT verb, 'SECRET', requester_kind, capacities, counted_from, shortest_days, usual_days, longest_days, text_kk,
                 text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, grade, valid_from,
                 valid_to
             FROM requests.verb_rule WHERE verb = 'LEAVE_WITHOUT_CONSIDERATION' AND ground = 'ORAL'",
        )
        .await;
    let left = desk
        .operator()
        .leave_without_consideration(leaving(&request, "SECRET"))
        .await;
    assert_eq!(
        left.expect("it is left").into_inner().state(),
        RequestState::LeftWithoutConsideration
    );
}

#[tokio::test]
async fn a_request_is_terminated_by_the_head_or_a_deputy_and_the_law_is_that_of_the_day_of_receipt() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut approver = desk.approver();
    let by_operator = desk
        .operator()
        .terminate_request(termination(&request, "REPEATED"))
        .await;
    refused(by_operator, Code::PermissionDenied, "ROLE_MISSING");
    let mut by_apparatus = termination(&request, "REPEATED");
    by_apparatus.capacity = OfficialCapacity::HeadOfApparatus.into();
    let refusal = approver.terminate_request(by_apparatus).await;
    assert_eq!(violations(refusal), pairs(&[("capacity", "CONFLICT")]));
    let ended = approver
        .terminate_request(termination(&request, "REPEATED"))
        .await
        .expect("it is ended");
    assert_eq!(ended.into_inner().state(), RequestState::Terminated);
    let read = desk.get(&request).await;
    let decision = last(&read);
    assert_eq!(decision.capacity(), OfficialCapacity::Deputy);
    let cited = |read: &proto::Request| {
        let basis = last(read).legal_basis.clone().expect("it rests on law");
        (basis.act, basis.provision, basis.assumed)
    };
    assert_eq!(cited(&read), ("Code 350-VI".into(), "art. 88".into(), false));

    let old = proto::Request {
        received_at: Some(prost_types::Timestamp {
            seconds: 1_600_000_000,
            nanos: 0,
        }),
        ..person()
    };
    let old = desk.recorded(old).await;
    let named = approver.terminate_request(termination(&old, "ANONYMOUS")).await;
    let named = refused(named, Code::FailedPrecondition, "GROUND_CONTRADICTED");
    assert_eq!(metadata(&named, "ground"), "ANONYMOUS");
    approver
        .terminate_request(termination(&old, "REPEATED"))
        .await
        .expect("it is ended");
    assert_eq!(cited(&desk.get(&old).await).1, "art. 5");
}

#[tokio::test]
async fn a_request_is_forwarded_whole_or_by_items_and_the_requester_is_to_be_told_in_time() {
    let desk = Desk::open().await;
    let mut two = person();
    two.items.push(request().items.remove(0));
    let two = desk.recorded(two).await;
    let mut operator = desk.operator();
    let none_left = operator.forward_request(forwarding(&two, &[0, 1])).await;
    assert_eq!(violations(none_left), pairs(&[("items", "CONFLICT")]));
    let unknown = operator.forward_request(forwarding(&two, &[2])).await;
    assert_eq!(violations(unknown), pairs(&[("items", "OUT_OF_RANGE")]));
    let part = operator
        .forward_request(forwarding(&two, &[1]))
        .await
        .expect("it goes on")
        .into_inner();
    assert_eq!((part.state(), part.due_date), (RequestState::Registered, two.due_date));
    let twice = operator.forward_request(forwarding(&two, &[1])).await;
    assert_eq!(violations(twice), pairs(&[("items", "DUPLICATE")]));
    let read = desk.get(&two).await;
    assert_eq!(
        (last(&read).items.clone(), last(&read).notify_by),
        (vec![1], day(2026, 3, 5))
    );

    let mut whole = forwarding(&two, &[]);
    whole.notified_on = day(2026, 3, 3);
    let future = operator.forward_request(whole.clone()).await;
    assert_eq!(violations(future), pairs(&[("notified_on", "IN_FUTURE")]));
    whole.notified_on = day(2026, 3, 2);
    let whole = operator
        .forward_request(whole)
        .await
        .expect("it is passed on")
        .into_inner();
    assert_eq!(whole.state(), RequestState::Forwarded);
    let refused = refused(
        operator.forward_request(forwarding(&two, &[])).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(metadata(&refused, "allowed"), "");
}

#[tokio::test]
async fn what_is_forwarded_does_not_wait_for_a_calendar_that_is_away() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    desk.stage.fakes.set_away(true);
    let forwarded = desk
        .operator()
        .forward_request(forwarding(&request, &[]))
        .await
        .expect("it is passed on")
        .into_inner();
    assert_eq!(forwarded.state(), RequestState::Forwarded);
    let read = desk.get(&request).await;
    assert_eq!(
        (last(&read).ground.as_str(), last(&read).notify_by),
        ("NOT_COMPETENT", None)
    );
}

#[tokio::test]
async fn a_request_is_returned_once_the_time_for_curing_its_defects_has_passed() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    let refused_first = operator.return_request(returning(&request)).await;
    let refused_first = refused(refused_first, Code::FailedPrecondition, "WRONG_STATE");
    assert!(metadata(&refused_first, "allowed").contains("ASK_CLARIFICATION"));
    let mut asked = question(&request, &["items[0].period"]);
    asked.cure_by = day(2026, 3, 6);
    operator.ask_clarification(asked).await.expect("it is asked");
    desk.set_clock("2026-03-06T23:59:00+05:00");
    let running = refused(
        operator.return_request(returning(&request)).await,
        Code::FailedPrecondition,
        "CURE_TERM_RUNNING",
    );
    assert_eq!(metadata(&running, "cure_by"), "2026-03-06");
    let stands = desk.until(&request, |now| now.return_by.is_some()).await;
    assert_eq!((stands.return_by, stands.return_overdue), (day(2026, 3, 9), false));
    let explained = stands.return_deadline.expect("it is explained");
    assert_eq!((explained.part(), explained.steps.len()), (TermPart::Return, 1));
    desk.set_clock("2026-03-07T00:00:00+05:00");
    let returned = operator
        .return_request(returning(&request))
        .await
        .expect("it is returned")
        .into_inner();
    assert_eq!((returned.state(), returned.cure_by), (RequestState::Returned, None));
    let stands = desk.get(&request).await;
    let decision = stands.decisions.last().expect("it was decided");
    assert_eq!(
        (decision.until, decision.late, stands.return_by),
        (day(2026, 3, 9), false, None)
    );
    let explanation = decision.explanation.as_ref().expect("it is explained");
    assert_eq!(explanation.steps, explained.steps);
    let late = operator.provide_clarification(clarification(&request, None)).await;
    refused(late, Code::FailedPrecondition, "WRONG_STATE");
}

#[tokio::test]
async fn what_the_examination_asks_for_is_returned_after_the_usual_time() {
    let desk = Desk::open().await;
    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    let incomplete = desk.recorded(incomplete).await;
    assert_eq!(incomplete.state(), RequestState::AwaitingClarification);
    let mut operator = desk.operator();
    desk.set_clock("2026-03-12T10:00:00+05:00");
    let running = operator.return_request(returning(&incomplete)).await;
    refused(running, Code::FailedPrecondition, "CURE_TERM_RUNNING");
    // Three days after the last one, as the calendar of this test has it, and a day too late.
    desk.set_clock("2026-03-16T10:00:00+05:00");
    let stands = desk.until(&incomplete, |now| now.return_by.is_some()).await;
    assert_eq!((stands.return_by, stands.return_overdue), (day(2026, 3, 15), true));
    let returned = operator
        .return_request(returning(&incomplete))
        .await
        .expect("it is returned")
        .into_inner();
    assert_eq!(returned.state(), RequestState::Returned);
    let stands = desk.get(&incomplete).await;
    assert!(stands.decisions.last().expect("it was decided").late);
}

#[tokio::test]
async fn all_that_is_wrong_with_what_ends_a_request_is_told_at_once() {
    let desk = Desk::open().await;
    let (mut operator, mut approver) = (desk.operator(), desk.approver());
    let common = [("name", "RESOURCE_NAME"), ("request_id", "REQUEST_ID")];
    let with = |more: &[(&'static str, &'static str)]| pairs(&[more, &common].concat());
    let answer = operator
        .leave_without_consideration(LeaveWithoutConsiderationRequest::default())
        .await;
    assert_eq!(
        violations(answer),
        with(&[("ground", "REQUIRED"), ("reason", "REQUIRED")])
    );
    let answer = operator.return_request(ReturnRequestRequest::default()).await;
    assert_eq!(violations(answer), with(&[("reason", "REQUIRED")]));
    let answer = approver.terminate_request(TerminateRequestRequest::default()).await;
    let expected = [("ground", "REQUIRED"), ("reason", "REQUIRED"), ("capacity", "REQUIRED")];
    assert_eq!(violations(answer), with(&expected));
    let answer = operator.forward_request(ForwardRequestRequest {
        items: vec![1, 1],
        ..Default::default()
    });
    let expected = [
        ("to_body", "REQUIRED"),
        ("ground", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("items[1]", "DUPLICATE"),
    ];
    assert_eq!(violations(answer.await), with(&expected));
}

#[tokio::test]
async fn a_ground_that_the_request_contradicts_is_refused_and_another_channel_has_its_own_law() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let paper = desk.of_person().await;
    for ground in ["ORAL", "OTHER_CHANNEL", "DOCUMENT_COPIES", "PRIMARY_ACCOUNTING"] {
        let left = operator.leave_without_consideration(leaving(&paper, ground)).await;
        let left = refused(left, Code::FailedPrecondition, "GROUND_CONTRADICTED");
        assert_eq!(metadata(&left, "ground"), ground);
    }
    let mail = proto::Request {
        channel: proto::Channel::Email.into(),
        ..person()
    };
    let mail = desk.recorded(mail).await;
    assert_eq!(mail.state(), RequestState::Registered);
    operator
        .leave_without_consideration(leaving(&mail, "OTHER_CHANNEL"))
        .await
        .expect("it is left");
    let read = desk.get(&mail).await;
    let basis = last(&read).legal_basis.clone().expect("it rests on law");
    assert_eq!((basis.provision.as_str(), basis.assumed), ("paras 6 and 7", true));
}
