//! Records how attempts ended: many in one transaction, each only while no other claim has followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use legalstat_kit::{
    lent,
    write::{self, Change, Write},
};
use rand::RngExt as _;
use sqlx::PgConnection;

use super::{Finished, IDLE, METHOD, Sender, ending::End};
use crate::{
    db::{self, delivery::Told},
    domain::{breaker::Breaker, copy::Copy, recipient::SigningKey},
};

/// How many ends are recorded in one transaction.
const TOGETHER: usize = 256;
/// How long deliveries that a stop broke off may take to end.
const LAST: Duration = Duration::from_secs(5);

impl Sender {
    /// Records what has ended; waits for it first.
    pub(super) async fn settle(self: Arc<Self>) -> anyhow::Result<()> {
        if self.ended().is_empty() {
            tokio::time::timeout(IDLE, self.any_ended.notified()).await.ok();
        }
        self.settle_ended().await
    }

    async fn settle_ended(&self) -> anyhow::Result<()> {
        loop {
            let finished: Vec<_> = {
                let mut ended = self.ended();
                let count = ended.len().min(TOGETHER);
                ended.drain(..count).collect()
            };
            if finished.is_empty() {
                return Ok(());
            }
            self.record(finished).await?;
        }
    }

    /// Once the service stops, its attempts end at once, and others need not wait until their claims lapse.
    pub(super) async fn settle_last(self: Arc<Self>) {
        self.context.shutdown.cancelled().await;
        let none_under_way = async {
            while !self.under_way().is_empty() {
                self.place_free.notified().await;
            }
        };
        tokio::time::timeout(LAST, none_under_way).await.ok();
        let settled = lent::unless_silent(self.settle_ended()).await;
        if let Err(error) = settled.map_err(anyhow::Error::from).and_then(|ended| ended) {
            let error = format!("{error:#}");
            tracing::warn!(
                error,
                "what the stop broke off is delivered once its claims have lapsed"
            );
        }
    }

    /// Records how attempts ended. What cannot be recorded together is recorded one by one, and what cannot be even so is tried again
    /// until its claim lapses.
    ///
    /// # Errors
    /// What keeps one from being recorded.
    pub(super) async fn record(&self, mut finished: Vec<Finished>) -> anyhow::Result<()> {
        finished = match self.record_together(finished).await {
            Ok(()) => return Ok(()),
            Err((error, finished)) if finished.len() == 1 => {
                self.put_back(finished);
                return Err(error);
            }
            Err((_, finished)) => finished,
        };
        let (mut failed, mut in_a_row) = (None, 0);
        // Two in a row fail when the database does: the others would only wait as long.
        while in_a_row < 2
            && let Some(one) = finished.pop()
        {
            match self.record_together(vec![one]).await {
                Ok(()) => in_a_row = 0,
                Err((error, one)) => {
                    in_a_row += 1;
                    failed = Some(error);
                    self.put_back(one);
                }
            }
        }
        self.put_back(finished);
        failed.map_or(Ok(()), Err)
    }

    fn put_back(&self, finished: Vec<Finished>) {
        let now = Instant::now();
        let standing = finished.into_iter().filter(|finished| finished.lapses > now);
        self.ended().extend(standing);
    }

    async fn record_together(&self, finished: Vec<Finished>) -> Result<(), (anyhow::Error, Vec<Finished>)> {
        #[expect(
            clippy::disallowed_methods,
            reason = "when a delivery is tried again is spread by chance"
        )]
        let chances: Vec<f64> = {
            let mut rng = rand::rng();
            finished.iter().map(|_| rng.random_range(-1.0..=1.0)).collect()
        };
        let finished = Arc::new(finished);
        let shared = Arc::clone(&finished);
        let written = write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move { settle(write, &shared, &chances).await })
        });
        match written.await {
            Ok(_) => Ok(()),
            Err(error) => Err((error, Arc::into_inner(finished).unwrap_or_default())),
        }
    }
}

/// What is known beside the copies of a group.
struct Around {
    keys: Vec<SigningKey>,
    breakers: BTreeMap<String, Breaker>,
}

impl Around {
    async fn read(connection: &mut PgConnection, finished: &[Finished]) -> Result<Self, sqlx::Error> {
        let recipients: BTreeSet<_> = finished
            .iter()
            .map(|finished| finished.claim.recipient.clone())
            .collect();
        let recipients: Vec<_> = recipients.into_iter().collect();
        let signers: BTreeSet<_> = finished.iter().map(|finished| finished.claim.signer()).collect();
        let signers: Vec<_> = signers.into_iter().collect();
        Ok(Self {
            keys: db::recipient_key::of_each(connection, &signers).await?,
            breakers: db::breaker::locked(connection, &recipients).await?,
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

async fn settle(write: &mut Write, finished: &[Finished], chances: &[f64]) -> anyhow::Result<Vec<Change>> {
    let (now, connection) = (write.now(), write.connection());
    db::delivery::by_keys(connection).await?;
    let keys: Vec<_> = finished.iter().map(|finished| finished.claim.key.clone()).collect();
    db::copy::lock_keys(connection, &keys).await?;
    let stands = db::delivery::stand(connection, finished.iter().map(|finished| &finished.claim)).await?;
    let standing: Vec<_> = keys.into_iter().zip(&stands).filter(|(_, stands)| **stands).collect();
    let standing: Vec<_> = standing.into_iter().map(|(key, _)| key).collect();
    let mut copies = db::copy::of_keys(connection, &standing).await?.into_iter();
    let mut around = Around::read(connection, finished).await?;
    let before = around.breakers.clone();

    let (mut told, mut settled) = (Vec::new(), Vec::new());
    for ((finished, stands), chance) in finished.iter().zip(stands).zip(chances) {
        let claim = &finished.claim;
        if !stands {
            told.push(finished.told());
            continue;
        }
        let copy = copies.next().flatten();
        let copy = copy.with_context(|| format!("{} has a delivery and is not there", claim.key))?;
        let end = End::of(finished, copy, &around.keys_of(&claim.signer()), now, *chance)?;
        let breaker = around.breakers.entry(claim.recipient.clone()).or_default();
        breaker.note(end.ended.outcome, claim.started_at, now, *chance);
        told.push(Told {
            claim,
            ended: end.ended,
            followed_by: Some(end.next),
        });
        settled.extend(end.settled);
    }

    let answered: Vec<_> = settled
        .iter()
        .filter_map(|settled| Some((&settled.copy.key, settled.answered.clone()?)))
        .collect();
    if !answered.is_empty() {
        db::receipt::record_pushed(connection, &answered).await?;
    }
    let copies: Vec<&Copy> = settled.iter().map(|settled| &settled.copy).collect();
    if !copies.is_empty() {
        db::copy::save_delivered(connection, &copies).await?;
    }
    db::delivery::record(connection, &told).await?;
    let mut changed = around.breakers;
    changed.retain(|id, breaker| before.get(id).cloned().unwrap_or_default() != *breaker);
    if !changed.is_empty() {
        db::breaker::save(connection, &changed).await?;
    }
    let changes = settled
        .iter()
        .map(|settled| Change::of(&settled.copy.key, settled.kind));
    Ok(changes.collect())
}
