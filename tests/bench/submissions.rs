//! Submissions, each a request of its own that is to be registered at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    common::v1::Date,
    requests::v1::{
        self as requests, Item, ItemKind, Language, Request, RequestState, Requester, Signatory, SignatoryCapacity,
        SubmitRequestRequest, Unit,
    },
};
use prost::Message;
use tokio::task::JoinSet;
use tonic::{Status, codec::DecodeBuf, transport::Channel};
use uuid::Uuid;

use crate::{call::call, load::processor_time, report::Turn};

const METHOD: &str = "/legalstat.requests.v1.RequestIntakeService/SubmitRequest";

/// A sender of submissions over a few connections.
pub(crate) struct Submissions {
    channels: Vec<Channel>,
    process: u32,
    next: Arc<AtomicUsize>,
    /// How many answers were not a registration, and the first of them in words.
    pub(crate) wrong: usize,
    pub(crate) first_wrong: Option<String>,
}

/// A call with its answer, not read yet.
struct Answered {
    began: Instant,
    ended: Instant,
    answer: Result<Bytes, Status>,
}

/// When submissions are sent.
#[derive(Clone, Copy)]
enum Pace {
    /// The next as soon as one is answered.
    AtOnce,
    /// So many a second from an instant on, whatever becomes of the earlier ones.
    Steady(Instant, f64),
}

impl Pace {
    /// Waits until the submission at a place is to be sent.
    async fn wait(self, place: usize) {
        if let Self::Steady(from, rate) = self {
            tokio::time::sleep_until((from + Duration::from_secs_f64(place as f64 / rate)).into()).await;
        }
    }
}

impl Submissions {
    pub(crate) fn new(channels: Vec<Channel>, process: u32) -> Self {
        Self {
            channels,
            process,
            next: Arc::default(),
            wrong: 0,
            first_wrong: None,
        }
    }

    /// Submits for as long as a turn lasts, so many at a time; the turn, and how many were answered.
    pub(crate) async fn turn(&mut self, in_flight: usize, length: Duration) -> (Turn, usize) {
        let before = processor_time(self.process);
        let began = Instant::now();
        let answers = self
            .run(in_flight, Some(began + length), usize::MAX, Pace::AtOnce)
            .await;
        let took = began.elapsed();
        let used = processor_time(self.process).zip(before);
        let mut latencies: Vec<Duration> = answers.iter().map(|call| call.ended - call.began).collect();
        latencies.sort_unstable();
        let count = answers.len();
        self.check(answers);
        let turn = Turn {
            rate: count as f64 / took.as_secs_f64(),
            processor: used.map(|(after, before)| after.saturating_sub(before).div_f64(count as f64)),
            latencies,
        };
        (turn, count)
    }

    /// Submits so many.
    pub(crate) async fn submit(&mut self, in_flight: usize, count: usize) {
        let last = self.next.load(Ordering::Relaxed) + count;
        let answers = self.run(in_flight, None, last, Pace::AtOnce).await;
        self.next.store(last, Ordering::Relaxed);
        self.check(answers);
    }

    /// Submits so many a second for so long; the name of each request, with the instant at which it was answered.
    pub(crate) async fn steady(&mut self, in_flight: usize, rate: f64, length: Duration) -> Vec<(String, Instant)> {
        let began = Instant::now();
        let answers = self
            .run(in_flight, Some(began + length), usize::MAX, Pace::Steady(began, rate))
            .await;
        let named = answers.iter().filter_map(|call| {
            let request = Request::decode(call.answer.as_ref().ok()?.clone()).ok()?;
            Some((request.name, call.ended))
        });
        let named = named.collect();
        self.check(answers);
        named
    }

    /// The sender's number of the submission that comes next.
    pub(crate) fn next_number(&self) -> String {
        external_number(self.next.load(Ordering::Relaxed))
    }

    async fn run(&self, in_flight: usize, until: Option<Instant>, last: usize, pace: Pace) -> Vec<Answered> {
        let first = self.next.load(Ordering::Relaxed);
        let mut senders = JoinSet::new();
        for number in 0..in_flight {
            let channel = self.channels[number % self.channels.len()].clone();
            let next = Arc::clone(&self.next);
            senders.spawn(async move {
                let mut answers = Vec::with_capacity(1024);
                loop {
                    if until.is_some_and(|until| Instant::now() >= until) {
                        return answers;
                    }
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= last {
                        return answers;
                    }
                    pace.wait(number - first).await;
                    let submission = submission(number).encode_to_vec().into();
                    let began = Instant::now();
                    let answer = call(&channel, METHOD, keep, submission).await;
                    answers.push(Answered {
                        began,
                        ended: Instant::now(),
                        answer,
                    });
                }
            });
        }
        senders.join_all().await.into_iter().flatten().collect()
    }

    /// Reads every answer, off the clock.
    fn check(&mut self, answers: Vec<Answered>) {
        for call in answers {
            if let Err(wrong) = registered(call.answer) {
                self.wrong += 1;
                self.first_wrong.get_or_insert(wrong);
            }
        }
    }
}

/// Keeps an answer as it came.
#[expect(clippy::unnecessary_wraps, reason = "other ways to read an answer may fail")]
fn keep(buffer: &mut DecodeBuf<'_>) -> Result<Bytes, Status> {
    Ok(buffer.copy_to_bytes(buffer.remaining()))
}

/// Nothing when the answer is a registration with its number and its coupon.
fn registered(answer: Result<Bytes, Status>) -> Result<(), String> {
    let answer = answer.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
    let request = Request::decode(answer).map_err(|error| error.to_string())?;
    let coupon = request.coupon.as_ref().is_some_and(|coupon| !coupon.number.is_empty());
    if request.state() == RequestState::Registered && !request.registration_number.is_empty() && coupon {
        Ok(())
    } else {
        Err(format!("{} is {:?}", request.name, request.state()))
    }
}

fn external_number(number: usize) -> String {
    format!("bench-{number}")
}

/// A state body's request for a registered form's statistics that no placed edition holds.
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
        external_number: external_number(number),
        external_date: Some(Date {
            year: 2026,
            month: 2,
            day: 2,
        }),
        addressee: "Committee".into(),
        essence: "Number of registered criminal offences by region".into(),
        language: Language::Ru.into(),
        items: vec![Item {
            kind: ItemKind::Statistics.into(),
            description: "Registered crimes".into(),
            unit: Unit::Crime.into(),
            period: "2025-Q4".into(),
            form: "forms/2".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    SubmitRequestRequest {
        request: Some(request),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}
