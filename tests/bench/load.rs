//! Calls at a steady number in flight, over a few connections, timed by their caller.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use prost::Message;
use tokio::task::JoinSet;
use tonic::{Code, Status, codec::DecodeBuf, transport::Channel};

use crate::{
    call::{self, Read, call},
    report::Turn,
};

/// How many connections share the calls.
pub(crate) const CONNECTIONS: usize = 4;
/// How many calls are under way at any time.
pub(crate) const IN_FLIGHT: usize = 16;

/// After how long a call is made again for which the server had no place.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a call is made again that belongs to no turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whom calls go to.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    method: &'static str,
    decode: Read<usize>,
}

impl Subject {
    /// A method that answers with such a message.
    pub(crate) fn answering<M: Message + Default>(method: &'static str) -> Self {
        Self {
            method,
            decode: decode::<M>,
        }
    }

    fn read(self, reading: Reading) -> Read<usize> {
        match reading {
            Reading::Skipped => call::skip,
            Reading::Decoded => self.decode,
        }
    }
}

/// Decodes an answer and gives its length.
fn decode<M: Message + Default>(buffer: &mut DecodeBuf<'_>) -> Result<usize, Status> {
    let length = buffer.remaining();
    drop(black_box(
        M::decode(buffer).map_err(|error| Status::internal(error.to_string()))?,
    ));
    Ok(length)
}

/// Requests, encoded, with the sizes of their answers.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) encoded: Vec<Bytes>,
    /// How many bytes each answer has, encoded.
    pub(crate) sizes: Vec<usize>,
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

/// Calls to one subject.
pub(crate) struct Load {
    subject: Subject,
    channels: Vec<Channel>,
    asked: Arc<Asked>,
    process: u32,
}

impl Load {
    pub(crate) fn new(subject: Subject, channels: &[Channel], asked: Asked, process: u32) -> Self {
        Self {
            subject,
            channels: channels.to_vec(),
            asked: Arc::new(asked),
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
        assert!(count > 0, "no call was answered in the {length:?} of a turn");
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
            let (method, read) = (self.subject.method, self.subject.read(reading));
            let (asked, next) = (Arc::clone(&self.asked), Arc::clone(&next));
            callers.spawn(async move {
                let mut latencies = Vec::with_capacity(16 * 1024);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let began = Instant::now();
                    if index >= most || until.is_some_and(|until| began >= until) {
                        return latencies;
                    }
                    let at = index % asked.encoded.len();
                    let last = until.unwrap_or(began + PATIENCE);
                    let length = loop {
                        match call(&channel, method, read, asked.encoded[at].clone()).await {
                            // The server of a busy machine asks to come again; that time counts.
                            Err(status) if is_full(&status) && Instant::now() < last => tokio::time::sleep(AGAIN).await,
                            // The turn ended before there was a place.
                            Err(status) if is_full(&status) && until.is_some() => return latencies,
                            answered => break answered,
                        }
                    };
                    latencies.push(began.elapsed());
                    assert_eq!(
                        length.expect("every call succeeds"),
                        asked.sizes[at],
                        "answers are as long"
                    );
                }
            });
        }
        callers.join_all().await.concat()
    }
}

fn is_full(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted
}

/// The processor time that a process has used.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let fields = process_fields(process)?;
    Some(Duration::from_millis(10 * fields.get(11..13)?.iter().sum::<u64>()))
}

/// What Linux tells of a process after its name and state, from the second field on: the 2nd is the parent, the 12th to the 15th
/// are the user and system time of itself and of children that have ended, in hundredths of a second. The first is no number.
pub(crate) fn process_fields(process: u32) -> Option<Vec<u64>> {
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before the last bracket may hold anything.
    let fields = told.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(|field| field.parse().unwrap_or_default()).collect())
}
