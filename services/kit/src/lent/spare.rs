//! A connection between two uses. A pool asks the database whether a connection that comes back is well, which takes a round trip
//! and wakes four threads. A connection whose last statement was answered is well: the next user can have it without a question.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Duration;

use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{Lent, require_well};

/// After how long without use a connection is tried before it is handed out.
pub(crate) const IDLE: Duration = Duration::from_secs(1);
/// After how long a connection goes back to its pool all the same, which closes those that are too old.
const LONGEST: Duration = Duration::from_secs(60);

/// How long anybody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// The turn to make a connection, shared by the pools of a database. Proving the password takes processor time. After an outage all
/// connections would be made at the same moment, each would take as long as all together, and on a busy machine longer than anybody
/// waits: so they were given up and begun anew, again and again, and none was ever made.
#[derive(Clone)]
pub(crate) struct Turn(Arc<Semaphore>);

impl Turn {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// A pool, with the connection that was used last.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: PgPool,
    spare: Arc<Spare>,
    turn: Turn,
}

impl Connections {
    pub(crate) fn of(pool: PgPool, turn: Turn) -> Self {
        Self {
            pool,
            spare: Arc::default(),
            turn,
        }
    }

    /// Lends a connection. sqlx's part of it is not safe to drop half way.
    pub(crate) async fn lend(self) -> Result<Lent, sqlx::Error> {
        let _waiting = Waiting::at(&self.spare);
        if let Some(kept) = self.spare.take() {
            let idle = kept.idle_since.elapsed() >= IDLE;
            let mut lent = Lent::of(kept.connection, kept.since, Arc::clone(&self.spare));
            if !idle || require_well(&mut lent).await.is_ok() {
                return Ok(lent);
            }
        }
        let connection = self.of_pool().await?;
        Ok(Lent::of(connection, Instant::now(), self.spare))
    }

    /// Who has to make a connection makes it in turn, and to its end: it serves the next one where nobody waits for it any more.
    async fn of_pool(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let waited = |_| sqlx::Error::PoolTimedOut;
        match tokio::time::timeout(PATIENCE, self.turn_to_connect())
            .await
            .map_err(waited)?
        {
            Some(_turn) => self.pool.acquire().await,
            None => tokio::time::timeout(PATIENCE, self.pool.acquire())
                .await
                .map_err(waited)?,
        }
    }

    /// None when the pool has a connection to give, or all that it may have are in use.
    async fn turn_to_connect(&self) -> Option<SemaphorePermit<'_>> {
        loop {
            let returned = self.spare.returned.notified();
            if self.pool.num_idle() > 0 || self.pool.size() >= self.pool.options().get_max_connections() {
                return None;
            }
            tokio::select! {
                turn = self.turn.0.acquire() => return turn.ok(),
                () = returned => {}
            }
        }
    }

    /// Waits until every connection is closed.
    pub(crate) async fn close(&self) {
        self.spare.close();
        self.pool.close().await;
    }
}

/// The connection that was used last, unless it is in use.
#[derive(Default)]
pub(crate) struct Spare {
    kept: Mutex<State>,
    /// How many wait for a connection. The pool does not know of the one that is kept here.
    waiting: AtomicUsize,
    /// Told when a connection has come back to the pool.
    returned: Notify,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    closed: bool,
}

struct Kept {
    connection: PoolConnection<Postgres>,
    /// When it came from the pool.
    since: Instant,
    idle_since: Instant,
}

impl Spare {
    fn state(&self) -> MutexGuard<'_, State> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection has come back to the pool, or left it.
    pub(super) fn returned(&self) {
        self.returned.notify_one();
    }

    fn take(&self) -> Option<Kept> {
        self.state().kept.take()
    }

    /// Keeps a connection for its next user; the pool has it back when one is kept already, somebody waits in the pool, or it has
    /// been away for long.
    pub(crate) fn keep(self: &Arc<Self>, connection: PoolConnection<Postgres>, since: Instant) {
        let kept = Kept {
            connection,
            since,
            idle_since: Instant::now(),
        };
        let mut state = self.state();
        let keeps = !state.closed && state.kept.is_none() && since.elapsed() < LONGEST;
        let returned = if keeps {
            state.kept = Some(kept);
            drop(state);
            // Who began to wait before looks in the pool only.
            (self.waiting.load(Ordering::SeqCst) > 0).then(|| self.take()).flatten()
        } else {
            drop(state);
            Some(kept)
        };
        if let Some(returned) = returned {
            drop(Lent::of(returned.connection, returned.since, Arc::clone(self)));
        }
    }

    fn close(self: &Arc<Self>) {
        let kept = {
            let mut state = self.state();
            state.closed = true;
            state.kept.take()
        };
        if let Some(kept) = kept {
            drop(Lent::of(kept.connection, kept.since, Arc::clone(self)));
        }
    }
}

/// Somebody who waits for a connection.
struct Waiting(Arc<Spare>);

impl Waiting {
    fn at(spare: &Arc<Spare>) -> Self {
        spare.waiting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(spare))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
