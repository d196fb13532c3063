//! Jobs: what a service does without being called. A job has a name, a trace for each round, and a log that mentions a
//! failure once. A panic ends the process: a service whose job died would go on serving while, say, no due date moves.

use std::{any::Any, fmt::Display, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt as _;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::{Process, lent};

/// Logs a failure once: again only when it changes, or when it comes back after a success.
#[derive(Debug)]
pub struct Once {
    name: &'static str,
    logged: Option<String>,
}

impl Once {
    /// Nothing has failed yet. `name` says in the log what is tried.
    pub fn new(name: &'static str) -> Self {
        Self { name, logged: None }
    }

    /// Logs this failure unless it was the last one too. Answers whether it logged.
    pub fn failed(&mut self, problem: &impl Display) -> bool {
        let problem = format!("{problem:#}");
        let is_new = self.logged.as_ref() != Some(&problem);
        if is_new {
            tracing::warn!(job = self.name, error = problem, "failed; trying again");
            self.logged = Some(problem);
        }
        is_new
    }

    /// Forgets the failure, and logs that it has passed.
    pub fn succeeded(&mut self) {
        if self.logged.take().is_some() {
            tracing::info!(job = self.name, "works again");
        }
    }

    /// Notes how a try ended, and gives its value if it succeeded.
    pub fn note<T>(&mut self, tried: Result<T, impl Display>) -> Option<T> {
        match tried {
            Ok(value) => {
                self.succeeded();
                Some(value)
            }
            Err(problem) => {
                self.failed(&problem);
                None
            }
        }
    }
}

/// Runs `round` again and again until the process's shutdown, with a pause after each. A failed round is logged once and
/// tried again; a shutdown drops the round under way.
pub fn repeat<R, F>(process: &Process, name: &'static str, pause: Duration, mut round: R) -> JoinHandle<()>
where
    R: FnMut() -> F + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let job = process.clone();
    spawn(process, name, async move {
        let mut once = Once::new(name);
        loop {
            let ended = tokio::select! {
                biased;
                () = job.shutdown.cancelled() => return,
                ended = lent::unless_silent(round().instrument(tracing::info_span!("job", name))) => ended,
            };
            once.note(ended.unwrap_or_else(|silent| Err(silent.into())));
            if job.stopped_within(pause).await {
                return;
            }
        }
    })
}

/// Runs a job that the service cannot do without. The process waits for its end when it stops, and a panic in it stops the
/// process.
pub fn spawn(process: &Process, name: &'static str, job: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let own = process.clone();
    process.tasks.spawn(async move {
        // Nothing of the job is used after its panic: the process ends.
        if let Err(panic) = AssertUnwindSafe(job).catch_unwind().await {
            own.crash(name, message(&*panic));
        }
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        path::PathBuf,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use jiff::Timestamp;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::call::tls;

    const PAUSE: Duration = Duration::from_millis(1);

    pub(crate) fn process() -> Process {
        let file = || PathBuf::from("nowhere");
        let tls = tls::Files {
            certificate: file(),
            key: file(),
            authority: file(),
            revoked: None,
            outside: None,
        };
        Process::new(tls, CancellationToken::new(), || Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_failure_is_logged_once_until_it_changes_or_passes() {
        let mut once = Once::new("test");
        assert!(once.failed(&"away"));
        assert!(!once.failed(&"away"));
        assert!(once.failed(&"refused"));
        assert!(once.failed(&"away"));
        assert_eq!(once.note(Ok::<_, &str>(1)), Some(1));
        assert!(once.failed(&"away"));
    }

    #[tokio::test]
    async fn a_failed_round_is_tried_again_until_the_shutdown() {
        let process = process();
        let (rounds, shutdown) = (Arc::new(AtomicUsize::new(0)), process.shutdown.clone());
        let counted = rounds.clone();
        let job = repeat(&process, "test", PAUSE, move || {
            let (counted, shutdown) = (counted.clone(), shutdown.clone());
            async move {
                if counted.fetch_add(1, Ordering::SeqCst) == 4 {
                    shutdown.cancel();
                }
                anyhow::bail!("away")
            }
        });
        job.await.expect("it does not panic");
        assert_eq!(rounds.load(Ordering::SeqCst), 5);
        process.require_sound().expect("a failed round is no crash");
    }

    #[tokio::test]
    async fn a_round_under_way_is_dropped_at_the_shutdown() {
        let process = process();
        let job = repeat(&process, "test", PAUSE, std::future::pending);
        tokio::task::yield_now().await;
        process.shutdown.cancel();
        job.await.expect("it does not panic");
    }

    #[tokio::test]
    async fn a_panic_stops_the_service_and_is_told_under_the_name_of_the_job() {
        let process = process();
        let round = || async { panic!("day {}", 32) };
        repeat(&process, "following", PAUSE, round)
            .await
            .expect("the panic is caught");
        assert!(process.shutdown.is_cancelled());
        let crash = process.require_sound().expect_err("a job crashed");
        assert_eq!(crash.to_string(), "the job following panicked: day 32");
    }

    #[tokio::test]
    async fn the_first_crash_is_told() {
        let process = process();
        for name in ["first", "second"] {
            spawn(&process, name, async { panic!("for the test") })
                .await
                .expect("the panic is caught");
        }
        let crash = process.require_sound().expect_err("two jobs crashed");
        assert_eq!(crash.to_string(), "the job first panicked: for the test");
    }
}
