//! A service's own schema: its pool, its migrations, and waiting for both.

use std::{str::FromStr, time::Duration};

use anyhow::Context as _;
use futures::FutureExt as _;
use sqlx::{
    ConnectOptions, Connection, PgConnection,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    lent::{
        self, Lent, Transaction,
        spare::{self, IDLE, Turn},
    },
    run::probe::Probe,
};

/// A transaction, and the rows of the statements behind its BEGIN.
type Begun = (Transaction, Vec<PgRow>);

/// Where sqlx records which of a service's own migrations ran.
const OF_SERVICE: &str = "_sqlx_migrations";
/// Where it records which of the kit's ran, whatever tables they make; the name is from when they made the write path only.
const OF_KIT: &str = "_write_path_migrations";
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

/// PostgreSQL plans a statement that takes arrays anew each time it is run, because it hopes for a better plan for arrays that
/// are short. A plan of a group's inserts takes longer than the inserts of one call, and is always the same.
const PLANNED_ONCE: (&str, &str) = ("plan_cache_mode", "force_generic_plan");
/// How many connections look up by keys: what is asked meanwhile is looked up together.
pub const PLANNED: u32 = 2;

/// How many connections a service holds, besides the [`PLANNED`] and the one for refusals.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// For transactions that write.
    pub writing: u32,
    /// For everything that only reads: a long list keeps no submission waiting.
    pub reading: u32,
}

/// A service's own schema, as the runtime role.
///
/// A BEGIN is not safe to drop: before its answer the connection goes back to the pool inside a transaction that nobody
/// owns, and sqlx's `acquire` gives up a connection that it was just trying. A handler may end at every
/// `.await`, so whatever takes a connection or begins a transaction here runs in a task: dropped half way, it ends by itself
/// and hands the connection back as it was.
#[derive(Clone)]
pub struct Database {
    writing: spare::Connections,
    reading: spare::Connections,
    planned: spare::Connections,
    recording: spare::Connections,
    probe: Probe,
    /// The runtime whose driver watches the connections, wherever one is asked for first; `None` outside a runtime.
    runtime: Option<Handle>,
}

impl Database {
    /// Connects when first used.
    pub fn new(options: PgConnectOptions, connections: Connections) -> Self {
        let (planned_once, turn) = (options.clone().options([PLANNED_ONCE]), Turn::new());
        Self {
            writing: pool(planned_once.clone(), connections.writing, &turn),
            reading: pool(options.clone(), connections.reading, &turn),
            planned: pool(planned_once.clone(), PLANNED, &turn),
            recording: pool(planned_once, 1, &turn),
            probe: Probe::new(options),
            runtime: Handle::try_current().ok(),
        }
    }

    /// What tells whether the database can be reached.
    pub(crate) fn probe(&self) -> &Probe {
        &self.probe
    }

