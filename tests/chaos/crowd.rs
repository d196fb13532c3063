//! A whole system killed twice while a crowd submits requests.
//!
//! `LEGALSTAT_CROWD=full` makes it 10,000 requests over 64 connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_proto::requests::v1::{Request, request_intake_service_client::RequestIntakeServiceClient};
use legalstat_test_support::system::System;
use nix::sys::signal::Signal;
use tokio::{sync::Notify, task::JoinSet};
use tonic::transport::Channel;

use crate::{
    dice::Dice,
    submission::submission,
    taken::{Acknowledged, holds, numbers_have_no_gap},
};

/// How long a system that runs may take no request, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);
/// Within how many microseconds after enough answers the system is killed.
const MOMENT: u64 = 50_000;

/// How many requests are submitted, and over how many connections at once.
#[derive(Clone, Copy)]
pub struct Crowd {
    pub submissions: usize,
    pub connections: usize,
}

impl Crowd {
    /// As many as the environment says.
    pub fn of_environment() -> Self {
        if std::env::var("LEGALSTAT_CROWD").is_ok_and(|value| value == "full") {
            Self {
                submissions: 10_000,
                connections: 64,
            }
        } else {
            Self {
                submissions: 1500,
                connections: 16,
            }
        }
    }

    /// Submits every request that has no answer yet, each connection one after another until it fails. `enough` is told
    /// once so many are answered.
    async fn submit(&self, system: &System, acknowledged: &Acknowledged, enough: (usize, Arc<Notify>)) -> Submitting {
        let unanswered = (0..self.submissions).filter(|number| !acknowledged.contains_key(number));
        let waiting: Arc<Vec<usize>> = Arc::new(unanswered.collect());
        let (next, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut submitters = JoinSet::new();
        for _ in 0..self.connections {
            let client = RequestIntakeServiceClient::new(system.channel("request-intake", Some("edms")));
            let (next, waiting) = (next.clone(), waiting.clone());
            let (answered, (enough, notify)) = (answered.clone(), enough.clone());
            submitters.spawn(async move {
                submit_some(client, &waiting, &next, || {
                    if answered.fetch_add(1, Ordering::SeqCst) + 1 == enough {
                        notify.notify_one();
                    }
                })
                .await
            });
        }
        submitters
    }
}

type Submitting = JoinSet<Vec<(usize, Request)>>;

async fn submit_some(
    mut client: RequestIntakeServiceClient<Channel>,
    waiting: &[usize],
    next: &AtomicUsize,
    answered: impl Fn(),
) -> Vec<(usize, Request)> {
    let mut own = Vec::new();
    while let Some(number) = waiting.get(next.fetch_add(1, Ordering::SeqCst)) {
        let Ok(answer) = client.submit_request(submission(&format!("chaos-{number}"))).await else {
            break;
        };
        own.push((*number, answer.into_inner()));
        answered();
    }
    own
}

/// Intake of a system, for its callers.
fn reach(system: &System) -> impl Fn(&str) -> Channel {
    |caller| system.channel("request-intake", Some(caller))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_request_is_there_once_though_the_system_is_killed_twice_amid_a_crowd() {
    let crowd = Crowd::of_environment();
    let (began, mut dice) = (Instant::now(), Dice::of("LEGALSTAT_CROWD_SEED", "crowd"));
    let mut system = tokio::task::block_in_place(System::start);
    let mut acknowledged = Acknowledged::new();
    for kill in 1..=2 {
        let (notify, before) = (Arc::new(Notify::new()), acknowledged.len());
        // A third of all before each kill, so that a third is left after the second.
        let enough = (crowd.submissions / 3, notify.clone());
        let submitting = crowd.submit(&system, &acknowledged, enough).await;
        notify.notified().await;
        // Not just after an answer, but at any moment between two: that is when what was stored may not have been answered.
        tokio::time::sleep(Duration::from_micros(dice.up_to(MOMENT))).await;
        tokio::task::block_in_place(|| system.end(Signal::SIGKILL));
        acknowledged.extend(submitting.join_all().await.into_iter().flatten());
        let all = acknowledged.len();
        assert!(
            (before + crowd.submissions / 3..crowd.submissions).contains(&all),
            "kill {kill} comes in the middle: {all}"
        );
        tokio::task::block_in_place(|| system.up());
        let there = holds(&reach(&system), &acknowledged).await;
        eprintln!("kill {kill}: {all} acknowledged, {there} there");
    }
    // A service that is busy is asked again, with the same ids.
    let mut taken = Instant::now();
    while acknowledged.len() < crowd.submissions {
        let before = acknowledged.len();
        let rest = crowd.submit(&system, &acknowledged, (usize::MAX, Arc::default())).await;
        acknowledged.extend(rest.join_all().await.into_iter().flatten());
        if acknowledged.len() > before {
            taken = Instant::now();
        }
        assert!(taken.elapsed() < PATIENCE, "the rest is taken: {before} so far");
    }
    assert_eq!(holds(&reach(&system), &acknowledged).await, crowd.submissions);
    numbers_have_no_gap(&reach(&system)).await;
    let (submissions, took) = (crowd.submissions, began.elapsed().as_secs());
    eprintln!(
        "{submissions} requests over {} connections and two kills in {took} s",
        crowd.connections
    );
    tokio::task::block_in_place(|| drop(system));
}
