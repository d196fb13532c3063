//! `legalstat up`: the whole system in one process, on a private PostgreSQL or on a server given.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use legalstat_kit::{
    Service,
    call::telemetry::{self, LogFormat},
    run::{
        self,
        environment::{Environment, SettingError},
    },
};
use legalstat_local::{
    folder::{FolderLock, write_whole},
    postgres::{Cluster, ClusterOptions},
    programs::PostgresMissing,
    roles::{self, ServicePasswords},
    signing,
};
use serde_json::json;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    OTLP_ENDPOINT,
    certificates::{self, Identities},
    failure::Failure,
    invocation,
    options::FOLDER,
    output,
    place::{self, Addresses, Place, ServiceName},
    ports::Ports,
    sandbox::{Clock, Sandbox},
    signing_keys,
};

/// How long the services may take to be ready.
const STARTING: Duration = Duration::from_secs(120);
/// The first port tried; each service takes one, and its health the one ten further on.
pub(crate) const FIRST_PORT: u16 = 7601;

/// Run the whole system on this machine until Ctrl-C
///
/// Finds PostgreSQL's programs (LEGALSTAT_POSTGRES_BIN, PATH, the usual folders) and starts a private server whose data
/// stay in the folder; LEGALSTAT_DATABASE_URL names an existing server instead (a superuser's URL; the
/// database in it is always `legalstat`). Certificates of every
/// caller are made under the folder at the first start.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Up {
    /// What to log, for example info or legalstat_kit=debug
    #[arg(long, default_value = "warn")]
    log: String,
    /// Export traces and metrics over OTLP (gRPC) to this address, for example http://localhost:4317
    #[arg(long, value_name = "URL", env = OTLP_ENDPOINT)]
    otlp_endpoint: Option<String>,
    #[command(flatten)]
    sandbox: Sandbox,
}

impl Up {
    /// Runs until SIGINT or SIGTERM.
    pub(crate) async fn run(self, folder: &Path) -> Result<(), Failure> {
        refuse_unknown_settings().map_err(|error| Failure::usage(error.to_string()))?;
        let shutdown = CancellationToken::new();
        tokio::spawn(run::stop_on_signal(shutdown.clone()));
        let _telemetry = telemetry::start("legalstat", &self.log, LogFormat::Text, self.otlp_endpoint.as_deref())?;
        let mut system = System::start(folder, &self.sandbox, shutdown.clone()).await?;
        output::tell(&system.introduction(folder));
        let ended = system.ended().await;
        shutdown.cancel();
        system.stop().await?;
        output::tell(&format!("legalstat has stopped; its data stay in {}", folder.display()));
        ended
    }
}

/// Passed on to request-intake, where they are set: with small shares of a day a system rehearses its refusals.
const OF_INTAKE: [&str; 5] = [
    "LEGALSTAT_AUTOMATIC_DRAFTS",
    "LEGALSTAT_SUBMISSIONS_A_DAY",
    "LEGALSTAT_SUBMISSION_BYTES_A_DAY",
    "LEGALSTAT_UPLOADS_A_DAY",
    "LEGALSTAT_UPLOAD_BYTES_A_DAY",
];

/// The settings that `up` and the clients of this machine know.
fn refuse_unknown_settings() -> Result<(), SettingError> {
    let mut environment = Environment::of_process();
    let own = [
        "LEGALSTAT_DATABASE_URL",
        "LEGALSTAT_POSTGRES_BIN",
        "LEGALSTAT_CERTIFICATES",
        "LEGALSTAT_CALENDAR_URL",
        "LEGALSTAT_FORM_REGISTRY_URL",
        "LEGALSTAT_REQUEST_INTAKE_URL",
        "LEGALSTAT_COLLECTION_DISTRIBUTION_URL",
        OTLP_ENDPOINT,
        certificates::PUBLIC_HOSTS,
    ];
    for name in own.into_iter().chain(OF_INTAKE) {
        environment.optional(name);
    }
    environment.refuse_unknown()
}

/// A running system.
pub(crate) struct System {
    folder: PathBuf,
    addresses: Addresses,
    /// Which ports were not the usual ones, and why, a line each.
    moved: Vec<String>,
    services: JoinSet<anyhow::Result<()>>,
    shutdown: CancellationToken,
    cluster: Option<Cluster>,
    _lock: FolderLock,
}

