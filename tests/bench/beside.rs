//! A bare server beside the system: this program once more, a process of its own as the system is, with the system's certificates.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use legalstat_kit::call::{client, tls};
use tonic::transport::Channel;

use crate::report;

/// The server as its caller sees it; dropping it ends it.
pub(crate) struct Beside {
    process: Child,
    url: String,
    certificates: PathBuf,
}

impl Beside {
    /// Starts this program with an argument that makes it the server, the folder of certificates of the system, and more.
    pub(crate) fn start(home: &Path, serve: &str, more: &[&OsStr]) -> Self {
        let certificates = home.join("certificates");
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .arg(serve)
            .arg(&certificates)
            .args(more)
            // The server ends when this end of the pipe is gone, however this process ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut url = String::new();
        let said = process.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut url).expect("it says its address");
        Self {
            process,
            url: url.trim().to_owned(),
            certificates,
        }
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// A channel to it, made as those to the system are.
    pub(crate) fn channel(&self) -> Channel {
        let file = |name: &str| self.certificates.join(name);
        let (certificate, key) = (file("operator.pem"), file("operator.key"));
        let tls = tls::client(&file("ca.pem"), Some((&certificate, &key))).expect("certificates are there");
        client::channel(&self.url, tls).expect("a URL")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

/// In the server: says where it listens, and ends it when whoever started it is gone.
pub(crate) fn serving(port: u16, end: impl FnOnce() + Send + 'static) {
    report::say(&format!("https://localhost:{port}\n"));
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        end();
    });
}
