//! Attempts that something else has overtaken: another replica, the recipient's own call, a recall, or the release before.

use legalstat_proto::collections::v1::{CopyState, DeliveryOutcome, Receipt};

use super::{
    copies::COURTS_COPY,
    delivery::{Delivering, Inbox, Manner, is},
    delivery_replicas::claim,
    *,
};

const ENDED: &str = "SELECT count(*) FROM collections.delivery WHERE fence IS NULL AND next_attempt_at IS NULL";
const LAPSE: &str = "UPDATE collections.delivery SET claimed_until = now() - make_interval(mins => 10 - copy_number)";

/// A delivery whose server has the copy and keeps the sender waiting.
async fn waiting(name: &'static str) -> (Delivering, Inbox) {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", name).await;
    inbox.turns(Manner::Waits);
    delivering.distribution.release_crime().await;
    inbox.asked.notified().await;
    (delivering, inbox)
}

/// As another replica does that gives the attempt up, or whoever says the last word.
async fn overtake(delivering: &Delivering, state: &'static str) {
    let ends = "UPDATE collections.delivery SET fence = NULL, started_at = NULL, endpoint = NULL, claimed_until = NULL";
    delivering.distribution.execute(ends).await;
    let mut superuser = delivering.distribution.running.superuser().await;
    sqlx::query(
        "UPDATE collections.copy SET state = $1, status_reason = 'said elsewhere' WHERE recipient = 'supreme-court'",
    )
    .bind(state)
    .execute(&mut superuser)
    .await
    .expect("it stands so");
}

/// The one attempt there was, once it has ended.
async fn told(delivering: &Delivering) -> (DeliveryOutcome, String) {
    delivering
        .until_count("SELECT count(*) FROM collections.delivery_attempt", 1)
        .await;
    let attempt = delivering.attempts(COURTS_COPY).await.remove(0);
    (attempt.outcome(), attempt.detail)
}

#[tokio::test]
async fn a_true_receipt_of_an_attempt_that_was_given_up_puts_a_failed_copy_right_and_is_late() {
    let (delivering, inbox) = waiting("court-woken").await;
    overtake(&delivering, "FAILED").await;
    inbox.turns(Manner::Receives);
    let copy = delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    assert!(copy.receipt.expect("it has one").late);
    assert_eq!(
        copy.delivery.expect("it was delivered").last_outcome(),
        DeliveryOutcome::Received
    );
    for (kind, expected) in [("copy.receipt_came_late", 1), ("copy.receipt_confirmed", 0)] {
        assert_eq!(delivering.events(kind).await, expected, "{kind}");
    }
}

#[tokio::test]
async fn a_receipt_that_is_not_true_is_never_told_as_received_also_where_it_changes_nothing() {
    let (delivering, inbox) = waiting("court-overtaken").await;
    overtake(&delivering, "RECALLED").await;
    inbox.turns(Manner::Forges(|receipt: &mut Receipt| receipt.signature[0] ^= 1));
    let (outcome, detail) = told(&delivering).await;
    assert_eq!(outcome, DeliveryOutcome::ReceiptNotTrue, "{detail}");
    assert_eq!(delivering.copy(COURTS_COPY).await.state(), CopyState::Recalled);
}

#[tokio::test]
async fn a_true_receipt_of_a_copy_recalled_meanwhile_is_told_and_changes_nothing() {
    let (delivering, inbox) = waiting("court-recalled").await;
    overtake(&delivering, "RECALLED").await;
    inbox.turns(Manner::Receives);
    let expected = "it changed nothing: the copy was RECALLED".to_owned();
    assert_eq!(told(&delivering).await, (DeliveryOutcome::Received, expected));
    assert_eq!(delivering.copy(COURTS_COPY).await.state(), CopyState::Recalled);
    let receipts = "SELECT count(*) FROM collections.receipt";
    assert_eq!(delivering.distribution.count(receipts).await, 0);
}

#[tokio::test]
async fn the_release_before_says_the_last_word_and_the_attempt_under_way_ends_without_a_change() {
    for (name, state) in [("court-rejected", "REJECTED"), ("court-called-back", "RECALLED")] {
        let (delivering, inbox) = waiting(name).await;
        let mut superuser = delivering.distribution.running.superuser().await;
        sqlx::query("UPDATE collections.copy SET state = $1, status_reason = 'said elsewhere' WHERE recipient = 'supreme-court'")
            .bind(state)
            .execute(&mut superuser)
            .await
            .expect("it stands so");
        inbox.turns(Manner::Receives);
        delivering.until_count(ENDED, 1).await;
        let (outcome, detail) = told(&delivering).await;
        assert_eq!(
            (outcome, detail),
            (
                DeliveryOutcome::Received,
                format!("it changed nothing: the copy was {state}")
            )
        );
    }
}

#[tokio::test]
async fn what_the_release_before_has_said_the_last_word_of_is_not_sent() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-settled").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    for sql in [
        "UPDATE collections.copy SET state = 'REJECTED', status_reason = 'said elsewhere' WHERE recipient = 'supreme-court'",
        "DELETE FROM collections.recipient_breaker",
    ] {
        delivering.distribution.execute(sql).await;
    }
    delivering.until_count(ENDED, 1).await;
    let begun = "SELECT sum(attempts_ever)::bigint FROM collections.delivery";
    assert_eq!(delivering.distribution.count(begun).await, 0);
    assert!(inbox.stored.lock().expect("no code panics").is_empty());
    assert_eq!(delivering.copy(COURTS_COPY).await.state(), CopyState::Rejected);
}

#[tokio::test]
async fn a_lost_claim_of_a_copy_that_is_not_on_its_way_ends_and_those_that_cannot_be_recorded_hold_up_no_other() {
    let delivering = Delivering::start().await;
    delivering.inbox("gpo-leadership", "leadership-blocked").await;
    delivering.leave_alone("gpo-leadership").await;
    delivering.distribution.release_crime().await;
    let context = delivering.distribution.running.context(|| instant(NOW));
    let mut lost = context.db.begin().await.expect("a transaction");
    assert_eq!(claim(&mut lost, "gpo-leadership", 7).await.len(), 7);
    lost.commit().await.expect("it commits");
    for sql in [
        "UPDATE collections.copy SET state = 'REJECTED', status_reason = 'said elsewhere' WHERE number IN (1, 2)",
        "ALTER TABLE collections.delivery_attempt ADD CHECK (copy_number NOT IN (6, 7))",
        LAPSE,
    ] {
        delivering.distribution.execute(sql).await;
    }
    delivering.until_count(ENDED, 2).await;
    let again = "SELECT count(*) FROM collections.delivery WHERE next_attempt_at IS NOT NULL";
    delivering.until_count(again, 3).await;
}
