//! Services that each run in a process of their own, on one database, as containers do: one can be killed while the others go on. The
//! command line finds them in their folder.

use std::{
    collections::HashMap,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_kit::{
    Service,
    call::{client, tls},
    run::{self, environment::Environment},
};
use legalstat_local::{
    authority::{self, Authority, Usage},
    port::KeptPort,
    postgres::{Cluster, ClusterOptions},
    roles::{self, ServicePasswords},
    signing,
};
use legalstat_test_support::system::program;
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

const DATABASE: &str = "legalstat";
/// Says to this program which service it is to be.
const BE: &str = "SUITE_SERVICE";
/// Says to it in which file stands by how many seconds its clock is ahead.
const AHEAD: &str = "SUITE_CLOCK";

/// Services, apart.
pub struct Apart {
    processes: HashMap<&'static str, Child>,
    /// Kept while a service is killed and started again.
    ports: HashMap<&'static str, KeptPort>,
    /// What is set of the collection distribution beside what it needs.
    own: &'static [(&'static str, &'static str)],
    passwords: ServicePasswords,
    authority: Authority,
    cluster: Cluster,
    folder: tempfile::TempDir,
}

/// A second replica of the collection distribution.
pub const REPLICA: &str = "second-distribution";

/// What can run: its name, which service it is, and the service's schema.
const SERVICES: [(&str, &str, &str); 5] = [
    ("calendar", "calendar", "calendar"),
    ("form-registry", "form-registry", "forms"),
    ("request-intake", "request-intake", "requests"),
    ("collection-distribution", "collection-distribution", "collections"),
    (REPLICA, "collection-distribution", "collections"),
];

impl Apart {
    /// Calendar, form registry and intake.
    pub async fn start() -> Self {
        let mut apart = Self::prepare(&[]).await;
        for name in ["calendar", "form-registry", "request-intake"] {
            apart.begin(name);
        }
        apart
    }

    /// None of them yet; `own` is set of the collection distribution.
    pub async fn prepare(own: &'static [(&'static str, &'static str)]) -> Self {
        let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        let folder = tempfile::Builder::new()
            .prefix("legalstat-apart-")
            .permissions(passable)
            .tempdir();
        let folder = folder.expect("a folder");
        let home = folder.path().join(".legalstat");
        let made = program(folder.path())
            .arg("certificates")
            .output()
            .expect("the program runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let options = ClusterOptions {
            bin: std::env::var_os("LEGALSTAT_POSTGRES_BIN").map(Into::into),
            folder: home.join("postgres"),
            durable: false,
        };
        let cluster = Cluster::start(&options).await.expect("PostgreSQL starts");
        let passwords = ServicePasswords::random();
        let server = cluster.admin_url("postgres");
        let prepared = roles::prepare_database(&server, DATABASE, &passwords);
        prepared.await.expect("the database is prepared");
        let authority = Authority::open_or_create(&home).expect("an authority");
        let port = || KeptPort::take().expect("a port is free");
        let ports: HashMap<_, _> = SERVICES.map(|(name, ..)| (name, port())).into();
        let url = |(name, port): (&&str, &KeptPort)| ((*name).to_owned(), url_of(port));
        let addresses: HashMap<_, _> = ports.iter().filter(|(name, _)| **name != REPLICA).map(url).collect();
        let addresses = serde_json::to_vec(&addresses).expect("they are texts");
        std::fs::write(home.join("addresses.json"), addresses).expect("the folder is ours");
        Self {
            processes: HashMap::new(),
            ports,
            own,
            passwords,
            authority,
            cluster,
            folder,
        }
    }

    /// Starts a service that does not run; whoever calls it waits until it serves.
    pub fn begin(&mut self, service: &'static str) {
        let program = std::env::current_exe().expect("a program");
        let said = std::fs::File::create(self.said(service)).expect("the folder is ours");
        let process = Command::new(program)
            .args([
                "--ignored",
                "--exact",
                "apart::this_program_is_one_of_the_services",
                "--nocapture",
            ])
            .env_clear()
            .env(BE, service_of(service).0)
            .env(AHEAD, self.home().join("ahead"))
            .envs(self.settings(service))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn();
        self.processes.insert(service, process.expect("it starts"));
    }

    /// Ends a service without a warning.
    pub fn kill(&mut self, service: &'static str) {
        let mut process = self.processes.remove(service).expect("it runs");
        process.kill().expect("it has not ended by itself");
        process.wait().expect("it is ours");
    }

    /// The process of a service that runs.
    pub fn process(&self, service: &str) -> u32 {
        self.processes[service].id()
    }

    /// Sends a service a signal.
    pub fn signal(&self, service: &str, signal: Signal) {
        let process = i32::try_from(self.process(service)).expect("a process id");
        signal::kill(Pid::from_raw(process), signal).expect("it runs");
    }

    /// Has a service end as it does when it is told to.
    pub fn end(&mut self, service: &'static str) {
        self.signal(service, Signal::SIGTERM);
        let mut process = self.processes.remove(service).expect("it runs");
        // Waiting would let go of what tells it that it is not needed any more.
        let _held = process.stdin.take();
        let ended = process.wait().expect("it is ours");
        let said = std::fs::read_to_string(self.said(service)).unwrap_or_default();
        assert!(ended.success(), "{service} ends well: {ended}: {said}");
    }

    /// The file of what a service says since its last start.
    fn said(&self, service: &str) -> PathBuf {
        self.home().join(format!("{service}.said"))
    }

    /// Sets the clocks of all services ahead of the machine's by so much.
    pub fn set_ahead(&self, by: Duration) {
        let file = self.home().join("ahead");
        let written = self.home().join("ahead.new");
        std::fs::write(&written, by.as_secs().to_string()).expect("the folder is ours");
        std::fs::rename(written, file).expect("the folder is ours");
    }

    /// By how much they are ahead.
    pub fn ahead(&self) -> Duration {
        let written = std::fs::read_to_string(self.home().join("ahead")).unwrap_or_default();
        Duration::from_secs(written.parse().unwrap_or_default())
    }

    /// The folder that the command line runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join(".legalstat")
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
        self.home().join("files").join(service)
    }

    fn url(&self, service: &str) -> String {
        url_of(&self.ports[service])
    }

    fn settings(&self, service: &str) -> Vec<(&'static str, String)> {
        let port = self.ports[service].number();
        let (service, schema) = service_of(service);
        let identity = self.authority.ensure(&Usage::service(service)).expect("a certificate");
        let server = self.cluster.admin_url("postgres");
        let path = |path: &Path| path.display().to_string();
        let local = |port| format!("127.0.0.1:{port}");
        let mut settings = vec![
            ("LEGALSTAT_LISTEN", local(port)),
            ("LEGALSTAT_HEALTH_LISTEN", local(0)),
            ("LEGALSTAT_SHUTDOWN_DELAY_SECONDS", "0".to_owned()),
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
        }
        if service == "collection-distribution" {
            settings.extend(self.own.iter().map(|(name, value)| (*name, (*value).to_owned())));
        }
        if ["request-intake", "collection-distribution"].contains(&service) {
            settings.push((
                "LEGALSTAT_SIGNING_KEYS",
                path(&signing::folder_of(&self.home(), service)),
            ));
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

/// Which service it is that runs under a name, and the service's schema.
fn service_of(name: &str) -> (&'static str, &'static str) {
    let known = SERVICES.into_iter().find(|(known, ..)| *known == name);
    let (_, service, schema) = known.expect("it is one of them");
    (service, schema)
}

fn url_of(port: &KeptPort) -> String {
    format!("https://localhost:{}", port.number())
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
        "collection-distribution" => be(&legalstat_collection_distribution::SERVICE),
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
    let shutdown = CancellationToken::new();
    let served = run::serve(service, settings, config, clock, shutdown.clone(), || ());
    let served = runtime.block_on(async {
        tokio::spawn(run::stop_on_signal(shutdown));
        served.await
    });
    served.expect("it serves until it is killed or told to end");
}

/// The machine's clock, ahead of it as tests say.
fn clock() -> Timestamp {
    let ahead = std::env::var_os(AHEAD).and_then(|file| std::fs::read_to_string(file).ok());
    let ahead = ahead.map_or(0, |seconds| seconds.parse().expect("seconds"));
    Timestamp::now() + Duration::from_secs(ahead)
}
