//! How many copies a replica delivers at a time, and for how long it tries, as it is set.

use legalstat_proto::collections::v1::{CopyState, DeliveryOutcome};

use super::{
    copies::COURTS_COPY,
    delivery::{Delivering, Manner, is},
};

const UNDER_WAY: &str = "SELECT count(*) FROM collections.delivery WHERE claimed_until IS NOT NULL";
const RECEIVED: &str = "SELECT count(*) FROM collections.copy WHERE state = 'RECEIVED'";

#[tokio::test]
async fn one_server_has_a_quarter_of_the_places_that_are_set_and_the_rest_waits() {
    let delivering = Delivering::start_with(&[("LEGALSTAT_DELIVERY_PLACES", "8".to_owned())]).await;
    let slow = delivering.inbox("gpo-leadership", "leadership-slow").await;
    slow.turns(Manner::Waits);
    delivering.inbox_signing("supreme-court", "court-beside", 2).await;
    delivering.distribution.release_crime().await;
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    delivering.until_count(UNDER_WAY, 2).await;
    let waiting = "SELECT count(*) FROM collections.delivery WHERE next_attempt_at IS NOT NULL AND attempts = 0";
    assert_eq!(delivering.distribution.count(waiting).await, 5);
    slow.turns(Manner::Receives);
    delivering.until_count(RECEIVED, 8).await;
}

#[tokio::test]
async fn an_attempt_ends_after_the_time_that_is_set() {
    let delivering = Delivering::start_with(&[("LEGALSTAT_DELIVERY_SECONDS", "1".to_owned())]).await;
    let inbox = delivering.inbox("supreme-court", "court-dawdling").await;
    inbox.turns(Manner::Waits);
    delivering.distribution.release_crime().await;
    delivering
        .until_count("SELECT count(*) FROM collections.delivery_attempt", 1)
        .await;
    let attempt = delivering.attempts(COURTS_COPY).await.remove(0);
    assert_eq!(attempt.outcome(), DeliveryOutcome::NoAnswer, "{attempt:?}");
}
