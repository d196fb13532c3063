//! The collection distribution beside a recipient's inbox, each a process of its own, and what becomes of the copies between them.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::{Duration, Instant},
};

use legalstat_local::testing::relay::Relay;
use legalstat_proto::collections::v1::{
    Copy, CopyState, CopyView, GetCopyRequest, ReceiptWay,
    collection_distribution_service_client::CollectionDistributionServiceClient,
};
use legalstat_test_support::{inbox::Inbox, system::program};
use nix::sys::signal::Signal;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::task::block_in_place;

use crate::apart::Apart;

pub const DISTRIBUTION: &str = "collection-distribution";
/// Who gets the first seven copies of each collection on crime.
const RECIPIENT: &str = "gpo-leadership";
pub const COPIES: i32 = 7;
/// How many bytes each copy has: more than a connection holds on its way.
pub const BYTES: usize = 1_500_000;
/// How many copies are claimed.
pub const CLAIMED: &str = "SELECT count(*) FROM collections.delivery WHERE claimed_until IS NOT NULL";
/// How long anything may take, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);

/// What runs.
pub struct Stage {
    pub inbox: Inbox,
    pub apart: Apart,
    pub relay: Relay,
    /// The editions that were released, `crime/2025-Q1`, each with its content.
    editions: BTreeMap<String, Vec<u8>>,
}

/// Tries again and again until there is something.
pub async fn until<T>(what: &str, mut tried: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = tried().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("a text")
}

/// The name of a copy, as the contract has it.
fn name(edition: &str, number: i32) -> String {
    let (collection, period) = edition.split_once('/').expect("it has a period");
    format!("collections/{collection}/editions/{period}/copies/{number}")
}

/// The inbox of a recipient, with a key that an administrator has entered. `keys` are those of the distribution.
pub fn inbox(apart: &Apart, recipient: &str, keys: &Value) -> Inbox {
    let store = format!("{recipient}-inbox");
    let key = told(apart, &["inbox", "add-key", "--as", recipient, "--store", &store]);
    std::fs::write(apart.folder().join("key"), text(&key, "publicKey")).expect("the folder is ours");
    let enter = [
        "collections",
        "add-recipient-key",
        recipient,
        text(&key, "key"),
        "--as",
        "administrator",
    ];
    told(
        apart,
        &[&enter[..], &["--public-key", "key", "--reason", "its inbox signs"]].concat(),
    );
    Inbox::start(apart.folder(), recipient, keys.to_string().as_bytes())
}

/// Tells the distribution where a recipient's inbox is.
pub fn enter(apart: &Apart, recipient: &str, endpoint: &str) {
    let update = [
        "collections",
        "update-recipient",
        recipient,
        "--endpoint",
        endpoint,
        "--as",
        "administrator",
    ];
    let facts = ["--certificate", recipient, "--act", "Order 1", "--reason", "its inbox"];
    told(apart, &[&update[..], &facts].concat());
}

