//! Servers that are entered after copies were issued.

use legalstat_kit::door::wire;
use legalstat_proto::{
    collections::v1::{CopyState, Recipient, UpdateRecipientRequest},
    common::v1 as common,
};

use super::{
    copies::COURTS_COPY,
    delivery::{Delivering, Inbox, is},
    recipients::{council, day, updating},
    *,
};

/// The entry of the court's server, from a day on, or as a correction.
fn entering(inbox: &Inbox, from: Option<common::Date>) -> UpdateRecipientRequest {
    let entered = Recipient {
        name: "recipients/supreme-court".into(),
        endpoint: inbox.endpoint.clone(),
        certificate_name: inbox.name.into(),
        ..Default::default()
    };
    updating(entered, &["endpoint", "certificate_name"], from)
}

/// A release to a court whose server nobody has entered.
async fn released(name: &'static str) -> (Delivering, Inbox) {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", name).await;
    delivering.address("supreme-court", None).await;
    delivering.distribution.release_crime().await;
    assert_eq!(delivering.copy(COURTS_COPY).await.delivery, None);
    (delivering, inbox)
}

#[tokio::test]
async fn a_server_that_is_entered_gets_what_was_issued_before_and_nobody_has_confirmed() {
    let (delivering, inbox) = released("court-late").await;
    let request = UpdateRecipientRequest {
        validate_only: true,
        ..entering(&inbox, None)
    };
    delivering
        .distribution
        .update(request)
        .await
        .expect("it would be entered");
    let deliveries = "SELECT count(*) FROM collections.delivery";
    assert_eq!(delivering.distribution.count(deliveries).await, 0);
    let entered = delivering.distribution.update(entering(&inbox, None)).await;
    entered.expect("it is entered");
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    assert_eq!(inbox.stored.lock().expect("no code panics").len(), 1);
    assert_eq!(
        delivering.distribution.count(deliveries).await,
        1,
        "the others have none"
    );
}

#[tokio::test]
async fn a_server_that_is_there_from_a_day_on_gets_its_copies_from_that_day_on_those_released_until_then_too() {
    let (delivering, inbox) = released("court-from-a-day-on").await;
    let entered = delivering.distribution.update(entering(&inbox, day(2025, 4, 10))).await;
    entered.expect("it is entered");
    delivering.distribution.release_earlier().await;
    let due = "SELECT count(*) FROM collections.delivery WHERE next_attempt_at = '2025-04-09 19:00Z'";
    assert_eq!(delivering.distribution.count(due).await, 2);
    let copy = delivering.copy(COURTS_COPY).await;
    let next = copy.delivery.as_ref().and_then(|delivery| delivery.next_attempt_time);
    let next = wire::timestamp(&next.expect("one follows")).expect("an instant");
    assert_eq!(
        (copy.state(), next),
        (CopyState::Issued, instant("2025-04-09T19:00:00Z"))
    );

    // Earlier after all, of which the first of both days is a correction.
    let sooner = delivering.distribution.update(entering(&inbox, day(2025, 4, 5))).await;
    sooner.expect("it is entered");
    let due = "SELECT count(*) FROM collections.delivery WHERE next_attempt_at = '2025-04-04 19:00Z'";
    assert_eq!(delivering.distribution.count(due).await, 2);
    delivering.clock.move_to(instant("2025-04-04T19:00:00Z"));
    delivering
        .until_count("SELECT count(*) FROM collections.copy WHERE state = 'RECEIVED'", 2)
        .await;
}

#[tokio::test]
async fn the_server_of_a_successor_gets_what_was_issued_before_to_a_recipient_that_had_none() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-inheriting").await;
    delivering.distribution.release_crime().await;
    let copy = delivering.distribution.copies("constitutional-council").await.remove(0);
    assert_eq!(copy.delivery, None);
    let ended = Recipient {
        valid_to: day(2025, 4, 2),
        successor: "recipients/supreme-court".into(),
        ..council()
    };
    let ended = updating(ended, &["valid_to", "successor"], None);
    delivering
        .distribution
        .update(ended)
        .await
        .expect("the court follows it");
    let received = delivering.until(&copy.name, is(CopyState::Received)).await;
    assert_eq!(
        received.receipt.expect("it has one").successor,
        "recipients/supreme-court"
    );
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    assert_eq!(inbox.stored.lock().expect("no code panics").len(), 2);
}

#[tokio::test]
async fn a_copy_on_its_way_to_a_wrong_address_goes_to_the_right_one_at_once_and_begins_its_schedule_anew() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-corrected").await;
    let wrong = Some(("https://localhost:1", inbox.name));
    delivering.address("supreme-court", wrong).await;
    delivering.distribution.release_crime().await;
    let failed = "SELECT count(*) FROM collections.delivery WHERE attempts = 1 AND next_attempt_at IS NOT NULL";
    delivering.until_count(failed, 1).await;
    delivering
        .distribution
        .execute("UPDATE collections.delivery SET attempts = 8, attempts_ever = 8")
        .await;
    delivering
        .distribution
        .execute("UPDATE collections.recipient_breaker SET failures = 5, opened_at = '2025-01-01Z', open_until = '2099-01-01Z'")
        .await;
    let corrected = delivering.distribution.update(entering(&inbox, None)).await;
    corrected.expect("it is corrected");
    let copy = delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    assert_eq!(copy.delivery.expect("it was delivered").attempts, 1);
    let closed = "SELECT count(*) FROM collections.recipient_breaker WHERE failures = 0 AND open_until IS NULL";
    assert_eq!(delivering.distribution.count(closed).await, 1);
}
