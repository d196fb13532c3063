//! SubmitRequest.

use std::{sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;
use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::{
    common::v1 as common,
    forms::v1::Availability,
    requests::v1::{self as proto, CheckOutcome, CheckRule, RequestState, SubmitRequestRequest},
};
use tonic::Code;
use uuid::Uuid;

use super::{
    stage::{Stage, as_answered, get, outcome, recorded, request, submission, submit},
    verbs::Desk,
};

#[tokio::test]
async fn a_request_through_the_unified_edms_is_registered_and_read_back_as_answered() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let sent_at = Some(prost_types::Timestamp {
        seconds: 1_772_420_000,
        nanos: 250_000_000,
    });
    let sent = proto::Request { sent_at, ..request() };
    let accepted = submit(&mut edms, submission(sent)).await.expect("it is accepted");

    assert_eq!(
        (accepted.state(), accepted.sent_at),
        (RequestState::Registered, sent_at)
    );
    assert_eq!(accepted.registration_number, "2026-000001");
    assert_eq!(
        accepted.registered_on,
        Some(common::Date {
            year: 2026,
            month: 3,
            day: 2
        })
    );
    assert_eq!(
        accepted.due_date,
        Some(common::Date {
            year: 2026,
            month: 4,
            day: 2
        })
    );
    assert_eq!(accepted.deadline.as_ref().map(|deadline| deadline.steps.len()), Some(1));
    let coupon = accepted.coupon.as_ref().expect("it has a coupon");
    assert!(coupon.number.starts_with("20260302-") && coupon.accepted_by == "edms");
    assert_eq!(
        accepted
            .examination
            .as_ref()
            .map(|examination| examination.checks.len()),
        Some(14)
    );

    assert_eq!(get(&mut edms, &accepted.name).await.expect("it is there"), accepted);
    assert_eq!(
        get(&mut stage.client("auditor"), &accepted.name)
            .await
            .expect("officials see all"),
        accepted
    );
}

#[tokio::test]
async fn the_same_call_again_has_the_same_answer_and_no_second_effect() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let message = submission(request());
    let first = submit(&mut edms, message.clone()).await.expect("it is accepted");
    let asked = stage.fakes.answers.asked.load(Ordering::SeqCst);
    stage
        .execute("UPDATE requests.caller_channel SET valid_to = '2026-01-01'")
        .await;
    assert_eq!(submit(&mut edms, message.clone()).await.expect("it is replayed"), first);
    assert_eq!(stage.fakes.answers.asked.load(Ordering::SeqCst), asked);
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 1);
    let done = "SELECT count(*) FROM requests.journal_entry WHERE outcome = 'DONE' AND resource LIKE 'requests/%'";
    assert_eq!(stage.count(done).await, 1);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM requests.outbox_event WHERE resource LIKE 'requests/%'")
            .await,
        1
    );

    let mut capitals = message.clone();
    capitals.request_id = capitals.request_id.to_uppercase();
    assert_eq!(submit(&mut edms, capitals).await.expect("it is replayed"), first);
    let mut other = message;
    other.request.as_mut().expect("it has one").essence = "something else".into();
    refused(
        submit(&mut edms, other).await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
}

