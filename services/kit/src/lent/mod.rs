//! Connections lent to work, and given up when the line to the database has gone silent. TCP notices a line that was cut
//! without a word after a quarter of an hour, or never where something on the way keeps answering, and sqlx waits for ever.

pub(crate) mod spare;

use std::{
    future::poll_fn,
    io,
    ops::{Deref, DerefMut},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use sqlx::{Connection, PgConnection, Postgres, pool::PoolConnection, postgres::PgRow};
use tokio::{runtime::Handle, time::Instant};

use spare::Spare;

/// How long work that holds a connection waits for a sign from the database before it is broken off: longer than PostgreSQL
/// takes to end a statement by itself, as `deploy/postgres/roles.sql` sets it, so that one that answers says what is wrong.
const SILENCE: Duration = Duration::from_secs(12);
/// How long a connection may take to show that it is well, before it is lent after some time without use and when it comes
/// back.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a connection may take to be made: twice as long as a call waits, for one that was begun and given up has cost as
/// much as one that is there, and the next begins anew.
pub(crate) const CONNECTING: Duration = Duration::from_secs(6);

tokio::task_local! {
    /// How many connections the work under way holds.
    static HOLDING: Arc<AtomicUsize>;
}

fn silent() -> sqlx::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the line to the database is silent").into()
}

/// Does work on the database, and breaks it off when it holds a connection and nothing has woken it for 12 s: no part of an
/// answer has come. What the work holds is dropped, and the connection is closed unless it answers at last.
///
/// # Errors
/// That the line is silent. A write may have been carried out then; its repetition tells.
pub fn unless_silent<T>(work: impl Future<Output = T>) -> impl Future<Output = Result<T, sqlx::Error>> {
    // Boxed: what a group of calls does is too large to be moved about on the stack.
    unless_silent_for(SILENCE, Box::pin(work))
}

async fn unless_silent_for<T>(most: Duration, work: impl Future<Output = T>) -> Result<T, sqlx::Error> {
    let holding = Arc::new(AtomicUsize::new(0));
    let mut work = pin!(HOLDING.scope(Arc::clone(&holding), work));
    let mut timer = pin!(tokio::time::sleep(most));
    let mut woken = Instant::now();
    poll_fn(|polling| {
        let (now, before) = (Instant::now(), woken);
        let rang = timer.as_mut().poll(polling).is_ready();
        if let Poll::Ready(done) = work.as_mut().poll(polling) {
            return Poll::Ready(Ok(done));
        }
        if !rang {
            woken = now;
            return Poll::Pending;
        }
        // The timer is not set anew each time the work is woken: it looks back when it rings.
        if now.duration_since(before) >= most {
            if holding.load(Ordering::Relaxed) > 0 {
                return Poll::Ready(Err(silent()));
            }
            woken = now;
        }
        timer.as_mut().reset(woken + most);
        timer.as_mut().poll(polling).map(|()| Err(silent()))
    })
    .await
}

/// Tries a connection.
///
/// # Errors
/// When it is broken or does not answer within 2 s.
pub(crate) async fn require_well(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let answered = tokio::time::timeout(ANSWER, connection.ping()).await;
    answered.unwrap_or_else(|_| Err(silent()))
}

/// A connection that the work under way holds.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn by_this_work() -> Option<Self> {
        let holding = HOLDING.try_with(Arc::clone).ok()?;
        holding.fetch_add(1, Ordering::Relaxed);
        Some(Self(holding))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection lent from a pool. Dropping it gives it back, or closes it if it does not show within 2 s that it is well.
pub struct Lent {
    /// Taken when this is dropped.
    connection: Option<PoolConnection<Postgres>>,
    /// Where it waits for its next user when nothing has gone wrong.
    spare: Arc<Spare>,
    /// When it came from the pool.
    since: Instant,
    /// Whether a transaction may be open on it.
    open: bool,
    held: Option<Held>,
}

