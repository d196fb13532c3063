//! For tests of who delivers: an inbox as a recipient runs it, in this process, and what it stored.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_collection_distribution::statements;
use legalstat_kit::{
    call::tls,
    canonical,
    door::wire,
    run::{Listeners, environment::Environment, limits::Limits, server},
    signing::Keys,
};
use legalstat_local::authority::{Authority, Usage};
use legalstat_proto::{
    collections::v1::{
        Copy, CopyStatement, DeliverCopyHeader, EditionContent, ListSigningKeysResponse, copy_inbox_service_server,
        delivery::Answer,
    },
    common::v1::SigningKey,
};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Settings, record::Record, store};

/// How long its health may take to say something else, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the inbox of a test is run.
pub struct Setup {
    /// The id of the recipient, `supreme-court`.
    pub recipient: String,
    /// The ids of those that it follows.
    pub also: Vec<String>,
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
            also: Vec::new(),
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
        std::fs::write(self.trusted_keys(), listed(keys)).expect("the folder is ours");
    }
}

/// A copy of `collections/crime/editions/2026-Q3` as the distribution issues it, of one file.
///
/// # Panics
/// When the key in use does not sign.
pub fn signed_copy(keys: &Keys, number: u32, recipient: &str, content: &[u8], at: Timestamp) -> Copy {
    signed_copy_of(keys, number, recipient, hex::encode(wire::sha256(content)), at)
}

/// The same of whatever content has this digest.
///
/// # Panics
/// As [`signed_copy`].
pub fn signed_copy_of(keys: &Keys, number: u32, recipient: &str, content_sha256: String, at: Timestamp) -> Copy {
    let number = i32::try_from(number).expect("no edition has so many copies");
    let statement = CopyStatement {
        format: "legalstat-copy/1".into(),
        copy: format!("collections/crime/editions/2026-Q3/copies/{number}"),
        number,
        ordinal: number,
        copies_total: 33,
        revision: 1,
        recipient: format!("recipients/{recipient}"),
        content_sha256,
        sending_body: "bodies/committee".into(),
        issued_at: Some(wire::to_timestamp(at)),
        official_use: None,
    };
    let signed = statements::of_copy(&statement).expect("it has a form");
    let key = keys.in_use(at);
    Copy {
        name: statement.copy.clone(),
        number,
        recipient: statement.recipient.clone(),
        sha256: statement.content_sha256.clone(),
        issued_at: statement.issued_at,
        revision: 1,
        ordinal: number,
        copies_total: 33,
        copy_sha256: hex::encode(wire::sha256(&signed)),
        signing_key: key.id.clone(),
        signature: key.sign(&signed).expect("the key in use signs").to_vec(),
        sending_body: statement.sending_body.clone(),
        statement: Some(statement),
        ..Copy::default()
    }
}

/// The header of a first attempt to deliver a copy of one file.
///
/// # Panics
/// Never: no content in memory is too long.
pub fn header(copy: &Copy, content: &[u8], id: Uuid, offset: usize) -> DeliverCopyHeader {
    let file = EditionContent {
        filename: "crime.pdf".into(),
        content_type: "application/pdf".into(),
        size_bytes: i64::try_from(content.len()).expect("it is in memory"),
        sha256: copy.sha256.clone(),
        uploaded_at: None,
        language: String::new(),
    };
    DeliverCopyHeader {
        delivery_id: id.to_string(),
        copy: Some(copy.clone()),
        files: vec![file],
        offset: i64::try_from(offset).expect("it is in memory"),
        attempt: 1,
    }
}

/// The keys of the distribution as `collections keys` writes them.
///
/// # Panics
/// Never: keys have a form.
pub fn listed(keys: &[SigningKey]) -> Vec<u8> {
    let listed = ListSigningKeysResponse {
        signing_keys: keys.to_vec(),
        ..ListSigningKeysResponse::default()
    };
    let descriptor = canonical::descriptor("legalstat.collections.v1.ListSigningKeysResponse");
    canonical::of_message(descriptor, &listed).expect("keys have a form")
}

/// A running inbox. Dropping it stops it.
pub struct RunningInbox {
    /// Its address, `https://localhost:PORT`.
    pub url: String,
    health: u16,
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
        let health = listeners.health.local_addr().expect("it is bound").port();
        let settings = Settings {
            recipient: format!("recipients/{}", setup.recipient),
            also: setup.also.iter().map(|id| format!("recipients/{id}")).collect(),
            store: setup.store.clone(),
            trusted_keys: setup.trusted_keys(),
            signing_keys: setup.signing_keys.clone(),
            tls: tls::Files {
                certificate: identity.certificate_path,
                key: identity.key_path,
                authority: authority.certificate_path(),
                revoked: None,
                outside: None,
            },
            limits: Limits::read(&mut Environment::given([("LEGALSTAT_SHUTDOWN_DELAY_SECONDS", "0")]), 1)
                .expect("it is a number"),
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
            health,
            store: setup.store.clone(),
            shutdown,
            serving,
        }
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

    /// Waits until its health says whether it serves.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn until_healthy(&self, healthy: bool) {
        let name = copy_inbox_service_server::SERVICE_NAME;
        let said = async {
            while server::ask_health(self.health, name).await.is_ok() != healthy {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, said).await.expect("it says so in time");
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
