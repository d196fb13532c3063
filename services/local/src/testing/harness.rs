//! For tests: a service as it runs in production, on a database, a port and certificates of its own.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;
use sqlx::{ConnectOptions, Connection as _, PgConnection};
use tokio::{sync::OnceCell, sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::{
    authority::{self, Authority, Usage},
    folder::FolderLock,
    postgres::{Cluster, ClusterOptions},
    residents,
    roles::{self, ServicePasswords},
    signing,
    testing::relay::Relay,
};
use legalstat_kit::{
    Context, Service,
    call::tls,
    run::{self, Listeners, environment::Environment, server},
    schema,
};

/// The database server that the tests of one process share, and the authority that signs for them.
pub struct Ground {
    cluster: Cluster,
    passwords: ServicePasswords,
    authority: Authority,
    folder: tempfile::TempDir,
    templates: tokio::sync::Mutex<Vec<&'static str>>,
    _lock: FolderLock,
}

const PREFIX: &str = "legalstat-test-";
/// Under which name the signing keys of tests stand.
const SIGNING: &str = "every-service";

/// Removes the folders of test processes that have ended: a process never drops what all its tests share.
fn sweep() {
    let found = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for folder in found
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
    {
        // Who has taken a folder has written its number; who is about to has not yet.
        let was_taken = folder.join("lock").metadata().is_ok_and(|lock| lock.len() > 0);
        if was_taken && FolderLock::acquire(&folder).is_ok() {
            std::fs::remove_dir_all(&folder).ok();
        }
    }
}

static GROUND: OnceCell<Arc<Ground>> = OnceCell::const_new();

impl Ground {
    /// The ground of this process, made at the first call.
    ///
    /// # Panics
    /// When PostgreSQL cannot be started: no test can go on.
    pub async fn shared() -> Arc<Self> {
        GROUND
            .get_or_init(|| async { Arc::new(Self::make().await.expect("PostgreSQL starts")) })
            .await
            .clone()
    }

    async fn make() -> anyhow::Result<Self> {
        sweep();
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(passable())
            .tempdir()?;
        let lock = FolderLock::acquire(folder.path())?;
        let bin = std::env::var_os("LEGALSTAT_POSTGRES_BIN").map(Into::into);
        let cluster = Cluster::start(&ClusterOptions {
            bin,
            folder: folder.path().join("postgres"),
            durable: false,
        })
        .await?;
        let authority = Authority::open_or_create(folder.path())?;
        signing::ensure(folder.path(), SIGNING, Timestamp::UNIX_EPOCH)?;
        Ok(Self {
            cluster,
            passwords: ServicePasswords::random(),
            authority,
            folder,
            templates: Default::default(),
            _lock: lock,
        })
    }

    /// The address of the database server.
    pub fn database_server(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.cluster.port()).into()
    }

    /// The folder of the ground, with `authority/` and `certificates/`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the keys that services sign with in tests: one, which signs at whatever time a test tells.
    pub fn signing_keys(&self) -> String {
        signing::folder_of(self.folder.path(), SIGNING).display().to_string()
    }

    /// A database of its own for one test: a copy of one that the service's migrations made.
    async fn database<C>(&self, service: &Service<C>) -> anyhow::Result<String> {
        let server = self.cluster.admin_url("postgres");
        let template = format!("template_{}", service.schema);
        let mut templates = self.templates.lock().await;
        if !templates.contains(&service.schema) {
            roles::prepare_database(&server, &template, &self.passwords).await?;
            let owner = schema::options(&self.passwords.owner_url(&server, &template, service.schema)?)?;
            schema::migrate(&owner, service.tables, &CancellationToken::new()).await?;
            templates.push(service.schema);
        }
        let name = format!("{}_{}", service.schema, uuid::Uuid::new_v4().simple());
        roles::copy_database(&server, &template, &name).await?;
        Ok(name)
    }

    /// A database that a release made before the migrations from this version on, with the rows that it wrote, and migrated since.
    async fn upgraded<C>(&self, service: &Service<C>, version: i64, rows: &str) -> anyhow::Result<String> {
        let (server, never) = (self.cluster.admin_url("postgres"), CancellationToken::new());
        let name = format!("{}_{}", service.schema, uuid::Uuid::new_v4().simple());
        {
            // Roles belong to the whole server: nobody else prepares a database meanwhile.
            let _alone = self.templates.lock().await;
            roles::prepare_database(&server, &name, &self.passwords).await?;
        }
        let owner = schema::options(&self.passwords.owner_url(&server, &name, service.schema)?)?;
        let before: Vec<schema::Tables> = service.tables.iter().map(|tables| tables.before(version)).collect();
        schema::migrate(&owner, &before.iter().collect::<Vec<_>>(), &never).await?;
        let mut connection = schema::options(&self.cluster.admin_url(&name))?.connect().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(rows.to_owned()))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        schema::migrate(&owner, service.tables, &never).await?;
        Ok(name)
    }
}

