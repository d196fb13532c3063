//! The sender killed and stopped.

use nix::sys::signal::Signal;

use super::stage::{CLAIMED, COPIES, DISTRIBUTION, Stage, until};
use crate::apart::REPLICA;

/// Longer than anything that is delivered here takes.
const PATIENT: &[(&str, &str)] = &[("LEGALSTAT_DELIVERY_SECONDS", "60")];
/// Shorter than a stopped process stays stopped.
const HASTY: &[(&str, &str)] = &[("LEGALSTAT_DELIVERY_SECONDS", "3")];

const RECEIVED: &str = "SELECT count(*) FROM collections.copy WHERE state = 'RECEIVED'";

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Copies are claimed, and nothing of them is sent.
    Claimed,
    /// A part of the content has come.
    InTheMiddle,
    /// The inbox has signed for a copy, and nothing of it is recorded.
    Answered,
    /// Some copies are recorded as received.
    Recorded,
}

/// Releases an edition, and kills the distribution when its delivery has come to a step.
async fn kill_at(stage: &mut Stage, step: Step, edition: &str) {
    match step {
        Step::Claimed => {
            stage.inbox.signal(Signal::SIGSTOP);
            let before = stage.coming().len() + stage.answered();
            stage.release(edition).await;
            until("copies are claimed", async || {
                (stage.count(CLAIMED).await > 0).then_some(())
            })
            .await;
            assert_eq!(stage.coming().len() + stage.answered(), before, "nothing is sent");
            stage.kill_distribution(None).await;
            stage.inbox.signal(Signal::SIGCONT);
        }
        Step::InTheMiddle => {
            stage.release(edition).await;
            // What is on its way stays so until the sender is dead.
            stage.stop_inbox_in_the_middle(false).await;
            stage.kill_distribution(None).await;
            assert!(
                stage.coming().values().any(|length| *length > 0),
                "it broke off in the middle"
            );
            stage.inbox.signal(Signal::SIGCONT);
        }
        Step::Answered => {
            let mut holder = stage.database().await;
            let held = sqlx::raw_sql("BEGIN; LOCK TABLE collections.receipt IN SHARE MODE").execute(&mut holder);
            held.await.expect("it is held");
            let (recorded, before) = (stage.count(RECEIVED).await, stage.answered());
            stage.release(edition).await;
            until("it is answered", async || (stage.answered() > before).then_some(())).await;
            assert_eq!(stage.count(RECEIVED).await, recorded, "no answer is recorded");
            stage.kill_distribution(Some(holder)).await;
            assert_eq!(stage.count(RECEIVED).await, recorded, "no answer is recorded");
        }
        Step::Recorded => {
            let before = stage.count(RECEIVED).await;
            stage.release(edition).await;
            until("one is recorded", async || {
                (stage.count(RECEIVED).await > before).then_some(())
            })
            .await;
            stage.kill_distribution(None).await;
        }
    }
    stage.apart.begin(DISTRIBUTION);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_killed_at_each_step_of_a_delivery_has_each_copy_received_once() {
    let mut stage = Stage::start(PATIENT).await;
    let steps = [Step::Claimed, Step::InTheMiddle, Step::Answered, Step::Recorded];
    for (step, edition) in [
        (steps[0], "crime/2024-Q1"),
        (steps[1], "crime/2024-Q2"),
        (steps[2], "crime/2024-Q3"),
        (steps[3], "crime/2024-Q4"),
        (steps[1], "crime/2025-Q1"),
        (steps[2], "crime/2025-Q2"),
        (steps[0], "crime/2025-Q3"),
    ] {
        kill_at(&mut stage, step, edition).await;
    }
    stage.until_settled().await;
    stage.assert_received_once().await;
    let lost = "SELECT count(*) FROM collections.delivery_attempt WHERE outcome = 'SENDER_LOST'";
    assert!(
        stage.count(lost).await >= i64::from(COPIES),
        "others took over what it had claimed"
    );
    tokio::task::block_in_place(|| drop(stage));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_stopped_beyond_its_claims_sends_nothing_when_it_wakes_and_what_it_says_changes_nothing() {
    let mut stage = Stage::start(HASTY).await;
    stage.release("crime/2025-Q1").await;
    stage.stop_inbox_in_the_middle(false).await;
    stage.apart.signal(DISTRIBUTION, Signal::SIGSTOP);
    stage.inbox.signal(Signal::SIGCONT);
    let claimed = stage.count(CLAIMED).await;
    assert!(claimed > 0, "it is stopped while it delivers");
    stage.apart.begin(REPLICA);
    stage.until_settled().await;
    let lost = "SELECT count(*) FROM collections.delivery_attempt WHERE outcome = 'SENDER_LOST'";
    // On a busy machine it may have taken over from itself, too.
    let taken_over = stage.count(lost).await;
    assert!(
        taken_over >= claimed,
        "the other replica took over what it had claimed: {taken_over} of {claimed}"
    );
    tokio::task::block_in_place(|| stage.apart.end(REPLICA));

    // What the other said last may still be on its way through the relay.
    let (sent, lines) = stage.relay.quiet().await;
    stage.apart.signal(DISTRIBUTION, Signal::SIGCONT);
    let received = stage.copies().await;
    // Before it ends it records whatever it still has to say.
    tokio::task::block_in_place(|| stage.apart.end(DISTRIBUTION));
    assert_eq!(
        (stage.relay.sent(), stage.relay.connections()),
        (sent, lines),
        "it sends nothing"
    );
    stage.apart.begin(DISTRIBUTION);
    stage.assert_received_once().await;
    assert_eq!(stage.copies().await, received, "what it says changes nothing");
    assert_eq!(stage.count(lost).await, taken_over);
    tokio::task::block_in_place(|| drop(stage));
}
