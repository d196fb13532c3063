//! A service's own schema: its pool, its migrations, and waiting for both.

use std::{str::FromStr, time::Duration};

use anyhow::Context as _;
use futures::FutureExt;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// The migrations of the write path, which every schema has.
static WRITE_PATH: Migrator = sqlx::migrate!("./migrations");
/// How long between two tries to reach the database or to see its schema migrated.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads a database URL.
///
/// # Errors
/// A URL that cannot be read; it is not shown, for it may hold a password.
pub fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).map_err(|_| anyhow::anyhow!("the database URL cannot be read"))?;
    Ok(options.log_statements(tracing::log::LevelFilter::Trace))
}

/// How long a call waits for a connection.
const PATIENCE: Duration = Duration::from_secs(3);
/// After how long without use a connection is tried before it is handed out.
const IDLE: Duration = Duration::from_secs(1);

/// How many connections a service holds.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// For transactions that write.
    pub writing: u32,
    /// For everything that only reads: a long list keeps no submission waiting.
    pub reading: u32,
}

/// A service's own schema, as the runtime role.
///
/// sqlx's own `begin` is not safe to drop: between BEGIN and its answer the connection goes back to the pool inside a
/// transaction that nobody owns, and `acquire` gives up a connection that it was just trying. A handler may end at every
/// `.await`, so whatever takes a connection or begins a transaction here runs in a task: dropped half way, it ends by itself
/// and hands the connection back as it was.
#[derive(Clone)]
pub struct Database {
    writing: PgPool,
    reading: PgPool,
}

impl Database {
    /// Connects when first used.
    pub fn new(options: PgConnectOptions, connections: Connections) -> Self {
        Self {
            writing: pool(options.clone(), connections.writing),
            reading: pool(options, connections.reading),
        }
    }

    /// A connection for single statements; each is a transaction of its own.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn connection(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let mut acquiring = Box::pin(self.reading.acquire());
        match acquiring.as_mut().now_or_never() {
            Some(acquired) => acquired,
            None => to_its_end(acquiring).await,
        }
    }

    /// Begins a transaction that reads everything as of one moment. Dropping it ends it.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn snapshot(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let reading = self.reading.clone();
        to_its_end(async move {
            reading
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
        })
        .await
    }

    /// Begins a transaction that writes. Dropping it rolls it back.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let writing = self.writing.clone();
        to_its_end(async move { writing.begin().await }).await
    }

    /// Waits until every connection is closed.
    pub async fn close(&self) {
        tokio::join!(self.writing.close(), self.reading.close());
    }
}

/// Runs in a task of its own; who stops waiting does not end it, and what it gives is dropped then.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
) -> Result<T, sqlx::Error> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        // The runtime ends, and with it the pool.
        Err(_) => Err(sqlx::Error::PoolClosed),
    }
}

fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// Runs the migrations of the write path and of the service as the schema's owner. Waits while the database is away.
///
/// # Errors
/// A migration that fails, or a shutdown while waiting.
pub async fn migrate(owner: &PgConnectOptions, service: &Migrator, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let mut connection = connect(owner, shutdown).await?;
    // `run` is not general enough over lifetimes to be spawned; `run_direct` is what it calls.
    write_path()
        .run_direct(None, &mut connection, false)
        .await
        .context("migrating the write path")?;
    service
        .run_direct(None, &mut connection, false)
        .await
        .context("migrating the service's schema")?;
    // The runtime role must see how far the schema is, to wait for it.
    sqlx::raw_sql(
        "DO $$ BEGIN EXECUTE format('GRANT SELECT ON _sqlx_migrations TO %I', current_schema() || '_runtime'); END $$",
    )
    .execute(&mut connection)
    .await
    .context("granting sight of the migrations")?;
    connection.close().await?;
    Ok(())
}

fn write_path() -> Migrator {
    let mut migrator = Migrator::with_migrations(WRITE_PATH.iter().cloned().collect());
    migrator.dangerous_set_table_name("_write_path_migrations");
    migrator
}

/// Connects, and waits while that fails: the server may start later, and so may whoever makes the database and its roles.
/// Each new reason is told once.
async fn connect(options: &PgConnectOptions, shutdown: &CancellationToken) -> anyhow::Result<PgConnection> {
    let mut told = String::new();
    loop {
        let connected = tokio::select! {
            connected = options.connect() => connected,
            () = shutdown.cancelled() => anyhow::bail!("stopped while waiting for the database"),
        };
        match connected {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                let reason = error.to_string();
                if reason != told {
                    tracing::warn!(%error, "the database cannot be reached; waiting for it");
                    told = reason;
                }
            }
        }
        pause(shutdown).await?;
    }
}

async fn pause(shutdown: &CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => Ok(()),
        () = shutdown.cancelled() => anyhow::bail!("stopped while waiting for the database"),
    }
}

/// Waits until an owner has migrated the schema at least as far as this release needs.
///
/// # Errors
/// A shutdown while waiting.
pub async fn wait_until_migrated(
    runtime: &PgConnectOptions,
    service: &Migrator,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let needed = service
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default();
    let mut told = String::new();
    loop {
        let mut connection = connect(runtime, shutdown).await?;
        let state = match version(&mut connection).await {
            Ok(version) if version >= Some(needed) => return Ok(()),
            Ok(version) => format!("it is at {version:?}"),
            // No table yet, or not yet for this role's eyes: its owner is on the way.
            Err(error) => error.to_string(),
        };
        if state != told {
            tracing::warn!(needed, state, "the schema is not migrated yet; waiting for its owner");
            told = state;
        }
        pause(shutdown).await?;
    }
}

async fn version(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    // Unchecked: the table belongs to sqlx.
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
        .fetch_one(connection)
        .await
}
