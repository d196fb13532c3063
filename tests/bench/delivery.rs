//! How fast 100,000 small copies are made and delivered to their recipients' servers, against bare unary calls that carry the same bytes
//! and insert them, in the same run. See `README.md`.

#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

mod call;
mod database;
mod editions;
mod receiving;
#[expect(dead_code, reason = "other benches time calls one by one, and compare otherwise")]
mod report;
mod settings;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use legalstat_test_support::system::System;
use prost::Message as _;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sqlx::{Connection as _, PgConnection, postgres::PgPoolOptions};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::{
    call::{call, skip},
    database::{durable, run},
    receiving::{BARE, Bare, Came, Inbox},
    report::{Line, Rounds, Turn, Verdict},
    settings::setting,
};

const COPIES: u64 = 100_000;
/// How many editions they are shared out among, after one that does not count: a list has 10,000 copies at most.
const ROUNDS: usize = 10;
/// How many recipients have servers: the service gives one of them a quarter of its places at most.
const RECIPIENTS: usize = 8;
/// How many bytes each copy has.
const CONTENT: usize = 1024;
/// How many deliveries the service has under way, and so how many bare calls are.
const IN_FLIGHT: usize = 64;
const CHANNELS: usize = 8;
/// How many connections insert.
const INSERTING: u32 = 16;
/// Which part of the bare calls' rate the copies should have.
const TARGET: f64 = 0.5;
/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(120);
/// The key of every recipient.
const KEY: &str = "bench";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    // Whoever builds all targets as tests must not wait for measurements.
    if !has("--bench") {
        report::say("measurements run with: cargo bench -p legalstat --bench delivery\n");
        return ExitCode::SUCCESS;
    }
    let system = System::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let lines = runtime.block_on(measure(&system));
    report::say(&format!("\n{}", report::table(&lines)));
    let missed = lines.iter().any(|line| line.verdict() == Verdict::Missed);
    ExitCode::from(u8::from(missed && has("--require")))
}

async fn measure(system: &System) -> Vec<Line> {
    let asked = usize::try_from(setting("LEGALSTAT_BENCH_COPIES").unwrap_or(COPIES)).expect("a number");
    let each = (asked / ROUNDS).clamp(RECIPIENTS, 10_000);
    let mut delivering = Delivering::prepare(system, each).await;
    // The first edition does not count; from it the bare calls have their bytes.
    delivering.copies(0).await;
    let bare = Calls::prepare(system, &delivering.came).await;
    bare.make(each.min(1000)).await;
    let mut rounds: [Rounds; 2] = Default::default();
    for round in 1..=ROUNDS {
        // Who goes first alternates, so that a machine that slows down favours nobody.
        for subject in [round % 2, 1 - round % 2] {
            let took = match subject {
                0 => bare.make(each).await,
                _ => delivering.copies(round).await,
            };
            rounds[subject].add(Turn {
                rate: each as f64 / took.as_secs_f64(),
                latencies: Vec::new(),
                processor: None,
            });
        }
    }
    delivering.require_all_received().await;
    let [calls, copies] = rounds;
    vec![
        Line::of_rounds("bare unary calls with an insert each".into(), &calls),
        Line::of_rounds(format!("copies made and delivered, {} in all", each * ROUNDS), &copies)
            .at_least(TARGET, &copies.against(&calls)),
    ]
}

/// Copies of the collection on crime on their way to servers of their recipients.
struct Delivering<'a> {
    system: &'a System,
    database: PgConnection,
    came: Arc<Came>,
    /// How many copies an edition has.
    each: usize,
    editions: usize,
}

impl<'a> Delivering<'a> {
    async fn prepare(system: &'a System, each: usize) -> Self {
        let url = system.database_url("legalstat");
        let mut database = PgConnection::connect(&url).await.expect("it runs");
        durable(&mut database).await;
        let came = Arc::default();
        for (seed, recipient) in (0..).zip(distribute(system, each)) {
            connect(system, &recipient, seed, &came);
        }
        Self {
            system,
            database,
            came,
            each,
            editions: 0,
        }
    }

    /// Releases the edition of a round, and waits until every copy is received; gives how long that took.
    async fn copies(&mut self, round: usize) -> Duration {
        let name = format!("collections/crime/editions/{}-Q{}", 2022 + round / 4, 1 + round % 4);
        editions::seal(self.system, &name, &[b'a'; CONTENT]).await;
        self.editions += 1;
        let began = Instant::now();
        editions::release(self.system, &name).await;
        let expected = self.each * self.editions;
        self.wait(async |own| own.came.copies() >= expected).await;
        self.wait(async |own| own.count("state IN ('ISSUED', 'SENDING', 'FAILED')").await == 0)
            .await;
        began.elapsed()
    }

