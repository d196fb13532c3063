//! One way to run every service: settings, telemetry, schema, server, stop.

use std::{
    future::Future,
    io::{self, Write as _},
    net::SocketAddr,
    num::NonZero,
    path::PathBuf,
    pin::Pin,
    process::ExitCode,
    sync::Arc,
};

use jiff::Timestamp;
use legalstat_proto::journal::v1::journal_service_server::SERVICE_NAME as JOURNAL;
use sqlx::postgres::PgConnectOptions;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub mod certificates;
mod context;
pub mod environment;
pub mod limits;
pub(crate) mod probe;
pub mod server;

pub use context::{Context, Process};

use crate::{
    call::{
        accepting::Acceptor,
        telemetry::{self, LogFormat},
        tls,
    },
    run::{
        environment::{Environment, SettingError},
        limits::Limits,
        server::Health,
    },
    schema::{self, Connections, Database, Tables},
};

/// An answer is made of a few hundred short texts, each an allocation; glibc's allocator took a seventh of the processor time
/// of GetRequest. Its huge pages are off: they kept tens of megabytes that an idle service does not use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is logged unless a setting says otherwise. The store of files tells each repetition of a request as information; what came of it is
/// told where it is waited for.
const LOG: &str = "info,object_store=warn";

/// The routes of a service once it is ready, or why it cannot start.
pub type Starting = Pin<Box<dyn Future<Output = anyhow::Result<Routes>> + Send>>;

/// What a service is made of. `C` holds its own settings.
pub struct Service<C> {
    /// Its name, also in its certificate.
    pub name: &'static str,
    /// The schema it owns; its database roles are `{schema}_owner` and `{schema}_runtime`.
    pub schema: &'static str,
    /// The full names of the gRPC services it serves, the journal aside.
    pub services: &'static [&'static str],
    /// The tables of its schema in the order in which they are made: those of the kit that it uses, then its own.
    pub tables: &'static [&'static Tables],
    /// Reads its own settings.
    pub config: fn(&mut Environment) -> Result<C, SettingError>,
    /// Reads the files that its own settings name and that stop its start when they cannot be used, and changes nothing.
    pub check: fn(&C) -> anyhow::Result<()>,
    /// Loads its reference data, starts its jobs and gives its routes.
    pub start: fn(Context, C) -> Starting,
}

/// The settings that every service has.
pub struct Settings {
    listen: SocketAddr,
    health_listen: SocketAddr,
    database: String,
    owner_database: Option<String>,
    connections: Connections,
    tls: tls::Files,
    limits: Limits,
    otlp_endpoint: Option<String>,
    log: String,
    log_format: LogFormat,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Names the setting that is missing or unusable.
    pub fn read(environment: &mut Environment) -> Result<Self, SettingError> {
        // All are read before any is missed: a name that was not read would count as unknown.
        let listen = environment.parsed("LEGALSTAT_LISTEN", SocketAddr::from(([0, 0, 0, 0], 8443)));
        let health_listen = Self::health_address(environment);
        let database = environment.required_secret("LEGALSTAT_DATABASE_URL");
        let owner_database = environment.secret("LEGALSTAT_OWNER_DATABASE_URL");
        let writing = connections(environment, "LEGALSTAT_DATABASE_CONNECTIONS");
        let reading = connections(environment, "LEGALSTAT_DATABASE_READING_CONNECTIONS");
        let limits = Limits::read(environment, reading.as_ref().map_or(1, |reading| *reading));
        let certificate = environment.required("LEGALSTAT_TLS_CERTIFICATE");
        let key = environment.required("LEGALSTAT_TLS_KEY");
        let authority = environment.required("LEGALSTAT_TLS_AUTHORITY");
        let revoked = environment.optional("LEGALSTAT_TLS_REVOKED");
        let outside = environment.optional("LEGALSTAT_OUTSIDE_AUTHORITY");
        let otlp_endpoint = environment.optional("LEGALSTAT_OTLP_ENDPOINT");
        let log = environment.parsed("LEGALSTAT_LOG", LOG.to_owned());
        let log_format = environment.parsed("LEGALSTAT_LOG_FORMAT", LogFormat::Json);
        Ok(Self {
            listen: listen?,
            health_listen: health_listen?,
            database: database?,
            owner_database: owner_database?,
            connections: Connections {
                writing: writing?,
                reading: reading?,
            },
            tls: tls::Files {
                certificate: PathBuf::from(certificate?),
                key: PathBuf::from(key?),
                authority: PathBuf::from(authority?),
                revoked: revoked.map(PathBuf::from),
                outside: outside.map(PathBuf::from),
            },
            limits: limits?,
            otlp_endpoint,
            log: log?,
            log_format: log_format?,
        })
    }

