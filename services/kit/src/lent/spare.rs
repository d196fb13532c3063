//! A connection between two uses. A pool asks the database whether a connection that comes back is well, which takes a round trip
//! and wakes four threads. A connection whose last statement was answered is well: the next user can have it without a question.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Duration;

use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio::time::Instant;

use super::{Lent, require_well};

/// After how long without use a connection is tried before it is handed out.
pub(crate) const IDLE: Duration = Duration::from_secs(1);
/// After how long a connection goes back to its pool all the same, which closes those that are too old.
const LONGEST: Duration = Duration::from_secs(60);

/// A pool, with the connection that was used last.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: PgPool,
    spare: Arc<Spare>,
}

impl Connections {
    pub(crate) fn of(pool: PgPool) -> Self {
        Self {
            pool,
            spare: Arc::default(),
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
        let connection = self.pool.acquire().await?;
        Ok(Lent::of(connection, Instant::now(), self.spare))
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
