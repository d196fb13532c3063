//! Calls at a steady number in flight, over a few connections, timed by their caller.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Buf, BufMut, Bytes};
use legalstat_proto::calendar::v1::Deadline;
use prost::Message;
use tokio::task::JoinSet;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use crate::{echo, questions::Questions};

/// How many connections share the calls.
pub(crate) const CONNECTIONS: usize = 4;
/// How many calls are under way at any time.
pub(crate) const IN_FLIGHT: usize = 16;

/// Whom calls go to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Echo,
    Deadline,
}

impl Subject {
    fn method(self) -> &'static str {
        match self {
            Self::Echo => echo::METHOD,
            Self::Deadline => "/legalstat.calendar.v1.CalendarService/ComputeDeadline",
        }
    }
}

/// What the caller does with answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It takes the bytes and leaves them: what is measured is the server and the transport.
    Skipped,
    /// It decodes the message, as a client in Rust does: on a machine that runs both, the client's work counts too.
    Decoded,
}

impl Reading {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Skipped => "answers not decoded",
            Self::Decoded => "answers decoded",
        }
    }
}

/// What one turn gave.
pub(crate) struct Turn {
    pub(crate) rate: f64,
    /// How long each call took, in order of length.
    pub(crate) latencies: Vec<Duration>,
    /// The processor time that the server took for a call, where the machine tells.
    pub(crate) processor: Option<Duration>,
}

/// Calls to one subject.
pub(crate) struct Load {
    subject: Subject,
    channels: Vec<Channel>,
    /// The requests, encoded.
    requests: Arc<Vec<Bytes>>,
    /// How long each answer must be.
    sizes: Arc<Vec<usize>>,
    process: u32,
}

impl Load {
    pub(crate) fn new(subject: Subject, channels: &[Channel], questions: &Questions, process: u32) -> Self {
        let requests = match subject {
            Subject::Deadline => questions.encoded.clone(),
            Subject::Echo => {
                let both = questions.sizes.iter().zip(&questions.encoded);
                both.map(|(size, question)| echo::request(*size, question.len()))
                    .collect()
            }
        };
        Self {
            subject,
            channels: channels.to_vec(),
            requests: Arc::new(requests),
            sizes: Arc::new(questions.sizes.clone()),
            process,
        }
    }

    /// Calls for as long as a turn lasts.
    pub(crate) async fn turn(&self, reading: Reading, length: Duration) -> Turn {
        let before = processor_time(self.process);
        let began = Instant::now();
        let mut latencies = self.run(reading, Some(began + length), usize::MAX).await;
        let took = began.elapsed();
        let used = processor_time(self.process).zip(before);
        let count = latencies.len();
        latencies.sort_unstable();
        Turn {
            rate: count as f64 / took.as_secs_f64(),
            processor: used.map(|(after, before)| after.saturating_sub(before).div_f64(count as f64)),
            latencies,
        }
    }

    /// Makes a number of calls.
    pub(crate) async fn calls(&self, reading: Reading, count: usize) {
        self.run(reading, None, count).await;
    }

    async fn run(&self, reading: Reading, until: Option<Instant>, most: usize) -> Vec<Duration> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut callers = JoinSet::new();
        for number in 0..IN_FLIGHT {
            let channel = self.channels[number % self.channels.len()].clone();
            let (method, next) = (self.subject.method(), Arc::clone(&next));
            let codec = Sized {
                subject: self.subject,
                reading,
            };
            let (requests, sizes) = (Arc::clone(&self.requests), Arc::clone(&self.sizes));
            callers.spawn(async move {
                let mut latencies = Vec::with_capacity(16 * 1024);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let began = Instant::now();
                    if index >= most || until.is_some_and(|until| began >= until) {
                        return latencies;
                    }
                    let at = index % requests.len();
                    let length = call(&channel, method, codec, requests[at].clone()).await;
                    latencies.push(began.elapsed());
                    assert_eq!(length.expect("every call succeeds"), sizes[at], "answers are as long");
                }
            });
        }
        callers.join_all().await.concat()
    }
}

/// Makes one call and gives the length of its answer.
async fn call(channel: &Channel, method: &'static str, codec: Sized, request: Bytes) -> Result<usize, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let path = http::uri::PathAndQuery::from_static(method);
    let answer = grpc.unary(Request::new(request), path, codec).await?;
    Ok(answer.into_inner())
}

/// Sends bytes as they are, and reads an answer as a subject's callers do, of which it keeps the length.
#[derive(Clone, Copy)]
struct Sized {
    subject: Subject,
    reading: Reading,
}

impl Codec for Sized {
    type Encode = Bytes;
    type Decode = usize;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Sized {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Sized {
    type Item = usize;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<usize>, Status> {
        let length = buffer.remaining();
        let unreadable = |error: prost::DecodeError| Status::internal(error.to_string());
        match (self.reading, self.subject) {
            (Reading::Skipped, _) => buffer.advance(length),
            (Reading::Decoded, Subject::Echo) => drop(black_box(Bytes::decode(buffer).map_err(unreadable)?)),
            (Reading::Decoded, Subject::Deadline) => drop(black_box(Deadline::decode(buffer).map_err(unreadable)?)),
        }
        Ok(Some(length))
    }
}

/// The processor time that a process has used, in Linux's hundredths of a second.
fn processor_time(process: u32) -> Option<Duration> {
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before the last bracket may hold anything; user and system time are the 12th and 13th field after it.
    let mut fields = told.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(10 * ticks))
}
