//! A whole system killed twice while a crowd submits requests.
//!
//! `LEGALSTAT_CROWD=full` makes it 10,000 requests over 64 connections.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_proto::{
    journal::v1::{ListEntriesRequest, journal_service_client::JournalServiceClient},
    requests::v1::{
        ListRequestsRequest, Request, RequestState, request_intake_service_client::RequestIntakeServiceClient,
    },
};
use legalstat_test_support::system::System;
use nix::sys::signal::Signal;
use tokio::{sync::Notify, task::JoinSet};
use tonic::transport::Channel;

use crate::{dice::Dice, submission::submission};

/// How long what was put off may wait for its examination.
const PATIENCE: Duration = Duration::from_secs(120);

/// Within how many microseconds after enough answers the system is killed.
const MOMENT: u64 = 50_000;

/// How many requests are submitted, and over how many connections at once.
struct Crowd {
    submissions: usize,
    connections: usize,
}

/// What was acknowledged, by number.
type Acknowledged = BTreeMap<usize, Request>;

impl Crowd {
    fn of_environment() -> Self {
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

/// Every request that the system holds, by the sender's number.
async fn stored(system: &System) -> BTreeMap<String, Vec<Request>> {
    let mut client = RequestIntakeServiceClient::new(system.channel("request-intake", Some("edms")));
    client = client.max_decoding_message_size(usize::MAX);
    let mut list = ListRequestsRequest {
        page_size: 200,
        ..Default::default()
    };
    let mut stored: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    loop {
        let page = client.list_requests(list.clone()).await;
        let page = page.expect("the system runs").into_inner();
        for request in page.requests {
            stored.entry(request.external_number.clone()).or_default().push(request);
        }
        if page.next_page_token.is_empty() {
            return stored;
        }
        list.page_token = page.next_page_token;
    }
}

/// How many entries of submissions the journal holds by resource.
async fn journaled(system: &System) -> BTreeMap<String, usize> {
    let mut client = JournalServiceClient::new(system.channel("request-intake", Some("administrator")));
    let mut list = ListEntriesRequest {
        page_size: 1000,
        method: "/legalstat.requests.v1.RequestIntakeService/SubmitRequest".to_owned(),
        ..Default::default()
    };
    let mut entries = BTreeMap::new();
    loop {
        let page = client.list_entries(list.clone()).await;
        let page = page.expect("the system runs").into_inner();
        for entry in page.entries {
            *entries.entry(entry.resource).or_default() += 1;
        }
        if page.next_page_token.is_empty() {
            return entries;
        }
        list.page_token = page.next_page_token;
    }
}

/// Checks that what was acknowledged is there once, as it was acknowledged, and that the journal holds one entry for each
/// request and none for any other. How many there are.
async fn holds(system: &System, acknowledged: &Acknowledged) -> usize {
    let (stored, entries) = (stored(system).await, journaled(system).await);
    for (number, answer) in acknowledged {
        let found = stored
            .get(&format!("chaos-{number}"))
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert_eq!(found.len(), 1, "request {number} was acknowledged and is there once");
        // The secret of its coupon was told once.
        let coupon = |request: &Request| request.coupon.clone().map(|coupon| (coupon.number, coupon.signature));
        assert_eq!((&found[0].name, coupon(&found[0])), (&answer.name, coupon(answer)));
    }
    for (number, found) in &stored {
        assert_eq!(found.len(), 1, "{number} is there once, acknowledged or not");
        let entry = entries.get(&found[0].name);
        assert_eq!(entry, Some(&1), "{number} has one entry in the journal");
    }
    assert_eq!(entries.len(), stored.len(), "the journal names no other request");
    stored.len()
}

/// Waits until every request is registered, and checks that the numbers of each year have no gap.
async fn numbers_have_no_gap(system: &System) {
    let began = Instant::now();
    let requests = loop {
        let requests: Vec<Request> = stored(system).await.into_values().flatten().collect();
        let registered = |request: &Request| request.state() == RequestState::Registered;
        if requests.iter().all(registered) {
            break requests;
        }
        assert!(began.elapsed() < PATIENCE, "what was put off is registered in time");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let mut years: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for request in &requests {
        let number = request
            .registration_number
            .split_once('-')
            .expect("a year and a number");
        let place = number.1.parse().expect("a number");
        years.entry(number.0).or_default().push(place);
    }
    for (year, numbers) in &mut years {
        numbers.sort_unstable();
        let gapless = numbers.iter().copied().eq(1..=numbers.len());
        assert!(gapless, "the numbers of {year} have no gap: {numbers:?}");
    }
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
        let there = holds(&system, &acknowledged).await;
        eprintln!("kill {kill}: {all} acknowledged, {there} there");
    }
    // A service that is busy is asked again, with the same ids.
    while acknowledged.len() < crowd.submissions {
        let before = acknowledged.len();
        let rest = crowd.submit(&system, &acknowledged, (usize::MAX, Arc::default())).await;
        acknowledged.extend(rest.join_all().await.into_iter().flatten());
        assert!(acknowledged.len() > before, "the rest is taken: {before} so far");
    }
    assert_eq!(holds(&system, &acknowledged).await, crowd.submissions);
    numbers_have_no_gap(&system).await;
    let (submissions, took) = (crowd.submissions, began.elapsed().as_secs());
    eprintln!(
        "{submissions} requests over {} connections and two kills in {took} s",
        crowd.connections
    );
    tokio::task::block_in_place(|| drop(system));
}
