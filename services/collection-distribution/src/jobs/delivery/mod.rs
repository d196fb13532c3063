//! Delivers copies to the servers of their recipients. Every replica claims what is due and has free places, sends it beside the others,
//! and records how it ended; what a lost replica claimed is taken over.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use legalstat_kit::{Context, call::telemetry, job, zone};
use tokio::sync::Notify;

use crate::{
    clients::inbox::{Answer, Destination, Inboxes},
    db::{self, delivery::Claim},
    domain::delivery::{Address, Failure, Outcome, Places, Waiting},
};

mod beginning;
mod claiming;
mod ending;
mod settling;

pub use beginning::begin_left;
use claiming::{Asked, Sent, claim};

/// How long a look for what is due is put off when nothing was.
const PAUSE: Duration = Duration::from_millis(50);
/// How long nothing is looked for while nothing ends.
const IDLE: Duration = Duration::from_secs(1);
/// How long is waited for others to end before more are begun: those that are claimed together are committed together.
const GATHER: Duration = Duration::from_millis(10);
/// How long between two rounds of recording what has ended, for the same reason.
const RECORDED: Duration = Duration::from_millis(20);
/// How long between two rounds of the metrics.
const TOLD: Duration = Duration::from_secs(15);
/// How much longer than an attempt its claim lasts: the time to record how it ended.
const MARGIN: Duration = Duration::from_secs(30);
/// How many lost claims are taken over at a time.
const LOST: i64 = 100;
/// What the journal names as the method.
pub(crate) const METHOD: &str = "jobs/delivery";

/// How much a replica delivers at once, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long an attempt may take.
    pub attempt: Duration,
    pub places: Places,
}

/// Starts the loops, which end at the context's shutdown, and gives what has them look for what is due at once; they look each second
/// besides.
pub fn start(context: &Context, inboxes: Inboxes, limits: Limits) -> Arc<Notify> {
    let sender = Arc::new(Sender {
        context: context.clone(),
        inboxes,
        limits,
        under_way: Mutex::default(),
        place_free: Notify::new(),
        due: Arc::default(),
        ended: Mutex::default(),
        any_ended: Notify::new(),
    });
    let due = Arc::clone(&sender.due);
    let own = Arc::clone(&sender);
    job::repeat(context, "deliveries", PAUSE, move || Arc::clone(&own).deliver());
    let own = Arc::clone(&sender);
    let settling = job::repeat(context, "ends of deliveries", RECORDED, move || {
        Arc::clone(&own).settle()
    });
    let own = Arc::clone(&sender);
    job::repeat(context, "lost deliveries", IDLE, move || Arc::clone(&own).take_over());
    let own = Arc::clone(&sender);
    job::repeat(context, "standing of deliveries", TOLD, move || Arc::clone(&own).tell());
    job::spawn(context, "last ends of deliveries", sender.settle_last(settling));
    due
}

/// What a replica has under way.
struct Sender {
    context: Context,
    inboxes: Inboxes,
    limits: Limits,
    /// How many deliveries, by the recipient whose server they go to.
    under_way: Mutex<HashMap<String, usize>>,
    place_free: Notify,
    /// That something was made due in this process.
    due: Arc<Notify>,
    /// What ended and is not recorded yet.
    ended: Mutex<VecDeque<Arc<Finished>>>,
    any_ended: Notify,
}

/// What came of a look for what is due.
enum Begun {
    /// Some of it is on its way.
    Some,
    /// There is no place for any of it.
    NoRoom,
    /// Nothing is due, or another replica has it.
    Nothing,
}

/// An attempt that ended.
#[derive(Debug)]
struct Finished {
    claim: Claim,
    at: Timestamp,
    said: Result<Answer, Failure>,
    /// When another replica may take it over.
    lapses: Instant,
}

/// A place that a delivery takes.
struct Place {
    sender: Arc<Sender>,
    holder: String,
}

impl Place {
    fn take(sender: &Arc<Sender>, holder: &str) -> Self {
        *sender.under_way().entry(holder.to_owned()).or_insert(0) += 1;
        Self {
            sender: Arc::clone(sender),
            holder: holder.to_owned(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.sender.under_way();
        if let Some(count) = under_way.get_mut(&self.holder) {
            *count -= 1;
        }
        under_way.retain(|_, count| *count > 0);
        drop(under_way);
        self.sender.place_free.notify_one();
    }
}

impl Sender {
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.under_way.lock().expect("no code panics while it holds this lock")
    }

    fn ended(&self) -> MutexGuard<'_, VecDeque<Arc<Finished>>> {
        self.ended.lock().expect("no code panics while it holds this lock")
    }

    /// Begins what is due, as long as there is any, and waits for more.
    async fn deliver(self: Arc<Self>) -> anyhow::Result<()> {
        loop {
            match self.begin().await? {
                Begun::Some => {}
                Begun::NoRoom => self.wait().await,
                Begun::Nothing => break,
            }
        }
        self.wait().await;
        Ok(())
    }

    /// Waits until something is due, or there is a place for what was.
    async fn wait(&self) {
        tokio::select! {
            () = self.due.notified() => {}
            () = self.place_free.notified() => {}
            () = tokio::time::sleep(IDLE) => {}
        }
    }

    /// Waits until half of what is under way has ended, and not long.
    async fn gather(&self) {
        let most = self.count() / 2;
        let fewer = async {
            while self.count() > most {
                self.place_free.notified().await;
            }
        };
        tokio::time::timeout(GATHER, fewer).await.ok();
    }

