//! Requests that are asked about, mended and reviewed.

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    requests::v1::{
        self as proto, Channel, CheckOutcome, CheckReview, CheckRule, CorrectRequestRequest, RequestState, Unit,
        Verdict,
    },
};
use prost_types::FieldMask;
use tonic::Code;
use uuid::Uuid;

use super::{
    stage::{outcome, recorded},
    verbs::{Desk, clarification, day, leaving, person, question, review},
};

pub(super) fn correction(request: &proto::Request, paths: &[&str], given: proto::Request) -> CorrectRequestRequest {
    CorrectRequestRequest {
        name: request.name.clone(),
        request: Some(given),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        reason: "the clerk mistyped it".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

pub(super) fn verdict(rule: CheckRule, field: &str, verdict: Verdict) -> CheckReview {
    CheckReview {
        rule: rule.into(),
        field: field.into(),
        verdict: verdict.into(),
    }
}

#[tokio::test]
async fn what_the_examination_asked_for_is_supplied_and_the_request_is_registered() {
    let desk = Desk::open().await;
    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    let incomplete = desk.recorded(incomplete).await;
    assert_eq!(
        (incomplete.state(), incomplete.clarifications.len()),
        (RequestState::AwaitingClarification, 1)
    );
    let mut operator = desk.operator();
    let answered = operator
        .provide_clarification(clarification(&incomplete, Some(person().items)))
        .await;
    let answered = answered.expect("it is supplied").into_inner();
    assert_eq!(
        (answered.state(), answered.clarifications.len()),
        (RequestState::Received, 0)
    );
    let registered = desk.until_state(&incomplete, RequestState::Registered).await;
    assert_eq!(registered.due_date, day(2026, 4, 2));
    assert_eq!(outcome(&registered, CheckRule::Unit), CheckOutcome::Passed);
    assert_eq!(registered.items[0].unit(), Unit::Crime);
    let [changed] = &registered.decisions[0].changed_fields[..] else {
        panic!("one field, not {:?}", registered.decisions)
    };
    assert_eq!(
        (changed.field.as_str(), changed.before.as_str(), changed.after.as_str()),
        ("items[0].unit", "", "CRIME")
    );
    let rounds = "SELECT count(*) FROM requests.earlier_examination";
    assert_eq!(desk.stage.count(rounds).await, 1);
}

#[tokio::test]
async fn who_supplies_too_little_is_asked_again_and_the_rounds_stay_apart() {
    let desk = Desk::open().await;
    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    incomplete.items[0].period.clear();
    incomplete.items[0].until_period.clear();
    let incomplete = desk.recorded(incomplete).await;
    assert_eq!(incomplete.clarifications.len(), 2);
    let mut half = incomplete.items.clone();
    half[0].unit = Unit::Person.into();
    let mut operator = desk.operator();
    operator
        .provide_clarification(clarification(&incomplete, Some(half)))
        .await
        .expect("it is supplied");
    let asked = desk.until_state(&incomplete, RequestState::AwaitingClarification).await;
    assert_eq!(asked.clarifications.len(), 1);
    // The same again, in words alone: nothing is found that was not found before.
    operator
        .provide_clarification(clarification(&incomplete, None))
        .await
        .expect("it is supplied");
    let asked = desk.until_state(&incomplete, RequestState::AwaitingClarification).await;
    assert_eq!(asked.clarifications.len(), 1);
    assert_eq!(outcome(&asked, CheckRule::Period), CheckOutcome::Failed);
}

#[tokio::test]
async fn an_official_asks_once_about_a_field_and_the_term_runs_on() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut operator = desk.operator();
    let mut late = question(&request, &["essence"]);
    late.cure_by = day(2026, 4, 2);
    assert_eq!(
        violations(operator.ask_clarification(late).await),
        pairs(&[("cure_by", "OUT_OF_RANGE")])
    );
    let mut foreign = question(&request, &["essence"]);
    let text = foreign.defects[0].text.as_mut().expect("it has one");
    std::mem::swap(&mut text.kk, &mut text.ru);
    let refusal = violations(operator.ask_clarification(foreign).await);
    assert_eq!(refusal, pairs(&[("defects[0].text.ru", "REQUIRED")]));

    let asked = operator
        .ask_clarification(question(&request, &["essence"]))
        .await
        .expect("it is asked")
        .into_inner();
    assert_eq!(asked.state(), RequestState::AwaitingClarification);
    assert_eq!((asked.cure_by, asked.due_date), (day(2026, 3, 12), request.due_date));
    assert_eq!(asked.clarifications[0].ru, "Уточните essence");
    let more = operator
        .ask_clarification(question(&request, &["items[0].period"]))
        .await;
    assert_eq!(more.expect("it is asked").into_inner().clarifications.len(), 2);
    let again = operator.ask_clarification(question(&request, &["essence"])).await;
    let again = refused(again, Code::FailedPrecondition, "CLARIFICATION_REPEATED");
    assert_eq!(metadata(&again, "field"), "essence");

    let back = operator
        .provide_clarification(clarification(&request, None))
        .await
        .expect("it is supplied");
    let back = back.into_inner();
    assert_eq!((back.state(), back.cure_by), (RequestState::Registered, None));
    assert_eq!(back.registration_number, request.registration_number);
    let settled = desk.until(&request, |now| {
        now.update_time != back.update_time || now.etag != back.etag
    });
    let settled = settled.await;
    assert_eq!(settled.state(), RequestState::Registered);
    assert_eq!(settled.registration_number, request.registration_number);
    let asked = operator.ask_clarification(question(&request, &["essence"])).await;
    refused(asked, Code::FailedPrecondition, "CLARIFICATION_REPEATED");
    let registrations = "SELECT max(last)::bigint FROM requests.registration_counter";
    assert_eq!(desk.stage.count(registrations).await, 1);
}

#[tokio::test]
async fn a_slip_of_the_pen_is_mended_and_what_was_there_before_is_kept() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut given = person();
    given.requester.as_mut().expect("it has one").full_name = "Akhmetov Danial".into();
    let mut operator = desk.operator();
    let kind = operator
        .correct_request(correction(
            &request,
            &["channel", "requester.kind", "name"],
            given.clone(),
        ))
        .await;
    let expected = [
        ("update_mask.paths[0]", "CONFLICT"),
        ("update_mask.paths[1]", "CONFLICT"),
        ("update_mask.paths[2]", "UNKNOWN"),
    ];
    assert_eq!(violations(kind), pairs(&expected));
    let mut wrong = given.clone();
    wrong.requester.as_mut().expect("it has one").iin = "911003342907".into();
    let wrong = operator
        .correct_request(correction(&request, &["requester.iin"], wrong))
        .await;
    assert_eq!(violations(wrong), pairs(&[("request.requester.iin", "IIN")]));
    let mended = operator
        .correct_request(correction(&request, &["requester.full_name"], given.clone()))
        .await;
    let mended = mended.expect("it is mended").into_inner();
    assert_eq!(
        mended.requester.as_ref().expect("it has one").full_name,
        "Akhmetov Danial"
    );
    assert_eq!(mended.state(), RequestState::Registered);
    let same = operator
        .correct_request(correction(&request, &["requester.full_name"], given))
        .await;
    same.expect("it is so already");
    let read = desk.get(&request).await;
    let [decision] = &read.decisions[..] else {
        panic!("one decision, not {:?}", read.decisions)
    };
    let changed = &decision.changed_fields[0];
    assert_eq!(
        (changed.before.as_str(), changed.after.as_str()),
        ("Akhmetov Daniyar", "Akhmetov Danial")
    );
    let none = operator.correct_request(CorrectRequestRequest::default()).await;
    let expected = [
        ("update_mask", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(none), pairs(&expected));
}

#[tokio::test]
async fn what_the_system_left_without_consideration_is_registered_when_an_official_finds_every_ground_kept() {
    let desk = Desk::open().await;
    let mut messenger = recorded(Channel::Messenger);
    messenger.signatory = None;
    messenger.items[0].kind = proto::ItemKind::AccountingDocumentCopy.into();
    let left = desk.recorded(messenger).await;
    assert_eq!(left.state(), RequestState::LeftWithoutConsideration);
    let mut operator = desk.operator();
    let passed = review(
        &left,
        vec![
            verdict(CheckRule::Written, "", Verdict::Kept),
            verdict(CheckRule::Unit, "items[9]", Verdict::Kept),
        ],
    );
    let expected = [("reviews[0]", "CONFLICT"), ("reviews[1]", "UNKNOWN")];
    assert_eq!(violations(operator.review_decision(passed).await), pairs(&expected));

    let one = review(&left, vec![verdict(CheckRule::Channel, "channel", Verdict::Kept)]);
    let one = operator
        .review_decision(one)
        .await
        .expect("it is reviewed")
        .into_inner();
    assert_eq!(one.state(), RequestState::LeftWithoutConsideration);
    let field = "items[0].kind";
    let both = review(&left, vec![verdict(CheckRule::NoDocumentCopies, field, Verdict::Kept)]);
    let both = operator
        .review_decision(both)
        .await
        .expect("it is reviewed")
        .into_inner();
    assert_eq!(both.state(), RequestState::Received);
    let registered = desk.until_state(&left, RequestState::Registered).await;
    assert_eq!(registered.due_date, day(2026, 4, 2));
    assert!(!registered.registration_number.is_empty());
    let told: Vec<_> = registered
        .decisions
        .iter()
        .flat_map(|decision| &decision.checks)
        .collect();
    assert!(told.len() == 2 && told.iter().all(|decided| decided.kept), "{told:?}");
}

#[tokio::test]
async fn what_is_confirmed_and_what_an_official_decided_stay() {
    let desk = Desk::open().await;
    let mut oral = recorded(Channel::Oral);
    oral.signatory = None;
    let left = desk.recorded(oral).await;
    let mut operator = desk.operator();
    let confirmed = review(&left, vec![verdict(CheckRule::Written, "channel", Verdict::Broken)]);
    let confirmed = operator
        .review_decision(confirmed)
        .await
        .expect("it is reviewed")
        .into_inner();
    assert_eq!(confirmed.state(), RequestState::LeftWithoutConsideration);

    let body = desk.of_body().await;
    operator
        .leave_without_consideration(leaving(&body, "RESTRICTED"))
        .await
        .expect("it is left");
    let reviewed = review(&body, vec![verdict(CheckRule::DueDate, "", Verdict::Kept)]);
    refused(
        operator.review_decision(reviewed).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
}

#[tokio::test]
async fn a_verdict_on_what_was_proposed_is_recorded_and_the_request_stays_registered() {
    let desk = Desk::open().await;
    let mut proposed = person();
    proposed.signatory.as_mut().expect("it has one").capacity = proto::SignatoryCapacity::Head.into();
    assert_eq!(
        proposed.requester.as_ref().expect("it has one").kind(),
        RequesterKind::Individual
    );
    let proposed = desk.recorded(proposed).await;
    assert_eq!(outcome(&proposed, CheckRule::Signatory), CheckOutcome::Proposed);
    let field = "signatory.capacity";
    let twice = review(
        &proposed,
        vec![
            verdict(CheckRule::Signatory, field, Verdict::Kept),
            verdict(CheckRule::Signatory, field, Verdict::Broken),
        ],
    );
    let mut approver = desk.approver();
    let refusal = violations(approver.review_decision(twice).await);
    assert_eq!(refusal, pairs(&[("reviews[1].field", "DUPLICATE")]));
    let kept = review(&proposed, vec![verdict(CheckRule::Signatory, field, Verdict::Kept)]);
    let kept = approver
        .review_decision(kept)
        .await
        .expect("it is reviewed")
        .into_inner();
    assert_eq!(kept.state(), RequestState::Registered);
    let read = desk.get(&proposed).await;
    let decision = read.decisions.last().expect("it was reviewed");
    assert_eq!(
        decision.checks[0].check.as_ref().expect("it is of one").rule(),
        CheckRule::Signatory
    );
    assert!(decision.checks[0].kept && decision.legal_basis.as_ref().is_some_and(|basis| basis.assumed));
}

#[tokio::test]
async fn a_request_without_a_due_date_is_examined_again_when_an_official_has_looked() {
    let desk = Desk::open().await;
    *desk.stage.fakes.answers.refusal.lock().expect("no test panics here") = Some(Code::OutOfRange);
    let undetermined = desk.recorded(person()).await;
    assert_eq!(undetermined.state(), RequestState::Received);
    assert_eq!(outcome(&undetermined, CheckRule::DueDate), CheckOutcome::Undetermined);
    *desk.stage.fakes.answers.refusal.lock().expect("no test panics here") = None;
    let looked = review(&undetermined, vec![verdict(CheckRule::DueDate, "", Verdict::Kept)]);
    desk.operator().review_decision(looked).await.expect("it is reviewed");
    let registered = desk.until_state(&undetermined, RequestState::Registered).await;
    assert_eq!(registered.due_date, day(2026, 4, 2));
}

#[tokio::test]
async fn a_due_date_that_the_calendar_does_not_compute_is_entered_with_its_law_and_stays() {
    let desk = Desk::open().await;
    let registered = desk.of_person().await;
    *desk.stage.fakes.answers.refusal.lock().expect("no test panics here") = Some(Code::OutOfRange);
    let undetermined = desk.recorded(person()).await;
    let kept = || vec![verdict(CheckRule::DueDate, "", Verdict::Kept)];
    let basis = legalstat_proto::common::v1::LegalBasis {
        act: "Code 350-VI".into(),
        provision: "art. 76".into(),
        ..Default::default()
    };
    let entered = |request: &proto::Request, reviews, due_date| proto::ReviewDecisionRequest {
        due_date,
        due_date_basis: Some(basis.clone()),
        ..review(request, reviews)
    };
    let mut operator = desk.operator();
    let without_law = proto::ReviewDecisionRequest {
        due_date_basis: None,
        ..entered(&undetermined, kept(), day(2026, 3, 2))
    };
    let named = [("due_date", "OUT_OF_RANGE"), ("due_date_basis.act", "REQUIRED")];
    assert_eq!(violations(operator.review_decision(without_law).await), pairs(&named));
    let without_day = entered(&undetermined, kept(), None);
    let refusal = violations(operator.review_decision(without_day).await);
    assert_eq!(refusal, pairs(&[("due_date_basis", "CONFLICT")]));
    let broken = vec![verdict(CheckRule::DueDate, "", Verdict::Broken)];
    let refusal = operator
        .review_decision(entered(&undetermined, broken, day(2026, 5, 15)))
        .await;
    assert_eq!(violations(refusal), pairs(&[("due_date", "CONFLICT")]));

    let message = entered(&undetermined, kept(), day(2026, 5, 15));
    let reviewed = operator
        .review_decision(message)
        .await
        .expect("it is entered")
        .into_inner();
    assert_eq!(
        (reviewed.state(), reviewed.due_date),
        (RequestState::Registered, day(2026, 5, 15))
    );
    let stands = desk.get(&undetermined).await;
    assert_eq!(
        (stands.registration_number.as_str(), stands.registered_on),
        ("2026-000002", day(2026, 3, 2))
    );
    let steps = stands.deadline.expect("it is explained").steps;
    assert_eq!(steps.len(), 2);
    assert!(steps.iter().all(|step| step.legal_basis.as_ref() == Some(&basis)));
    let decision = stands.decisions.last().expect("it was decided");
    assert_eq!(
        (decision.until, decision.state_after()),
        (day(2026, 5, 15), RequestState::Registered)
    );
    // Neither that it was registered before nor the calendar lets it be entered again.
    for request in [&undetermined, &registered] {
        let again = operator
            .review_decision(entered(request, kept(), day(2026, 6, 15)))
            .await;
        assert!(again.is_err());
    }
    assert_eq!(desk.get(&undetermined).await.due_date, day(2026, 5, 15));
}
