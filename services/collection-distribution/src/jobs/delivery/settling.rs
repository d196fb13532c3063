//! Records how attempts ended: many in one transaction, each only while no other claim has followed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    lent,
    write::{self, Change, Write},
    zone,
};
use rand::RngExt as _;
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use super::{Finished, IDLE, METHOD, PAUSE, Sender, ending::End};
use crate::{
    db::{
        self,
        delivery::{Claim, Told},
    },
    domain::{
        breaker::Breaker,
        copy::Copy,
        delivery::{self, Address, Failure, Outcome},
        key::CopyKey,
        recipient::SigningKey,
    },
};

/// How many ends are recorded in one transaction.
const TOGETHER: usize = 256;
/// How long deliveries that a stop broke off may take to end.
const LAST: Duration = Duration::from_secs(5);

impl Sender {
    /// Records what has ended; waits for it first. What ends meanwhile gathers until the next round.
    pub(super) async fn settle(self: Arc<Self>) -> anyhow::Result<()> {
        if self.ended().is_empty() {
            tokio::time::timeout(IDLE, self.any_ended.notified()).await.ok();
        }
        let settled = self.settle_full().await;
        if settled.is_err() {
            // What cannot be recorded is not tried as often as what ends is looked for.
            tokio::time::sleep(PAUSE).await;
        }
        settled
    }

    async fn settle_full(&self) -> anyhow::Result<()> {
        while self.settle_some().await? >= TOGETHER {}
        Ok(())
    }

    async fn settle_all(&self) -> anyhow::Result<()> {
        while self.settle_some().await? > 0 {}
        Ok(())
    }

    /// Tells how many were recorded.
    async fn settle_some(&self) -> anyhow::Result<usize> {
        let mut taken = Taken::of(self);
        let count = taken.finished.len();
        if count == 0 {
            return Ok(0);
        }
        let recorded = self.record(&taken.finished).await;
        match recorded {
            Ok(()) => taken.finished.clear(),
            Err((error, left)) => {
                taken.finished = left;
                return Err(error);
            }
        }
        Ok(count)
    }

    /// Once the service stops, its attempts end at once, and others need not wait until their claims lapse. The job that recorded ends
    /// until then is over first: what it was recording then waits again.
    pub(super) async fn settle_last(self: Arc<Self>, settling: JoinHandle<()>) {
        settling.await.ok();
        let none_under_way = async {
            while !self.under_way().is_empty() {
                self.place_free.notified().await;
            }
        };
        tokio::time::timeout(LAST, none_under_way).await.ok();
        let settled = lent::unless_silent(self.settle_all()).await;
        if let Err(error) = settled.map_err(anyhow::Error::from).and_then(|ended| ended) {
            let error = format!("{error:#}");
            tracing::warn!(
                error,
                "what the stop broke off is delivered once its claims have lapsed"
            );
        }
    }

    /// Records how attempts ended. What cannot be recorded together is recorded one by one.
    ///
    /// # Errors
    /// What keeps some from being recorded, and those.
    pub(super) async fn record(&self, finished: &[Arc<Finished>]) -> Result<(), (anyhow::Error, Vec<Arc<Finished>>)> {
        match self.record_together(finished.to_vec()).await {
            Ok(()) => return Ok(()),
            Err(error) if finished.len() == 1 || is_away(&error) => return Err((error, finished.to_vec())),
            Err(_) => {}
        }
        let (mut failed, mut left) = (None, Vec::new());
        for (place, one) in finished.iter().enumerate() {
            if let Err(error) = self.record_together(vec![Arc::clone(one)]).await {
                left.push(Arc::clone(one));
                let is_away = is_away(&error);
                failed = Some(error);
                if is_away {
                    left.extend_from_slice(&finished[place + 1..]);
                    break;
                }
            }
        }
        failed.map_or(Ok(()), |error| Err((error, left)))
    }

    async fn record_together(&self, finished: Vec<Arc<Finished>>) -> anyhow::Result<()> {
        #[expect(
            clippy::disallowed_methods,
            reason = "when a delivery is tried again is spread by chance"
        )]
        let chances: Vec<f64> = {
            let mut rng = rand::rng();
            finished.iter().map(|_| rng.random_range(-1.0..=1.0)).collect()
        };
        write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move { settle(write, &finished, &chances).await })
        })
        .await?;
        Ok(())
    }
}

/// Ends that are being recorded. Those that are left when it is dropped wait again, until their claims lapse: a stop and a line that falls
/// silent end the work in the middle, and an answer of a recipient must not go with it.
struct Taken<'a> {
    sender: &'a Sender,
    finished: Vec<Arc<Finished>>,
}

impl<'a> Taken<'a> {
    /// Those that have waited longest, as many as are recorded together.
    fn of(sender: &'a Sender) -> Self {
        let mut ended = sender.ended();
        let count = ended.len().min(TOGETHER);
        let finished = ended.drain(..count).collect();
        drop(ended);
        Self { sender, finished }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let standing = self.finished.drain(..).filter(|finished| finished.lapses > now);
        self.sender.ended().extend(standing);
    }
}

