//! Delivers copies to the servers of their recipients. Every replica claims what is due and has free places, sends it beside the others,
//! and records how it ended; what a lost replica claimed is taken over.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Context,
    call::telemetry,
    door::wire,
    job,
    write::{self, Change, Write},
    zone,
};
use legalstat_proto::collections::v1::RecallCopyRequest;
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::{
    clients::inbox::{Answer, Destination, Inboxes, Parcel},
    db::{self, delivery::Claim},
    domain::{
        copy::{Copy, CopyState},
        delivery::{self, Address, Failure, Outcome, Places, Waiting},
        key::{self, EditionKey},
    },
    rpc::convert,
};

mod ending;
mod settling;

/// How long a look for what is due is put off when nothing was.
const PAUSE: Duration = Duration::from_millis(50);
/// How long nothing is looked for while nothing ends.
const IDLE: Duration = Duration::from_secs(1);
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

/// Starts the loops; they end at the context's shutdown.
pub fn start(context: &Context, inboxes: Inboxes, limits: Limits) {
    let sender = Arc::new(Sender {
        context: context.clone(),
        inboxes,
        limits,
        under_way: Mutex::default(),
        place_free: Notify::new(),
        ended: Mutex::default(),
        any_ended: Notify::new(),
    });
    let own = Arc::clone(&sender);
    job::repeat(context, "deliveries", PAUSE, move || Arc::clone(&own).deliver());
    let own = Arc::clone(&sender);
    let settling = job::repeat(context, "ends of deliveries", PAUSE, move || Arc::clone(&own).settle());
    let own = Arc::clone(&sender);
    job::repeat(context, "lost deliveries", IDLE, move || Arc::clone(&own).take_over());
    let own = Arc::clone(&sender);
    job::repeat(context, "standing of deliveries", TOLD, move || Arc::clone(&own).tell());
    job::spawn(context, "last ends of deliveries", sender.settle_last(settling));
}

/// Has the copies delivered that stand as they were issued although their recipients have servers, and recalls told that nobody has
/// confirmed. What enters a server begins the former and a recall the latter; earlier releases did not.
///
/// # Errors
/// When the database fails.
pub async fn begin_left(context: &Context) -> anyhow::Result<()> {
    let begun = write::by_job(context, METHOD, |write| {
        Box::pin(async move {
            let (now, connection) = (write.now(), write.connection());
            db::recipient_detail::share_entitlements(connection).await?;
            let known = db::recipient_detail::all(connection).await?;
            let from_when = delivery::from_when(&known, known.iter().map(|row| row.id.as_str()), now);
            db::delivery::begin_waiting(connection, &from_when, &[CopyState::Issued, CopyState::Recalled]).await?;
            Ok(Vec::new())
        })
    });
    begun.await.context("beginning what was left to be fetched")?;
    Ok(())
}

/// What a replica has under way.
struct Sender {
    context: Context,
    inboxes: Inboxes,
    limits: Limits,
    /// How many deliveries, by the recipient whose server they go to.
    under_way: Mutex<HashMap<String, usize>>,
    place_free: Notify,
    /// What ended and is not recorded yet.
    ended: Mutex<VecDeque<Arc<Finished>>>,
    any_ended: Notify,
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

/// What is sent of a claimed copy, and until when.
enum Sent {
    Copy(Box<Parcel>),
    /// That it was recalled.
    Recall(RecallCopyRequest, Instant),
}

impl Sent {
    fn until(&self) -> Instant {
        match self {
            Self::Copy(parcel) => parcel.until,
            Self::Recall(_, until) => *until,
        }
    }
}

/// A claimed copy with what is sent of it.
type Loaded = (Claim, Sent);

impl Sender {
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.under_way.lock().expect("no code panics while it holds this lock")
    }

