//! Callers without a certificate who send every public method its dearest message, while a document system submits.

mod dearest;
mod placed;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_proto::requests::v1::{GetRequestRequest, request_intake_service_client::RequestIntakeServiceClient};
use legalstat_test_support::system::System;
use prost_reflect::DynamicMessage;
use tokio::task::JoinSet;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use self::{
    dearest::{dearest, public},
    placed::{answer, place},
};
use crate::{
    call::{Call, method},
    submission::submission,
};

/// How many strangers call at once. More would only tell how fast a build that is not optimized is: the dearest message is
/// what this is about.
const STRANGERS: usize = 16;
/// Over how many connections.
const CONNECTIONS: usize = 4;
/// How long a stranger waits before he calls again: the clients are on the same machine.
const PAUSE: Duration = Duration::from_millis(10);
/// How many submissions are timed under each flood.
const SUBMISSIONS: usize = 11;
/// What the one in the middle may take: so long, or where the machine is busy so many times as long as without a flood.
const MEDIAN: Duration = Duration::from_millis(300);
const TIMES: u32 = 4;
/// How often a flood is made before it counts as one that keeps submissions waiting: a neighbour of this machine does so once, a method each
/// time.
const FLOODS: usize = 5;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
fn call(channel: &Channel, path: &'static str, message: &serde_json::Value) -> Call {
    let message =
        DynamicMessage::deserialize(method(path).input(), message).unwrap_or_else(|error| panic!("{path}: {error}"));
    Call::new(channel, path, &message)
}

/// Strangers who call again and again until they are dropped.
struct Flood {
    _strangers: JoinSet<()>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Flood {
    fn begin(calls: &[Call]) -> Self {
        let mut flood = Self {
            _strangers: JoinSet::new(),
            stop: Arc::default(),
            answered: Arc::default(),
            refused: Arc::default(),
        };
        for stranger in 0..STRANGERS {
            let (call, stop) = (calls[stranger % calls.len()].clone(), Arc::clone(&flood.stop));
            let (answered, refused) = (Arc::clone(&flood.answered), Arc::clone(&flood.refused));
            flood._strangers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    match call.make(Some(Duration::from_secs(10))).await {
                        Ok(_) => answered.fetch_add(1, Ordering::Relaxed),
                        Err(status) => {
                            // The client's own clock may end a call before the service does.
                            let codes = [
                                Code::ResourceExhausted,
                                Code::Unavailable,
                                Code::DeadlineExceeded,
                                Code::Cancelled,
                            ];
                            assert!(codes.contains(&status.code()), "{}: {status:?}", call.method());
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                    tokio::time::sleep(PAUSE).await;
                }
            });
        }
        flood
    }

    async fn end(mut self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self._strangers.join_next().await {
            ended.expect("a stranger is told to try again, if anything");
        }
        (
            self.answered.load(Ordering::Relaxed),
            self.refused.load(Ordering::Relaxed),
        )
    }
}

#[test]
fn the_dearest_message_of_every_public_method_is_known() {
    let known: BTreeSet<String> = dearest(&Default::default())
        .into_iter()
        .map(|(_, path, _)| path.to_owned())
        .collect();
    assert_eq!(known, public());
}

/// Makes a call until it is answered: what a flood has left at the service may still be there for a moment. What finds nothing would be
/// cheap.
async fn alone(call: &Call) {
    let began = Instant::now();
    loop {
        let status = match call.make(None).await {
            Ok(answer) => {
                assert!(
                    answer.iter().any(|message| !message.is_empty()),
                    "{} finds nothing",
                    call.method()
                );
                return;
            }
            Err(status) => status,
        };
        let passing = [Code::ResourceExhausted, Code::Unavailable];
        let is_late = began.elapsed() > PATIENCE;
        assert!(
            passing.contains(&status.code()) && !is_late,
            "{}: {status:?}",
            call.method()
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// How long submissions take, the longest last; of one that is not taken, or is examined later only, more than anything.
async fn submissions(edms: &mut RequestIntakeServiceClient<Channel>) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..SUBMISSIONS {
        let (message, began) = (submission(&format!("flood-{}", Uuid::new_v4())), Instant::now());
        took.push(match edms.submit_request(message).await {
            Ok(answer) if !answer.get_ref().registration_number.is_empty() => began.elapsed(),
            Ok(_) => Duration::MAX,
            Err(status) => {
                let passing = [Code::ResourceExhausted, Code::Unavailable, Code::DeadlineExceeded];
                assert!(passing.contains(&status.code()), "{status:?}");
                Duration::MAX
            }
        });
    }
    took.sort_unstable();
    took
}

/// Floods a service with these calls while others submit. What submissions took, if the one in the middle took too long.
async fn kept_waiting(calls: &[Call], edms: &mut RequestIntakeServiceClient<Channel>) -> Option<Vec<Duration>> {
    let flood = Flood::begin(calls);
    let took = submissions(edms).await;
    let (answered, refused) = flood.end().await;
    let median = took[SUBMISSIONS / 2];
    eprintln!(
        "{}: {answered} answered, {refused} refused, a submission took {median:?}, at most {:?}",
        calls[0].path,
        took[SUBMISSIONS - 1]
    );
    if median < MEDIAN {
        return None;
    }
    let calm = submissions(edms).await[SUBMISSIONS / 2];
    eprintln!("{}: without a flood {calm:?}", calls[0].path);
    (median > calm.saturating_mul(TIMES)).then_some(took)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stranger_keeps_a_submission_waiting_whatever_he_asks() {
    let system = tokio::task::block_in_place(System::start);
    place(&system).await;
    let mut edms = RequestIntakeServiceClient::new(system.channel("request-intake", Some("edms")));
    let held = edms.submit_request(submission("held")).await.expect("it is accepted");
    let held = held.into_inner();
    let asked = GetRequestRequest {
        name: held.name.clone(),
        ..Default::default()
    };
    // On a busy machine it is examined by a job, after the call that brought it.
    let began = Instant::now();
    while !edms
        .get_request(asked.clone())
        .await
        .is_ok_and(|read| !read.get_ref().registration_number.is_empty())
    {
        assert!(began.elapsed() < PATIENCE, "it is registered in time");
        tokio::time::sleep(PAUSE).await;
    }
    answer(&system, &held.name).await;
    let coupon = held.coupon.expect("it has one");
    let mut slow = Vec::new();
    for (service, path, message) in dearest(&(coupon.number, coupon.secret)) {
        let channels: Vec<Channel> = (0..CONNECTIONS).map(|_| system.channel(service, None)).collect();
        let calls: Vec<Call> = channels.iter().map(|channel| call(channel, path, &message)).collect();
        let mut floods = Vec::new();
        for _ in 0..FLOODS {
            // Alone, it is answered: what floods is what the method takes.
            alone(&calls[0]).await;
            let Some(took) = kept_waiting(&calls, &mut edms).await else {
                floods.clear();
                break;
            };
            floods.push(took);
        }
        if !floods.is_empty() {
            slow.push((path, floods));
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
    tokio::task::block_in_place(|| drop(system));
}
