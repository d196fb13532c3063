//! What servers answer to deliveries: rejections, and receipts that are not true.

use legalstat_kit::door::wire;
use legalstat_proto::collections::v1::{CopyState, DeliveryOutcome, Receipt, ReceiptStatement};

use super::{
    copies::COURTS_COPY,
    delivery::{Delivering, Inbox, Manner, is},
    receipts::pair,
    *,
};
use crate::statements;

/// What makes a receipt another one.
type Forgery = fn(&mut Receipt);

#[tokio::test]
async fn a_server_that_rejects_a_copy_has_said_the_last_word() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-rejecting").await;
    inbox.turns(Manner::Rejects);
    delivering.distribution.release_crime().await;
    let copy = delivering.until(COURTS_COPY, is(CopyState::Rejected)).await;
    assert_eq!(copy.status_reason, "the file does not open");
    assert_eq!(
        copy.delivery.expect("it was delivered").last_outcome(),
        DeliveryOutcome::Rejected
    );
    let kept = "SELECT count(*) FROM collections.receipt WHERE outcome = 'REJECTED' AND way = 'PUSH' AND said_by = 'court-rejecting'";
    assert_eq!(delivering.distribution.count(kept).await, 1);
    assert_eq!(delivering.events("copy.rejected").await, 1);
}

#[tokio::test]
async fn a_receipt_that_is_not_true_is_none_and_says_nothing_against_the_server() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-forging").await;
    inbox.turns(Manner::Forges(|receipt| receipt.statement = None));
    delivering.distribution.release_crime().await;
    let forgeries: [(Forgery, &str); 6] = [
        (|receipt| receipt.signature[0] ^= 1, "not that key's"),
        (|receipt| receipt.signing_key = "2024-1".into(), "no such key"),
        (
            |receipt| {
                receipt.signature.clear();
                receipt.signing_key.clear();
            },
            "must be signed",
        ),
        (
            |receipt| change(receipt, |said| said.content_sha256 = digest(b"other")),
            "content_sha256",
        ),
        (|receipt| change(receipt, |said| said.copy.push('0')), "another copy"),
        (
            |receipt| change(receipt, |said| said.received_at = None),
            "does not say when",
        ),
    ];
    let mut words = vec!["no statement"];
    for (attempts, (forge, word)) in (1..).zip(forgeries) {
        delivering
            .pass_on_turning(&inbox, attempts, Manner::Forges(forge))
            .await;
        words.push(word);
    }
    delivering.pass_on_turning(&inbox, 7, Manner::Receives).await;
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    let told = delivering.attempts(COURTS_COPY).await;
    for (attempt, word) in told[1..].iter().rev().zip(words) {
        assert_eq!(attempt.outcome(), DeliveryOutcome::ReceiptNotTrue, "{attempt:?}");
        assert!(attempt.detail.contains(word), "{word}: {attempt:?}");
    }
    let failures = "SELECT coalesce(sum(failures), 0) FROM collections.recipient_breaker";
    assert_eq!(delivering.distribution.count(failures).await, 0);
    assert_eq!(
        delivering
            .distribution
            .count("SELECT count(*) FROM collections.receipt")
            .await,
        1
    );
}

#[tokio::test]
async fn a_server_whose_clock_is_up_to_five_minutes_behind_gives_a_true_receipt() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-behind").await;
    inbox.turns(Manner::Forges(|receipt| sign_anew(receipt, "2025-04-03T04:54:59Z")));
    delivering.distribution.release_crime().await;
    let slightly: Forgery = |receipt| sign_anew(receipt, "2025-04-03T04:55:00Z");
    delivering.pass_on_turning(&inbox, 1, Manner::Forges(slightly)).await;
    let copy = delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    let said = copy.receipt.and_then(|receipt| receipt.statement);
    let at = said.and_then(|said| said.received_at);
    assert_eq!(at, Some(wire::to_timestamp(instant("2025-04-03T04:55:00Z"))));
    let refused = &delivering.attempts(COURTS_COPY).await[1];
    assert_eq!(refused.outcome(), DeliveryOutcome::ReceiptNotTrue);
    assert!(refused.detail.contains("five minutes before"), "{refused:?}");
}

fn sign_anew(receipt: &mut Receipt, received_at: &str) {
    let said = receipt.statement.as_mut().expect("it has one");
    said.received_at = Some(wire::to_timestamp(instant(received_at)));
    let bytes = statements::of_receipt(said).expect("it has some");
    receipt.signature = pair(1).sign(&bytes).as_ref().to_vec();
}

fn change(receipt: &mut Receipt, change: fn(&mut ReceiptStatement)) {
    change(receipt.statement.as_mut().expect("it has one"));
}

impl Delivering {
    /// As [`pass_on`](Self::pass_on), once the server does otherwise.
    async fn pass_on_turning(&self, inbox: &Inbox, attempts: i32, manner: Manner) {
        let ended = |copy: &Copy| {
            let delivery = copy.delivery.as_ref();
            delivery.is_some_and(|d| d.attempts == attempts && d.next_attempt_time.is_some())
        };
        self.until(COURTS_COPY, ended).await;
        inbox.turns(manner);
        self.pass_on(COURTS_COPY, attempts).await;
    }
}