    fn health_address(environment: &mut Environment) -> Result<SocketAddr, SettingError> {
        environment.parsed("LEGALSTAT_HEALTH_LISTEN", SocketAddr::from(([0, 0, 0, 0], 8080)))
    }
}

/// How many connections a service holds for each of its two uses. By default four services with one replica each hold 80 of
/// the hundred that a PostgreSQL server allows; more replicas need a greater `max_connections` or smaller numbers here.
fn connections(environment: &mut Environment, name: &'static str) -> Result<u32, SettingError> {
    Ok(environment
        .parsed(name, NonZero::new(8_u32).expect("eight is not zero"))?
        .get())
}

/// The whole `main` of a service's binary. Settings come from the environment; `migrate` as the only argument migrates
/// the schema and ends, `check` looks at the settings and the files that they name and ends, so that a new release can be tried beside the one
/// that serves, `health` asks the running service and ends with 0 when it serves, and `--version` tells release and revision. Exit
/// status 2 means wrong settings, 1 any other failure.
pub fn run<C: Send + 'static>(service: &Service<C>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => with_settings(service, true),
        ["migrate"] => with_settings(service, false),
        ["check"] => check(service, &mut Environment::of_process()),
        ["health"] => ask_health(service.services),
        ["--version"] => {
            let told = writeln!(io::stdout(), "legalstat-{} {}", service.name, *telemetry::RELEASE);
            told.map_err(anyhow::Error::new)
        }
        _ => {
            eprintln!(
                "usage: legalstat-{} [migrate | check | health | --version]",
                service.name
            );
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", service.name);
            ExitCode::from(if error.is::<SettingError>() { 2 } else { 1 })
        }
    }
}

fn with_settings<C: Send + 'static>(service: &Service<C>, serves: bool) -> anyhow::Result<()> {
    let (settings, config) = read_all(service, &mut Environment::of_process())?;
    in_runtime(service, settings, serves.then_some(config))
}

/// Looks at what a start reads before it listens or connects.
fn check<C>(service: &Service<C>, environment: &mut Environment) -> anyhow::Result<()> {
    let (settings, config) = read_all(service, environment)?;
    for database in [Some(&settings.database), settings.owner_database.as_ref()] {
        database.map(|url| schema::options(url)).transpose()?;
    }
    tls::Server::load(&settings.tls)?;
    (service.check)(&config)
}

fn ask_health(services: &[&str]) -> anyhow::Result<()> {
    let address = Settings::health_address(&mut Environment::of_process())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let name = services.first().copied().unwrap_or_default();
    runtime.block_on(server::ask_health(address.port(), name))
}

/// Reads all settings of a service and refuses those it does not know.
///
/// # Errors
/// Names the setting at fault.
pub fn read_all<C>(service: &Service<C>, environment: &mut Environment) -> Result<(Settings, C), SettingError> {
    let settings = Settings::read(environment);
    let config = (service.config)(environment);
    // A misspelt name is the likeliest cause of a missing one, so it is told first.
    environment.refuse_unknown()?;
    Ok((settings?, config?))
}

fn in_runtime<C: Send + 'static>(service: &Service<C>, settings: Settings, config: Option<C>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let endpoint = settings.otlp_endpoint.as_deref();
        let _telemetry = telemetry::start(service.name, &settings.log, settings.log_format, endpoint)?;
        let shutdown = CancellationToken::new();
        tokio::spawn(stop_on_signal(shutdown.clone()));
        match config {
            #[expect(clippy::disallowed_methods, reason = "the main of every service gives it its clock")]
            Some(config) => serve(service, settings, config, Timestamp::now, shutdown, || {}).await,
            None => {
                let owner = settings.owner_database.as_deref();
                let owner = owner.ok_or(SettingError::Missing("LEGALSTAT_OWNER_DATABASE_URL"))?;
                schema::migrate(&schema::options(owner)?, service.tables, &shutdown).await
            }
        }
    })
}

/// Cancels the token at SIGTERM or SIGINT.
pub async fn stop_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        }
        _ => tracing::error!("signals cannot be received"),
    }
    tracing::info!("stopping");
    shutdown.cancel();
}

/// Runs a service until `shutdown` and the delay of its limits, at the time that `clock` tells; `ready` is called once it serves.
///
/// # Errors
/// Anything that stops the start, a job that panicked, or a drain that takes too long.
pub async fn serve<C: Send + 'static>(
    service: &Service<C>,
    settings: Settings,
    config: C,
    clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    shutdown: CancellationToken,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let listeners = Listeners {
        calls: server::bind(settings.listen).await?,
        health: server::bind(settings.health_listen).await?,
    };
    serve_on(listeners, service, settings, config, clock, shutdown, ready).await
}

