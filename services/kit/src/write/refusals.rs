//! What the journal holds of calls that changed nothing: refusals as they happen, and readings that the law wants recorded.
//!
//! A refusal is told only once its entry is stored; a caller whose entry cannot be stored is answered UNAVAILABLE and so
//! learns nothing. One writer stores them in batches, on a connection of its own.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_proto::common::v1::ErrorReason;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic_types::StatusExt;

use super::leaves::{self, Entry};
use crate::{Call, Context, Error, Refusal, call::connections::counted as of_address, job, lent};

/// How many calls of admitted callers may wait for their entries; one more is answered UNAVAILABLE.
const WAITING: usize = 1024;
/// How many of them are stored at once.
const TOGETHER: usize = 256;
/// How many kinds of refusals to anonymous callers are told apart within a minute, by address, method and reason; the rest are
/// counted without their addresses.
const APART: usize = 1024;
/// How many of them may be of one address.
const OF_ADDRESS: usize = 256;
/// How often what was counted is written.
const COUNTING: Duration = Duration::from_secs(1);
/// How long anonymous refusals may stay unwritten before the next is answered UNAVAILABLE.
const BEHIND: Duration = Duration::from_secs(2);
/// How long an answer waits for its entry.
const PATIENCE: Duration = Duration::from_secs(3);

/// Records refusals in the journal.
#[derive(Clone)]
pub struct RefusalRecorder(Arc<Shared>);

struct Shared {
    context: Context,
    queue: mpsc::Sender<Waiting>,
    counted: Mutex<HashMap<Kind, Counted>>,
    /// Told when something counted must not wait for the next turn.
    hurry: Notify,
    ending: CancellationToken,
}

/// The entries of one call, and who waits for them.
struct Waiting {
    entries: Vec<Entry>,
    stored: oneshot::Sender<()>,
}

/// Which anonymous refusals are one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    /// `None` for those that are not told apart.
    address: Option<IpAddr>,
    method: &'static str,
    reason: String,
    /// Minutes since 1970.
    minute: i64,
}

/// Those of one kind that are not written yet.
struct Counted {
    count: i32,
    /// When the first of them was refused, by the service's clock.
    at: Timestamp,
    /// Since when one may be unwritten; those on their way to the database count too.
    since: Option<Instant>,
    /// Those whose answer waits for it.
    waiting: Vec<oneshot::Sender<()>>,
}

impl RefusalRecorder {
    /// A recorder with its writer, which ends after [`end`](Self::end) once everything is written.
    pub fn start(context: &Context) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        let recorder = Self(Arc::new(Shared {
            context: context.clone(),
            queue,
            counted: Mutex::default(),
            hurry: Notify::new(),
            ending: CancellationToken::new(),
        }));
        job::spawn(context, "recording refusals", Arc::clone(&recorder.0).write(waiting));
        recorder
    }

    /// Takes no more refusals, and lets the writer end once it has written what there is.
    pub(crate) fn end(&self) {
        self.0.ending.cancel();
    }

    /// Records the refusal that an answer's headers carry, if it is one and the method is `recorded`, or if it refuses what
    /// the caller may not do: an answer that depends on the moment only, or on an unexpected error, refuses nothing.
    ///
    /// # Errors
    /// UNAVAILABLE when it is not stored; then the caller must get this answer instead.
    pub(crate) async fn record_answer(
        &self,
        call: Call,
        recorded: bool,
        headers: &http::HeaderMap,
    ) -> Result<(), Refusal> {
        let refused = Status::from_header_map(headers).and_then(|status| recordable(recorded, &status));
        match refused {
            Some((reason, resource)) => self.record(call, &reason, &resource).await,
            None => Ok(()),
        }
    }

    /// Records the refusals of several calls that one call of a known caller carried out, by the rule of
    /// [`record_answer`](Self::record_answer), in their order: all of them or none.
    ///
    /// # Errors
    /// As [`record_answer`](Self::record_answer).
    pub(crate) async fn record_each(&self, call: &Call, recorded: bool, refused: &EachRefused) -> Result<(), Refusal> {
        let call = Call {
            method: refused.method,
            ..call.clone()
        };
        let each = refused
            .statuses
            .iter()
            .filter_map(|status| recordable(recorded, status));
        let entries: Vec<Entry> = each
            .map(|(reason, resource)| self.0.entry(&call, reason, &resource))
            .collect();
        if entries.is_empty() {
            return Ok(());
        }
        until_stored(self.0.queued(entries)?).await
    }

    /// Records one refusal; those to anonymous callers are counted by address, method, reason and minute.
    ///
    /// # Errors
    /// As [`record_answer`](Self::record_answer).
    pub(crate) async fn record(&self, call: Call, reason: &str, resource: &str) -> Result<(), Refusal> {
        // What is begun here before the first wait is stored although the peer hangs up.
        let stored = if call.caller.is_anonymous() {
            match self.0.count(&call, reason)? {
                Some(stored) => stored,
                None => return Ok(()),
            }
        } else {
            let entry = self.0.entry(&call, reason.to_owned(), resource);
            self.0.queued(vec![entry])?
        };
        until_stored(stored).await
    }
}