impl System {
    /// Starts everything and waits until every service serves.
    pub(crate) async fn start(folder: &Path, sandbox: &Sandbox, shutdown: CancellationToken) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let folder = folder
            .canonicalize()
            .with_context(|| format!("finding {}", folder.display()))?;
        let lock = place::lock(&folder)?;
        let ports = ports(sandbox).await?;
        let clock = sandbox.clock();
        let (server, cluster) = database_server(&folder).await?;
        let passwords = passwords(&folder)?;
        roles::prepare_database(&server, DATABASE, &passwords)
            .await
            .context("preparing the database")?;
        let identities = Identities::ensure(&folder)?;
        signing_keys::ensure(&folder, clock.now())?;
        tokio::spawn(certificates::keep(folder.clone(), shutdown.clone()));
        let (ready, mut signals) = mpsc::unbounded_channel();
        let mut system = Self {
            addresses: Addresses::default(),
            moved: Vec::new(),
            services: JoinSet::new(),
            shutdown,
            cluster,
            _lock: lock,
            folder,
        };
        system.moved = ports.moved();
        let mut start = Start {
            server: &server,
            passwords: &passwords,
            identities: &identities,
            ports,
            clock,
            ready,
        };
        for name in ServiceName::ALL {
            system.addresses.0.insert(name, start.ports.url(name));
        }
        for name in sandbox.started() {
            match name {
                ServiceName::Calendar => system.spawn(name, &legalstat_calendar::SERVICE, &mut start)?,
                ServiceName::FormRegistry => system.spawn(name, &legalstat_form_registry::SERVICE, &mut start)?,
                ServiceName::RequestIntake => system.spawn(name, &legalstat_request_intake::SERVICE, &mut start)?,
                ServiceName::CollectionDistribution => {
                    system.spawn(name, &legalstat_collection_distribution::SERVICE, &mut start)?;
                }
            }
        }
        // With it go the ports of what is left out: they refuse, as those of a service that is away do.
        drop(start);
        system.wait_until_ready(&mut signals).await?;
        let addresses = serde_json::to_vec_pretty(&system.addresses).context("the addresses")?;
        write_whole(&Place::addresses_file(&system.folder), &addresses, 0o644)?;
        system.wait_for_schedules(sandbox).await?;
        Ok(system)
    }

    fn spawn<C: Send + 'static>(
        &mut self,
        name: ServiceName,
        service: &'static Service<C>,
        start: &mut Start<'_>,
    ) -> Result<(), Failure> {
        let mut environment = Environment::given(start.settings(name, service.schema, &self.folder)?);
        let (settings, config) = run::read_all(service, &mut environment).context("the settings made for a service")?;
        let listeners = start.ports.take(name)?;
        let (shutdown, ready, clock) = (self.shutdown.clone(), start.ready.clone(), start.clock);
        self.services.spawn(async move {
            let served = run::serve_on(
                listeners,
                service,
                settings,
                config,
                move || clock.now(),
                shutdown,
                || {
                    ready.send(name).ok();
                },
            );
            served.await.with_context(|| service.name)
        });
        Ok(())
    }

    async fn wait_until_ready(&mut self, signals: &mut mpsc::UnboundedReceiver<ServiceName>) -> Result<(), Failure> {
        let deadline = tokio::time::Instant::now() + STARTING;
        for _ in 0..self.services.len() {
            tokio::select! {
                Some(_) = signals.recv() => {}
                Some(ended) = self.services.join_next() => {
                    ended.context("a service")??;
                    return Err(Failure::Other(anyhow::anyhow!("stopped while starting")));
                }
                () = tokio::time::sleep_until(deadline) => {
                    return Err(Failure::Other(anyhow::anyhow!("the services were not ready within {STARTING:?}")));
                }
            }
        }
        Ok(())
    }

    /// Waits until the schedules are computed, which the first start does once both services know the calendar.
    /// Without the calendar they stay as they are.
    async fn wait_for_schedules(&self, sandbox: &Sandbox) -> Result<(), Failure> {
        let place = Place::local(self.folder.clone(), STARTING);
        for (service, method) in [
            (
                ServiceName::FormRegistry,
                "legalstat.forms.v1.FormRegistryService/ListSchedule",
            ),
            (
                ServiceName::CollectionDistribution,
                "legalstat.collections.v1.CollectionDistributionService/ListSchedule",
            ),
        ] {
            if !sandbox.starts(service) || !sandbox.starts(ServiceName::Calendar) {
                continue;
            }
            place
                .connect(service, None)?
                .call(method, &json!({ "year": 2026, "pageSize": 1 }))
                .await?;
        }
        Ok(())
    }

    /// Waits until told to stop, or until a service ends by itself. A private database server that ends is started again.
    async fn ended(&mut self) -> Result<(), Failure> {
        let mut restarts = Restarts::default();
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(()),
                Some(ended) = self.services.join_next() => {
                    ended.context("a service")??;
                    return Ok(());
                }
                restarted = restarts.follow(&mut self.cluster) => restarted?,
            }
        }
    }

    /// Stops the services, then the database server.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.shutdown.cancel();
        let mut failed = None;
        while let Some(ended) = self.services.join_next().await {
            let ended = ended.context("a service").and_then(|result| result);
            failed = failed.or(ended.err());
        }
        std::fs::remove_file(Place::addresses_file(&self.folder)).ok();
        if let Some(cluster) = self.cluster.take() {
            cluster.stop().await?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// What runs where, and what to try; `called` is the folder as it was named.
    fn introduction(&self, called: &Path) -> String {
        let mut text = String::from("legalstat is running:\n");
        for (name, url) in &self.addresses.0 {
            text += &format!("  {:<24} {url}\n", name.as_str());
        }
        text += &self.moved.concat();
        text += &format!("Certificates are in {}.\n", self.folder.join("certificates").display());
        // The other terminal can be in another folder.
        let folder = if called == Path::new(FOLDER) {
            called
        } else {
            &self.folder
        };
        text += "Try, in another terminal:\n";
        for arguments in [
            "tour",
            "calendar deadline --period 2019-Q2 --due-day 14 --roll-forward",
            "forms schedule --year 2026",
            "--help",
        ] {
            text += &format!("  {}\n", invocation::command(folder, arguments));
        }
        text + "Ctrl-C stops it."
    }
}

