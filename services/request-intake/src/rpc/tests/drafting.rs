//! Answers that are drafted without anyone asking for it.

use std::{sync::atomic::Ordering, time::Duration};

use legalstat_proto::requests::v1::{self as proto, RequestState, Verb};
use tokio::time;

use super::{
    answer_calls::{UNTOLD, approval, approve, draft, draft_of, item, read, registered},
    held::{INDICATOR, RESTRICTED},
    stage::{Stage, get, request, submission, submit},
};

async fn drafting() -> Stage {
    Stage::set_with(&[("LEGALSTAT_AUTOMATIC_DRAFTS", "on")]).await
}

/// An item of which the registry holds every figure.
fn whole() -> proto::Item {
    proto::Item {
        until_period: String::new(),
        ..item(INDICATOR, &["11", "15"])
    }
}

/// Another request, which repeats none.
async fn another(stage: &Stage, number: &str, items: Vec<proto::Item>) -> proto::Request {
    let asked = proto::Request {
        external_number: number.into(),
        items,
        ..request()
    };
    submit(&mut stage.client("edms"), submission(asked))
        .await
        .expect("it is accepted")
}

async fn in_preparation(stage: &Stage, request: &proto::Request) -> proto::Request {
    let mut operator = stage.client("operator");
    loop {
        let stands = get(&mut operator, &request.name).await.expect("it is there");
        if stands.state() == RequestState::InPreparation {
            return stands;
        }
        time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_needs_no_judgement_is_drafted_by_the_system_and_approved_by_a_person() {
    let stage = drafting().await;
    let asked = registered(&stage, vec![whole()]).await;
    let stands = in_preparation(&stage, &asked).await;
    let decision = &stands.decisions[0];
    assert_eq!(
        (decision.verb(), decision.decided_by.as_str()),
        (Verb::DraftAnswer, "system")
    );
    assert!(stands.assignee.is_empty());
    let drafted = read(&mut stage.client("operator"), &asked)
        .await
        .expect("it is drafted");
    assert_eq!((drafted.version, drafted.drafted_by.as_str()), (1, "system"));
    let values: Vec<&str> = drafted.items[0].figures.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(values, ["10", "20", "30"]);
    for sql in [
        "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.answer_drafted'",
        "SELECT count(*) FROM requests.journal_entry WHERE method = 'jobs/drafting' AND caller = 'system'",
    ] {
        assert_eq!(stage.count(sql).await, 1, "{sql}");
    }
    let approved = approve(&mut stage.client("approver"), approval(&drafted, UNTOLD)).await;
    assert!(approved.expect("a person approves it").approval.is_some());
}

#[tokio::test]
async fn what_needs_judgement_or_lacks_a_figure_is_left_to_an_official() {
    let stage = drafting().await;
    let lacking = registered(&stage, vec![whole(), item(INDICATOR, &["11"])]).await;
    let restricted = another(&stage, "12-3/46", vec![whole(), item(RESTRICTED, &[])]).await;
    let repeating = another(&stage, "12-3/47", vec![whole(), item(RESTRICTED, &[])]).await;
    let last = another(&stage, "12-3/48", vec![whole()]).await;
    in_preparation(&stage, &last).await;
    let mut operator = stage.client("operator");
    for left in [&lacking, &restricted, &repeating] {
        let stands = get(&mut operator, &left.name).await.expect("it is there");
        assert_eq!(stands.state(), RequestState::Registered);
    }
    assert_eq!(stage.count("SELECT count(*) FROM requests.draft_waiting").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM requests.answer").await, 1);
    draft(&mut operator, draft_of(&lacking))
        .await
        .expect("an official drafts it");
}

#[tokio::test]
async fn a_draft_waits_for_the_registry_and_one_that_fails_holds_up_no_other() {
    let stage = drafting().await;
    let away = &stage.fakes.answers.figures_away;
    away.store(true, Ordering::SeqCst);
    let failing = registered(&stage, vec![whole()]).await;
    let other = another(
        &stage,
        "12-3/49",
        vec![proto::Item {
            territories: vec!["11".into()],
            ..whole()
        }],
    )
    .await;
    let before = stage.fakes.answers.asked.load(Ordering::SeqCst);
    while stage.fakes.answers.asked.load(Ordering::SeqCst) < before + 4 {
        time::sleep(Duration::from_millis(50)).await;
    }
    let mut operator = stage.client("operator");
    for waiting in [&failing, &other] {
        let stands = get(&mut operator, &waiting.name).await.expect("it is there");
        assert_eq!(stands.state(), RequestState::Registered);
    }
    assert_eq!(stage.count("SELECT count(*) FROM requests.draft_waiting").await, 2);

    stage
        .execute("ALTER TABLE requests.request DROP CONSTRAINT request_language")
        .await;
    stage
        .execute("UPDATE requests.request SET language = 'XX' WHERE registration_number LIKE '%000001'")
        .await;
    away.store(false, Ordering::SeqCst);
    in_preparation(&stage, &other).await;
    assert_eq!(stage.count("SELECT count(*) FROM requests.draft_waiting").await, 1);
}

#[tokio::test]
async fn switched_off_every_draft_is_left_to_officials() {
    let stage = Stage::set().await;
    let asked = registered(&stage, vec![whole()]).await;
    assert_eq!(stage.count("SELECT count(*) FROM requests.draft_progress").await, 0);
    let drafted = draft(&mut stage.client("operator"), draft_of(&asked)).await;
    assert_eq!(drafted.expect("it is drafted").drafted_by, "operator");
}