/// Reason and resource of an answer that refuses something which the journal must hold; see [`RefusalRecorder::record_answer`].
fn recordable(recorded: bool, status: &Status) -> Option<(String, String)> {
    use tonic::Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange, PermissionDenied};
    let refusals = [
        AlreadyExists,
        FailedPrecondition,
        InvalidArgument,
        NotFound,
        OutOfRange,
        PermissionDenied,
    ];
    if !refusals.contains(&status.code()) || !(recorded || status.code() == PermissionDenied) {
        return None;
    }
    Some(match status.get_error_details().error_info() {
        Some(info) => (
            info.reason.clone(),
            info.metadata.get("resource").cloned().unwrap_or_default(),
        ),
        None => (format!("{:?}", status.code()), String::new()),
    })
}

async fn until_stored(stored: oneshot::Receiver<()>) -> Result<(), Refusal> {
    match tokio::time::timeout(PATIENCE, stored).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(unrecorded()),
    }
}

fn unrecorded() -> Refusal {
    Refusal::unavailable("the journal cannot be written at the moment, and no call is answered without its entry")
}

impl Shared {
    fn entry(&self, call: &Call, reason: String, resource: &str) -> Entry {
        Entry::refused(call, resource, reason, 1, String::new()).recorded_at(self.context.now())
    }

    /// Has these entries stored; gives what to wait for.
    fn queued(&self, entries: Vec<Entry>) -> Result<oneshot::Receiver<()>, Refusal> {
        let (stored, answer) = oneshot::channel();
        let waiting = Waiting { entries, stored };
        self.queue.try_send(waiting).map_err(|_| unrecorded())?;
        Ok(answer)
    }

    /// Counts one; gives what to wait for when it is the first of its kind.
    fn count(&self, call: &Call, reason: &str) -> Result<Option<oneshot::Receiver<()>>, Refusal> {
        if self.ending.is_cancelled() {
            return Err(unrecorded());
        }
        let now = self.context.now();
        let mut counted = self.counted.lock().expect("no code panics while it holds this lock");
        let mut kind = Kind {
            address: call.address.map(|address| of_address(address.ip())),
            method: call.method,
            reason: reason.to_owned(),
            minute: now.as_second().div_euclid(60),
        };
        if !counted.contains_key(&kind) && !is_told_apart(&counted, &kind) {
            kind.address = None;
        }
        if counted.len() >= 2 * APART && !counted.contains_key(&kind) {
            // Nothing could be written for long: not even the minutes are told apart.
            kind.minute = 0;
        }
        let is_first = !counted.contains_key(&kind);
        let of_kind = counted.entry(kind).or_insert_with(|| Counted {
            count: 0,
            at: now,
            since: None,
            waiting: Vec::new(),
        });
        if of_kind.count == 0 {
            of_kind.at = now;
        }
        of_kind.count = of_kind.count.saturating_add(1);
        let waits = of_kind.since.get_or_insert_with(Instant::now).elapsed();
        if is_first {
            let (stored, answer) = oneshot::channel();
            of_kind.waiting.push(stored);
            self.hurry.notify_one();
            return Ok(Some(answer));
        }
        if waits > BEHIND { Err(unrecorded()) } else { Ok(None) }
    }