impl Lent {
    pub(crate) fn of(connection: PoolConnection<Postgres>, since: Instant, spare: Arc<Spare>) -> Self {
        Self {
            connection: Some(connection),
            spare,
            since,
            open: false,
            held: None,
        }
    }

    /// Ends its use when every statement on it has been answered. The next user can have it at once; dropping it instead, which
    /// is right after anything else, has the database asked first whether the connection is well.
    pub fn done(mut self) {
        if !self.open
            && let Some(connection) = self.connection.take()
        {
            self.spare.keep(connection, self.since);
        }
    }

    /// The same, held by the work that asks for it.
    pub(crate) fn held(mut self) -> Self {
        self.held = Held::by_this_work();
        self
    }
}

const TAKEN: &str = "it is taken only when this is dropped";

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect(TAKEN)
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect(TAKEN)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(connection), Ok(runtime)) = (self.connection.take(), Handle::try_current()) {
            runtime.spawn(give_back(connection, self.open, Arc::clone(&self.spare)));
        }
    }
}

/// sqlx's own way back waits for ever for a connection that does not answer.
async fn give_back(mut connection: PoolConnection<Postgres>, open: bool, spare: Arc<Spare>) {
    if open {
        let rolled_back = tokio::time::timeout(ANSWER, sqlx::raw_sql("ROLLBACK").execute(&mut *connection)).await;
        if !matches!(rolled_back, Ok(Ok(_))) {
            // It leaves the pool and is closed.
            drop(connection.detach());
            spare.returned();
            return;
        }
    }
    tokio::time::timeout(ANSWER, connection.return_to_pool()).await.ok();
    spare.returned();
}

/// A transaction. Dropping it rolls it back.
pub struct Transaction(Lent);

impl Transaction {
    /// Begins one by this statement, which may have others behind it, and gives their rows. Not safe to drop before it has
    /// ended.
    pub(crate) async fn begin(mut lent: Lent, statement: &'static str) -> Result<(Self, Vec<PgRow>), sqlx::Error> {
        lent.open = true;
        let begun = tokio::time::timeout(SILENCE, sqlx::raw_sql(statement).fetch_all(&mut *lent)).await;
        let rows = begun.unwrap_or_else(|_| Err(silent()))?;
        Ok((Self(lent), rows))
    }

    /// The same, held by the work that asks for it.
    pub(crate) fn held(self) -> Self {
        Self(self.0.held())
    }

    /// Commits it.
    ///
    /// # Errors
    /// When the database fails; then it may have been committed all the same.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    /// Rolls it back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statement).execute(&mut *self.0).await?;
        self.0.open = false;
        self.0.done();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long silence may last here, and a pause well within it.
    const MOST: Duration = Duration::from_millis(400);
    const PAUSE: Duration = Duration::from_millis(150);

    async fn waiting(held: bool, pauses: &[Duration]) -> Result<(), sqlx::Error> {
        let work = async {
            let _held = held.then(Held::by_this_work);
            for pause in pauses {
                tokio::time::sleep(*pause).await;
            }
        };
        unless_silent_for(MOST, work).await
    }

    #[tokio::test]
    async fn work_that_holds_a_connection_is_broken_off_when_nothing_wakes_it() {
        let began = Instant::now();
        let broken_off = waiting(true, &[PAUSE, Duration::from_secs(600)]).await;
        assert!(matches!(broken_off, Err(sqlx::Error::Io(_))));
        assert!(began.elapsed() >= PAUSE + MOST, "it counts from the last sign");
    }

    #[tokio::test]
    async fn work_that_is_woken_or_holds_nothing_takes_its_time() {
        // A machine that stops for as long is silent too, and not each time.
        let mut tries = 0..10;
        while waiting(true, &[PAUSE; 5]).await.is_err() {
            tries.next().expect("there are signs");
        }
        waiting(false, &[2 * MOST]).await.expect("it waits for something else");
        let nothing_is_held_any_more = unless_silent_for(MOST, async {
            drop(Held::by_this_work());
            tokio::time::sleep(2 * MOST).await;
        });
        nothing_is_held_any_more.await.expect("it waits for something else");
    }
}