fn passable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o711)
}

/// A running service. Dropping it stops it.
pub struct Running {
    ground: Arc<Ground>,
    url: String,
    health: SocketAddr,
    database: String,
    schema: &'static str,
    identity: tls::Files,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Starts a service with settings of its own and with this clock, and waits until it serves.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start<C: Send + 'static>(
        service: &'static Service<C>,
        settings: &[(&str, String)],
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self::try_start(service, settings, clock, None)
            .await
            .expect("the service starts")
    }

    /// Starts a service as [`start`](Self::start) does, with a relay between it and its database.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_behind<C: Send + 'static>(
        relay: &Relay,
        service: &'static Service<C>,
        settings: &[(&str, String)],
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self::try_start(service, settings, clock, Some(relay))
            .await
            .expect("the service starts")
    }

    /// Starts a service as [`start`](Self::start) does, on a database that a release made before the migrations from `version` on:
    /// what it wrote there is `rows`, and all migrations ran since.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_upgraded<C: Send + 'static>(
        (version, rows): (i64, &str),
        service: &'static Service<C>,
        settings: &[(&str, String)],
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let ground = Ground::shared().await;
        let database = ground.upgraded(service, version, rows).await;
        let database = database.expect("the migrations take what was written before");
        Self::start_on(ground, database, service, settings, clock, None)
            .await
            .expect("the service starts")
    }

    /// Starts another replica of this service, on the same database.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn replica<C: Send + 'static>(
        &self,
        service: &'static Service<C>,
        settings: &[(&str, String)],
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self::start_on(
            self.ground.clone(),
            self.database.clone(),
            service,
            settings,
            clock,
            None,
        )
        .await
        .expect("the replica starts")
    }

    async fn try_start<C: Send + 'static>(
        service: &'static Service<C>,
        settings: &[(&str, String)],
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        relay: Option<&Relay>,
    ) -> anyhow::Result<Self> {
        let ground = Ground::shared().await;
        let database = ground.database(service).await?;
        Self::start_on(ground, database, service, settings, clock, relay).await
    }

    async fn start_on<C: Send + 'static>(
        ground: Arc<Ground>,
        database: String,
        service: &'static Service<C>,
        settings: &[(&str, String)],
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        relay: Option<&Relay>,
    ) -> anyhow::Result<Self> {
        let identity = ground.authority.ensure(&Usage::service(service.name))?;
        let server = ground.cluster.admin_url("postgres");
        let runtime = ground.passwords.runtime_url(&server, &database, service.schema)?;
        // Keep the port bound: another process could take it in between.
        let listeners = Listeners {
            calls: server::bind((Ipv4Addr::LOCALHOST, 0).into()).await?,
            health: server::bind((Ipv4Addr::LOCALHOST, 0).into()).await?,
        };
        let (listen, health) = (listeners.calls.local_addr()?, listeners.health.local_addr()?);
        let own = [
            ("LEGALSTAT_LISTEN", listen.to_string()),
            ("LEGALSTAT_HEALTH_LISTEN", health.to_string()),
            ("LEGALSTAT_SHUTDOWN_DELAY_SECONDS", "0".to_owned()),
            (
                "LEGALSTAT_DATABASE_URL",
                relay.map_or(runtime.clone(), |relay| relay.stands_in(&runtime)),
            ),
            (
                "LEGALSTAT_TLS_CERTIFICATE",
                identity.certificate_path.display().to_string(),
            ),
            ("LEGALSTAT_TLS_KEY", identity.key_path.display().to_string()),
            (
                "LEGALSTAT_TLS_AUTHORITY",
                ground.authority.certificate_path().display().to_string(),
            ),
        ];
        let mut environment = Environment::given(own.into_iter().chain(settings.iter().cloned()));
        let (kit, config) = run::read_all(service, &mut environment)?;
        let files = tls::Files {
            certificate: identity.certificate_path,
            key: identity.key_path,
            authority: ground.authority.certificate_path(),
            revoked: None,
            outside: None,
        };
        let shutdown = CancellationToken::new();
        let (ready, signal) = oneshot::channel();
        let stopping = shutdown.clone();
        let serving = tokio::spawn(async move {
            run::serve_on(listeners, service, kit, config, clock, stopping, || {
                ready.send(()).ok();
            })
            .await
        });
        if signal.await.is_err() {
            serving.await??;
            anyhow::bail!("the service ended before it served");
        }
        let url = format!("https://localhost:{}", listen.port());
        Ok(Self {
            ground,
            url,
            health,
            database,
            schema: service.schema,
            identity: files,
            shutdown,
            serving,
        })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it answers probes.
    pub fn health(&self) -> SocketAddr {
        self.health
    }

    /// A channel to it as one of the system's callers (`operator`, `edms`, a recipient's id, a service's name), or
    /// without a certificate. It waits for its line for as long as a busy machine takes.
    ///
    /// # Panics
    /// When the certificate cannot be made.
    pub fn channel(&self, caller: Option<&str>) -> Channel {
        self.endpoint(caller).connect_lazy()
    }

    /// The same, whose client takes only 64 KiB of an answer ahead of its reader.
    ///
    /// # Panics
    /// When the certificate cannot be made.
    pub fn narrow_channel(&self, caller: Option<&str>) -> Channel {
        let endpoint = self.endpoint(caller);
        endpoint.initial_stream_window_size(64 * 1024).connect_lazy()
    }

    fn endpoint(&self, caller: Option<&str>) -> Endpoint {
        let endpoint = Endpoint::from_shared(self.url.clone()).expect("the address is a URL");
        endpoint
            .tls_config(self.tls(caller))
            .expect("the certificates are ours")
    }

    fn tls(&self, caller: Option<&str>) -> ClientTlsConfig {
        let identity = caller.map(|name| {
            let usage = authority::callers(&[]).into_iter().find(|usage| usage.is_of(name));
            let usage = usage.unwrap_or_else(|| {
                if residents::is_service(name) {
                    Usage::service(name)
                } else {
                    Usage::recipient(name)
                }
            });
            self.ground.authority.ensure(&usage).expect("certificates can be made")
        });
        let files = identity
            .as_ref()
            .map(|identity| (&identity.certificate_path, &identity.key_path));
        tls::client(&self.ground.authority.certificate_path(), files).expect("the files are readable")
    }

    /// A connection to its database as the superuser, to look at what it stored or to break it.
    ///
    /// # Panics
    /// When the database is away.
    pub async fn superuser(&self) -> PgConnection {
        let url = self.ground.cluster.admin_url(&self.database);
        schema::options(&url)
            .expect("the URL is ours")
            .connect()
            .await
            .expect("the database runs")
    }

    /// A connection to its database as its runtime role, to try what the service could do.
    ///
    /// # Panics
    /// When the database is away.
    pub async fn runtime(&self) -> PgConnection {
        let server = self.ground.cluster.admin_url("postgres");
        let url = self
            .ground
            .passwords
            .runtime_url(&server, &self.database, self.schema)
            .expect("the URL is ours");
        schema::options(&url)
            .expect("the URL is ours")
            .connect()
            .await
            .expect("the database runs")
    }

    /// A context on its database, as a job of the same service in another process would have it.
    ///
    /// # Panics
    /// When the certificates are away.
    pub fn context(&self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Context {
        let server = self.ground.cluster.admin_url("postgres");
        let url = self.ground.passwords.runtime_url(&server, &self.database, self.schema);
        let options = url.and_then(|url| schema::options(&url)).expect("the URL is ours");
        let tls = self.identity.clone();
        let connections = schema::Connections { writing: 4, reading: 4 };
        Context::new(
            schema::Database::new(options, connections),
            tls,
            CancellationToken::new(),
            clock,
        )
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// What it ended with.
    ///
    /// # Panics
    /// When it panics.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        (&mut self.serving).await.expect("it does not panic")
    }

    /// Tells it to stop as SIGTERM would.
    pub fn tell_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Stops it as SIGTERM would, and waits until it has ended.
    ///
    /// # Panics
    /// When it ends with an error.
    pub async fn stop(mut self) {
        self.tell_to_stop();
        (&mut self.serving)
            .await
            .expect("it does not panic")
            .expect("it ends well");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

#[cfg(test)]
#[path = "harness_tests.rs"]
mod tests;