    /// A connection for single statements that only read; each is a transaction of its own.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn connection(&self) -> Result<Lent, sqlx::Error> {
        self.acquire(&self.reading).await
    }

    /// A connection for single statements that only read and find their rows by keys: PostgreSQL plans each of them once.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn planned(&self) -> Result<Lent, sqlx::Error> {
        self.acquire(&self.planned).await
    }

    /// A connection for single statements that write; each is a transaction of its own.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn writing(&self) -> Result<Lent, sqlx::Error> {
        self.acquire(&self.writing).await
    }

    /// The one connection for the journal of refusals: who keeps all others busy is recorded all the same.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub(crate) async fn recording(&self) -> Result<Lent, sqlx::Error> {
        self.acquire(&self.recording).await
    }

    /// Begins a transaction that reads everything as of one moment. Dropping it ends it.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn snapshot(&self) -> Result<Transaction, sqlx::Error> {
        let statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(self.begin_in(&self.reading, statement).await?.0)
    }

    /// Begins a transaction that writes. Dropping it rolls it back.
    ///
    /// # Errors
    /// When the database is away or busy.
    pub async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        Ok(self.begin_with("BEGIN").await?.0)
    }

    /// Begins a transaction that writes, by BEGIN and statements behind it, and gives their rows: all of them take one round
    /// trip. Dropping it rolls it back.
    ///
    /// # Errors
    /// When the database is away or busy, or a statement fails.
    pub async fn begin_with(&self, statement: &'static str) -> Result<Begun, sqlx::Error> {
        self.begin_in(&self.writing, statement).await
    }

    async fn begin_in(&self, connections: &spare::Connections, statement: &'static str) -> Result<Begun, sqlx::Error> {
        let lending = connections.clone().lend();
        // Boxed: making a connection takes kilobytes, and whatever waits for this would have them several times over.
        let begun = Box::pin(async move { Transaction::begin(lending.await?, statement).await });
        let (transaction, rows) = self.probe.wait(self.to_its_end(begun)).await?;
        Ok((transaction.held(), rows))
    }

    /// Waits until there is a connection for reading and one for writing: on a busy machine the first may take longer than a call
    /// waits, and what a service loads at its start must not fail for that.
    ///
    /// # Errors
    /// A shutdown while waiting.
    pub(crate) async fn connected(&self, shutdown: &CancellationToken) -> anyhow::Result<()> {
        while let Err(error) = tokio::try_join!(self.connection(), self.writing()) {
            tracing::warn!(%error, "there is no connection to the database yet; waiting for one");
            pause(shutdown).await?;
        }
        Ok(())
    }

    /// Waits until every connection is closed.
    pub async fn close(&self) {
        tokio::join!(
            self.writing.close(),
            self.reading.close(),
            self.planned.close(),
            self.recording.close()
        );
    }

    async fn acquire(&self, connections: &spare::Connections) -> Result<Lent, sqlx::Error> {
        let mut acquiring = Box::pin(connections.clone().lend());
        let at_once = {
            let _entered = self.runtime.as_ref().map(Handle::enter);
            acquiring.as_mut().now_or_never()
        };
        let acquired = match at_once {
            Some(acquired) => acquired,
            None => self.probe.wait(self.to_its_end(acquiring)).await,
        };
        acquired.map(Lent::held)
    }

    /// Runs in a task of its own; who stops waiting does not end it, and what it gives is dropped then.
    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    ) -> Result<T, sqlx::Error> {
        let runtime = self.runtime.clone().unwrap_or_else(Handle::current);
        match runtime.spawn(work.in_current_span()).await {
            Ok(done) => done,
            // The runtime ends, and with it the pool.
            Err(_) => Err(sqlx::Error::PoolClosed),
        }
    }
}

fn pool(options: PgConnectOptions, connections: u32, turn: &Turn) -> spare::Connections {
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(lent::CONNECTING)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(bound_statements(connection)))
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= IDLE {
                    lent::require_well(connection).await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    spare::Connections::of(pool, turn.clone())
}

/// How long a statement of the runtime role may take, as `deploy/postgres/roles.sql` sets it.
const STATEMENT: Duration = Duration::from_secs(10);

