//! Writes that go on while something is wrong with the database, and when each was asked and answered.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tonic::Code;

use crate::call::Call;

/// The deadline of each call.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// How much later an answer may be noticed, beside twice the time by which this process was late where something was to happen every
/// [`PAUSE`].
const NOTICED: Duration = Duration::from_secs(2);
/// How long a caller waits before trying again.
const PAUSE: Duration = Duration::from_millis(50);

/// One call that was made.
struct Made {
    kind: &'static str,
    asked: Instant,
    answered: Instant,
    refused: Option<Code>,
}

/// Callers who write again and again, each one call after another.
pub struct Load {
    callers: JoinSet<()>,
    stop: Arc<AtomicBool>,
    made: Arc<Mutex<Vec<Made>>>,
    late: Arc<Mutex<Duration>>,
}

impl Load {
    pub fn new() -> Self {
        let mut load = Self {
            callers: JoinSet::new(),
            stop: Arc::default(),
            made: Arc::default(),
            late: Arc::default(),
        };
        let (stop, most) = (Arc::clone(&load.stop), Arc::clone(&load.late));
        load.callers.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                tokio::time::sleep(PAUSE).await;
                let late = began.elapsed().saturating_sub(PAUSE);
                let mut most = most.lock().expect("no test panics here");
                *most = late.max(*most);
            }
        });
        load
    }

    /// One more caller, of calls of a kind.
    pub fn add(&mut self, kind: &'static str, call: impl Fn() -> Call + Send + 'static) {
        let (stop, made) = (Arc::clone(&self.stop), Arc::clone(&self.made));
        self.callers.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let (call, asked) = (call(), Instant::now());
                let answer = call.make(Some(DEADLINE)).await;
                let refused = answer.err().map(|status| status.code());
                let answered = Instant::now();
                made.lock().expect("no test panics here").push(Made {
                    kind,
                    asked,
                    answered,
                    refused,
                });
                if refused.is_some() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        });
    }

    /// Waits until each kind was written that was asked for after an instant; how long after it the slowest was.
    pub async fn back_since(&self, since: Instant, kinds: &[&str], patience: Duration) -> Result<Duration, String> {
        loop {
            let first = |kind: &&str| {
                let made = self.made.lock().expect("no test panics here");
                let written = made.iter().filter(|made| made.kind == *kind && made.refused.is_none());
                // What was answered after it may have been asked before.
                written
                    .filter(|made| made.answered >= since)
                    .map(|made| made.answered)
                    .min()
            };
            let back: Option<Vec<Instant>> = kinds.iter().map(first).collect();
            if let Some(slowest) = back.and_then(|back| back.into_iter().max()) {
                return Ok(slowest.duration_since(since));
            }
            if since.elapsed() > patience {
                return Err(format!("writes of {kinds:?} are not back after {patience:?}"));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it; tells figures, and what is wrong: calls that were longer than their deadline, and those that failed as none
    /// may whose database is away.
    pub async fn end(mut self, name: &str) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.callers.join_next().await {
            ended.expect("no caller panics");
        }
        let made = self.made.lock().expect("no test panics here");
        let late = *self.late.lock().expect("no test panics here");
        let took = |made: &Made| made.answered.duration_since(made.asked);
        let refused = made.iter().filter(|made| made.refused.is_some()).count();
        let longest = made.iter().map(took).max().unwrap_or_default();
        eprintln!(
            "{name}: {} calls, {refused} refused, the longest took {longest:?}; the machine was late by up to {late:?}",
            made.len()
        );
        let passing = [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::ResourceExhausted,
            Code::Cancelled,
        ];
        let wrong = made.iter().filter_map(|made| match made.refused {
            _ if took(made) > DEADLINE + NOTICED + 2 * late => Some(format!("{} took {:?}", made.kind, took(made))),
            Some(code) if !passing.contains(&code) => Some(format!("{} was answered {code:?}", made.kind)),
            _ => None,
        });
        wrong.collect()
    }
}
