//! Faults with real processes killed.

mod call;
mod cutting;
mod dice;
mod recompute;
mod submission;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use legalstat_proto::{
    calendar::v1::RequesterKind,
    common::v1::Date,
    journal::v1::{ListEntriesRequest, journal_service_client::JournalServiceClient},
    requests::v1::{
        self as requests, Item, ItemKind, Language, ListRequestsRequest, Request, Requester, Signatory,
        SignatoryCapacity, SubmitRequestRequest, Unit, request_intake_service_client::RequestIntakeServiceClient,
    },
};
use nix::sys::signal::Signal;
use tokio::{sync::Notify, task::JoinSet};
use tonic::transport::Channel;
use uuid::Uuid;

use legalstat_test_support::system::System;

/// How many requests are submitted, and by how many at once.
const SUBMISSIONS: usize = 1000;
const AT_ONCE: usize = 16;
/// After how many answers the system is killed.
const KILLED_AFTER: usize = 400;

fn submission(number: usize) -> SubmitRequestRequest {
    let request = Request {
        requester: Some(Requester {
            kind: RequesterKind::StateBody.into(),
            full_name: "Ministry of Justice".into(),
            ..Default::default()
        }),
        signatory: Some(Signatory {
            full_name: "The head".into(),
            capacity: SignatoryCapacity::Head.into(),
        }),
        channel: requests::Channel::UnifiedEdms.into(),
        external_number: format!("chaos-{number}"),
        external_date: Some(Date {
            year: 2026,
            month: 2,
            day: 2,
        }),
        essence: "Crimes registered in the fourth quarter of 2025".into(),
        language: Language::Ru.into(),
        items: vec![Item {
            kind: ItemKind::Statistics.into(),
            description: "Registered crimes".into(),
            unit: Unit::Crime.into(),
            period: "2025-Q4".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("chaos-{number}").as_bytes()).to_string();
    SubmitRequestRequest {
        request: Some(request),
        request_id,
        validate_only: false,
    }
}

/// Submits every request that has no answer yet; what could not be submitted stays without one.
async fn submit_all(channel: Channel, answers: &mut BTreeMap<usize, Request>, enough: (usize, Arc<Notify>)) {
    let (enough, notify) = enough;
    let waiting: Vec<usize> = (0..SUBMISSIONS)
        .filter(|number| !answers.contains_key(number))
        .collect();
    let (next, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut submitters = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (mut client, waiting) = (RequestIntakeServiceClient::new(channel.clone()), waiting.clone());
        let (next, answered, notify) = (next.clone(), answered.clone(), notify.clone());
        submitters.spawn(async move {
            let mut own = Vec::new();
            while let Some(number) = waiting.get(next.fetch_add(1, Ordering::SeqCst)) {
                let Ok(answer) = client.submit_request(submission(*number)).await else {
                    break;
                };
                own.push((*number, answer.into_inner()));
                if answered.fetch_add(1, Ordering::SeqCst) + 1 == enough {
                    notify.notify_one();
                }
            }
            own
        });
    }
    for own in submitters.join_all().await {
        answers.extend(own);
    }
}

/// Every request that the system holds, by the sender's number.
async fn stored(channel: Channel) -> BTreeMap<String, Vec<Request>> {
    let mut client = RequestIntakeServiceClient::new(channel);
    let mut list = ListRequestsRequest {
        page_size: 200,
        ..Default::default()
    };
    let mut stored: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    loop {
        let page = client
            .list_requests(list.clone())
            .await
            .expect("the system runs")
            .into_inner();
        for request in page.requests {
            stored.entry(request.external_number.clone()).or_default().push(request);
        }
        if page.next_page_token.is_empty() {
            return stored;
        }
        list.page_token = page.next_page_token;
    }
}

async fn journaled(channel: Channel) -> BTreeMap<String, usize> {
    let mut client = JournalServiceClient::new(channel);
    let method = "/legalstat.requests.v1.RequestIntakeService/SubmitRequest".to_owned();
    let mut list = ListEntriesRequest {
        page_size: 1000,
        method,
        ..Default::default()
    };
    let mut entries = BTreeMap::new();
    loop {
        let page = client
            .list_entries(list.clone())
            .await
            .expect("the system runs")
            .into_inner();
        for entry in page.entries {
            *entries.entry(entry.resource).or_default() += 1;
        }
        if page.next_page_token.is_empty() {
            return entries;
        }
        list.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_request_is_there_once_after_a_kill_in_the_middle_of_a_thousand() {
    let mut system = tokio::task::block_in_place(System::start);
    let (mut answers, notify) = (BTreeMap::new(), Arc::new(Notify::new()));
    let channel = system.channel("request-intake", Some("edms"));
    let submitting = tokio::spawn({
        let notify = notify.clone();
        async move {
            let mut answers = BTreeMap::new();
            submit_all(channel, &mut answers, (KILLED_AFTER, notify)).await;
            answers
        }
    });
    notify.notified().await;
    tokio::task::block_in_place(|| system.end(Signal::SIGKILL));
    answers.extend(submitting.await.expect("no submitter panics"));
    assert!(
        (KILLED_AFTER..SUBMISSIONS).contains(&answers.len()),
        "it was killed in the middle: {}",
        answers.len()
    );

    tokio::task::block_in_place(|| system.up());
    let acknowledged = answers.clone();
    let holds = |stored: &BTreeMap<String, Vec<Request>>, entries: &BTreeMap<String, usize>| {
        for (number, answer) in &acknowledged {
            let found = &stored[&format!("chaos-{number}")];
            assert_eq!(found.len(), 1, "request {number} is there once");
            assert_eq!((&found[0].name, &found[0].coupon), (&answer.name, &answer.coupon));
            assert_eq!(
                entries.get(&answer.name),
                Some(&1),
                "request {number} has one entry in the journal"
            );
        }
    };
    let (edms, administrator) = (Some("edms"), Some("administrator"));
    let stored_now = stored(system.channel("request-intake", edms)).await;
    holds(
        &stored_now,
        &journaled(system.channel("request-intake", administrator)).await,
    );
    let names = |stored: &BTreeMap<String, Vec<Request>>| stored.values().map(Vec::len).sum::<usize>();
    assert!(names(&stored_now) >= acknowledged.len());

    submit_all(
        system.channel("request-intake", edms),
        &mut answers,
        (usize::MAX, Arc::default()),
    )
    .await;
    assert_eq!(
        answers.len(),
        SUBMISSIONS,
        "the rest is submitted again with the same ids"
    );
    let stored_then = stored(system.channel("request-intake", edms)).await;
    let entries = journaled(system.channel("request-intake", administrator)).await;
    holds(&stored_then, &entries);
    assert_eq!((names(&stored_then), entries.len()), (SUBMISSIONS, SUBMISSIONS));
    assert!(entries.values().all(|count| *count == 1));
    tokio::task::block_in_place(|| drop(system));
}
