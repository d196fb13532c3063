//! A whole system as its users have it: the program `legalstat`, run as a process of its own.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tonic::transport::Endpoint;

use crate::prepared;

/// How long a system may take to start; on a busy machine far more than it does.
const STARTING: Duration = Duration::from_secs(120);
/// How long an examination may take; on a busy machine far more than it does.
pub(crate) const EXAMINED: Duration = Duration::from_secs(120);

/// A folder with a system that can be started, stopped and killed.
pub struct System {
    folder: tempfile::TempDir,
    process: Option<Child>,
    /// What it has said on standard error so far, at all its starts.
    said: Arc<Mutex<String>>,
}

/// The program: cargo builds it for the suites of its package and tells them where it is.
pub(super) fn executable() -> std::ffi::OsString {
    std::env::var_os("CARGO_BIN_EXE_legalstat").expect("the suites are run by cargo")
}

/// The program as a user calls it, in a folder.
pub fn program(folder: &Path) -> Command {
    called(Command::new(executable()), folder)
}

/// A command with what a user's environment has and nothing of cargo's.
fn called(mut command: Command, folder: &Path) -> Command {
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        // What is drafted, a test drafts.
        .env("LEGALSTAT_AUTOMATIC_DRAFTS", "off");
    if let Some(bin) = std::env::var_os("LEGALSTAT_POSTGRES_BIN") {
        command.env("LEGALSTAT_POSTGRES_BIN", bin);
    }
    command
}

impl System {
    /// A system in a folder of its own, running, with databases that were made before.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with options.
    pub fn start_with(options: &[&str]) -> Self {
        let mut system = Self::in_a_folder();
        prepared::copy(&system.home());
        system.up_with(options);
        system
    }

    /// The same as a user's first start: everything is made by it.
    pub fn first_start() -> Self {
        let mut system = Self::in_a_folder();
        system.up();
        system
    }

    fn in_a_folder() -> Self {
        let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        let folder = tempfile::Builder::new()
            .prefix("legalstat-suite-")
            .permissions(passable)
            .tempdir()
            .expect("a folder");
        Self {
            folder,
            process: None,
            said: Arc::default(),
        }
    }

    /// Starts it and waits until it says that it runs.
    pub fn up(&mut self) -> Duration {
        self.up_with(&[])
    }

