//! How long one call waits for the database: three seconds in all, however often it asks, and never beyond its deadline.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::call::{deadline, places::Places};

/// How long a call waits in all.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a call waits while the database is known to be away: it may just be coming back.
pub(crate) const WHILE_AWAY: Duration = Duration::from_millis(250);

tokio::task_local! {
    static WAITING: Arc<Waiting>;
}

/// How much of its patience a call has left. It holds the call's places among those at work, so that what a call leaves
/// running when its caller hangs up still counts.
struct Waiting {
    until: Option<Instant>,
    left: Mutex<Duration>,
    _places: Option<Places>,
}

impl Waiting {
    fn begin(left: Duration, until: Option<Instant>, places: Option<Places>) -> Arc<Self> {
        Arc::new(Self {
            until,
            left: Mutex::new(left),
            _places: places,
        })
    }

    fn left(&self) -> Duration {
        let left = *self.left.lock().expect("no code panics while it holds this lock");
        let until = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        until.map_or(left, |until| until.min(left))
    }

    fn spend(&self, waited: Duration) {
        let mut left = self.left.lock().expect("no code panics while it holds this lock");
        *left = left.saturating_sub(waited);
    }
}

/// The current call, which holds these places, for wherever it is carried out.
pub(crate) fn of_call<F: Future>(places: Places, call: F) -> impl Future<Output = F::Output> + use<F> {
    let until = Instant::now() + deadline::remaining(Duration::from_secs(3600));
    WAITING.scope(Waiting::begin(PATIENCE, Some(until), Some(places)), call)
}

/// Runs work that is no caller's own, with patience of its own.
pub(crate) async fn afresh<T>(work: impl Future<Output = T>) -> T {
    WAITING.scope(Waiting::begin(PATIENCE, None, None), work).await
}

/// Work of the current call for a task of its own: there it has the patience, and holds the places, of the call.
pub(crate) fn inherited<T>(work: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    let waiting = WAITING
        .try_with(Arc::clone)
        .unwrap_or_else(|_| Waiting::begin(PATIENCE, None, None));
    WAITING.scope(waiting, work)
}

/// Waits for a connection as long as the current call may, and at most `most`.
///
/// # Errors
/// `PoolTimedOut` afterwards, and what the work fails with.
pub(crate) async fn wait<T>(
    most: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let left = WAITING.try_with(|waiting| waiting.left()).unwrap_or(PATIENCE).min(most);
    let began = Instant::now();
    let waited = tokio::time::timeout(left, work).await;
    WAITING.try_with(|waiting| waiting.spend(began.elapsed())).ok();
    waited.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    fn places(free: &Arc<Semaphore>) -> Places {
        let take = || Arc::clone(free).try_acquire_owned().expect("it is free");
        Arc::new([take(), take()])
    }

    async fn wait_in_vain() {
        let waited = wait(Duration::MAX, std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(waited, Err(sqlx::Error::PoolTimedOut)));
    }

    #[tokio::test]
    async fn a_call_has_one_patience_however_often_it_asks_and_in_its_tasks_too() {
        let waiting = Waiting::begin(Duration::from_millis(200), None, None);
        let began = Instant::now();
        let call = async {
            for _ in 0..100 {
                wait_in_vain().await;
            }
            tokio::spawn(inherited(wait_in_vain()))
                .await
                .expect("it does not panic");
        };
        WAITING.scope(Arc::clone(&waiting), call).await;
        assert_eq!(waiting.left(), Duration::ZERO);
        // Not a hundred times as long.
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn patience_ends_with_the_deadline() {
        let mut took = Duration::MAX;
        // A machine may stop for as long, and not each time.
        for _ in 0..10 {
            let waiting = Waiting::begin(PATIENCE, Some(Instant::now()), None);
            let began = Instant::now();
            WAITING.scope(waiting, wait_in_vain()).await;
            took = took.min(began.elapsed());
        }
        assert!(took < PATIENCE, "{took:?}");
    }

    #[tokio::test]
    async fn what_a_call_leaves_running_holds_its_places() {
        let free = Arc::new(Semaphore::new(2));
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let (leave, left) = tokio::sync::oneshot::channel();
        of_call(places(&free), async {
            let running = tokio::spawn(inherited(async { ended.await.ok() }));
            leave.send(running).expect("it is waited for");
        })
        .await;
        assert_eq!(free.available_permits(), 0);
        end.send(()).expect("it runs");
        let running = left.await.expect("it was left");
        running.await.expect("it does not panic");
        assert_eq!(free.available_permits(), 2);
    }
}