/// Whether the database cannot be reached: what is left would only wait as long.
fn is_away(error: &anyhow::Error) -> bool {
    use sqlx::Error::{BeginFailed, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    error.chain().any(|cause| {
        let of_database = cause.downcast_ref::<sqlx::Error>();
        of_database.is_some_and(|error| {
            matches!(
                error,
                Io(_) | Tls(_) | Protocol(_) | PoolTimedOut | PoolClosed | WorkerCrashed | BeginFailed
            )
        })
    })
}

/// What is known beside the copies of a group.
struct Around {
    keys: Vec<SigningKey>,
    breakers: BTreeMap<String, Breaker>,
}

impl Around {
    async fn read(connection: &mut PgConnection, finished: &[Arc<Finished>]) -> Result<Self, sqlx::Error> {
        let holders: BTreeSet<_> = finished.iter().map(|finished| finished.claim.holder()).collect();
        let holders: Vec<_> = holders.into_iter().map(str::to_owned).collect();
        Ok(Self {
            keys: db::recipient_key::of_each(connection, &holders).await?,
            breakers: db::breaker::locked(connection, &holders).await?,
        })
    }

    fn keys_of(&self, recipient: &str) -> Vec<SigningKey> {
        self.keys
            .iter()
            .filter(|key| key.recipient == recipient)
            .cloned()
            .collect()
    }
}

/// From when on the recipients have a server whose attempts found none: where one was entered since, nobody else has the copies delivered.
/// An address that was tried, and to which no connection can be made, is none from which anything could begin.
async fn servers_since(
    connection: &mut PgConnection,
    finished: &[Arc<Finished>],
    now: Timestamp,
) -> Result<BTreeMap<String, Timestamp>, sqlx::Error> {
    let is_nowhere = |failure: &Failure| failure.outcome == Outcome::NoEndpoint;
    let nowhere = finished.iter().filter(|one| one.said.as_ref().is_err_and(is_nowhere));
    let claims: Vec<&Claim> = nowhere.map(|one| &one.claim).collect();
    if claims.is_empty() {
        return Ok(BTreeMap::new());
    }
    db::recipient_detail::share_entitlements(connection).await?;
    let known = db::recipient_detail::all(connection).await?;
    let today = zone::civil_day(now);
    let is_untried =
        |claim: &&Claim| !claim.address.is_known() || claim.address != Address::of(&known, &claim.recipient, today);
    let untried = claims.into_iter().filter(is_untried);
    Ok(delivery::from_when(
        &known,
        untried.map(|claim| claim.recipient.as_str()),
        now,
    ))
}

/// Whether no other claim of its copy has followed and nothing has ended it.
fn stands(copies: &HashMap<CopyKey, Copy>, claim: &Claim) -> bool {
    let delivery = copies.get(&claim.key).and_then(|copy| copy.delivery.as_ref());
    delivery.is_some_and(|delivery| delivery.fence == Some(claim.fence))
}

pub(super) async fn settle(
    write: &mut Write,
    finished: &[Arc<Finished>],
    chances: &[f64],
) -> anyhow::Result<Vec<Change>> {
    let (now, connection) = (write.now(), write.connection());
    db::delivery::by_keys(connection).await?;
    let since = servers_since(connection, finished, now).await?;
    let keys: Vec<_> = finished.iter().map(|finished| finished.claim.key.clone()).collect();
    db::copy::lock_keys(connection, &keys).await?;
    let found = db::copy::of_keys(connection, &keys).await?.into_iter().flatten();
    let mut copies: HashMap<CopyKey, Copy> = found.map(|copy| (copy.key.clone(), copy)).collect();
    let stands: Vec<bool> = finished.iter().map(|one| stands(&copies, &one.claim)).collect();
    let mut around = Around::read(connection, finished).await?;
    let before = around.breakers.clone();

    let (mut told, mut settled, mut fences) = (Vec::new(), Vec::new(), HashSet::new());
    for ((finished, stands), chance) in finished.iter().zip(stands).zip(chances) {
        let claim = &finished.claim;
        // A claim ends once.
        let stands = stands && fences.insert(claim.fence);
        let copy = copies.get(&claim.key);
        let copy = copy.with_context(|| format!("{} has a delivery and is not there", claim.key))?;
        let later = since.get(&claim.recipient).copied();
        let end = End::of(
            (finished, stands),
            copy,
            &around.keys_of(claim.holder()),
            later,
            now,
            *chance,
        )?;
        if stands {
            let breaker = around.breakers.entry(claim.holder().to_owned()).or_default();
            if end.has_moved_on {
                breaker.close();
            } else {
                breaker.note(end.ended.outcome, claim.started_at, now, *chance);
            }
        }
        told.push(Told {
            claim,
            ended: end.ended,
            followed_by: end.followed_by,
            begins_anew: end.begins_anew,
            is_counted: end.is_counted,
            received_bytes: finished.received_bytes(),
        });
        // Another end of the same copy may follow in this group, of a claim that was overtaken.
        if let Some(end) = end.settled {
            copies.insert(claim.key.clone(), end.copy.clone());
            settled.push(end);
        }
    }

    let answered: Vec<_> = settled
        .iter()
        .filter_map(|settled| Some((&settled.copy.key, settled.answered.clone()?)))
        .collect();
    if !answered.is_empty() {
        db::receipt::record_pushed(connection, &answered).await?;
    }
    let changed: HashSet<&CopyKey> = settled.iter().map(|settled| &settled.copy.key).collect();
    let copies: Vec<&Copy> = changed.into_iter().filter_map(|key| copies.get(key)).collect();
    if !copies.is_empty() {
        db::copy::save_delivered(connection, &copies).await?;
    }
    db::delivery::record(connection, &told).await?;
    let mut changed = around.breakers;
    changed.retain(|id, breaker| before.get(id).cloned().unwrap_or_default() != *breaker);
    if !changed.is_empty() {
        db::breaker::save(connection, &changed).await?;
    }
    db::delivery::as_usual(connection).await?;
    let changes = settled
        .iter()
        .map(|settled| Change::of(&settled.copy.key, settled.kind));
    Ok(changes.collect())
}
