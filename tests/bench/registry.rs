//! How fast the form registry answers when ten years of editions and millions of figures are stored, against a year with few of
//! them, and against PostgreSQL itself, in the same run. See `README.md`.

#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

mod asking;
mod call;
mod database;
mod imports;
mod load;
mod pgbench;
mod profile;
mod queries;
mod report;
mod settings;
mod statements;
mod years;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use bytes::Bytes;
use legalstat_proto::forms::v1::{Edition, GetEditionRequest, ListScheduleRequest, ListScheduleResponse};
use legalstat_test_support::{open_requests, system::System};
use prost::Message;
use sqlx::PgConnection;
use tonic::transport::Channel;

use crate::{
    database::durable,
    imports::Imports,
    load::{CONNECTIONS, IN_FLIGHT, Load, Reading, Subject},
    pgbench::Pgbench,
    profile::Profile,
    report::{Line, Rounds, Turn, Verdict, ratios},
    settings::setting,
    years::{FIRST_YEAR, Figures, Years},
};

const SCHEDULE: &str = "/legalstat.forms.v1.FormRegistryService/ListSchedule";
const EDITION: &str = "/legalstat.forms.v1.FormRegistryService/GetEdition";
/// How often each subject takes its turn.
const ROUNDS: usize = 6;
/// How many editions are read in turn.
const EDITIONS: usize = 150;
/// How many times as much as with few an answer may cost with many stored.
const GROWTH: f64 = 1.5;
/// The editions of a year of which one form has figures: ten thousand.
const FEW: Years = Years {
    years: FIRST_YEAR..=FIRST_YEAR,
    asked: Figures {
        indicators: 10,
        territories: 21,
        articles: 4,
    },
    others: None,
};