    fn count(&self) -> usize {
        self.under_way().values().sum()
    }

    async fn begin(self: &Arc<Self>) -> anyhow::Result<Begun> {
        let mut connection = self.context.db.connection().await?;
        let now = self.context.now();
        let due = db::delivery::due(&mut connection, now).await?;
        if due.is_empty() {
            connection.done();
            return Ok(Begun::Nothing);
        }
        let known = db::recipient_detail::all(&mut connection).await?;
        let open = db::breaker::open(&mut connection).await?;
        connection.done();
        let today = zone::civil_day(now);
        let address = |id: &String| (id.clone(), Address::of(&known, id, today));
        let addresses = due.iter().map(address).collect();
        let waiting = Waiting::of(&due, &addresses, &open, now);
        if waiting.is_empty() {
            return Ok(Begun::Nothing);
        }
        if self.limits.places.share(&waiting, &self.under_way()).is_empty() {
            return Ok(Begun::NoRoom);
        }
        self.gather().await;
        let shares = self.limits.places.share(&waiting, &self.under_way());
        let asked = Asked {
            probes: waiting.into_iter().filter(|server| server.is_probe).collect(),
            shares,
            addresses,
            lease: self.limits.attempt + MARGIN,
            until: Instant::now() + self.limits.attempt,
        };
        let loaded = claim(&self.context, asked).await?;
        let begun = if loaded.is_empty() { Begun::Nothing } else { Begun::Some };
        for (claim, sent) in loaded {
            self.send(claim, sent);
        }
        Ok(begun)
    }

    fn send(self: &Arc<Self>, claim: Claim, sent: Sent) {
        let place = Place::take(self, claim.holder());
        let lapses = sent.until() + MARGIN;
        self.context.tasks.spawn(async move {
            let sender = Arc::clone(&place.sender);
            let said = sender.attempt(&claim, sent).await;
            sender.finish(claim, said, lapses);
            // Only now: who waits at a stop until no place is taken then finds how every attempt ended.
            drop(place);
        });
    }

    /// One attempt. Nothing is sent after its time: a process that was frozen meanwhile must not send what another has taken over.
    async fn attempt(&self, claim: &Claim, sent: Sent) -> Result<Answer, Failure> {
        if !claim.address.is_known() {
            let detail = "the recipient has no endpoint, or no certificate name by which its server could be known";
            return Err(Failure::new(Outcome::NoEndpoint, detail));
        }
        let to = Destination {
            endpoint: claim.address.endpoint.clone(),
            certificate_name: claim.address.certificate_name.clone(),
        };
        tokio::select! {
            () = self.context.shutdown.cancelled() => Err(Failure::stopped()),
            said = self.bring(&to, sent) => said,
        }
    }

    async fn bring(&self, to: &Destination, sent: Sent) -> Result<Answer, Failure> {
        match sent {
            Sent::Copy(parcel) => self.inboxes.deliver(to, *parcel).await,
            Sent::Recall(recall, until) => self.inboxes.recall(to, &recall, until).await,
        }
    }

    fn finish(&self, claim: Claim, said: Result<Answer, Failure>, lapses: Instant) {
        let at = self.context.now();
        let finished = Finished {
            claim,
            at,
            said,
            lapses,
        };
        self.ended().push_back(Arc::new(finished));
        self.any_ended.notify_one();
    }

    /// Gives up the claims whose time is over, so that their copies are delivered by whoever has a place for them. One that cannot be
    /// recorded is read anew in the next round, and holds up no other.
    async fn take_over(self: Arc<Self>) -> anyhow::Result<()> {
        let (mut after, mut failed) = (0, None);
        loop {
            let mut connection = self.context.db.connection().await?;
            let lost = db::delivery::lost(&mut connection, after, LOST).await?;
            connection.done();
            let Some(last) = lost.last() else {
                return failed.map_or(Ok(()), Err);
            };
            after = last.fence;
            let at = self.context.now();
            let lapses = Instant::now() + MARGIN;
            let finished = lost.into_iter().map(|claim| {
                Arc::new(Finished {
                    claim,
                    at,
                    said: Err(Failure::new(
                        Outcome::SenderLost,
                        "the replica did not tell how the attempt ended",
                    )),
                    lapses,
                })
            });
            if let Err((error, _)) = self.record(&finished.collect::<Vec<_>>()).await {
                failed = Some(error);
            }
        }
    }

    /// Tells how deliveries stand.
    async fn tell(self: Arc<Self>) -> anyhow::Result<()> {
        for (name, count) in self.standing().await? {
            telemetry::gauge(name, count);
        }
        Ok(())
    }

    /// How deliveries stand, as the metrics tell it.
    async fn standing(&self) -> anyhow::Result<[(&'static str, i64); 4]> {
        let mut connection = self.context.db.connection().await?;
        let standing = db::delivery::count(&mut connection, self.context.now()).await?;
        connection.done();
        Ok([
            ("legalstat.collections.deliveries_due", standing.due),
            ("legalstat.collections.deliveries_under_way", standing.under_way),
            (
                "legalstat.collections.oldest_delivery_due_seconds",
                standing.oldest_due_seconds,
            ),
            ("legalstat.collections.breakers_open", standing.breakers_open),
        ])
    }
}

#[cfg(test)]
mod tests;
