//! Answers to what a request asked for before it was changed.

use std::time::Duration;

use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::requests::v1::{
    self as proto, Answer, CorrectRequestRequest, RecordDispatchRequest, RequestState,
};
use tonic::Code;

use super::{
    answer_calls::{
        ANOTHERS, UNTOLD, approval, approve, dispatch, dispatch_of, draft, draft_of, id, item, read, registered, update,
    },
    attachments::{CONTENT, LATER},
    held::INDICATOR,
    stage::{Stage, get},
    verbs::{Desk, clarification, forwarding, question},
};

fn renaming(name: &str, to: &str) -> CorrectRequestRequest {
    CorrectRequestRequest {
        name: name.into(),
        request: Some(proto::Request {
            requester: Some(proto::Requester {
                full_name: to.into(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["requester.full_name".into()],
        }),
        reason: "mistyped".into(),
        request_id: id(),
        ..Default::default()
    }
}

async fn approved(stage: &Stage, asked: &proto::Request) -> Answer {
    let drafted = draft(&mut stage.client("operator"), draft_of(asked)).await;
    let drafted = drafted.expect("it is drafted");
    approve(&mut stage.client("approver"), approval(&drafted, UNTOLD))
        .await
        .expect("it is approved")
}

/// Nothing follows from the answer as it stands.
async fn is_outdated(stage: &Stage, asked: &proto::Request) {
    // What changed is examined again, which makes another etag.
    let waits = "SELECT count(*) FROM requests.request WHERE examination_pending";
    let settled = async {
        while stage.count(waits).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settled)
        .await
        .expect("it is examined");
    let (operator, approver) = (&mut stage.client("operator"), &mut stage.client("approver"));
    let stands = read(operator, asked).await.expect("it is there");
    assert!(stands.outdated);
    let outdated = |answer| refused(answer, Code::FailedPrecondition, "ANSWER_OUTDATED");
    outdated(update(operator, &stands).await);
    outdated(approve(approver, approval(&stands, UNTOLD)).await);
    outdated(dispatch(operator, dispatch_of(&stands)).await);
}

#[tokio::test]
async fn an_approval_does_not_outlive_what_it_was_given_for() {
    let desk = Desk::open().await;
    let stage = &desk.stage;
    let mut operator = stage.client("operator");
    let asked = registered(stage, vec![item(INDICATOR, &["11"]), item(INDICATOR, &["15"])]).await;

    approved(stage, &asked).await;
    operator
        .correct_request(renaming(&asked.name, "Ministry of Finance"))
        .await
        .expect("it is mended");
    is_outdated(stage, &asked).await;

    approved(stage, &asked).await;
    operator
        .ask_clarification(question(&asked, &["items[0].period"]))
        .await
        .expect("it is asked");
    let mut items = asked.items.clone();
    items[0].until_period = "2025-Q2".into();
    stage
        .client("edms")
        .provide_clarification(clarification(&asked, Some(items)))
        .await
        .expect("it is supplied");
    is_outdated(stage, &asked).await;

    approved(stage, &asked).await;
    operator
        .forward_request(forwarding(&asked, &[1]))
        .await
        .expect("it goes on");
    is_outdated(stage, &asked).await;

    let last = approved(stage, &asked).await;
    let elsewhere = &last.items[1].not_provided;
    let words: Vec<&str> = elsewhere.iter().map(|reason| reason.word.as_str()).collect();
    assert_eq!((words, last.items[1].figures.len()), (vec!["FORWARDED"], 0));
    assert!(elsewhere[0].legal_basis.is_some(), "by the law by which it went there");
    let answered = dispatch(&mut operator, dispatch_of(&last)).await;
    let answered = answered.expect("it answers the request as it stands");
    assert_eq!((answered.version, last.outdated, answered.outdated), (4, false, false));
}

#[tokio::test]
async fn a_draft_that_is_outdated_waits_for_no_approval_until_it_is_drafted_again() {
    let desk = Desk::open().await;
    let stage = &desk.stage;
    let mut operator = stage.client("operator");
    let asked = registered(stage, vec![item(INDICATOR, &["11"]), item(INDICATOR, &["15"])]).await;
    let waiting = || proto::ListRequestsRequest {
        awaiting_approval: true,
        ..Default::default()
    };
    let listed = async |operator: &mut super::stage::Client| super::visibility::listed(operator, waiting()).await.len();
    draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    assert_eq!(listed(&mut operator).await, 1);
    operator
        .correct_request(renaming(&asked.name, "Ministry of Finance"))
        .await
        .expect("it is mended");
    assert_eq!(listed(&mut operator).await, 0);
    draft(&mut operator, draft_of(&asked))
        .await
        .expect("it is drafted again");
    assert_eq!(listed(&mut operator).await, 1);
    operator
        .forward_request(forwarding(&asked, &[1]))
        .await
        .expect("an item goes elsewhere");
    assert_eq!(listed(&mut operator).await, 0);
}

#[tokio::test]
async fn words_that_change_nothing_of_what_is_asked_leave_the_approval() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let asked = registered(&desk.stage, vec![item(INDICATOR, &["11"])]).await;
    let answer = approved(&desk.stage, &asked).await;
    operator
        .ask_clarification(question(&asked, &["essence"]))
        .await
        .expect("it is asked");
    operator
        .provide_clarification(clarification(&asked, None))
        .await
        .expect("it is supplied");
    dispatch(&mut operator, dispatch_of(&answer))
        .await
        .expect("it is dispatched");
}

#[tokio::test]
async fn a_version_of_which_nobody_knows_what_it_answers_is_drafted_again() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    approved(&stage, &asked).await;
    // As a replica of the release before leaves it.
    stage
        .execute("UPDATE requests.answer SET submission_sha256 = NULL")
        .await;
    is_outdated(&stage, &asked).await;
}

#[tokio::test]
async fn only_the_version_that_went_out_is_recorded_as_dispatched() {
    let stage = Stage::set().await;
    let (mut operator, mut approver) = (stage.client("operator"), stage.client("approver"));
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let first = approved(&stage, &asked).await;
    let edited = update(&mut operator, &first).await.expect("it is edited");
    let second = approve(&mut approver, approval(&edited, UNTOLD)).await;
    let second = second.expect("it is approved");
    refused(
        dispatch(&mut operator, dispatch_of(&first)).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let stands = get(&mut operator, &asked.name).await.expect("it is there");
    assert_eq!(stands.state(), RequestState::InPreparation);
    let unnamed = RecordDispatchRequest {
        sha256: String::new(),
        ..dispatch_of(&second)
    };
    assert_eq!(
        violations(dispatch(&mut operator, unnamed).await),
        pairs(&[("sha256", "REQUIRED")])
    );
    let answered = dispatch(&mut operator, dispatch_of(&second)).await;
    assert_eq!(answered.expect("it is dispatched").sha256, second.sha256);
}

#[tokio::test]
async fn a_drafted_answer_goes_on_after_a_clarification_whoever_has_the_request() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    let asked = registered(&desk.stage, vec![item(INDICATOR, &["11"])]).await;
    let answer = approved(&desk.stage, &asked).await;
    for field in ["essence", "items[0].unit"] {
        let question = question(&asked, &[field]);
        operator.ask_clarification(question).await.expect("it is asked");
    }
    let back = operator.provide_clarification(clarification(&asked, None)).await;
    let back = back.expect("it is supplied").into_inner();
    assert_eq!(
        (back.state(), back.assignee.as_str()),
        (RequestState::InPreparation, "")
    );
    dispatch(&mut operator, dispatch_of(&answer))
        .await
        .expect("it is dispatched");
}

#[tokio::test]
async fn an_approval_that_was_given_is_answered_again_whatever_has_become_of_its_signature() {
    let desk = Desk::open().await;
    let stage = &desk.stage;
    let asked = registered(stage, vec![item(INDICATOR, &["11"])]).await;
    let drafted = draft(&mut stage.client("operator"), draft_of(&asked)).await;
    desk.set_clock(LATER);
    let message = approval(&drafted.expect("it is drafted"), ANOTHERS);
    // The signature holds while it is verified, and does not any more once it was taken.
    let mut database = stage.running.superuser().await;
    let until_taken = "CREATE TABLE public.signed AS SELECT request, version, canonical FROM requests.answer;
        CREATE FUNCTION public.expire() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            UPDATE requests.answer a SET canonical = s.canonical FROM public.signed s
            WHERE (a.request, a.version) = (s.request, s.version);
            RETURN NEW;
        END
        $$;
        CREATE TRIGGER expire BEFORE INSERT ON requests.answer_approval FOR EACH ROW EXECUTE FUNCTION public.expire()";
    sqlx::raw_sql(until_taken)
        .execute(&mut database)
        .await
        .expect("the statements are right");
    sqlx::query("UPDATE requests.answer SET canonical = $1")
        .bind(CONTENT)
        .execute(&mut database)
        .await
        .expect("it is another one");
    let mut approver = stage.client("approver");
    let first = approve(&mut approver, message.clone()).await.expect("it is approved");
    let anew = approval(&first, ANOTHERS);
    assert_eq!(
        violations(approve(&mut approver, anew).await),
        pairs(&[("signature", "SIGNATURE")])
    );
    assert_eq!(approve(&mut approver, message).await.expect("it was answered"), first);
}

#[tokio::test]
async fn every_step_of_an_answer_names_its_law_and_what_no_rule_orders_is_refused() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    let asked = registered(&stage, vec![item(INDICATOR, &["11"])]).await;
    let drafted = draft(&mut operator, draft_of(&asked)).await.expect("it is drafted");
    let edited = update(&mut operator, &drafted).await.expect("it is edited");
    stage
        .execute("UPDATE requests.answer SET written_by = 'approver'")
        .await;
    let own = approve(&mut stage.client("approver"), approval(&edited, UNTOLD)).await;
    let own = refused(own, Code::FailedPrecondition, "SAME_PERSON");
    assert_eq!(metadata(&own, "legal_basis"), "Instruction, para 6 (assumed)");
    stage
        .execute("UPDATE requests.answer SET written_by = 'operator'")
        .await;
    let approved = approve(&mut stage.client("approver"), approval(&edited, UNTOLD)).await;
    let approved = approved.expect("it is approved");
    stage
        .execute("DELETE FROM requests.verb_rule WHERE verb IN ('DRAFT_ANSWER', 'RECORD_DISPATCH')")
        .await;
    for answer in [
        draft(&mut operator, draft_of(&asked)).await,
        dispatch(&mut operator, dispatch_of(&approved)).await,
    ] {
        refused(answer, Code::FailedPrecondition, "VERB_NOT_ORDERED");
    }
    let stands = get(&mut operator, &asked.name).await.expect("it is there");
    assert_eq!(stands.decisions.len(), 3);
    for decision in &stands.decisions {
        assert!(decision.legal_basis.is_some(), "{decision:?}");
    }
}
