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

use crate::{call::patience, outage::Outage};

/// How long the database may take to answer that it is there.
const ANSWER: Duration = Duration::from_secs(2);

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

    /// Asks whether the database is there; `connection` is kept for the next time. A database that is there and busy counts as
    /// there.
    ///
    /// # Errors
    /// Why it is away.
    pub(crate) async fn ask(&self, connection: &mut Option<PgConnection>) -> Result<(), sqlx::Error> {
        let asked = tokio::time::timeout(ANSWER, self.asked(connection.take())).await;
        let asked = asked.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        let answered = match asked {
            Ok(answered) => {
                *connection = Some(answered);
                Ok(())
            }
            Err(error) if Outage::of_database(&error) == Some(Outage::Busy) => Ok(()),
            Err(error) => Err(error),
        };
        self.away.store(answered.is_err(), Ordering::Release);
        answered
    }

    async fn asked(&self, connection: Option<PgConnection>) -> Result<PgConnection, sqlx::Error> {
        if let Some(mut connection) = connection
            && connection.ping().await.is_ok()
        {
            return Ok(connection);
        }
        // The connection was cut: whether the database is away shows by another one.
        let mut connection = self.options.connect().await?;
        connection.ping().await?;
        Ok(connection)
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
