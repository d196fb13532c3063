//! Copies of recipients that have ended, delivered to the server of what follows them.

use legalstat_proto::collections::v1::{CopyState, Recipient};

use super::{
    delivery::{Delivering, Manner, is},
    recipients::{day, updating},
};

/// The first of the seven copies of the leadership, and the first of the committee's five.
const LEADERSHIPS_COPY: &str = "collections/crime/editions/2025-Q1/copies/1";
const DUE: &str = "SELECT count(*) FROM collections.delivery WHERE next_attempt_at IS NOT NULL";

/// The crime collection is released, and afterwards it is recorded that the leadership ended the day before and that the committee follows
/// it, whose server nobody has called yet: all twelve copies are due there.
async fn succeeded(name: &'static str) -> (Delivering, super::delivery::Inbox) {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("gpo-committee", name).await;
    let own = Some(("https://localhost:1", "gpo-leadership"));
    delivering.address("gpo-leadership", own).await;
    delivering.leave_alone("gpo-leadership").await;
    delivering.leave_alone("gpo-committee").await;
    delivering.distribution.release_crime().await;
    let ended = Recipient {
        name: "recipients/gpo-leadership".into(),
        valid_to: day(2025, 4, 2),
        successor: "recipients/gpo-committee".into(),
        ..Default::default()
    };
    let ended = updating(ended, &["valid_to", "successor"], None);
    delivering
        .distribution
        .update(ended)
        .await
        .expect("the committee follows it");
    (delivering, inbox)
}

#[tokio::test]
async fn a_dead_server_has_one_breaker_whosever_copies_go_there() {
    let (delivering, inbox) = succeeded("committee-dead").await;
    inbox.turns(Manner::Away);
    let begins = "DELETE FROM collections.recipient_breaker";
    let copies = delivering.distribution.count(DUE).await;
    delivering.distribution.execute(begins).await;
    let open = "SELECT count(*) FROM collections.recipient_breaker WHERE recipient = 'gpo-committee' AND open_until IS NOT NULL";
    delivering.until_count(open, 1).await;
    let under_way = "SELECT count(*) FROM collections.delivery WHERE claimed_until IS NOT NULL";
    delivering.until_count(under_way, 0).await;
    assert!(copies > 7, "{copies}: both have copies");
    let others = "SELECT count(*) FROM collections.recipient_breaker WHERE recipient <> 'gpo-committee'";
    assert_eq!(delivering.distribution.count(others).await, 0);
}

#[tokio::test]
async fn copies_of_a_recipient_that_ended_wait_while_the_server_of_its_successor_is_left_alone_and_have_it_tried_by_hand()
 {
    let (delivering, inbox) = succeeded("committee-left-alone").await;
    let own = "DELETE FROM collections.recipient_breaker WHERE recipient = 'gpo-leadership'";
    delivering.distribution.execute(own).await;
    // Another server's copy, which is looked for in the same rounds.
    let senate = delivering.inbox_signing("senate", "senate-beside", 2).await;
    delivering.distribution.release_earlier().await;
    delivering
        .until_count("SELECT count(*) FROM collections.copy WHERE state = 'RECEIVED'", 1)
        .await;
    assert_eq!(senate.stored.lock().expect("no code panics").len(), 1);
    assert!(inbox.stored.lock().expect("no code panics").is_empty());
    assert_eq!(delivering.copy(LEADERSHIPS_COPY).await.state(), CopyState::Issued);

    let failed =
        "UPDATE collections.copy SET state = 'FAILED', status_reason = 'away' WHERE number = 1 AND period = '2025-Q1'";
    delivering.distribution.execute(failed).await;
    delivering
        .redeliver(&super::delivery::redelivering(LEADERSHIPS_COPY))
        .await
        .expect("it failed");
    delivering.until(LEADERSHIPS_COPY, is(CopyState::Received)).await;
}