/// How often the private database server may end within a minute of its last start, before it is given up.
const MOST_RESTARTS: u32 = 5;

/// How often the private database server was started again in a row.
#[derive(Default)]
struct Restarts {
    count: u32,
    last: Option<tokio::time::Instant>,
}

impl Restarts {
    /// Waits until the server has ended, and starts it again.
    async fn follow(&mut self, cluster: &mut Option<Cluster>) -> Result<(), Failure> {
        let Some(cluster) = cluster else {
            return std::future::pending().await;
        };
        cluster.ended().await?;
        let soon = self.last.is_some_and(|last| last.elapsed() < Duration::from_secs(60));
        self.count = if soon { self.count + 1 } else { 1 };
        if self.count > MOST_RESTARTS {
            let said = cluster.last_lines();
            return Err(anyhow::anyhow!("PostgreSQL has ended again and again:\n{said}").into());
        }
        eprintln!(
            "PostgreSQL has ended; it is started again. Its last lines:\n{}",
            cluster.last_lines()
        );
        cluster.restart().await?;
        self.last = Some(tokio::time::Instant::now());
        eprintln!("PostgreSQL runs again.");
        Ok(())
    }
}

/// The database that all schemas are in.
const DATABASE: &str = "legalstat";

async fn database_server(folder: &Path) -> Result<(String, Option<Cluster>), Failure> {
    if let Some(url) = std::env::var("LEGALSTAT_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
    {
        return Ok((url, None));
    }
    let options = ClusterOptions {
        bin: std::env::var_os("LEGALSTAT_POSTGRES_BIN").map(PathBuf::from),
        folder: folder.join("postgres"),
        durable: true,
    };
    let cluster = match Cluster::start(&options).await {
        Err(error) => match error.downcast::<PostgresMissing>() {
            Ok(missing) if missing.can_install() => {
                output::tell(&format!("{missing}\nInstalling it: {}", missing.command()));
                missing.install()?;
                Cluster::start(&options).await?
            }
            Ok(missing) => return Err(Failure::usage(missing.to_string())),
            Err(error) => return Err(error.into()),
        },
        started => started?,
    };
    Ok((cluster.admin_url("postgres"), Some(cluster)))
}

/// The usual ports or others, and those that were asked for or none.
async fn ports(sandbox: &Sandbox) -> Result<Ports, Failure> {
    certificates::require_named(sandbox.listen)?;
    let ports = Ports::choose(sandbox.port.unwrap_or(FIRST_PORT), sandbox.listen).await?;
    if sandbox.port.is_some() {
        ports.require_usual()?;
    }
    Ok(ports)
}

/// The roles' passwords, made at the first start.
fn passwords(folder: &Path) -> anyhow::Result<ServicePasswords> {
    ServicePasswords::open_or_create(&folder.join("passwords.json"))
}

struct Start<'a> {
    server: &'a str,
    passwords: &'a ServicePasswords,
    identities: &'a Identities,
    ports: Ports,
    clock: Clock,
    ready: mpsc::UnboundedSender<ServiceName>,
}

