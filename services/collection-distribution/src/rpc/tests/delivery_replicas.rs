//! Deliveries by several replicas, to servers that are left alone, and deliveries that something else ends.

use std::collections::BTreeMap;

use legalstat_proto::collections::v1::{CopyState, DeliveryOutcome, RecallEditionRequest};

use super::{
    copies::{COURTS_COPY, confirming},
    delivery::{Delivering, Manner, is, redelivering},
    *,
};
use crate::{
    db::{
        self,
        delivery::{self, Claim},
    },
    domain::delivery::Address,
};

/// The first of the seven copies of the leadership.
const LEADERSHIPS_COPY: &str = "collections/crime/editions/2025-Q1/copies/1";
const LEASE: Duration = Duration::from_secs(600);
const ATTEMPTS: &str = "SELECT count(*) FROM collections.delivery_attempt";

pub(super) async fn claim(connection: &mut sqlx::PgConnection, recipient: &str, share: i32) -> Vec<Claim> {
    let shares = BTreeMap::from([(recipient.to_owned(), share)]);
    let addresses = BTreeMap::from([(recipient.to_owned(), Address::default())]);
    let claims = delivery::claim(connection, &shares, &addresses, instant(NOW), LEASE).await;
    claims.expect("the database claims")
}

/// Which claim makes the attempt on the court's copy that is under way.
async fn fence(connection: &mut sqlx::PgConnection) -> Option<i64> {
    let copy = db::copy::get(connection, &COURTS_COPY.parse().expect("a name")).await;
    copy.expect("it reads")?.delivery?.fence
}

#[tokio::test]
async fn two_replicas_claim_other_copies() {
    let delivering = Delivering::start().await;
    delivering.inbox("gpo-leadership", "leadership-shared").await;
    delivering.leave_alone("gpo-leadership").await;
    delivering.distribution.release_crime().await;
    let context = delivering.distribution.running.context(|| instant(NOW));
    let mut first = context.db.begin().await.expect("a transaction");
    let mut second = context.db.begin().await.expect("a transaction");
    let of_first = claim(&mut first, "gpo-leadership", 4).await;
    let of_second = claim(&mut second, "gpo-leadership", 16).await;
    assert_eq!((of_first.len(), of_second.len()), (4, 3));
    let mut numbers: Vec<_> = of_first
        .iter()
        .chain(&of_second)
        .map(|claim| claim.key.number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    let mut fences: Vec<_> = of_first.iter().chain(&of_second).map(|claim| claim.fence).collect();
    fences.sort_unstable();
    fences.dedup();
    assert_eq!(fences.len(), 7);
    second.commit().await.expect("it commits");
    first.commit().await.expect("it commits");
    let mut third = context.db.begin().await.expect("a transaction");
    assert_eq!(claim(&mut third, "gpo-leadership", 16).await, []);
}

#[tokio::test]
async fn what_a_lost_replica_claimed_is_taken_over_and_what_it_says_later_changes_nothing() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-lost").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let context = delivering.distribution.running.context(|| instant(NOW));
    let mut lost = context.db.begin().await.expect("a transaction");
    let claims = claim(&mut lost, "supreme-court", 1).await;
    assert_eq!(fence(&mut lost).await, Some(claims[0].fence));
    lost.commit().await.expect("it commits");
    let under_way = delivering.attempts(COURTS_COPY).await;
    assert_eq!((under_way.len(), under_way[0].end_time), (1, None));

    delivering
        .distribution
        .execute("UPDATE collections.delivery SET claimed_until = now() - interval '1 second'")
        .await;
    let taken = |copy: &Copy| copy.delivery.as_ref().is_some_and(|d| d.next_attempt_time.is_some());
    let copy = delivering.until(COURTS_COPY, taken).await;
    assert_eq!(
        copy.delivery.expect("it is delivered").last_outcome(),
        DeliveryOutcome::SenderLost
    );
    let mut late = context.db.begin().await.expect("a transaction");
    assert_eq!(fence(&mut late).await, None);
    drop(late);

    delivering
        .distribution
        .execute("DELETE FROM collections.recipient_breaker")
        .await;
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    assert_eq!(inbox.stored.lock().expect("no code panics").len(), 1);
    let outcomes: Vec<_> = delivering
        .attempts(COURTS_COPY)
        .await
        .iter()
        .map(|attempt| attempt.outcome())
        .collect();
    assert_eq!(outcomes, [DeliveryOutcome::Received, DeliveryOutcome::SenderLost]);
}