#[tokio::test]
async fn formal_grounds_leave_without_consideration_and_ask_no_other_service() {
    let stage = Stage::set().await;
    stage.fakes.set_away(true);
    let mut operator = stage.client("operator");
    for channel in [proto::Channel::Oral, proto::Channel::Messenger, proto::Channel::Paper] {
        let left = submit(&mut operator, submission(recorded(channel)))
            .await
            .expect("it is accepted");
        assert_eq!(left.state(), RequestState::LeftWithoutConsideration, "{channel:?}");
        assert!(left.coupon.is_some() && left.registration_number.is_empty() && left.due_date.is_none());
        let checks = left.examination.as_ref().expect("it was examined").checks.iter();
        let failed = checks.filter(|check| check.outcome() == CheckOutcome::Failed);
        let cited: Vec<_> = failed
            .filter_map(|check| check.legal_basis.as_ref())
            .map(|basis| &basis.provision)
            .collect();
        assert_eq!(cited, ["para 7"]);
        assert_eq!(get(&mut operator, &left.name).await.expect("it is there"), left);
    }
    assert_eq!(stage.fakes.answers.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_request_without_its_period_asks_for_clarification_and_cites_paragraph_8() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let mut incomplete = request();
    (incomplete.items[0].period, incomplete.items[0].until_period) = (String::new(), String::new());
    let awaiting = submit(&mut edms, submission(incomplete)).await.expect("it is accepted");
    assert_eq!(awaiting.state(), RequestState::AwaitingClarification);
    assert_eq!(awaiting.clarifications.len(), 1);
    assert!(awaiting.clarifications[0].en.contains("para 8"));
    let read = get(&mut edms, &awaiting.name).await.expect("it is there");
    assert_eq!(as_answered(read), awaiting);
}

#[tokio::test]
async fn what_arrives_while_a_service_is_away_is_kept_and_examined_when_it_is_back() {
    let stage = Stage::set().await;
    stage.fakes.set_away(true);
    let mut edms = stage.client("edms");
    let received = submit(&mut edms, submission(request())).await.expect("it is accepted");
    assert_eq!(received.state(), RequestState::Received);
    assert!(received.coupon.is_some() && received.registration_number.is_empty() && received.due_date.is_none());
    assert_eq!(outcome(&received, CheckRule::DueDate), CheckOutcome::Pending);
    assert_eq!(outcome(&received, CheckRule::WithinIndicators), CheckOutcome::Pending);

    stage.fakes.set_away(false);
    let examined = loop {
        let request = get(&mut edms, &received.name).await.expect("it is there");
        if request.state() != RequestState::Received {
            break request;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(examined.state(), RequestState::Registered);
    assert_eq!(
        (examined.coupon, examined.registration_number.as_str()),
        (received.coupon, "2026-000001")
    );
    assert_eq!(
        stage
            .count("SELECT count(*) FROM requests.journal_entry WHERE method = 'jobs/examination'")
            .await,
        1
    );
    assert_eq!(
        stage
            .count("SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.examined'")
            .await,
        1
    );
    assert_eq!(
        stage.count("SELECT count(*) FROM requests.earlier_examination").await,
        1
    );
}

#[tokio::test]
async fn a_request_whose_examination_fails_as_often_as_it_is_tried_keeps_none_of_the_others_waiting() {
    let desk = Desk::open().await;
    let stage = &desk.stage;
    let received = async |essence: &str| {
        stage.fakes.set_away(true);
        let message = submission(proto::Request {
            essence: essence.into(),
            ..request()
        });
        let received = submit(&mut stage.client("edms"), message).await;
        received.expect("it is accepted")
    };
    for statement in [
        "CREATE FUNCTION requests.refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'poison'; END $$",
        "CREATE TRIGGER poison BEFORE UPDATE ON requests.request FOR EACH ROW WHEN (NEW.essence = 'poison')
         EXECUTE FUNCTION requests.refuse_poison()",
    ] {
        stage.execute(statement).await;
    }
    let poison = received("poison").await;
    for _ in 0..2 {
        let others = [received("crimes").await, received("crimes").await];
        stage.fakes.set_away(false);
        for other in &others {
            desk.until_state(other, RequestState::Registered).await;
        }
    }
    assert_eq!(desk.get(&poison).await.state(), RequestState::Received);
    stage.execute("DROP TRIGGER poison ON requests.request").await;
    desk.until_state(&poison, RequestState::Registered).await;
}

#[tokio::test]
async fn a_due_date_that_the_calendar_refuses_leaves_the_request_to_an_official() {
    let stage = Stage::set().await;
    *stage.fakes.answers.refusal.lock().expect("no test panics here") = Some(Code::OutOfRange);
    *stage.fakes.answers.availability.lock().expect("no test panics here") = Availability::Placed;
    let received = submit(&mut stage.client("edms"), submission(request()))
        .await
        .expect("it is accepted");
    assert_eq!(received.state(), RequestState::Received);
    assert_eq!(outcome(&received, CheckRule::DueDate), CheckOutcome::Undetermined);
    assert_eq!(
        outcome(&received, CheckRule::NotOpenlyAvailable),
        CheckOutcome::Proposed
    );
    assert_eq!(
        stage
            .count("SELECT count(*) FROM requests.request WHERE examination_pending")
            .await,
        0
    );
}

#[tokio::test]
async fn a_caller_brings_only_its_own_channel() {
    let stage = Stage::set().await;
    for (caller, request) in [
        ("edms", recorded(proto::Channel::Paper)),
        ("kadagalau", request()),
        ("operator", request()),
    ] {
        let answer = submit(&mut stage.client(caller), submission(request)).await;
        let refusal = refused(answer, Code::PermissionDenied, "CHANNEL_NOT_OF_CALLER");
        assert_eq!(metadata(&refusal, "legal_basis"), "Instruction, para 7", "{caller}");
    }
    assert_eq!(
        stage
            .count("SELECT count(*) FROM requests.journal_entry WHERE outcome = 'REFUSED'")
            .await,
        3
    );
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 0);
}

#[tokio::test]
async fn a_call_that_only_checks_shows_the_examination_and_changes_nothing() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let message = SubmitRequestRequest {
        validate_only: true,
        ..submission(request())
    };
    let shown = submit(&mut edms, message.clone()).await.expect("it is whole");
    assert_eq!(shown.state(), RequestState::Registered);
    assert!(shown.name.is_empty() && shown.coupon.is_none() && shown.registration_number.is_empty());
    assert!(shown.due_date.is_some());
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 0);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM requests.journal_entry WHERE method LIKE '%/SubmitRequest'")
            .await,
        0
    );

    let meant = SubmitRequestRequest {
        validate_only: false,
        ..message
    };
    assert_eq!(
        submit(&mut edms, meant)
            .await
            .expect("its id is free")
            .registration_number,
        "2026-000001"
    );
}

