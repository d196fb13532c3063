//! The schedule of a service that publishes by day: when each edition is due, and whether all of them are known.

use std::{
    collections::HashSet,
    ops::RangeInclusive,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{FieldReason, Refusal, Violations, due::follow, write::Write};

/// The years of a schedule: from the Instruction's own to the last one whose periods all fall due within the calendar.
pub const YEARS: RangeInclusive<i16> = 2019..=2035;

/// How long between two tries to complete a schedule.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads a required year of the schedule.
pub fn year(violations: &mut Violations, field: &str, year: i32) -> Option<i16> {
    let found = i16::try_from(year).ok().filter(|year| YEARS.contains(year));
    if found.is_none() {
        violations.add(
            field,
            FieldReason::OutOfRange,
            format!("{} to {}", YEARS.start(), YEARS.end()),
        );
    }
    found
}

/// Whether the schedule is whole.
#[derive(Debug, Default)]
pub struct Completeness(AtomicBool);

impl Completeness {
    /// Refuses while the schedule is not whole: a part of it would pass for all of it.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub fn require(&self) -> Result<(), Refusal> {
        if self.0.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(Refusal::unavailable(
                "the schedule is not complete: the calendar has not answered yet",
            ))
        }
    }

    /// From now on the schedule is whole.
    pub fn reach(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Completes a schedule, however long the calendar is away, unless told to stop before. `fill` stores the editions that
/// are missing and tells how many it stored.
pub async fn complete<F: Future<Output = anyhow::Result<u64>>>(
    completeness: &Completeness,
    shutdown: &CancellationToken,
    fill: impl Fn() -> F,
) {
    tokio::select! {
        () = until_filled(fill) => completeness.reach(),
        () = shutdown.cancelled() => {}
    }
}

async fn until_filled<F: Future<Output = anyhow::Result<u64>>>(fill: impl Fn() -> F) {
    let mut told = String::new();
    loop {
        match fill().await {
            Ok(stored) => {
                tracing::info!(stored, "the schedule is complete");
                return;
            }
            Err(error) => {
                let problem = format!("{error:#}");
                if problem != told {
                    tracing::warn!(
                        error = problem,
                        "the schedule cannot be completed yet; trying again every second"
                    );
                    told = problem;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Refuses to store a batch of due dates of which one is older than what the service follows. `versions` are those of the
/// calendar that computed them.
///
/// # Errors
/// When the database fails, or a due date is too old: then nothing of the batch may be stored.
pub async fn require_current(write: &mut Write, versions: HashSet<String>) -> anyhow::Result<()> {
    for version in versions {
        anyhow::ensure!(
            follow::is_current(write.connection(), &version).await?,
            "the calendar changed while it was asked"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn a_year_outside_the_schedule_breaks_a_rule() {
        for (given, read) in [
            (2018, None),
            (2019, Some(2019)),
            (2035, Some(2035)),
            (2036, None),
            (i32::MAX, None),
        ] {
            let mut violations = Violations::new();
            assert_eq!(year(&mut violations, "year", given), read);
            assert_eq!(violations.is_empty(), read.is_some(), "{given}");
        }
    }

    #[tokio::test]
    async fn a_schedule_is_whole_once_it_could_be_filled() {
        let (completeness, tries) = (Completeness::default(), AtomicU64::new(0));
        complete(&completeness, &CancellationToken::new(), || async {
            assert!(completeness.require().is_err());
            anyhow::ensure!(tries.fetch_add(1, Ordering::SeqCst) > 0, "the calendar is away");
            Ok(152)
        })
        .await;
        assert_eq!(tries.into_inner(), 2);
        assert!(completeness.require().is_ok());
    }

    #[tokio::test]
    async fn a_service_that_stops_leaves_its_schedule_incomplete() {
        let (completeness, shutdown) = (Completeness::default(), CancellationToken::new());
        complete(&completeness, &shutdown, || async {
            shutdown.cancel();
            anyhow::bail!("the calendar is away")
        })
        .await;
        assert!(completeness.require().is_err());
    }
}
