//! Recalls that are told to the servers of their recipients.

use legalstat_proto::collections::v1::{ConfirmRecallRequest, CopyState, DeliveryOutcome, Recipient};

use super::{
    copies::COURTS_COPY,
    delivery::{Delivering, Inbox, Manner, is},
    recall::{recall, recalling},
    recipients::updating,
    *,
};

const UNCONFIRMED: &str =
    "SELECT count(*) FROM collections.copy WHERE state = 'RECALLED' AND recall_confirmed_at IS NULL";
const DUE: &str = "SELECT count(*) FROM collections.delivery WHERE next_attempt_at IS NOT NULL";

/// A release to a court with a server, recalled once the court has received its copy. The server answers recalls so.
async fn recalled(name: &'static str, manner: Manner) -> (Delivering, Inbox) {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", name).await;
    delivering.distribution.release_crime().await;
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    inbox.turns(manner);
    let recalled = recall(&mut delivering.distribution.approver(), &recalling(CRIME)).await;
    recalled.expect("it was released");
    (delivering, inbox)
}

fn is_confirmed(copy: &Copy) -> bool {
    copy.recall_confirmed_at.is_some()
}

#[tokio::test]
async fn a_recall_is_told_to_the_recipients_server_whose_answer_confirms_it() {
    let (delivering, inbox) = recalled("court-told", Manner::Receives).await;
    let copy = delivering.until(COURTS_COPY, is_confirmed).await;
    assert_eq!((copy.state(), copy.receipt.is_some()), (CopyState::Recalled, true));
    let told = inbox.recalled.lock().expect("no code panics").clone();
    let [told] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (told.copy.as_str(), told.recipient.as_str(), told.reason.as_str()),
        (COURTS_COPY, "recipients/supreme-court", "table 3 is wrong")
    );
    assert_eq!(told.recalled_at, copy.recalled_at);
    let attempts = delivering.attempts(COURTS_COPY).await;
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome()).collect();
    assert_eq!(outcomes, [DeliveryOutcome::Received; 2]);
    assert_eq!(delivering.events("copy.recall_confirmed").await, 1);
    assert_eq!(
        delivering.distribution.count(UNCONFIRMED).await,
        32,
        "the others have no server"
    );
    assert_eq!(delivering.distribution.count(DUE).await, 0);
    let mut operator = delivering.distribution.operator();
    let shown = full_edition(&mut operator, CRIME).await.expect("it is there");
    let recall = shown.revisions[0].recall.clone().expect("it is recalled");
    assert_eq!(recall.copies_confirmed, 1);
    let journaled = "SELECT count(*) FROM collections.journal_entry WHERE method = 'jobs/delivery'
        AND resource = 'collections/crime/editions/2025-Q1/copies/25'";
    assert_eq!(
        delivering.distribution.count(journaled).await,
        3,
        "sending, received, recall confirmed"
    );
}

#[tokio::test]
async fn a_recall_is_told_by_the_schedule_until_the_last_attempt_and_anew_by_the_next_start() {
    let (delivering, inbox) = recalled("court-deaf", Manner::Away).await;
    for attempts in 1..=8 {
        let copy = delivering.pass_on(COURTS_COPY, attempts).await;
        assert_eq!((copy.state(), is_confirmed(&copy)), (CopyState::Recalled, false));
    }
    let told = "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.recall_not_told'";
    delivering.until_count(told, 1).await;
    assert_eq!(delivering.distribution.count(DUE).await, 0);
    inbox.turns(Manner::Receives);
    delivering
        .distribution
        .execute("DELETE FROM collections.recipient_breaker")
        .await;

    let clock = delivering.clock.clone();
    let _replica = delivering.distribution.replica(move || clock.now()).await;
    let copy = delivering.until(COURTS_COPY, is_confirmed).await;
    assert_eq!(copy.state(), CopyState::Recalled);
    assert_eq!(inbox.recalled.lock().expect("no code panics").len(), 1);
}

#[tokio::test]
async fn a_recall_goes_to_a_server_that_is_entered_later_too() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-connected").await;
    delivering.address("supreme-court", None).await;
    delivering.distribution.release_crime().await;
    let mut approver = delivering.distribution.approver();
    recall(&mut approver, &recalling(CRIME)).await.expect("it was released");
    assert_eq!(delivering.distribution.count(DUE).await, 0);
    let entered = Recipient {
        name: "recipients/supreme-court".into(),
        endpoint: inbox.endpoint.clone(),
        certificate_name: inbox.name.into(),
        ..Default::default()
    };
    let entered = updating(entered, &["endpoint", "certificate_name"], None);
    delivering.distribution.update(entered).await.expect("it is entered");
    delivering.until(COURTS_COPY, is_confirmed).await;
    assert!(
        inbox.stored.lock().expect("no code panics").is_empty(),
        "nothing else is brought"
    );
}

#[tokio::test]
async fn a_recipient_that_confirms_a_recall_itself_is_told_no_more() {
    let delivering = Delivering::start().await;
    delivering
        .address("senate", Some(("https://localhost:1", "senate")))
        .await;
    delivering.leave_alone("senate").await;
    delivering.distribution.release_crime().await;
    let mut approver = delivering.distribution.approver();
    recall(&mut approver, &recalling(CRIME)).await.expect("it was released");
    assert_eq!(delivering.distribution.count(DUE).await, 1);
    let name = delivering.distribution.copies("senate").await.remove(0).name;
    let mut senate = delivering.distribution.client(Some("senate"));
    let confirming = ConfirmRecallRequest {
        name: name.clone(),
        request_id: new_id(),
        validate_only: false,
    };
    senate.confirm_recall(confirming).await.expect("it was recalled");
    assert_eq!(delivering.distribution.count(DUE).await, 0);
    assert!(is_confirmed(&delivering.copy(&name).await));
    assert_eq!(delivering.events("copy.recall_confirmed").await, 1);
}

#[tokio::test]
async fn a_delivery_that_a_recall_overtakes_is_told_as_such_and_the_recall_comes_behind_it() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-busy").await;
    inbox.turns(Manner::Waits);
    delivering.distribution.release_crime().await;
    inbox.asked.notified().await;
    let mut approver = delivering.distribution.approver();
    recall(&mut approver, &recalling(CRIME)).await.expect("it was released");
    inbox.turns(Manner::Receives);
    let copy = delivering.until(COURTS_COPY, is_confirmed).await;
    assert_eq!((copy.state(), copy.receipt), (CopyState::Recalled, None));
    let overtaken = "SELECT count(*) FROM collections.delivery_attempt WHERE outcome = 'RECEIVED'
        AND detail = 'it changed nothing: the copy was RECALLED'";
    delivering.until_count(overtaken, 1).await;
}