#[tokio::test]
async fn registrations_at_the_same_time_have_numbers_without_gaps() {
    let stage = Stage::set().await;
    let mut submitting = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let mut edms = stage.client("edms");
        let message = submission(request());
        // A service that says when to try again is tried again with the same id.
        submitting.spawn(async move {
            loop {
                match submit(&mut edms, message.clone()).await {
                    Err(status) if status.code() == Code::Unavailable => {}
                    answered => return answered.expect("it is accepted"),
                }
            }
        });
    }
    let accepted = submitting.join_all().await;
    let mut numbers: Vec<_> = accepted
        .iter()
        .map(|request| request.registration_number.clone())
        .collect();
    numbers.sort();
    assert_eq!(
        numbers,
        (1..=40).map(|number| format!("2026-{number:06}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn every_violation_is_told_at_once_and_nothing_is_stored() {
    let stage = Stage::set().await;
    let mut wrong = request();
    wrong.items[0].period = "2019-Q5".into();
    wrong.requester.as_mut().expect("it has one").bin = "160940004325".into();
    let message = SubmitRequestRequest {
        request_id: "1".into(),
        ..submission(wrong)
    };
    let found = violations(submit(&mut stage.client("edms"), message).await);
    let fields: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        ["request_id", "request.requester.bin", "request.items[0].period"]
    );
    let empty = SubmitRequestRequest {
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let found = violations(submit(&mut stage.client("edms"), empty).await);
    assert_eq!(found, pairs(&[("request", "REQUIRED")]));
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 0);
}

#[tokio::test]
async fn loading_the_rules_again_changes_nothing_and_keeps_what_was_changed() {
    let stage = Stage::set().await;
    stage
        .execute("UPDATE requests.ground SET valid_to = '2026-01-01' WHERE rule = 'CHANNEL'")
        .await;
    let counted = "SELECT (SELECT count(*) FROM requests.rule_ground) + (SELECT count(*) FROM requests.channel_rule)
         + (SELECT count(*) FROM requests.caller_channel) + (SELECT count(*) FROM requests.signatory_rule)";
    let before = stage.count(counted).await;
    crate::db::load_rules(&stage.running.context(Timestamp::now))
        .await
        .expect("it loads");
    assert_eq!(stage.count(counted).await, before);
    let mut connection = stage
        .running
        .context(Timestamp::now)
        .db
        .connection()
        .await
        .expect("it connects");
    let stored = crate::db::rule::all(&mut connection).await.expect("rules");
    let released = crate::domain::register::embedded().expect("the registers are readable");
    let edited = crate::db::edited_rules(&released, &stored);
    assert_eq!(edited.len(), 1, "{edited:?}");
    assert!(edited[0].starts_with("ground CHANNEL, from "), "{edited:?}");

    // A ground that is closed is no ground any more: the next request is examined without it.
    let unbound = submit(
        &mut stage.client("operator"),
        submission(recorded(proto::Channel::Paper)),
    )
    .await;
    let unbound = unbound.expect("it is accepted");
    assert_eq!(unbound.state(), RequestState::Registered);
    assert_eq!(outcome(&unbound, CheckRule::Channel), CheckOutcome::NotApplicable);
}

#[tokio::test]
async fn the_service_itself_can_neither_alter_what_was_submitted_nor_erase_anything() {
    let stage = Stage::set().await;
    submit(&mut stage.client("edms"), submission(request()))
        .await
        .expect("it is accepted");
    let mut runtime = stage.running.runtime().await;
    for statement in [
        "UPDATE requests.request SET essence = ''",
        "UPDATE requests.request SET coupon_number = ''",
        "UPDATE requests.item SET description = ''",
        "UPDATE requests.decision SET decided_by = ''",
        "UPDATE requests.changed_field SET before = ''",
        "DELETE FROM requests.check_review",
        "UPDATE requests.examination_check SET outcome = 'PASSED'",
        "UPDATE requests.finding SET outcome = 'PASSED'",
        "UPDATE requests.rule_revision SET revision = 7",
        "UPDATE requests.ground SET decided_by = 'OFFICIAL'",
        "UPDATE requests.rule_ground SET decided_by = 'OFFICIAL'",
        "UPDATE requests.journal_entry SET caller = ''",
        "DELETE FROM requests.request",
        "DELETE FROM requests.examination_check",
        "DELETE FROM requests.finding",
        "DELETE FROM requests.earlier_examination",
        "DELETE FROM requests.journal_entry",
    ] {
        let refused = sqlx::query(statement).execute(&mut runtime).await.expect_err(statement);
        let code = refused
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}");
    }
}

#[tokio::test]
async fn a_coupon_number_that_is_taken_is_drawn_again_and_the_registration_number_stays() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    submit(&mut edms, submission(request())).await.expect("it is accepted");
    // The next coupon number drawn is the one that is there already.
    for statement in [
        "CREATE SEQUENCE requests.draws",
        "CREATE FUNCTION requests.draw() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
         BEGIN
             IF nextval('requests.draws') = 1 THEN
                 NEW.coupon_number := (SELECT coupon_number FROM requests.request);
             END IF;
             RETURN NEW;
         END $$",
        "CREATE TRIGGER draw BEFORE INSERT ON requests.request FOR EACH ROW EXECUTE FUNCTION requests.draw()",
    ] {
        stage.execute(statement).await;
    }
    let accepted = submit(&mut edms, submission(request())).await.expect("it is accepted");
    assert_eq!(stage.count("SELECT last_value FROM requests.draws").await, 2);
    assert_eq!(accepted.registration_number, "2026-000002");
    assert_eq!(get(&mut edms, &accepted.name).await.expect("it is there"), accepted);
    assert_eq!(stage.count("SELECT count(*) FROM requests.item").await, 2);
}