    async fn wait(&mut self, mut is_done: impl AsyncFnMut(&mut Self) -> bool) {
        let (mut last, mut since) = (0, Instant::now());
        while !is_done(self).await {
            let came = self.came.copies();
            if came > last {
                (last, since) = (came, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "nothing comes any more after {came} copies");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn count(&mut self, of: &str) -> usize {
        let counted = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM collections.copy WHERE {of}"));
        let counted: i64 = sqlx::query_scalar(counted)
            .fetch_one(&mut self.database)
            .await
            .expect("a count");
        usize::try_from(counted).expect("a count")
    }

    /// Every copy was received, and came once.
    async fn require_all_received(&mut self) {
        let expected = self.each * self.editions;
        assert_eq!(self.count("state = 'RECEIVED'").await, expected);
        assert_eq!(self.came.copies(), expected, "each came once");
    }
}

/// Has the list give so many copies to a few recipients, and gives these.
fn distribute(system: &System, copies: usize) -> Vec<String> {
    let list = system.json(&["collections", "distribution", "crime"]);
    let cells = list["cells"].as_array().expect("it has cells");
    let (mut rows, mut recipients) = (String::from("recipient,column,copies\n"), Vec::new());
    for (place, cell) in cells.iter().enumerate() {
        let recipient = cell["recipient"].as_str().expect("a name");
        let own = match place {
            0 => copies - copies / RECIPIENTS * (RECIPIENTS - 1),
            _ if place < RECIPIENTS => copies / RECIPIENTS,
            _ => 0,
        };
        if own > 0 {
            recipients.push(recipient.trim_start_matches("recipients/").to_owned());
        }
        rows += &format!("{recipient},{},{own}\n", cell["column"]);
    }
    let file = system.file("cells.csv", &rows);
    let total = copies.to_string();
    let resolve = [
        "collections",
        "resolve",
        "crime",
        "--file",
        &file,
        "--from",
        "2026-01-01",
    ];
    let law = [
        "--act",
        "An act",
        "--act-changes",
        "--total",
        &total,
        "--reason",
        "measured",
    ];
    system.json(&[&resolve[..], &law].concat());
    system.json(&["collections", "approve-list", "crime", "2", "--as", "approver"]);
    recipients
}

/// Gives a recipient a server and a key, of which an administrator tells the system.
fn connect(system: &System, recipient: &str, seed: u8, came: &Arc<Came>) {
    let certificate = ["certificates", "add", "--name", recipient, "--role", "recipient"];
    let made = system.run(&[&certificate[..], &["--host", "localhost"]].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed");
    let public = system.file("public", &hex::encode(pair.public_key()));
    let key = [
        "collections",
        "add-recipient-key",
        recipient,
        KEY,
        "--public-key",
        &public,
        "--as",
        "administrator",
    ];
    system.json(&[&key[..], &["--reason", "measured"]].concat());
    let inbox = Inbox {
        key: format!("recipients/{recipient}/signingKeys/{KEY}"),
        pair: Arc::new(pair),
        came: Arc::clone(came),
    };
    let url = inbox.serve(&system.home(), recipient);
    let update = [
        "collections",
        "update-recipient",
        recipient,
        "--endpoint",
        &url,
        "--as",
        "administrator",
    ];
    let facts = ["--certificate", recipient, "--act", "An act", "--reason", "measured"];
    system.json(&[&update[..], &facts].concat());
}

/// Calls to a bare server that inserts what they carry.
struct Calls {
    channels: Vec<Channel>,
    message: Bytes,
}

impl Calls {
    /// With as many bytes as a delivery and its answer have.
    async fn prepare(system: &System, came: &Came) -> Self {
        let (question, answer) = came.sizes();
        report::say(&format!("a delivery has {question} bytes, its answer {answer}\n"));
        let url = system.database_url("legalstat");
        let mut database = PgConnection::connect(&url).await.expect("it runs");
        let table = "CREATE SCHEMA bench; CREATE TABLE bench.taken (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)";
        run(&mut database, table.into()).await;
        let pool = PgPoolOptions::new().max_connections(INSERTING).connect(&url).await;
        let bare = Bare {
            database: pool.expect("it runs"),
            answer: vec![0; answer].into(),
        };
        let url = bare.serve(&system.home(), "calendar");
        Self {
            channels: (0..CHANNELS)
                .map(|_| system.channel_to(&url, Some("operator")))
                .collect(),
            message: Bytes::from(vec![0; question]).encode_to_vec().into(),
        }
    }

    /// Makes a number of calls, and gives how long that took.
    async fn make(&self, count: usize) -> Duration {
        let (next, began, mut callers) = (Arc::new(AtomicUsize::new(0)), Instant::now(), JoinSet::new());
        for number in 0..IN_FLIGHT {
            let channel = self.channels[number % CHANNELS].clone();
            let (message, next) = (self.message.clone(), Arc::clone(&next));
            callers.spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    let answered = call(&channel, BARE, skip, message.clone()).await;
                    answered.expect("every call succeeds");
                }
            });
        }
        callers.join_all().await;
        began.elapsed()
    }
}
