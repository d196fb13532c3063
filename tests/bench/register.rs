//! How fast a year's register of copies is read when ten million copies of other years are stored, against ten thousand, in the same
//! run. See `README.md`.

#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

mod asking;
mod call;
mod database;
mod editions;
#[expect(dead_code, reason = "other benches say whether answers are decoded")]
mod load;
#[expect(dead_code, reason = "other benches compare unlike subjects")]
mod report;
mod settings;

use std::{process::ExitCode, time::Duration};

use bytes::Bytes;
use legalstat_proto::collections::v1::{
    GetPunctualityRequest, ListCopiesRequest, ListCopiesResponse, ListScheduleRequest, ListScheduleResponse,
    PunctualityLines, PunctualityReport,
};
use legalstat_test_support::{open_requests, system::System};
use prost::Message;
use tonic::transport::Channel;

use crate::{
    database::{durable, run},
    load::{CONNECTIONS, Load, Reading, Subject},
    report::{Line, Rounds, Verdict, ratios},
    settings::setting,
};

const SCHEDULE: &str = "/legalstat.collections.v1.CollectionDistributionService/ListSchedule";
const COPIES: &str = "/legalstat.collections.v1.CollectionDistributionService/ListCopies";
const PUNCTUALITY: &str = "/legalstat.collections.v1.CollectionDistributionService/GetPunctuality";
/// The year whose register is read, and an edition of it that is released by calls: the model of all others.
const YEAR: i32 = 2025;
const MODEL: &str = "collections/crime/editions/2025-Q1";
const CONTENT: &[u8] = b"the collection on crime";
/// How often each subject takes its turn.
const ROUNDS: usize = 6;
/// How many times as much as with few copies an answer may cost with many stored.
const GROWTH: f64 = 1.25;
const FEW: u64 = 10_000;
const MANY: u64 = 10_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    // Whoever builds all targets as tests must not wait for measurements.
    if !has("--bench") {
        report::say("measurements run with: cargo bench -p legalstat --bench register\n");
        return ExitCode::SUCCESS;
    }
    let systems = [System::start(), System::start()];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let lines = runtime.block_on(measure(&systems));
    report::say(&format!("\n{}", report::table(&lines)));
    let missed = lines.iter().any(|line| line.verdict() == Verdict::Missed);
    ExitCode::from(u8::from(missed && has("--require")))
}

async fn measure([few, many]: &[System; 2]) -> Vec<Line> {
    let copies = setting("LEGALSTAT_BENCH_COPIES").unwrap_or(MANY);
    let turn = Duration::from_secs(setting("LEGALSTAT_BENCH_SECONDS").unwrap_or(3).max(1));
    let stored = [Stored::bring(few, FEW).await, Stored::bring(many, copies).await];
    let mut lines = Vec::new();
    for (what, subject, method, question) in questions() {
        let [few, many] = &stored;
        let loads = [
            few.load(subject, method, question.clone()).await,
            many.load(subject, method, question).await,
        ];
        let mut rounds: [Rounds; 2] = Default::default();
        for round in 0..ROUNDS {
            // Who goes first alternates, so that a machine that slows down favours nobody.
            for at in [round % 2, 1 - round % 2] {
                rounds[at].add(loads[at].turn(Reading::Skipped, turn).await);
            }
        }
        let growth = ratios(&rounds[0].rates(), &rounds[1].rates());
        lines.extend([
            Line::of_rounds(format!("{what}, {} copies", few.copies), &rounds[0]),
            Line::of_rounds(format!("{what}, {} copies", many.copies), &rounds[1]),
            Line::plain(format!("{what}, the time with many in that with few")).below(GROWTH, &growth),
        ]);
    }
    lines
}

type Question = (&'static str, Subject, &'static str, Bytes);

fn questions() -> Vec<Question> {
    let copies = |request: ListCopiesRequest| -> Bytes { request.encode_to_vec().into() };
    let page = Subject::answering::<ListCopiesResponse>(COPIES);
    let schedule = ListScheduleRequest {
        year: YEAR,
        ..Default::default()
    };
    let edition = ListCopiesRequest {
        parent: MODEL.into(),
        ..Default::default()
    };
    let newest = ListCopiesRequest::default();
    let recipient = ListCopiesRequest {
        recipient: "recipients/senate".into(),
        ..Default::default()
    };
    let overdue = ListCopiesRequest {
        overdue: true,
        ..Default::default()
    };
    let punctuality = GetPunctualityRequest {
        year: YEAR,
        lines: PunctualityLines::ByRecipient.into(),
        ..Default::default()
    };
    vec![
        (
            "(a) ListSchedule of a year",
            Subject::answering::<ListScheduleResponse>(SCHEDULE),
            SCHEDULE,
            schedule.encode_to_vec().into(),
        ),
        ("(b) ListCopies of an edition", page, COPIES, copies(edition)),
        ("(c) ListCopies, the newest page", page, COPIES, copies(newest)),
        ("(d) ListCopies, a recipient's newest", page, COPIES, copies(recipient)),
        ("(e) ListCopies, what is overdue", page, COPIES, copies(overdue)),
        (
            "(f) GetPunctuality of a year by recipient",
            Subject::answering::<PunctualityReport>(PUNCTUALITY),
            PUNCTUALITY,
            punctuality.encode_to_vec().into(),
        ),
    ]
}

/// A system with copies.
struct Stored<'a> {
    system: &'a System,
    channels: Vec<Channel>,
    copies: i64,
}

impl<'a> Stored<'a> {
    async fn bring(system: &'a System, copies: u64) -> Self {
        editions::seal(system, MODEL, CONTENT).await;
        editions::release(system, MODEL).await;
        let mut database = open_requests::database(system).await;
        durable(&mut database).await;
        let asked = format!("SET bench.year = {YEAR}; SET bench.copies = {copies}; ");
        run(&mut database, asked + include_str!("register.sql")).await;
        for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            run(&mut database, statement.into()).await;
        }
        let copies = sqlx::query_scalar("SELECT count(*) FROM collections.copy");
        Self {
            system,
            channels: (0..CONNECTIONS)
                .map(|_| system.channel("collection-distribution", Some("auditor")))
                .collect(),
            copies: copies.fetch_one(&mut database).await.expect("a count"),
        }
    }

    async fn load(&self, subject: Subject, method: &'static str, question: Bytes) -> Load {
        let asked = asking::once(method, &self.channels, vec![question]).await;
        report::say(&format!("an answer to {method} has {} bytes\n", asked.sizes[0]));
        let load = Load::new(subject, &self.channels, asked, self.system.process());
        load.calls(Reading::Decoded, 300).await;
        load
    }
}
