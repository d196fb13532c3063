//! The inbox killed, down for a day, and the line to it cut.

use std::time::Duration;

use super::stage::{CLAIMED, COPIES, Stage, until};

const SETTINGS: &[(&str, &str)] = &[("LEGALSTAT_DELIVERY_SECONDS", "20")];
/// So that what the line swallows is given up soon.
const HASTY: &[(&str, &str)] = &[("LEGALSTAT_DELIVERY_SECONDS", "3")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_killed_in_the_middle_and_after_its_answer_receives_each_copy_once() {
    let mut stage = Stage::start(SETTINGS).await;
    for edition in ["crime/2024-Q1", "crime/2024-Q2", "crime/2024-Q3", "crime/2024-Q4"] {
        stage.release(edition).await;
    }
    for after_answer in [false, true, false] {
        if after_answer {
            stage.until_in_the_middle(true).await;
            let before = stage.answered();
            until("it has answered", async || (stage.answered() > before).then_some(())).await;
        }
        stage.stop_inbox_in_the_middle(true).await;
        tokio::task::block_in_place(|| stage.inbox.kill());
        assert!(!stage.coming().is_empty(), "it was in the middle of others");
        tokio::task::block_in_place(|| stage.inbox.begin());
    }
    stage.until_settled().await;
    stage.assert_received_once().await;
    let failed = "SELECT count(*) FROM collections.delivery_attempt WHERE outcome IN ('BROKEN_OFF', 'UNREACHABLE')";
    assert!(stage.count(failed).await > 0, "attempts failed");
    tokio::task::block_in_place(|| drop(stage));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_is_down_for_a_day_has_each_copy_once_when_it_is_back() {
    let mut stage = Stage::start(SETTINGS).await;
    tokio::task::block_in_place(|| stage.inbox.kill());
    stage.release("crime/2025-Q1").await;
    stage.until_ahead(Duration::from_secs(24 * 3600)).await;
    let waiting = "SELECT count(*) FROM collections.copy WHERE state = 'SENDING'";
    assert_eq!(stage.count(waiting).await, i64::from(COPIES), "none has failed");
    let tried = "SELECT count(*) FROM collections.delivery_attempt WHERE outcome = 'UNREACHABLE'";
    assert!(
        stage.count(tried).await > i64::from(COPIES),
        "they were tried again and again"
    );
    assert_eq!((stage.coming().len(), stage.answered()), (0, 0));
    tokio::task::block_in_place(|| stage.inbox.begin());
    stage.until_settled().await;
    stage.assert_received_once().await;
    tokio::task::block_in_place(|| drop(stage));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_falls_silent_in_the_middle_and_heals_brings_each_copy_once() {
    let mut stage = Stage::start(HASTY).await;
    for edition in ["crime/2025-Q1", "crime/2025-Q2"] {
        stage.release(edition).await;
    }
    let late = "SELECT count(*) FROM collections.delivery_attempt WHERE outcome = 'NO_ANSWER'";
    let mut broke_off_in_the_middle = false;
    while !broke_off_in_the_middle {
        let before = stage.count(late).await;
        stage.until_in_the_middle(true).await;
        stage.relay.silence();
        until("what it swallowed is given up", async || {
            (stage.count(late).await > before && stage.count(CLAIMED).await == 0).then_some(())
        })
        .await;
        broke_off_in_the_middle = !stage.coming().is_empty();
        stage.relay.release();
    }
    stage.until_settled().await;
    stage.assert_received_once().await;
    tokio::task::block_in_place(|| drop(stage));
}