    fn ended(&self) -> MutexGuard<'_, VecDeque<Arc<Finished>>> {
        self.ended.lock().expect("no code panics while it holds this lock")
    }

    /// Begins what is due, as long as there are free places.
    async fn deliver(self: Arc<Self>) -> anyhow::Result<()> {
        while self.begin().await? {}
        tokio::time::timeout(IDLE, self.place_free.notified()).await.ok();
        Ok(())
    }

    /// Tells whether anything was begun.
    async fn begin(self: &Arc<Self>) -> anyhow::Result<bool> {
        let mut connection = self.context.db.connection().await?;
        let now = self.context.now();
        let due = db::delivery::due(&mut connection, now).await?;
        if due.is_empty() {
            connection.done();
            return Ok(false);
        }
        let known = db::recipient_detail::all(&mut connection).await?;
        let open = db::breaker::open(&mut connection).await?;
        connection.done();
        let today = zone::civil_day(now);
        let address = |id: &String| (id.clone(), Address::of(&known, id, today));
        let addresses = due.iter().map(address).collect();
        let waiting = Waiting::of(&due, &addresses, &open, now);
        let shares = self.limits.places.share(&waiting, &self.under_way());
        if shares.is_empty() {
            return Ok(false);
        }
        let asked = Asked {
            probes: waiting.into_iter().filter(|server| server.is_probe).collect(),
            shares,
            addresses,
            lease: self.limits.attempt + MARGIN,
            until: Instant::now() + self.limits.attempt,
        };
        let loaded = claim(&self.context, asked).await?;
        let is_any = !loaded.is_empty();
        for (claim, sent) in loaded {
            self.send(claim, sent);
        }
        Ok(is_any)
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

/// What is to be claimed.
#[derive(Clone)]
struct Asked {
    shares: BTreeMap<String, i32>,
    addresses: BTreeMap<String, Address>,
    /// The servers that are tried by one attempt.
    probes: Vec<Waiting>,
    lease: Duration,
    /// When the attempts end.
    until: Instant,
}

/// Claims deliveries, and gives them with what is sent; none is claimed that cannot be read.
async fn claim(context: &Context, asked: Asked) -> anyhow::Result<Vec<Loaded>> {
    let given = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&given);
    write::by_job(context, METHOD, move |write| {
        Box::pin(async move {
            let loaded = claimed(write, asked).await?;
            let first = loaded.iter().filter(|(claim, _)| claim.is_first);
            let changes = first.map(|(claim, _)| Change::of(&claim.key, "copy.sending")).collect();
            *taken.lock().expect("nobody else holds it") = loaded;
            Ok(changes)
        })
    })
    .await?;
    let loaded = std::mem::take(&mut *given.lock().expect("nobody else holds it"));
    Ok(loaded)
}

async fn claimed(write: &mut Write, mut asked: Asked) -> anyhow::Result<Vec<Loaded>> {
    let (now, connection) = (write.now(), write.connection());
    db::delivery::by_keys(connection).await?;
    if !asked.probes.is_empty() {
        let holders: Vec<String> = asked.probes.iter().map(|server| server.holder.clone()).collect();
        let taken = db::breaker::probe(connection, &holders, now, now + asked.lease).await?;
        for server in asked.probes.iter().filter(|server| !taken.contains(&server.holder)) {
            asked.shares.retain(|id, _| !server.recipients.contains(id));
        }
    }
    let claims = db::delivery::claim(connection, &asked.shares, &asked.addresses, now, asked.lease).await?;
    let keys: Vec<_> = claims.iter().map(|claim| claim.key.clone()).collect();
    let copies = db::copy::of_keys(connection, &keys).await?;
    let mut files = HashMap::new();
    let mut loaded = Vec::with_capacity(claims.len());
    for (claim, copy) in claims.into_iter().zip(copies) {
        let copy = copy.with_context(|| format!("{} has a delivery and is not there", claim.key))?;
        let sent = if claim.is_recall {
            Sent::Recall(recall(connection, &copy).await?, asked.until)
        } else {
            Sent::Copy(Box::new(
                parcel(connection, (&claim, copy), &mut files, (asked.until, now)).await?,
            ))
        };
        loaded.push((claim, sent));
    }
    db::delivery::as_usual(connection).await?;
    Ok(loaded)
}

/// What a server is told of the recall of a copy.
async fn recall(connection: &mut PgConnection, copy: &Copy) -> anyhow::Result<RecallCopyRequest> {
    let reason = db::revision::recall_reason(connection, &copy.key.edition, copy.revision).await?;
    Ok(RecallCopyRequest {
        copy: copy.key.to_string(),
        recipient: key::recipient(&copy.recipient),
        reason: reason.unwrap_or_default(),
        recalled_at: copy.recalled_at.map(wire::to_timestamp),
    })
}

/// The files of each revision.
type Files = HashMap<(EditionKey, i32), Vec<legalstat_proto::collections::v1::EditionContent>>;

async fn parcel(
    connection: &mut PgConnection,
    (claim, copy): (&Claim, Copy),
    files: &mut Files,
    (until, now): (Instant, Timestamp),
) -> anyhow::Result<Parcel> {
    let delivery = copy.delivery.as_ref().context("what is claimed is delivered")?;
    let delivery_id = delivery.id;
    let revision = (copy.key.edition.clone(), copy.revision);
    if !files.contains_key(&revision) {
        let content = db::revision_file::of(connection, &revision.0, revision.1).await?;
        files.insert(revision.clone(), content.into_iter().map(convert::to_content).collect());
    }
    Ok(Parcel {
        delivery_id,
        attempt: claim.number,
        files: files.get(&revision).cloned().unwrap_or_default(),
        copy: convert::to_full_copy(copy, now),
        until,
    })
}

#[cfg(test)]
mod tests;
