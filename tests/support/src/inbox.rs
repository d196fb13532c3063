//! A recipient's inbox as its users have it: `legalstat inbox serve`, run as a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use legalstat_local::port::KeptPort;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::system::program;

/// The inbox of a recipient, beside a system on this machine, that can be started, stopped and killed.
pub struct Inbox {
    folder: PathBuf,
    recipient: String,
    /// Those that it follows, whose copies it takes as well.
    also: Vec<String>,
    /// Kept while it is killed and started again.
    port: KeptPort,
    process: Option<Child>,
}

impl Inbox {
    /// Starts the inbox of a recipient in the folder of a system, which need not run. `keys` are those of the distribution, as
    /// `collections keys -o json` tells them. Its certificate is made for localhost, and it takes copies on a port of its own.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(folder: &Path, recipient: &str, keys: &[u8]) -> Self {
        Self::following(folder, recipient, &[], keys)
    }

    /// The same for a recipient that follows others, whose copies it takes as well.
    ///
    /// # Panics
    /// When it does not start.
    pub fn following(folder: &Path, recipient: &str, also: &[&str], keys: &[u8]) -> Self {
        let mut inbox = Self {
            folder: folder.to_owned(),
            recipient: recipient.to_owned(),
            also: also.iter().map(|id| (*id).to_owned()).collect(),
            port: KeptPort::take().expect("a port is free"),
            process: None,
        };
        std::fs::write(inbox.trusted_keys(), keys).expect("the folder is ours");
        let name = ["--name", recipient, "--role", "recipient", "--host", "localhost"];
        let made = program(folder)
            .args(["certificates", "add"])
            .args(name)
            .output()
            .expect("the program runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        inbox.begin();
        inbox
    }

    fn trusted_keys(&self) -> PathBuf {
        self.folder.join(format!("{}-keys.json", self.recipient))
    }

    /// The folder in which it stores what it gets.
    pub fn store(&self) -> PathBuf {
        self.folder.join(format!("{}-inbox", self.recipient))
    }

    /// Starts it where it was before, and waits until it takes copies.
    ///
    /// # Panics
    /// When it runs, or does not start.
    pub fn begin(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let mut process = program(&self.folder)
            .args(["inbox", "serve", "--as", &self.recipient, "--log", "warn", "--store"])
            .arg(self.store())
            .arg("--trusted-keys")
            .arg(self.trusted_keys())
            .args(self.also.iter().flat_map(|id| ["--also", id]))
            .args([
                "--listen",
                &format!("127.0.0.1:{}", self.port.number()),
                "--health-listen",
                "127.0.0.1:0",
            ])
            .env("LEGALSTAT_SHUTDOWN_DELAY_SECONDS", "0")
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let mut said = String::new();
        while !said.contains("takes copies at") {
            let line = lines.next().and_then(Result::ok);
            let line = line.unwrap_or_else(|| panic!("it does not start: {said}"));
            said += &format!("{line}\n");
        }
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("inbox: {line}")));
        self.process = Some(process);
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port.number())
    }

    /// Sends it a signal, and leaves it.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("it runs").id();
        kill(Pid::from_raw(i32::try_from(process).expect("a process id")), signal).expect("it runs");
    }

    /// Sends it a signal and waits for its end; its exit code, if it ended by itself.
    ///
    /// # Panics
    /// When it does not run.
    pub fn end(&mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        self.process.take().expect("it runs").wait().expect("it ends").code()
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        self.end(Signal::SIGKILL);
    }

    /// What `inbox list` tells: each copy with its `copy`, `state` (RECEIVED, REJECTED or COMING), `receivedBytes` and `deliveries`.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn stored(&self) -> Vec<Value> {
        let listed = program(&self.folder)
            .args(["inbox", "list", "-o", "json", "--store"])
            .arg(self.store())
            .output();
        let listed = listed.expect("the program runs");
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("it answers in JSON");
        listed["copies"].as_array().cloned().expect("it lists copies")
    }

    /// The names of the copies that it has received.
    ///
    /// # Panics
    /// As [`stored`](Self::stored).
    pub fn received(&self) -> Vec<String> {
        let mut stored = self.stored();
        stored.retain(|copy| copy["state"] == "RECEIVED");
        stored
            .iter()
            .filter_map(|copy| copy["copy"].as_str().map(str::to_owned))
            .collect()
    }

    /// The first file of a copy, `crime/2026-Q3/25`.
    ///
    /// # Panics
    /// When it is not there.
    pub fn content(&self, copy: &str) -> Vec<u8> {
        std::fs::read(self.store().join("copies").join(copy).join("1")).expect("it is there")
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        if self.process.is_some() {
            // A test may have stopped it, and failed meanwhile.
            self.signal(Signal::SIGCONT);
            self.end(Signal::SIGTERM);
        }
    }
}