    async fn write(self: Arc<Self>, mut queue: mpsc::Receiver<Waiting>) {
        let mut once = job::Once::new("recording refusals");
        let mut turns = tokio::time::interval(COUNTING);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut waiting = Vec::new();
        loop {
            let all = tokio::select! {
                received = queue.recv_many(&mut waiting, TOGETHER) => {
                    if received == 0 {
                        break;
                    }
                    false
                }
                () = self.hurry.notified() => false,
                _ = turns.tick() => true,
                () = self.ending.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    true
                }
            };
            once.note(self.store(std::mem::take(&mut waiting), all).await);
        }
        once.note(self.store(Vec::new(), true).await);
        let lost = self
            .take(true)
            .iter()
            .map(|(_, counted)| i64::from(counted.count))
            .sum::<i64>();
        if lost > 0 {
            tracing::error!(
                lost,
                "refusals to anonymous callers could not be recorded before the end"
            );
        }
    }

    /// Stores the entries that are waited for, and with `all` everything counted.
    async fn store(&self, waiting: Vec<Waiting>, all: bool) -> Result<(), sqlx::Error> {
        let counted = self.take(all);
        let of_counted = counted.iter().map(|(kind, counted)| entry(kind, counted));
        let (mut entries, mut stored): (Vec<Entry>, Vec<_>) = (of_counted.collect(), Vec::with_capacity(waiting.len()));
        for one in waiting {
            entries.extend(one.entries);
            stored.push(one.stored);
        }
        if entries.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        if let Err(error) = lent::unless_silent(self.leave(&entries)).await.flatten() {
            self.put_back(counted);
            return Err(error);
        }
        self.settle(&counted, begun);
        for stored in counted
            .into_iter()
            .flat_map(|(_, counted)| counted.waiting)
            .chain(stored)
        {
            stored.send(()).ok();
        }
        Ok(())
    }

    async fn leave(&self, entries: &[Entry]) -> Result<(), sqlx::Error> {
        let mut connection = self.context.db.recording().await?;
        leaves::leave(&mut connection, self.context.now(), &[], entries, &[]).await?;
        Ok(())
    }

    /// What is counted and not written: everything, or only what somebody waits for. Kinds of past minutes are forgotten.
    fn take(&self, all: bool) -> Vec<(Kind, Counted)> {
        let minute = self.context.now().as_second().div_euclid(60);
        let mut counted = self.counted.lock().expect("no code panics while it holds this lock");
        let mut taken = Vec::new();
        counted.retain(|kind, of_kind| {
            if of_kind.count > 0 && (all || !of_kind.waiting.is_empty()) {
                let rest = Counted {
                    count: 0,
                    at: of_kind.at,
                    since: of_kind.since,
                    waiting: Vec::new(),
                };
                taken.push((kind.clone(), std::mem::replace(of_kind, rest)));
            }
            of_kind.since.is_some() || kind.minute == minute
        });
        taken
    }

    /// Notes that what was taken is stored; what was counted since then was counted after `begun`.
    fn settle(&self, taken: &[(Kind, Counted)], begun: Instant) {
        let mut counted = self.counted.lock().expect("no code panics while it holds this lock");
        for (kind, _) in taken {
            if let Some(of_kind) = counted.get_mut(kind) {
                of_kind.since = (of_kind.count > 0).then_some(begun);
            }
        }
    }

    /// Keeps what could not be written for the next turn. Those who waited for it have their answer by that.
    fn put_back(&self, taken: Vec<(Kind, Counted)>) {
        let mut counted = self.counted.lock().expect("no code panics while it holds this lock");
        for (kind, mut earlier) in taken {
            earlier.waiting.clear();
            if let Some(later) = counted.get_mut(&kind) {
                earlier.count = earlier.count.saturating_add(later.count);
                earlier.waiting = std::mem::take(&mut later.waiting);
            }
            counted.insert(kind, earlier);
        }
    }
}

/// Whether there is room for one more kind with its address.
fn is_told_apart(counted: &HashMap<Kind, Counted>, kind: &Kind) -> bool {
    let of_address = || counted.keys().filter(|known| known.address == kind.address).count();
    counted.len() < APART && of_address() < OF_ADDRESS
}

fn entry(kind: &Kind, counted: &Counted) -> Entry {
    let call = Call {
        caller: Arc::new(crate::Caller::anonymous()),
        method: kind.method,
        address: None,
    };
    let address = kind
        .address
        .map_or_else(|| "others".into(), |address| address.to_string());
    Entry::refused(&call, "", kind.reason.clone(), counted.count, address).recorded_at(counted.at)
}

/// That an answer withholds something which its caller tried to reach. As an extension of the response it has the attempt
/// recorded as a refusal, before the answer is told.
#[derive(Clone, Debug)]
pub struct Withheld {
    /// Why.
    pub reason: ErrorReason,
    /// What was withheld.
    pub resource: String,
}

/// That an answer tells the refusals of several calls that its call carried out. As an extension of the response it has each
/// recorded as that call alone would have been, before the answer is told.
#[derive(Clone, Debug)]
pub struct EachRefused {
    /// The full name of the method that each of them is a call of.
    pub method: &'static str,
    /// What each of them is answered.
    pub statuses: Vec<Status>,
}

/// Records that a caller was given something that the law wants recorded, such as a copy.
///
/// # Errors
/// When the database fails; then it must not be given.
pub async fn record_reading(context: &Context, call: &Call, resource: &str) -> Result<(), Error> {
    let mut connection = context.db.writing().await?;
    let entry = Entry::read(call, resource);
    leaves::leave(&mut connection, context.now(), &[], &[entry], &[]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str, reason: usize) -> Kind {
        Kind {
            address: Some(of_address(address.parse().expect("an address"))),
            method: "method",
            reason: reason.to_string(),
            minute: 1,
        }
    }

    fn one() -> Counted {
        Counted {
            count: 1,
            at: Timestamp::UNIX_EPOCH,
            since: None,
            waiting: Vec::new(),
        }
    }

    #[test]
    fn one_network_takes_a_quarter_of_what_is_told_apart() {
        assert_eq!(kind("2001:db8::1", 0), kind("2001:db8::2", 0), "one caller has both");
        let mut counted: HashMap<Kind, Counted> = HashMap::new();
        for number in 0..OF_ADDRESS {
            let next = kind(&format!("2001:db8::{number:x}"), number);
            assert!(is_told_apart(&counted, &next));
            counted.insert(next, one());
        }
        assert!(!is_told_apart(&counted, &kind("2001:db8::ffff", OF_ADDRESS)));
        assert!(is_told_apart(&counted, &kind("2001:db8:0:1::1", 0)));
        for number in OF_ADDRESS..APART {
            counted.insert(kind(&format!("10.0.{}.{}", number / 256, number % 256), 0), one());
        }
        assert!(!is_told_apart(&counted, &kind("127.0.0.1", 0)));
    }
}
