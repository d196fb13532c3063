//! Erases the personal data that retention rules let be kept no longer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use legalstat_kit::{
    Context,
    call::telemetry,
    files::FileStore,
    job,
    write::{self, Change},
    zone,
};
use uuid::Uuid;

use crate::{
    db::{self, erasure::Order},
    domain::{
        names,
        request::{RequesterKind, State},
        retention::{RetentionRule, RuleState},
    },
    erasing,
    watched::Watched,
};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(5);
/// How many requests are erased at a time.
const BATCH: usize = 50;
/// How many erasures are looked at again for the sake of those that committed late.
const OVERLAP: i64 = 1000;
/// The place of the last erasure before any was looked at.
const UNKNOWN: i64 = -1;
/// What the journal names as the method.
const METHOD: &str = "jobs/erasure";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, files: &FileStore, watched: &Arc<Watched>) {
    let job = Arc::new(Job {
        context: context.clone(),
        files: files.clone(),
        watched: Arc::clone(watched),
        seen: AtomicI64::new(UNKNOWN),
        erased: AtomicI64::new(0),
    });
    job::repeat(context, "erasure of personal data", PAUSE, move || {
        let job = Arc::clone(&job);
        async move { job.round().await }
    });
}

struct Job {
    context: Context,
    files: FileStore,
    watched: Arc<Watched>,
    /// The place of the last erasure that this process knows of.
    seen: AtomicI64,
    /// How many requests this process has erased.
    erased: AtomicI64,
}

/// What one transaction erases: of requests of a kind that ended in a state.
type Stretch = (RequesterKind, State);

impl Job {
    async fn round(&self) -> anyhow::Result<()> {
        let rules = {
            let mut connection = self.context.db.connection().await?;
            db::retention_rule::list(&mut connection, Some(RuleState::Approved), None, i64::MAX).await?
        };
        let mut failed = Ok(());
        for rule in &rules {
            for stretch in rule.facts.stretches() {
                let erased = self.erase_stretch(rule.id, stretch).await;
                failed = failed.and(erased.map_err(|error| error.context(names::retention_rule(rule.id))));
            }
        }
        telemetry::gauge("legalstat.requests.erased", self.erased.load(Ordering::Relaxed));
        // Also what another replica, or one that crashed, has left to be removed.
        let removed = erasing::remove_contents(&self.context.db, &self.files).await;
        let removed = removed.map_err(legalstat_kit::Error::of_job);
        failed = failed.and(removed.map(|_| ()));
        self.forget().await?;
        failed
    }

    async fn erase_stretch(&self, rule: Uuid, stretch: Stretch) -> anyhow::Result<()> {
        let mut requests = 0;
        loop {
            let erased = self.erase_batch(rule, stretch).await?;
            requests += erased;
            self.erased.fetch_add(i64::try_from(erased)?, Ordering::Relaxed);
            if erased < BATCH {
                break;
            }
        }
        if requests > 0 {
            let (rule, (kind, state)) = (names::retention_rule(rule), stretch);
            tracing::info!(rule, ?kind, ?state, requests, "personal data erased");
        }
        Ok(())
    }

    /// Tells how many requests were erased. Of two replicas each takes what the other has not.
    async fn erase_batch(&self, rule: Uuid, stretch: Stretch) -> anyhow::Result<usize> {
        write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move {
                // Who ends the rule waits for this batch, and nothing is erased by it afterwards.
                let rule = db::retention_rule::hold(write.connection(), rule).await?;
                let Some((rule, before)) = rule.and_then(|rule| in_force(rule, write.now())) else {
                    return Ok(Vec::new());
                };
                let most = i64::try_from(BATCH)?;
                let due = db::erasure::lock_due(write.connection(), stretch, before, most).await?;
                if due.is_empty() {
                    return Ok(Vec::new());
                }
                let order = Order {
                    rule: Some(rule.id),
                    legal_basis: &rule.facts.legal_basis,
                    reason: "",
                    ordered_by: None,
                    by: METHOD,
                    at: write.now(),
                };
                let erased = erasing::erase(write, &due, &order).await;
                erased.map_err(legalstat_kit::Error::of_job)?;
                let changes: Vec<Change> = due.iter().map(|id| erasing::change(*id, stretch.1)).collect();
                Ok(changes)
            })
        })
        .await
    }

    /// Takes the numbers of erased requests out of memory, whichever replica erased them.
    async fn forget(&self) -> anyhow::Result<()> {
        let mut connection = self.context.db.connection().await?;
        let seen = match self.seen.load(Ordering::Relaxed) {
            // Nothing of what was erased before the start is in memory.
            UNKNOWN => db::erasure::last(&mut connection).await?,
            seen => seen,
        };
        let mut after = seen - OVERLAP;
        loop {
            let erased = db::erasure::since(&mut connection, after, OVERLAP).await?;
            let Some((last, _)) = erased.last() else {
                break;
            };
            after = *last;
            erased.iter().for_each(|(_, request)| self.watched.forget(*request));
        }
        self.seen.fetch_max(after.max(seen), Ordering::Relaxed);
        Ok(())
    }
}

/// The rule with the instant before which a request must have ended, if it erases today.
fn in_force(rule: RetentionRule, now: jiff::Timestamp) -> Option<(RetentionRule, jiff::Timestamp)> {
    let today = zone::civil_day(now);
    let before = rule.facts.period.ended_before(today)?;
    rule.erases_on(today).then_some((rule, before))
}
