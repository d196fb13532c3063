//! A service's own schema: its pool, its migrations, and waiting for both.

use std::{num::NonZeroU32, str::FromStr, time::Duration};

use anyhow::Context as _;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio_util::sync::CancellationToken;

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

/// How many connections a service has unless it is set otherwise.
pub const CONNECTIONS: NonZeroU32 = NonZeroU32::new(16).expect("16 is not 0");

/// A pool of at most so many connections as the runtime role. It connects when first used.
pub fn pool(options: PgConnectOptions, connections: NonZeroU32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections.get())
        .acquire_timeout(Duration::from_secs(3))
        .connect_lazy_with(options)
}

/// Begins a transaction that reads everything as of one moment.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(db: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    db.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
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