impl Start<'_> {
    /// The settings of one service, as its container would get them.
    fn settings(&self, name: ServiceName, schema: &str, folder: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
        let identity = &self.identities.services[name.as_str()];
        let (listen, health) = self.ports.addresses(name);
        let path = |path: &Path| path.display().to_string();
        let mut settings = vec![
            ("LEGALSTAT_LISTEN", listen.to_string()),
            ("LEGALSTAT_HEALTH_LISTEN", health.to_string()),
            // Nothing on this machine balances calls.
            ("LEGALSTAT_SHUTDOWN_DELAY_SECONDS", "0".to_owned()),
            (
                "LEGALSTAT_DATABASE_URL",
                self.passwords.runtime_url(self.server, DATABASE, schema)?,
            ),
            (
                "LEGALSTAT_OWNER_DATABASE_URL",
                self.passwords.owner_url(self.server, DATABASE, schema)?,
            ),
            ("LEGALSTAT_TLS_CERTIFICATE", path(&identity.certificate_path)),
            ("LEGALSTAT_TLS_KEY", path(&identity.key_path)),
            ("LEGALSTAT_TLS_AUTHORITY", path(&self.identities.authority)),
            ("LEGALSTAT_TLS_REVOKED", path(&self.identities.revoked)),
        ];
        let files = ("LEGALSTAT_FILES", path(&folder.join("files").join(name.as_str())));
        let calendar = ("LEGALSTAT_CALENDAR_URL", self.ports.url(ServiceName::Calendar));
        match name {
            ServiceName::Calendar => {}
            ServiceName::FormRegistry => settings.extend([calendar, files]),
            ServiceName::CollectionDistribution => {
                let keys = signing::folder_of(folder, name.as_str());
                settings.extend([calendar, files, ("LEGALSTAT_SIGNING_KEYS", path(&keys))]);
            }
            ServiceName::RequestIntake => {
                let forms = ("LEGALSTAT_FORM_REGISTRY_URL", self.ports.url(ServiceName::FormRegistry));
                let keys = signing::folder_of(folder, name.as_str());
                // Empty, nobody is trusted; whoever tries signatures puts certificates there.
                let trust = folder.join("signature-trust");
                std::fs::create_dir_all(&trust).with_context(|| format!("making {}", trust.display()))?;
                settings.extend(OF_INTAKE.map(|name| (name, std::env::var(name).unwrap_or_default())));
                settings.extend([
                    calendar,
                    forms,
                    files,
                    ("LEGALSTAT_SIGNING_KEYS", path(&keys)),
                    ("LEGALSTAT_SIGNATURE_TRUST", path(&trust)),
                ]);
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use legalstat_local::residents;

    use super::*;

    #[test]
    fn every_service_is_a_resident_under_its_name_and_schema() {
        let started = [
            (legalstat_calendar::SERVICE.name, legalstat_calendar::SERVICE.schema),
            (
                legalstat_form_registry::SERVICE.name,
                legalstat_form_registry::SERVICE.schema,
            ),
            (
                legalstat_request_intake::SERVICE.name,
                legalstat_request_intake::SERVICE.schema,
            ),
            (
                legalstat_collection_distribution::SERVICE.name,
                legalstat_collection_distribution::SERVICE.schema,
            ),
        ];
        assert_eq!(started, residents::SERVICES);
        assert_eq!(
            ServiceName::ALL.map(ServiceName::as_str),
            residents::SERVICES.map(|(name, _)| name)
        );
    }
}
