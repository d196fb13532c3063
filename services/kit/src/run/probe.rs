//! Whether the database can be reached, asked over a connection that stands in no pool's queue.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio_util::task::AbortOnDropHandle;

use crate::{call::patience, lent, outage::Outage};

/// How long the database may take to answer that it is there.
const ANSWER: Duration = Duration::from_secs(2);

/// What one question leaves to the next.
#[derive(Default)]
pub(crate) struct Line {
    /// Answered the last question.
    connection: Option<PgConnection>,
    /// Begun by an earlier question. Where the processor is short, one that was begun anew each time would never be there.
    connecting: Option<AbortOnDropHandle<Result<PgConnection, sqlx::Error>>>,
}

/// Asks the database, and remembers its answer for those who wait for it.
#[derive(Clone)]
pub(crate) struct Probe {
    options: PgConnectOptions,
    away: Arc<AtomicBool>,
}

impl Probe {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        let away = Arc::default();
        Self { options, away }
    }

    /// Asks whether the database is there; `line` is kept for the next time. A database that is there and busy counts as there.
    ///
    /// # Errors
    /// Why it is away.
    pub(crate) async fn ask(&self, line: &mut Line) -> Result<(), sqlx::Error> {
        let asked = tokio::time::timeout(ANSWER, self.asked(line)).await;
        let answered = match asked.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())) {
            Err(error) if Outage::of_database(&error) == Some(Outage::Busy) => Ok(()),
            answered => answered,
        };
        self.away.store(answered.is_err(), Ordering::Release);
        answered
    }

    async fn asked(&self, line: &mut Line) -> Result<(), sqlx::Error> {
        // One that does not answer in time is closed: its answer might be taken for that to a later question.
        if let Some(mut connection) = line.connection.take()
            && connection.ping().await.is_ok()
        {
            line.connection = Some(connection);
            return Ok(());
        }
        // The connection was cut: whether the database is away shows by another one.
        let connecting = line.connecting.get_or_insert_with(|| self.connect());
        let connected = connecting.await;
        line.connecting = None;
        line.connection = Some(connected.unwrap_or(Err(sqlx::Error::WorkerCrashed))?);
        Ok(())
    }

    fn connect(&self) -> AbortOnDropHandle<Result<PgConnection, sqlx::Error>> {
        let options = self.options.clone();
        let connecting = async move {
            let mut connection = options.connect().await?;
            connection.ping().await?;
            Ok(connection)
        };
        AbortOnDropHandle::new(tokio::spawn(async {
            let connected = tokio::time::timeout(lent::CONNECTING, connecting).await;
            connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        }))
    }

    /// Waits for a connection as long as the current call may, and a moment only while the database is known to be away.
    ///
    /// # Errors
    /// What the work fails with. A pool gives the same error when all its connections are taken and when it could make none;
    /// here they are told apart.
    pub(crate) async fn wait<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
        let most = if self.is_away() {
            patience::WHILE_AWAY
        } else {
            Duration::MAX
        };
        match patience::wait(most, work).await {
            Err(sqlx::Error::PoolTimedOut) if self.is_away() => {
                Err(io::Error::new(io::ErrorKind::NotConnected, "the database cannot be reached").into())
            }
            waited => waited,
        }
    }

    fn is_away(&self) -> bool {
        self.away.load(Ordering::Acquire)
    }
}
