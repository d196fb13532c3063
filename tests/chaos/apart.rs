//! Services that each run in a process of their own, on one database, as containers do: one can be killed while the others go on.

use std::{
    collections::HashMap,
    io::Read as _,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use jiff::Timestamp;
use legalstat_kit::{
    Service,
    call::{client, tls},
    run::{self, environment::Environment},
};
use legalstat_local::{
    authority::{self, Authority, Usage},
    postgres::{Cluster, ClusterOptions},
    roles::{self, ServicePasswords},
    signing,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

const DATABASE: &str = "legalstat";
/// Says to this program which service it is to be.
const BE: &str = "SUITE_SERVICE";

/// Calendar, form registry and intake, apart.
pub struct Apart {
    processes: HashMap<&'static str, Child>,
    ports: HashMap<&'static str, u16>,
    passwords: ServicePasswords,
    authority: Authority,
    cluster: Cluster,
    folder: tempfile::TempDir,
}

/// The services, each with its schema.
const SERVICES: [(&str, &str); 3] = [
    ("calendar", "calendar"),
    ("form-registry", "forms"),
    ("request-intake", "requests"),
];

impl Apart {
    /// Starts them.
    pub async fn start() -> Self {
        let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        let folder = tempfile::Builder::new()
            .prefix("legalstat-apart-")
            .permissions(passable)
            .tempdir();
        let folder = folder.expect("a folder");
        let options = ClusterOptions {
            bin: std::env::var_os("LEGALSTAT_POSTGRES_BIN").map(Into::into),
            folder: folder.path().join("postgres"),
            durable: false,
        };
        let cluster = Cluster::start(&options).await.expect("PostgreSQL starts");
        let passwords = ServicePasswords::random();
        let server = cluster.admin_url("postgres");
        let prepared = roles::prepare_database(&server, DATABASE, &passwords);
        prepared.await.expect("the database is prepared");
        let authority = Authority::open_or_create(folder.path()).expect("an authority");
        signing::ensure(folder.path(), "request-intake", Timestamp::UNIX_EPOCH).expect("keys");
        let ports = SERVICES.map(|(name, _)| (name, free_port()));
        let mut apart = Self {
            processes: HashMap::new(),
            ports: ports.into(),
            passwords,
            authority,
            cluster,
            folder,
        };
        for (name, _) in SERVICES {
            apart.begin(name);
        }
        apart
    }

    /// Starts a service that does not run; whoever calls it waits until it serves.
    pub fn begin(&mut self, service: &'static str) {
        let program = std::env::current_exe().expect("a program");
        let process = Command::new(program)
            .args([
                "--ignored",
                "--exact",
                "apart::this_program_is_one_of_the_services",
                "--nocapture",
            ])
            .env_clear()
            .env(BE, service)
            .envs(self.settings(service))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.processes.insert(service, process.expect("it starts"));
    }

    /// Ends a service without a warning.
    pub fn kill(&mut self, service: &'static str) {
        let mut process = self.processes.remove(service).expect("it runs");
        process.kill().expect("it has not ended by itself");
        process.wait().expect("it is ours");
    }

    /// A channel to a service as one of the system's callers.
    pub fn channel(&self, service: &str, caller: &str) -> Channel {
        let usage = authority::callers(&[]).into_iter().find(|usage| usage.is_of(caller));
        let identity = self.authority.ensure(&usage.expect("a caller")).expect("a certificate");
        let files = Some((&identity.certificate_path, &identity.key_path));
        let tls = tls::client(&self.authority.certificate_path(), files).expect("the files are readable");
        client::channel(&self.url(service), tls).expect("a URL")
    }

    /// The URL of their database, as the superuser.
    pub fn database(&self) -> String {
        self.cluster.admin_url(DATABASE)
    }

    /// The folder in which a service keeps its files.
    pub fn files(&self, service: &str) -> PathBuf {
        self.folder.path().join("files").join(service)
    }

    fn url(&self, service: &str) -> String {
        format!("https://localhost:{}", self.ports[service])
    }

    fn settings(&self, service: &str) -> Vec<(&'static str, String)> {
        let (_, schema) = SERVICES
            .into_iter()
            .find(|(name, _)| *name == service)
            .expect("it is one of them");
        let identity = self.authority.ensure(&Usage::service(service)).expect("a certificate");
        let server = self.cluster.admin_url("postgres");
        let path = |path: &Path| path.display().to_string();
        let local = |port| format!("127.0.0.1:{port}");
        let folder = self.folder.path();
        let mut settings = vec![
            ("LEGALSTAT_LISTEN", local(self.ports[service])),
            ("LEGALSTAT_HEALTH_LISTEN", local(0)),
            (
                "LEGALSTAT_DATABASE_URL",
                self.passwords.runtime_url(&server, DATABASE, schema).expect("a URL"),
            ),
            (
                "LEGALSTAT_OWNER_DATABASE_URL",
                self.passwords.owner_url(&server, DATABASE, schema).expect("a URL"),
            ),
            ("LEGALSTAT_TLS_CERTIFICATE", path(&identity.certificate_path)),
            ("LEGALSTAT_TLS_KEY", path(&identity.key_path)),
            ("LEGALSTAT_TLS_AUTHORITY", path(&self.authority.certificate_path())),
        ];
        if service != "calendar" {
            settings.push(("LEGALSTAT_CALENDAR_URL", self.url("calendar")));
            settings.push(("LEGALSTAT_FILES", path(&self.files(service))));
        }
        if service == "request-intake" {
            settings.push(("LEGALSTAT_FORM_REGISTRY_URL", self.url("form-registry")));
            settings.push(("LEGALSTAT_SIGNING_KEYS", path(&signing::folder_of(folder, service))));
        }
        settings
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        for process in self.processes.values_mut() {
            process.kill().ok();
            process.wait().ok();
        }
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
#[ignore = "a service, which tests start as a process"]
fn this_program_is_one_of_the_services() {
    std::thread::spawn(|| {
        // Whoever started it holds the other end, and lets it go however it ends.
        std::io::stdin().read_to_end(&mut Vec::new()).ok();
        std::process::exit(1);
    });
    match std::env::var(BE).expect("tests say which").as_str() {
        "calendar" => be(&legalstat_calendar::SERVICE),
        "form-registry" => be(&legalstat_form_registry::SERVICE),
        "request-intake" => be(&legalstat_request_intake::SERVICE),
        other => panic!("{other} is no service"),
    }
}

fn be<C: Send + 'static>(service: &'static Service<C>) {
    let mut environment = Environment::of_process();
    let (settings, config) = run::read_all(service, &mut environment).expect("the settings are whole");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let served = run::serve(
        service,
        settings,
        config,
        Timestamp::now,
        CancellationToken::new(),
        || (),
    );
    runtime.block_on(served).expect("it serves until it is killed");
}
