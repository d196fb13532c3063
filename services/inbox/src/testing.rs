//! For tests of who delivers: an inbox as a recipient runs it, in this process, and what it stored.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_kit::{
    call::tls,
    canonical,
    run::{Listeners, environment::Environment, limits::Limits, server},
};
use legalstat_local::authority::{Authority, Usage};
use legalstat_proto::{
    collections::v1::{ListSigningKeysResponse, delivery::Answer},
    common::v1::SigningKey,
};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{Settings, record::Record, store};

/// How the inbox of a test is run.
pub struct Setup {
    /// The id of the recipient, `supreme-court`.
    pub recipient: String,
    /// The folder of the authority that made the sender's certificate, and makes the inbox's.
    pub authority: PathBuf,
    /// The store.
    pub store: PathBuf,
    /// The keys of the distribution that are trusted.
    pub trusted: Vec<SigningKey>,
    /// The folder of the recipient's own keys.
    pub signing_keys: Option<PathBuf>,
    /// The port, 0 for any.
    pub port: u16,
    /// How many bytes a copy may have.
    pub copy_bytes: u64,
}

impl Setup {
    /// An inbox of a recipient that signs nothing, on any port.
    pub fn new(recipient: &str, authority: &Path, store: &Path, trusted: Vec<SigningKey>) -> Self {
        Self {
            recipient: recipient.to_owned(),
            authority: authority.to_owned(),
            store: store.to_owned(),
            trusted,
            signing_keys: None,
            port: 0,
            copy_bytes: 1 << 30,
        }
    }

    fn trusted_keys(&self) -> PathBuf {
        self.store.with_extension("keys.json")
    }

    /// Writes the trusted keys where the inbox reads them, also while it runs.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn trust(&self, keys: &[SigningKey]) {
        let listed = ListSigningKeysResponse {
            signing_keys: keys.to_vec(),
            ..ListSigningKeysResponse::default()
        };
        let descriptor = canonical::descriptor("legalstat.collections.v1.ListSigningKeysResponse");
        let json = canonical::of_message(descriptor, &listed).expect("keys have a form");
        std::fs::write(self.trusted_keys(), json).expect("the folder is ours");
    }
}

/// A running inbox. Dropping it stops it.
pub struct RunningInbox {
    /// Its address, `https://localhost:PORT`.
    pub url: String,
    store: PathBuf,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl RunningInbox {
    /// Starts an inbox with this clock, and waits until it serves.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(setup: &Setup, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let authority = Authority::open_or_create(&setup.authority).expect("there is an authority");
        let usage = Usage::recipient(&setup.recipient).reached_as("localhost");
        let identity = authority.ensure(&usage).expect("it makes certificates");
        setup.trust(&setup.trusted);
        let address = |port| (Ipv4Addr::LOCALHOST, port).into();
        let listeners = Listeners {
            calls: server::bind(address(setup.port)).await.expect("the port is free"),
            health: server::bind(address(0)).await.expect("some port is free"),
        };
        let port = listeners.calls.local_addr().expect("it is bound").port();
        let settings = Settings {
            recipient: format!("recipients/{}", setup.recipient),
            store: setup.store.clone(),
            trusted_keys: setup.trusted_keys(),
            signing_keys: setup.signing_keys.clone(),
            tls: tls::Files {
                certificate: identity.certificate_path,
                key: identity.key_path,
                authority: authority.certificate_path(),
                revoked: None,
            },
            limits: Limits::read(&mut Environment::default(), 1).expect("nothing is set"),
            copy_bytes: setup.copy_bytes,
            parts_kept: Duration::from_secs(24 * 3600),
        };
        let shutdown = CancellationToken::new();
        let (ready, signal) = oneshot::channel();
        let serving = tokio::spawn(crate::serve(listeners, settings, clock, shutdown.clone(), || {
            ready.send(()).ok();
        }));
        signal.await.expect("it starts");
        Self {
            url: format!("https://localhost:{port}"),
            store: setup.store.clone(),
            shutdown,
            serving,
        }
    }

    /// Its port, to start it there again.
    ///
    /// # Panics
    /// Never: it has one.
    pub fn port(&self) -> u16 {
        let port = self.url.rsplit(':').next().and_then(|port| port.parse().ok());
        port.expect("the address has a port")
    }

    /// What it has answered, by name of the copy.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn stored(&self) -> Vec<Record> {
        let copies = store::copies(&self.store).expect("the store is readable");
        copies.into_iter().map(|(_, record)| record).collect()
    }

    /// The copies that it has received, by name.
    ///
    /// # Panics
    /// As [`stored`](Self::stored).
    pub fn received(&self) -> Vec<String> {
        let mut stored = self.stored();
        stored.retain(|record| matches!(record.answer, Some(Answer::Receipt(_))));
        stored.iter().map(|record| record.copy().name.clone()).collect()
    }

    /// A file of a copy, by its number from 1.
    ///
    /// # Panics
    /// When it is not there.
    pub fn content(&self, copy: &str, number: usize) -> Vec<u8> {
        let place = copy.parse().expect("the name of a copy");
        std::fs::read(store::file(&self.store, &place, number)).expect("it is there")
    }

    /// Stops it as SIGTERM would, and waits until it has ended.
    ///
    /// # Panics
    /// When it ends with an error.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        (&mut self.serving)
            .await
            .expect("it does not panic")
            .expect("it ends well");
    }
}

impl Drop for RunningInbox {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