    /// The same with options, and with settings as `NAME=value` among them.
    pub fn up_with(&mut self, options: &[&str]) -> Duration {
        let began = Instant::now();
        let settings = options.iter().filter_map(|option| option.split_once('='));
        let mut process = program(self.folder())
            .arg("up")
            .args(options.iter().filter(|option| !option.contains('=')))
            .envs(settings)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(process.stderr.take().expect("it is piped"));
        let (ready, signal) = std::sync::mpsc::channel();
        let said = Arc::clone(&self.said);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                *said.lock().expect("nobody panics while holding it") += &format!("{line}\n");
                if line.contains("is running") {
                    ready.send(Ok(())).ok();
                }
            }
            ready
                .send(Err(said.lock().expect("nobody panics while holding it").clone()))
                .ok();
        });
        signal
            .recv_timeout(STARTING)
            .expect("it starts in time")
            .expect("it runs");
        self.process = Some(process);
        began.elapsed()
    }

    /// What it has said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("nobody panics while holding it").clone()
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that `up` keeps everything in.
    pub fn home(&self) -> PathBuf {
        self.folder().join(".legalstat")
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// Whether its process has not ended.
    pub fn runs(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// The URL of a database of its PostgreSQL server, as the superuser.
    pub fn database_url(&self, database: &str) -> String {
        let password = std::fs::read_to_string(self.home().join("postgres/password")).expect("it runs");
        let port = self.postmaster_file(3);
        format!("postgres://postgres:{}@127.0.0.1:{port}/{database}", password.trim())
    }

    /// The process of its PostgreSQL server.
    pub fn postmaster(&self) -> u32 {
        self.postmaster_file(0).parse().expect("the first line is the process")
    }

    /// A line of the file that PostgreSQL keeps about itself while it runs.
    fn postmaster_file(&self, line: usize) -> String {
        let text = std::fs::read_to_string(self.home().join("postgres/data/postmaster.pid")).expect("it runs");
        text.lines().nth(line).expect("the file is whole").trim().to_owned()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process()).expect("a process id"))
    }

    /// Sends a signal to every process of its PostgreSQL server. The one that makes the others comes first: once it is stopped, none is
    /// made that would go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal_database(&self, signal: Signal) {
        let postmaster = self.postmaster();
        send(postmaster, signal).expect("it runs");
        if signal == Signal::SIGSTOP {
            until_stopped(postmaster);
        }
        for process in children(postmaster) {
            // One of its processes may have ended meanwhile.
            send(process, signal).ok();
        }
    }

    /// Lets its PostgreSQL server go on, if there is one that was stopped.
    fn wake_database(&self) {
        let file = std::fs::read_to_string(self.home().join("postgres/data/postmaster.pid"));
        let first = file.ok().and_then(|text| text.lines().next()?.trim().parse().ok());
        if let Some(postmaster) = first {
            for process in children(postmaster).into_iter().chain([postmaster]) {
                send(process, Signal::SIGCONT).ok();
            }
        }
    }

    /// Sends it a signal and waits for its end; its exit code, if it ended by itself.
    pub fn end(&mut self, signal: Signal) -> Option<i32> {
        kill(self.pid(), signal).expect("it runs");
        self.process.take().expect("it runs").wait().expect("it ends").code()
    }

    /// Runs a command line to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        program(self.folder())
            .args(arguments)
            .output()
            .expect("the program runs")
    }

    /// Runs a command line to its end with something on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = program(self.folder())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdin = process.stdin.take().expect("it is piped");
        // A program that does not read it may have ended already.
        stdin.write_all(input.as_bytes()).ok();
        drop(stdin);
        process.wait_with_output().expect("the program ends")
    }

    /// Runs a command line to its end where no file can grow beyond half a KiB, as on a disk that is full.
    pub fn run_on_a_full_disk(&self, arguments: &[&str]) -> Output {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
            .arg(executable());
        called(shell, self.folder())
            .args(arguments)
            .output()
            .expect("the shell runs")
    }

    /// Runs a command line that must succeed and answers in JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["-o", "json"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).expect("it answers in JSON")
    }

    /// Submits a request by a command line that answers in JSON, and gives it as it stands when it is examined, with the coupon of the
    /// answer, whose secret is told once. On a busy machine an examination takes longer than the call waits for it; then a job makes it.
    pub fn examined(&self, arguments: &[&str]) -> Value {
        self.until_examined(arguments, &self.json(arguments))
    }

    /// The request of this answer to that command line when it is examined.
    pub fn until_examined(&self, arguments: &[&str], answer: &Value) -> Value {
        let caller = arguments.iter().skip_while(|word| **word != "--as").nth(1);
        let name = answer["name"].as_str().expect("it is stored");
        let (began, mut request) = (Instant::now(), answer.clone());
        while request["state"] == "REQUEST_STATE_RECEIVED" {
            assert!(began.elapsed() < EXAMINED, "it is not examined: {request}");
            request = self.json(&["requests", "get", name, "--as", caller.unwrap_or(&"operator")]);
        }
        request["coupon"] = answer["coupon"].clone();
        request
    }

    /// Runs a command line that must fail; its exit code and what it said.
    pub fn failure(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} did not fail");
        assert!(output.stdout.is_empty(), "errors go to standard error");
        (
            output.status.code().expect("it ends by itself"),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// Writes a file beside the system and gives its path.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder().join(name);
        std::fs::write(&path, content).expect("the folder is ours");
        path.display().to_string()
    }

    /// The URL of a service.
    pub fn url(&self, service: &str) -> String {
        let addresses = std::fs::read(self.home().join("addresses.json")).expect("it runs");
        let addresses: Value = serde_json::from_slice(&addresses).expect("addresses");
        let url = addresses[service].as_str().expect("every service has an address");
        url.to_owned()
    }

    /// A channel to a service as a caller, or without a certificate.
    pub fn channel(&self, service: &str, caller: Option<&str>) -> tonic::transport::Channel {
        self.channel_to(&self.url(service), caller)
    }

    /// A channel to a server beside the system as a caller, or without a certificate. It waits for its line for as long as a busy machine
    /// takes.
    pub fn channel_to(&self, url: &str, caller: Option<&str>) -> tonic::transport::Channel {
        let file = |name: String| self.home().join("certificates").join(name);
        let identity = caller.map(|name| (file(format!("{name}.pem")), file(format!("{name}.key"))));
        let identity = identity.as_ref().map(|(certificate, key)| (certificate, key));
        let tls = legalstat_kit::call::tls::client(&file("ca.pem".into()), identity).expect("certificates are there");
        let endpoint = Endpoint::from_shared(url.to_owned()).and_then(|endpoint| endpoint.tls_config(tls));
        endpoint.expect("a URL").connect_lazy()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if self.process.is_some() {
            // A test may have stopped the database, and failed meanwhile: then it would never end.
            self.wake_database();
            self.end(Signal::SIGTERM);
        }
    }
}

/// The processes that a process has made.
fn children(process: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    children.collect()
}

fn send(process: u32, signal: Signal) -> nix::Result<()> {
    kill(Pid::from_raw(i32::try_from(process).expect("a process id")), signal)
}

/// Waits until a process that was sent SIGSTOP does nothing more.
fn until_stopped(process: u32) {
    let began = Instant::now();
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
        // The name in parentheses, which may hold anything, and then the state.
        if stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('T'))
        {
            return;
        }
        assert!(began.elapsed() < STARTING, "it does not stop: {stat}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