impl Stage {
    /// A distribution that delivers with these settings, and an inbox of which an administrator has told it.
    pub async fn start(own: &'static [(&'static str, &'static str)]) -> Self {
        let mut apart = Apart::prepare(own).await;
        apart.begin("calendar");
        apart.begin(DISTRIBUTION);
        let keys = until("it tells its keys", async || called(&apart, &["collections", "keys"])).await;
        let inbox = block_in_place(|| inbox(&apart, RECIPIENT, &keys));
        let port = inbox.url().rsplit(':').next().and_then(|port| port.parse().ok());
        let port: u16 = port.expect("the address has a port");
        let relay = Relay::before(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await;
        let endpoint = format!("https://localhost:{}", relay.port());
        block_in_place(|| enter(&apart, RECIPIENT, &endpoint));
        Self {
            inbox,
            apart,
            relay,
            editions: BTreeMap::new(),
        }
    }

    /// Prepares an edition and releases it, once the distribution serves. No clock may be ahead yet: a receipt given before its copy was
    /// issued is not true.
    pub async fn release(&mut self, edition: &str) {
        let salt = u8::try_from(self.editions.len()).expect("they are few");
        let content: Vec<u8> = (0..BYTES).map(|at| (at % 251) as u8 ^ salt).collect();
        std::fs::write(self.apart.folder().join("content.pdf"), &content).expect("the folder is ours");
        let file = "content.pdf";
        let apart = &self.apart;
        let upload = ["collections", "upload", edition, "--content", file];
        until("it takes the content", async || called(apart, &upload)).await;
        block_in_place(|| {
            told(apart, &["collections", "seal", edition, "--file", file]);
            told(apart, &["collections", "release", edition, "--as", "approver"]);
        });
        self.editions.insert(edition.to_owned(), content);
    }

    /// How many bytes have come of each copy that has not come whole, by delivery.
    pub fn coming(&self) -> BTreeMap<PathBuf, u64> {
        let parts = std::fs::read_dir(self.inbox.store().join("parts"))
            .into_iter()
            .flatten()
            .flatten();
        let length = |part: PathBuf| Some((part.clone(), std::fs::metadata(part.join("1")).ok()?.len()));
        let lengths = parts.filter_map(|part| length(part.path()));
        lengths.filter(|(_, length)| *length < BYTES as u64).collect()
    }

    /// Waits until a copy is in the middle of its way; where `passing`, the clock passes on while everything waits.
    pub async fn until_in_the_middle(&self, passing: bool) {
        let (before, mut database) = (self.coming(), self.database().await);
        let comes = async || {
            let found = self.coming();
            if found
                .iter()
                .any(|(part, length)| *length > 0 && before.get(part) != Some(length))
            {
                return Some(());
            }
            if passing {
                self.pass_on(&mut database).await;
            }
            None
        };
        until("a copy is on its way", comes).await;
    }

    /// Stops the inbox when a copy is in the middle of its way. Only once it stands still one can tell: on a busy machine what was on its
    /// way may have come meanwhile.
    pub async fn stop_inbox_in_the_middle(&self, passing: bool) {
        loop {
            self.until_in_the_middle(passing).await;
            self.inbox.signal(Signal::SIGSTOP);
            if self.coming().values().any(|length| *length > 0) {
                return;
            }
            self.inbox.signal(Signal::SIGCONT);
        }
    }

    /// How many copies lie in the inbox, answered.
    pub fn answered(&self) -> usize {
        let folder = |edition: &String| -> PathBuf { self.inbox.store().join("copies").join(edition) };
        let copies = |edition: &String| std::fs::read_dir(folder(edition)).into_iter().flatten().count();
        self.editions.keys().map(copies).sum()
    }

    pub async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.apart.database())
            .await
            .expect("the database runs")
    }

    /// Counts rows.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let row = sqlx::query(sql).fetch_one(&mut self.database().await).await;
        row.expect("the query is right").get(0)
    }

    /// Waits until a query counts so many.
    pub async fn until_count(&self, sql: &'static str, expected: i64) {
        let counted = async || (self.count(sql).await == expected).then_some(());
        until(sql, counted).await;
    }

    /// Kills the distribution as `kill -9` does, and has the time of its claims pass. What `holder` holds in the database
    /// it lets go once the distribution is dead.
    pub async fn kill_distribution(&mut self, holder: Option<PgConnection>) {
        self.apart.kill(DISTRIBUTION);
        drop(holder);
        self.until_count(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'collections_runtime'",
            0,
        )
        .await;
        sqlx::query("UPDATE collections.delivery SET claimed_until = now() WHERE claimed_until IS NOT NULL")
            .execute(&mut self.database().await)
            .await
            .expect("they lapse");
    }

    /// Waits until every copy has its final state, having the clock pass on while everything waits.
    pub async fn until_settled(&self) {
        let mut database = self.database().await;
        let settled = async || self.pass_on(&mut database).await.then_some(());
        until("every copy has its final state", settled).await;
    }

    /// Has the clock pass on from one attempt to the next until it is ahead by so much.
    pub async fn until_ahead(&self, by: Duration) {
        let mut database = self.database().await;
        while self.apart.ahead() < by {
            let before = self.apart.ahead();
            until("an attempt ends, and another follows", async || {
                self.pass_on(&mut database).await;
                (self.apart.ahead() > before).then_some(())
            })
            .await;
        }
    }

    /// Has the clock pass on to what comes later, where nothing is under way. Tells whether nothing comes.
    async fn pass_on(&self, database: &mut PgConnection) -> bool {
        let row = sqlx::query(
            "SELECT count(*) FILTER (WHERE claimed_until IS NOT NULL OR next_attempt_at IS NOT NULL),
                 count(*) FILTER (WHERE claimed_until IS NOT NULL),
                 ceil(extract(epoch FROM greatest(max(next_attempt_at), (SELECT max(open_until) FROM collections.recipient_breaker))
                     - clock_timestamp()))::bigint
             FROM collections.delivery",
        );
        let row = row.fetch_one(database).await.expect("the query is right");
        let (open, claimed, wait): (i64, i64, Option<i64>) = (row.get(0), row.get(1), row.get(2));
        if claimed == 0
            && let Some(wait) = wait.and_then(|wait| u64::try_from(wait).ok())
        {
            self.apart.set_ahead(Duration::from_secs(wait + 1));
        }
        open == 0
    }

    /// The copies of all editions, as the distribution shows them.
    pub async fn copies(&self) -> BTreeMap<String, Copy> {
        let mut client = CollectionDistributionServiceClient::new(self.apart.channel(DISTRIBUTION, "operator"));
        let mut copies = BTreeMap::new();
        for name in self
            .editions
            .keys()
            .flat_map(|edition| (1..=COPIES).map(|number| name(edition, number)))
        {
            let asked = GetCopyRequest {
                name: name.clone(),
                view: CopyView::Full.into(),
            };
            let copy = until("the distribution serves", async || {
                client
                    .get_copy(asked.clone())
                    .await
                    .ok()
                    .map(tonic::Response::into_inner)
            });
            copies.insert(name, copy.await);
        }
        copies
    }

    /// Asserts that each copy has one final state, RECEIVED by push under a signature, that the inbox has each once and whole, and that
    /// each was told once.
    pub async fn assert_received_once(&self) {
        let copies = self.copies().await;
        for (name, copy) in &copies {
            let receipt = copy.receipt.as_ref().unwrap_or_else(|| panic!("no receipt: {copy:?}"));
            assert_eq!(
                (copy.state(), receipt.way(), receipt.late, receipt.signature.len()),
                (CopyState::Received, ReceiptWay::Push, false, 64),
                "{name}: {copy:?}"
            );
        }
        let expected = i64::try_from(copies.len()).expect("they are few");
        for once in [
            "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.receipt_confirmed'",
            "SELECT count(DISTINCT resource) FROM collections.outbox_event WHERE kind = 'copy.receipt_confirmed'",
            "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.sending'",
            "SELECT count(*) FROM collections.delivery_attempt WHERE outcome = 'RECEIVED'",
            "SELECT count(*) FROM collections.receipt",
        ] {
            assert_eq!(self.count(once).await, expected, "{once}");
        }
        let failed = "SELECT count(*) FROM collections.outbox_event WHERE kind IN ('copy.failed', 'copy.rejected')";
        assert_eq!(self.count(failed).await, 0);
        let stored = block_in_place(|| self.inbox.stored());
        let mut names: Vec<_> = stored.iter().map(|copy| text(copy, "copy").to_owned()).collect();
        names.sort();
        assert_eq!(names, copies.into_keys().collect::<Vec<_>>(), "each is there once");
        for copy in &stored {
            let deliveries = copy["deliveries"].as_array().map(Vec::len);
            assert_eq!((text(copy, "state"), deliveries), ("RECEIVED", Some(1)), "{copy}");
        }
        for (edition, content) in &self.editions {
            for number in 1..=COPIES {
                assert!(
                    self.inbox.content(&format!("{edition}/{number}")) == *content,
                    "{edition}/{number}"
                );
            }
        }
    }
}

/// What a command answers; `None` when it fails.
pub fn called(apart: &Apart, arguments: &[&str]) -> Option<Value> {
    let output = block_in_place(|| program(apart.folder()).args(arguments).args(["-o", "json"]).output());
    let output = output.expect("the program runs");
    if !output.status.success() {
        eprintln!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).expect("it answers in JSON"))
}

/// What a command answers that must succeed.
pub fn told(apart: &Apart, arguments: &[&str]) -> Value {
    called(apart, arguments).unwrap_or_else(|| panic!("{arguments:?} fails"))
}