#[tokio::test]
async fn a_server_that_fails_again_and_again_is_left_alone_and_then_tried_by_one_copy() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("gpo-leadership", "leadership-failing").await;
    inbox.turns(Manner::Away);
    delivering.distribution.release_crime().await;
    delivering.until_count(ATTEMPTS, 7).await;
    let open = "SELECT count(*) FROM collections.recipient_breaker WHERE failures = 5 AND open_until IS NOT NULL";
    delivering.until_count(open, 1).await;

    delivering.clock.move_to(instant("2025-04-03T05:01:13Z"));
    let again = "SELECT count(*) FROM collections.recipient_breaker WHERE failures = 6";
    delivering.until_count(again, 1).await;
    assert_eq!(
        delivering.distribution.count(ATTEMPTS).await,
        8,
        "the others' schedules stand still"
    );

    inbox.turns(Manner::Receives);
    delivering.clock.move_to(instant("2025-04-03T05:10:00Z"));
    let received = "SELECT count(*) FROM collections.copy WHERE state = 'RECEIVED'";
    delivering.until_count(received, 7).await;
    let closed = "SELECT count(*) FROM collections.recipient_breaker WHERE failures = 0 AND open_until IS NULL";
    delivering.until_count(closed, 1).await;
}

#[tokio::test]
async fn a_receipt_that_is_fetched_ends_a_delivery_and_a_recall_is_told_in_place_of_all() {
    let delivering = Delivering::start().await;
    delivering.inbox("gpo-leadership", "leadership-recalled").await;
    delivering.leave_alone("gpo-leadership").await;
    delivering.leave_alone("senate").await;
    delivering
        .address("senate", Some(("https://localhost:1", "senate")))
        .await;
    delivering.distribution.release_crime().await;
    let due = "SELECT count(*) FROM collections.delivery WHERE next_attempt_at IS NOT NULL";
    assert_eq!(delivering.distribution.count(due).await, 8);
    let senates = delivering.distribution.copies("senate").await.remove(0);
    let mut senate = delivering.distribution.client(Some("senate"));
    let confirmed = senate.confirm_receipt(confirming(&senates.name, CONTENT));
    confirmed.await.expect("it is received");
    assert_eq!(delivering.distribution.count(due).await, 7);
    let again = delivering.redeliver(&redelivering(LEADERSHIPS_COPY)).await;
    refused(again, Code::FailedPrecondition, "WRONG_STATE");

    let mut approver = delivering.distribution.approver();
    let recalled = approver.recall_edition(RecallEditionRequest {
        name: CRIME.into(),
        reason: "a wrong figure".into(),
        request_id: new_id(),
        ..Default::default()
    });
    recalled.await.expect("it is recalled");
    assert_eq!(delivering.distribution.count(due).await, 8);
    let context = delivering.distribution.running.context(|| instant(NOW));
    let mut replica = context.db.begin().await.expect("a transaction");
    let claims = claim(&mut replica, "gpo-leadership", 16).await;
    assert_eq!(claims.iter().filter(|claim| claim.is_recall).count(), 7);
    drop(replica);
    assert_eq!(delivering.copy(LEADERSHIPS_COPY).await.state(), CopyState::Recalled);
}

#[tokio::test]
async fn a_copy_goes_where_its_recipients_server_is_now_and_is_left_to_be_fetched_when_there_is_none() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-moving").await;
    delivering
        .address("supreme-court", Some(("https://localhost:1", "court-moving")))
        .await;
    delivering.distribution.release_crime().await;
    let waits = |attempts| {
        move |copy: &Copy| {
            let delivery = copy.delivery.as_ref();
            delivery.is_some_and(|d| d.attempts == attempts && d.next_attempt_time.is_some())
        }
    };
    delivering.until(COURTS_COPY, waits(1)).await;
    delivering.address("supreme-court", None).await;
    delivering.pass_on(COURTS_COPY, 1).await;
    let left = delivering.until(COURTS_COPY, is(CopyState::Issued)).await;
    assert!(left.status_reason.contains("no endpoint"), "{left:?}");
    assert_eq!(left.delivery.expect("it was delivered").next_attempt_time, None);
    assert_eq!(delivering.events("copy.delivery_ended").await, 1);
    delivering
        .address("supreme-court", Some((&inbox.endpoint, inbox.name)))
        .await;
    delivering
        .redeliver(&redelivering(COURTS_COPY))
        .await
        .expect("it has a server");
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    let told: Vec<_> = delivering.attempts(COURTS_COPY).await;
    let outcomes: Vec<_> = told
        .iter()
        .map(|attempt| (attempt.outcome(), attempt.endpoint.as_str()))
        .collect();
    assert_eq!(
        outcomes,
        [
            (DeliveryOutcome::Received, inbox.endpoint.as_str()),
            (DeliveryOutcome::NoEndpoint, ""),
            (DeliveryOutcome::Unreachable, "https://localhost:1"),
        ]
    );
    let senates = delivering.distribution.copies("senate").await.remove(0);
    let refusal = delivering.redeliver(&redelivering(&senates.name)).await;
    refused(refusal, Code::FailedPrecondition, "NO_ENDPOINT");
}
