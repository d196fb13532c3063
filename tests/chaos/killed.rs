//! Services killed one after another while requests come.
//!
//! `LEGALSTAT_CROWD=full` makes it 10,000 requests over 64 connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_proto::requests::v1::{Request, RequestState, request_intake_service_client::RequestIntakeServiceClient};
use tokio::{sync::Semaphore, task::JoinSet};
use tonic::transport::Channel;

use crate::{
    apart::Apart,
    crowd::Crowd,
    submission::submission,
    taken::{Acknowledged, holds, numbers_have_no_gap},
};

/// How long a client waits before it asks again.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a service may take to be back, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is done to a service after an eighth, two eighths … of all answers.
#[derive(Clone, Copy)]
enum Blow {
    Kill(&'static str),
    Begin(&'static str),
    KillAndBegin(&'static str),
}

const BLOWS: [Blow; 6] = [
    Blow::Kill("calendar"),
    Blow::KillAndBegin("request-intake"),
    Blow::Begin("calendar"),
    Blow::Kill("form-registry"),
    Blow::KillAndBegin("request-intake"),
    Blow::Begin("form-registry"),
];

/// Submits a request again and again with the same `request_id` until it is answered.
async fn submit(client: &mut RequestIntakeServiceClient<Channel>, number: usize) -> Request {
    let began = Instant::now();
    loop {
        match client.submit_request(submission(&format!("chaos-{number}"))).await {
            Ok(answer) => return answer.into_inner(),
            Err(status) => assert!(
                began.elapsed() < PATIENCE,
                "request {number} is taken in time: {status}"
            ),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Submits all; each answer is one permit of `answers`.
fn submit_all(apart: &Apart, crowd: Crowd, answers: &Arc<Semaphore>) -> JoinSet<Vec<(usize, Request)>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut submitters = JoinSet::new();
    for _ in 0..crowd.connections {
        let mut client = RequestIntakeServiceClient::new(apart.channel("request-intake", "edms"));
        let (next, answers) = (next.clone(), answers.clone());
        submitters.spawn(async move {
            let mut own = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= crowd.submissions {
                    return own;
                }
                own.push((number, submit(&mut client, number).await));
                answers.add_permits(1);
            }
        });
    }
    submitters
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_once_and_examined_though_calendar_registry_and_intake_are_killed() {
    let (crowd, began) = (Crowd::of_environment(), Instant::now());
    let mut apart = Apart::start().await;
    let mut edms = RequestIntakeServiceClient::new(apart.channel("request-intake", "edms"));
    submit(&mut edms, crowd.submissions).await;
    let answers = Arc::new(Semaphore::new(0));
    let submitting = submit_all(&apart, crowd, &answers);
    let eighth = u32::try_from(crowd.submissions / 8).expect("some thousand");
    for blow in BLOWS {
        answers.acquire_many(eighth).await.expect("it stays open").forget();
        match blow {
            Blow::Kill(service) => apart.kill(service),
            Blow::Begin(service) => apart.begin(service),
            Blow::KillAndBegin(service) => {
                apart.kill(service);
                apart.begin(service);
            }
        }
    }
    let answered: Acknowledged = submitting.join_all().await.into_iter().flatten().collect();
    let took = began.elapsed().as_secs();
    let later = answered
        .values()
        .filter(|request| request.state() == RequestState::Received);
    let later = later.count();
    eprintln!(
        "{} requests in {took} s, {later} of them to be examined later",
        answered.len()
    );
    assert!(later > 0, "while a service was away requests were taken all the same");
    let reach = |caller: &str| apart.channel("request-intake", caller);
    assert_eq!(holds(&reach, &answered).await, crowd.submissions + 1);
    numbers_have_no_gap(&reach).await;
    eprintln!("all of them were examined after {} s", began.elapsed().as_secs());
    tokio::task::block_in_place(|| drop(apart));
}
