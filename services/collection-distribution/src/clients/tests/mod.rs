//! Deliveries over real sockets and TLS, to servers that do what servers may do.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use legalstat_kit::{
    Context,
    call::tls,
    files::FileStore,
    schema::{self, Connections, Database},
};
use legalstat_local::authority::{Authority, Identity, Usage};
use legalstat_proto::collections::v1::{Copy, EditionContent};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    inbox::{Answer, Destination, Inboxes, LIMITS, Limits, Parcel},
    lines,
};
use crate::domain::delivery::{Failure, Outcome};

mod answers;
mod breaks;
mod certificates;
mod connections;
mod content;
mod frozen;
mod recalling;
mod resuming;
mod servers;
mod time;

const COURT: &str = "supreme-court";
const ID: Uuid = Uuid::from_u128(7);
/// How long an attempt may take whose time is not the matter.
const LONG: Duration = Duration::from_secs(60);

/// This system's side: its certificate, its store, and what the authority makes.
struct Ground {
    folder: TempDir,
    authority: Authority,
    inboxes: Inboxes,
    context: Context,
}

impl Ground {
    fn new() -> Self {
        Self::within(LIMITS)
    }

    fn within(limits: Limits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path()).expect("it opens");
        let own = authority.ensure(&Usage::service("collection-distribution"));
        let own = own.expect("it is made");
        let tls = tls::Files {
            certificate: own.certificate_path,
            key: own.key_path,
            authority: authority.certificate_path(),
            revoked: Some(authority.revoked_path()),
            outside: None,
        };
        // No delivery asks the database.
        let nowhere = schema::options("postgres://nobody@127.0.0.1:1/nothing").expect("a URL");
        let database = Database::new(nowhere, Connections { writing: 1, reading: 1 });
        let context = Context::new(database, tls, CancellationToken::new(), Timestamp::now);
        let store = folder.path().join("files");
        let store = FileStore::open(&context, "collection-distribution", &store, u64::MAX).expect("it opens");
        let inboxes = Inboxes::open_within(&context, store, limits);
        Self {
            folder,
            authority,
            inboxes,
            context,
        }
    }

    /// The certificate of a recipient's server.
    fn identity(&self, name: &str) -> Identity {
        self.authority.ensure(&Usage::service(name)).expect("it is made")
    }

    /// Puts a file into the store as an upload does.
    fn store(&self, content: &[u8]) -> EditionContent {
        let sha256 = hex::encode(ring::digest::digest(&ring::digest::SHA256, content));
        std::fs::write(self.place(&sha256), content).expect("it is written");
        description(&sha256, content.len())
    }

    /// Puts a file of zeros into the store that takes no room.
    fn store_sparse(&self, size: usize) -> EditionContent {
        let sha256 = "5a".repeat(32);
        let file = std::fs::File::create(self.place(&sha256)).expect("it is made");
        file.set_len(size as u64).expect("it is as long");
        description(&sha256, size)
    }

    fn lose_all(&self) {
        std::fs::remove_dir_all(self.folder.path().join("files/sha256")).expect("it is there");
    }

    fn place(&self, sha256: &str) -> std::path::PathBuf {
        let folder = self.folder.path().join("files/sha256").join(&sha256[..2]);
        std::fs::create_dir_all(&folder).expect("it is made");
        folder.join(sha256)
    }

    async fn deliver(&self, to: &Destination, parcel: Parcel) -> Result<Answer, Failure> {
        self.inboxes.deliver(to, parcel).await
    }

    /// How a delivery of a small copy fails; its detail is short and without what does not show.
    async fn failure(&self, to: &Destination) -> Failure {
        self.failure_of(to, parcel(vec![self.store(b"small")])).await
    }

    async fn failure_of(&self, to: &Destination, parcel: Parcel) -> Failure {
        let failure = self.deliver(to, parcel).await.expect_err("it cannot be delivered");
        let detail = &failure.detail;
        assert!(!detail.is_empty() && detail.chars().count() < 500, "{detail}");
        assert!(!detail.chars().any(char::is_control), "{detail:?}");
        failure
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.context.shutdown.cancel();
    }
}

fn description(sha256: &str, size: usize) -> EditionContent {
    EditionContent {
        filename: "crime.xlsx".into(),
        size_bytes: i64::try_from(size).expect("a size"),
        sha256: sha256.into(),
        ..Default::default()
    }
}

fn parcel(files: Vec<EditionContent>) -> Parcel {
    Parcel {
        delivery_id: ID,
        attempt: 1,
        copy: Copy {
            name: "collections/crime/editions/2025-Q1/copies/7".into(),
            ..Default::default()
        },
        files,
        until: Instant::now() + LONG,
    }
}

fn again(files: Vec<EditionContent>) -> Parcel {
    Parcel {
        attempt: 2,
        ..parcel(files)
    }
}

fn court(port: u16) -> Destination {
    Destination {
        endpoint: format!("https://localhost:{port}"),
        certificate_name: COURT.into(),
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("it is there")
}

/// Bytes of which each part is another.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at % 251) as u8).collect()
}

fn assert_outcome(failure: &Failure, outcome: Outcome, words: &str) {
    assert_eq!(failure.outcome, outcome, "{failure:?}");
    assert!(failure.detail.contains(words), "{failure:?}");
}

fn shared<T>(value: T) -> Arc<T> {
    Arc::new(value)
}