/// The editions of so many years, each with figures: of ten years, five millions.
fn of_years(count: i16) -> Years {
    Years {
        years: FIRST_YEAR..=FIRST_YEAR + count - 1,
        asked: Figures {
            indicators: 10,
            territories: 42,
            articles: 20,
        },
        others: Some(Figures {
            indicators: 20,
            territories: 2,
            articles: 74,
        }),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    // Whoever builds all targets as tests must not wait for measurements.
    if !has("--bench") {
        report::say("measurements run with: cargo bench -p legalstat --bench registry\n");
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
    let years = setting("LEGALSTAT_BENCH_YEARS").unwrap_or(10).clamp(1, 10);
    let years = i16::try_from(years).expect("ten at most");
    let few = Stored::bring(few, &FEW).await;
    let mut many = Stored::bring(many, &of_years(years)).await;
    durable(&mut many.database).await;
    let mut bench = Bench {
        turn: Duration::from_secs(setting("LEGALSTAT_BENCH_SECONDS").unwrap_or(3).max(1)),
        profiles: [&few, &many].map(|stored| Profile::new(stored.system.postmaster())),
    };
    let mut lines = vec![few.line(), many.line()];
    lines.extend(bench.schedule(&few, &many).await);
    lines.extend(bench.edition(&few, &many).await);
    lines.extend(bench.query(&few, &mut many).await);
    lines.extend(bench.import(&mut many).await);
    let tables = bench.profiles.map(|profile| profile.table()).concat();
    report::say(&format!("\n{tables}"));
    lines
}

/// A system with what is stored in it.
struct Stored<'a> {
    system: &'a System,
    database: PgConnection,
    channels: Vec<Channel>,
    editions: Vec<String>,
    figures: i64,
    /// How long it took to bring it.
    seconds: f64,
}

impl<'a> Stored<'a> {
    async fn bring(system: &'a System, years: &Years) -> Self {
        let (began, mut database) = (Instant::now(), open_requests::database(system).await);
        let editions = years.store(system, &mut database).await;
        let figures = sqlx::query_scalar("SELECT count(*) FROM forms.observation");
        let figures = figures.fetch_one(&mut database).await.expect("a count");
        let size = sqlx::query_scalar("SELECT pg_total_relation_size('forms.observation')");
        let size: i64 = size.fetch_one(&mut database).await.expect("a size");
        let bytes = size / figures;
        report::say(&format!("a figure of {figures} has {bytes} bytes with its index\n"));
        Self {
            system,
            database,
            channels: (0..CONNECTIONS)
                .map(|_| system.channel("form-registry", Some("edms")))
                .collect(),
            editions,
            figures,
            seconds: began.elapsed().as_secs_f64(),
        }
    }

    fn line(&self) -> Line {
        let count = self.editions.len();
        Line::of_times(
            self.named(&format!("bringing {count} editions")),
            &[self.seconds],
            count,
        )
    }

    /// Calls of a method with these questions.
    async fn load(&self, subject: Subject, method: &'static str, questions: Vec<Bytes>) -> Load {
        let asked = asking::once(method, &self.channels, questions).await;
        let bytes = asked.sizes.iter().sum::<usize>() / asked.sizes.len();
        report::say(&format!("on average an answer to {method} has {bytes} bytes\n"));
        let load = Load::new(subject, &self.channels, asked, self.system.process());
        load.calls(Reading::Decoded, 300).await;
        load
    }

    fn named(&self, what: &str) -> String {
        format!("{what}, {} figures", self.figures)
    }
}

struct Bench {
    /// How long a turn lasts.
    turn: Duration,
    /// Of the system with few, and of that with many.
    profiles: [Profile; 2],
}

impl Bench {
    /// The schedule of a year.
    async fn schedule(&mut self, few: &Stored<'_>, many: &Stored<'_>) -> Vec<Line> {
        let question = ListScheduleRequest {
            year: FIRST_YEAR.into(),
            ..ListScheduleRequest::default()
        };
        let (subject, question) = (
            Subject::answering::<ListScheduleResponse>(SCHEDULE),
            question.encode_to_vec(),
        );
        let few_load = few.load(subject, SCHEDULE, vec![question.clone().into()]).await;
        let many_load = many.load(subject, SCHEDULE, vec![question.into()]).await;
        let what = "(a) ListSchedule of a year";
        self.grown(what, (few, &few_load), (many, &many_load)).await
    }

    /// An edition, picked from all that are placed.
    async fn edition(&mut self, few: &Stored<'_>, many: &Stored<'_>) -> Vec<Line> {
        let subject = Subject::answering::<Edition>(EDITION);
        let few_load = few.load(subject, EDITION, editions(few)).await;
        let many_load = many.load(subject, EDITION, editions(many)).await;
        self.grown("(b) GetEdition", (few, &few_load), (many, &many_load)).await
    }

    /// With few and with many by turns.
    async fn grown(&mut self, what: &str, few: (&Stored<'_>, &Load), many: (&Stored<'_>, &Load)) -> Vec<Line> {
        let mut rounds: [Rounds; 2] = Default::default();
        for round in 0..ROUNDS {
            // Who goes first alternates, so that a machine that slows down favours nobody.
            for at in [round % 2, 1 - round % 2] {
                rounds[at].add(self.calls(at, what, [few, many][at], Reading::Skipped).await);
            }
        }
        self.lines_of_growth(what, (few.0, &rounds[0]), (many.0, &rounds[1]))
    }

    async fn calls(&mut self, at: usize, what: &str, (stored, load): (&Stored<'_>, &Load), reading: Reading) -> Turn {
        let calling = async {
            let turn = load.turn(reading, self.turn).await;
            let count = turn.latencies.len();
            (turn, count)
        };
        let kind = format!("{}, {}", stored.named(what), reading.in_words());
        self.profiles[at]
            .around(&kind, Some(stored.system.process()), calling)
            .await
    }

    fn lines_of_growth(&self, what: &str, few: (&Stored<'_>, &Rounds), many: (&Stored<'_>, &Rounds)) -> Vec<Line> {
        let reading = Reading::Skipped.in_words();
        let [few_name, many_name] = [few.0, many.0].map(|stored| format!("{}, {reading}", stored.named(what)));
        let spent = [(0, &few_name), (1, &many_name)].map(|(at, name)| self.profiles[at].spent(name));
        let (few, many) = (few.1, many.1);
        let growth = ratios(&few.rates(), &many.rates());
        vec![
            Line::of_rounds(few_name, few),
            Line::of_rounds(many_name, many),
            Line::plain(format!("{what}, the time with many in that with few")).below(GROWTH, &growth),
            Line::plain(format!("{what}, the processor time with many in that with few"))
                .with_ratio(&ratios(&spent[1], &spent[0])),
        ]
    }

    /// A filtered query of 1,000 figures, and pgbench with the statements that it sends.
    async fn query(&mut self, few: &Stored<'_>, many: &mut Stored<'_>) -> Vec<Line> {
        let what = "(c) QueryObservations of 1,000";
        let few_load = few
            .load(queries::subject(), queries::METHOD, queries::questions())
            .await;
        let many_load = many
            .load(queries::subject(), queries::METHOD, queries::questions())
            .await;
        let channel = many.channels[0].clone();
        let script = queries::script(many.system, &mut many.database, &channel).await;
        let (pgbench, length) = (Pgbench::new(many.system, "legalstat", "forms"), self.turn);
        let (few, many) = ((few, &few_load), (&*many, &many_load));
        let in_database = many
            .0
            .named(&format!("(c) pgbench, the same statements, {IN_FLIGHT} clients"));
        let mut rounds: [Rounds; 4] = Default::default();
        for round in 0..ROUNDS {
            for at in 0..rounds.len() {
                let at = if round % 2 == 0 { at } else { rounds.len() - 1 - at };
                let turn = match at {
                    0 => self.calls(0, what, few, Reading::Skipped).await,
                    1 => self.calls(1, what, many, Reading::Skipped).await,
                    2 => self.calls(1, what, many, Reading::Decoded).await,
                    _ => {
                        let turn = pgbench.run(&script, IN_FLIGHT, length);
                        self.profiles[1].around(&in_database, None, turn).await
                    }
                };
                rounds[at].add(turn);
            }
        }
        let [few_rounds, skipped, decoded, database] = &rounds;
        let mut lines = self.lines_of_growth(what, (few.0, few_rounds), (many.0, skipped));
        let decoded_name = format!("{}, {}", many.0.named(what), Reading::Decoded.in_words());
        lines.extend([
            Line::of_rounds(in_database, database),
            Line::plain(format!("{what}, not decoded, against pgbench")).at_least(0.5, &skipped.against(database)),
            Line::of_rounds(decoded_name, decoded).with_ratio(&decoded.against(database)),
        ]);
        lines
    }

    /// Imports, and COPY of the same rows.
    async fn import(&mut self, many: &mut Stored<'_>) -> Vec<Line> {
        let channel = many.system.channel("form-registry", Some("operator"));
        let mut imports = Imports::new(channel, many.system.process(), &mut many.database);
        let [copy, ours] = imports.by_turns(&mut self.profiles[1]).await;
        report::say(&format!("each turn of (d) brings {} rows\n", Imports::rows()));
        vec![
            Line::of_rounds(format!("{}, rows", imports::COPY), &copy),
            Line::of_rounds(format!("{}, rows", imports::IMPORT), &ours).at_least(0.5, &ours.against(&copy)),
        ]
    }
}

/// Asks for editions of all years, as many everywhere.
fn editions(stored: &Stored<'_>) -> Vec<Bytes> {
    let step = stored.editions.len().div_ceil(EDITIONS);
    let names = stored.editions.iter().step_by(step);
    let question = |name: &String| GetEditionRequest {
        name: name.clone(),
        ..GetEditionRequest::default()
    };
    names.map(|name| question(name).encode_to_vec().into()).collect()
}