/// What a service listens on.
pub struct Listeners {
    /// For calls.
    pub calls: TcpListener,
    /// For health.
    pub health: TcpListener,
}

/// Runs a service as [`serve`] does, on addresses bound before, so that nobody else can take them meanwhile.
///
/// # Errors
/// As [`serve`].
pub async fn serve_on<C: Send + 'static>(
    listeners: Listeners,
    service: &Service<C>,
    settings: Settings,
    config: C,
    clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    shutdown: CancellationToken,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let health_shutdown = CancellationToken::new();
    let _health_stops_last = health_shutdown.clone().drop_guard();
    let (served, tls) = watch::channel(Arc::new(tls::Server::load(&settings.tls)?));
    let health = Health::new(&[&[JOURNAL], service.services].concat()).await;
    health.listen(listeners.health, &settings.limits, health_shutdown);

    let runtime = prepare(service, &settings, &shutdown).await?;
    let database = Database::new(runtime, settings.connections);
    database.connected(&shutdown).await?;
    let mut context = Context::new(database, settings.tls, shutdown, clock);
    let _jobs_stop_too = context.shutdown.clone().drop_guard();
    context.heartbeat = settings.limits.heartbeat;
    certificates::follow(&context, served);
    let acceptor = Acceptor::for_calls(tls, &settings.limits, context.shutdown.clone());
    let starting = (service.start)(context.clone(), config);
    let routes = until_told_to_stop(&context, starting).await?;
    tracing::info!(service = service.name, address = %settings.listen, "serving");
    ready();
    let served = server::serve(
        &context,
        routes,
        service.services,
        &health,
        listeners.calls,
        acceptor,
        &settings.limits,
    );
    let served = served.await;
    // A connection whose peer died silently must not keep the process.
    tokio::time::timeout(server::ENDING, context.db.close()).await.ok();
    // A crash stopped the service, so it is the error to report, whatever else goes wrong while it stops.
    context.require_sound().and(served)
}

/// A start that is told to stop ends at once: nobody calls what does not serve yet.
async fn until_told_to_stop(context: &Context, mut starting: Starting) -> anyhow::Result<Routes> {
    if let Some(routes) = context.told_to_stop.run_until_cancelled(&mut starting).await {
        return routes;
    }
    context.shutdown.cancel();
    starting.await
}

async fn prepare<C>(
    service: &Service<C>,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> anyhow::Result<PgConnectOptions> {
    let runtime = schema::options(&settings.database)?;
    match &settings.owner_database {
        Some(owner) => schema::migrate(&schema::options(owner)?, service.tables, shutdown).await?,
        None => schema::wait_until_migrated(&runtime, service.tables, shutdown).await?,
    }
    Ok(runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_setting_is_named_and_the_others_do_not_count_as_unknown() {
        let mut environment = Environment::given([("LEGALSTAT_TLS_KEY", "key.pem"), ("LEGALSTAT_LOG_FORMAT", "json")]);
        let Err(missing) = Settings::read(&mut environment) else {
            panic!("the database is not set")
        };
        assert_eq!(missing.to_string(), "LEGALSTAT_DATABASE_URL is not set");
        environment.refuse_unknown().expect("both are known");
    }

    #[test]
    fn a_check_names_a_misspelt_setting_and_a_file_that_is_not_there() {
        fn start(_: Context, (): ()) -> Starting {
            Box::pin(async { anyhow::bail!("a check starts nothing") })
        }
        let service = Service {
            name: "checked",
            schema: "checked",
            services: &[],
            tables: &[],
            config: |_| Ok(()),
            check: |()| Ok(()),
            start,
        };
        let refusal = |further: &[(&str, &str)]| {
            let given = [
                ("LEGALSTAT_DATABASE_URL", "postgres://role@host/database"),
                ("LEGALSTAT_TLS_CERTIFICATE", "no-such-certificate.pem"),
                ("LEGALSTAT_TLS_KEY", "no-such-key.pem"),
                ("LEGALSTAT_TLS_AUTHORITY", "no-such-authority.pem"),
            ];
            let mut environment = Environment::given(given.iter().chain(further).copied());
            format!(
                "{:#}",
                check(&service, &mut environment).expect_err("something is wrong")
            )
        };
        let misspelt = refusal(&[("LEGALSTAT_LISTNE", "127.0.0.1:1")]);
        assert!(misspelt.contains("LEGALSTAT_LISTNE"), "{misspelt}");
        let no_address = refusal(&[("LEGALSTAT_OWNER_DATABASE_URL", "no address")]);
        assert!(!no_address.contains("no-such"), "{no_address}");
        let no_file = refusal(&[]);
        assert!(no_file.contains("no-such-"), "{no_file}");
    }
}