/// Bounds the statements of a connection whose role lifted its own bound, which every role may do, and tells of it.
async fn bound_statements(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let lifted: Vec<String> = sqlx::query_scalar(
        "SELECT name || ' = ' || setting FROM pg_settings
         WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout')
           AND setting::bigint NOT BETWEEN 1 AND $1",
    )
    .bind(i64::try_from(STATEMENT.as_millis()).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    if lifted.is_empty() {
        return Ok(());
    }
    tracing::error!(
        ?lifted,
        "the runtime role has lifted its own time limits; they are set again for this connection"
    );
    let limits = format!(
        "SET statement_timeout = '{0}ms'; SET idle_in_transaction_session_timeout = '{0}ms'",
        STATEMENT.as_millis()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(limits)).execute(connection).await?;
    Ok(())
}

/// Tables that a schema holds: the migrations that make them, and where is recorded which of these ran.
pub struct Tables {
    migrations: Migrator,
    recorded_in: &'static str,
}

impl Tables {
    /// The service's own.
    pub const fn of_service(migrations: Migrator) -> Self {
        Self {
            migrations,
            recorded_in: OF_SERVICE,
        }
    }

    /// Tables of the kit, which only the services that name them have.
    pub(crate) const fn of_kit(migrations: Migrator) -> Self {
        Self {
            migrations,
            recorded_in: OF_KIT,
        }
    }

    /// As a release before had them: without the migrations from this version on.
    #[must_use]
    pub fn before(&self, version: i64) -> Self {
        let earlier = self.migrations.iter().filter(|migration| migration.version < version);
        Self {
            migrations: Migrator::with_migrations(earlier.cloned().collect()),
            recorded_in: self.recorded_in,
        }
    }

    fn migrator(&self) -> Migrator {
        let mut migrator = Migrator::with_migrations(self.migrations.iter().cloned().collect());
        migrator.dangerous_set_table_name(self.recorded_in);
        // One record serves all tables of the kit, so each set of them meets the migrations of the others there.
        migrator.set_ignore_missing(self.recorded_in == OF_KIT);
        migrator
    }
}

/// Runs the migrations of all tables, in order, as the schema's owner. Waits while the database is away, and while another migrates.
///
/// # Errors
/// A migration that fails, a database that goes away meanwhile, or a shutdown while waiting.
pub async fn migrate(owner: &PgConnectOptions, tables: &[&Tables], shutdown: &CancellationToken) -> anyhow::Result<()> {
    let mut connection = connect(owner, shutdown).await?;
    until_alone(&mut connection, shutdown).await?;
    for tables in tables {
        // `run` is not general enough over lifetimes to be spawned; `run_direct` is what it calls.
        tables
            .migrator()
            .run_direct(None, &mut connection, false)
            .await
            .context("migrating the schema")?;
        show_record(&mut connection, tables.recorded_in)
            .await
            .context("granting sight of the migrations")?;
    }
    connection.close().await?;
    Ok(())
}

/// Waits until nobody else migrates in the database. sqlx waits within a statement, and an index that is built concurrently waits for the
/// end of every statement that began before it: each would wait for the other. The lock ends with the connection.
async fn until_alone(connection: &mut PgConnection, shutdown: &CancellationToken) -> anyhow::Result<()> {
    const TRY: &str = "SELECT pg_try_advisory_lock(hashtext('legalstat migrations'))";
    let mut is_told = false;
    while !sqlx::query_scalar::<_, bool>(TRY).fetch_one(&mut *connection).await? {
        if !is_told {
            tracing::info!("another migrates in this database; waiting for it");
            is_told = true;
        }
        pause(shutdown).await?;
    }
    Ok(())
}

/// Lets the runtime role see which migrations ran, to wait for them.
async fn show_record(connection: &mut PgConnection, record: &'static str) -> Result<(), sqlx::Error> {
    let grant =
        format!("DO $$ BEGIN EXECUTE format('GRANT SELECT ON {record} TO %I', current_schema() || '_runtime'); END $$");
    sqlx::raw_sql(sqlx::AssertSqlSafe(grant)).execute(connection).await?;
    Ok(())
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

/// Waits until an owner has run every migration that this release needs.
///
/// # Errors
/// A shutdown while waiting.
pub async fn wait_until_migrated(
    runtime: &PgConnectOptions,
    tables: &[&Tables],
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let mut told = String::new();
    loop {
        let mut connection = connect(runtime, shutdown).await?;
        let state = match missing(&mut connection, tables).await {
            Ok(missing) if missing.is_empty() => return Ok(()),
            Ok(missing) => format!("it lacks {missing:?}"),
            // No record yet, or not yet for this role's eyes: its owner is on the way.
            Err(error) => error.to_string(),
        };
        if state != told {
            tracing::warn!(state, "the schema is not migrated yet; waiting for its owner");
            told = state;
        }
        pause(shutdown).await?;
    }
}

/// The versions that did not run yet.
async fn missing(connection: &mut PgConnection, tables: &[&Tables]) -> Result<Vec<i64>, sqlx::Error> {
    let mut missing = Vec::new();
    for tables in tables {
        // Unchecked: the table belongs to sqlx.
        let ran = format!("SELECT version FROM {} WHERE success", tables.recorded_in);
        let ran: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(ran))
            .fetch_all(&mut *connection)
            .await?;
        let needed = tables.migrations.iter().map(|migration| migration.version);
        missing.extend(needed.filter(|version| !ran.contains(version)));
    }
    Ok(missing)
}
