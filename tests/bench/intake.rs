//! How fast intake takes and shows requests, always as a ratio to PostgreSQL itself in the same run. See `README.md`.

#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

mod asking;
mod beside;
mod call;
mod database;
mod desk;
mod echo;
mod fill;
mod following;
mod load;
mod pgbench;
mod profile;
mod report;
mod settings;
mod statements;
mod stored;
mod submissions;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use tonic::transport::Channel;

use crate::{
    beside::Beside,
    database::{durable, run},
    load::{CONNECTIONS, IN_FLIGHT, Load, Reading},
    pgbench::Pgbench,
    profile::Profile,
    report::{Line, Rounds, Turn, Verdict},
    settings::setting,
    statements::Listening,
    stored::Picked,
    submissions::Submissions,
};
use legalstat_test_support::{open_requests, system::System};

/// How often each subject takes its turn.
const ROUNDS: usize = 6;
/// How many submissions are under way, and over how many connections.
const SUBMITTED: usize = 64;
const SUBMITTERS: usize = 8;
/// How many requests are stored before anything is measured.
const FIRST: usize = 10_000;
/// How many clients the floor is tried with.
const CLIENTS: [usize; 4] = [8, 16, 32, 64];
/// Longer no more than one call of a hundred may take.
const SLOWEST: f64 = 0.050;
/// How many bytes a request of one item may take.
const BYTES: f64 = 3072.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let [name, folder] = &arguments[..]
        && name == echo::SERVE
    {
        return echo::serve(folder.as_ref());
    }
    // Whoever builds all targets as tests must not wait for measurements.
    if !has("--bench") {
        report::say("measurements run with: cargo bench -p legalstat --bench intake\n");
        return ExitCode::SUCCESS;
    }
    let system = System::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (lines, wrong) = runtime.block_on(async {
        let mut bench = Bench::prepare(&system).await;
        let lines = bench.measure().await;
        report::say(&format!("\n{}\n{}", report::table(&lines), bench.profile.table()));
        (lines, bench.wrong())
    });
    let missed = lines.iter().any(|line| line.verdict() == Verdict::Missed);
    ExitCode::from(u8::from(wrong || missed && has("--require")))
}

struct Bench<'a> {
    system: &'a System,
    /// How long a turn lasts.
    turn: Duration,
    database: PgConnection,
    floor: Floor,
    submissions: Submissions,
    channels: Vec<Channel>,
    echo: Beside,
    profile: Profile,
}

/// The four rows that a submission cannot do without, written by pgbench.
struct Floor {
    pgbench: Pgbench,
    script: PathBuf,
    database: PgConnection,
    /// With how many clients it is fastest.
    clients: usize,
}

impl Floor {
    async fn prepare(system: &System, database: &mut PgConnection) -> Self {
        run(database, "CREATE DATABASE floor".into()).await;
        let url = system.database_url("floor");
        let mut own = PgConnection::connect(&url).await.expect("it is made");
        run(&mut own, include_str!("floor-schema.sql").into()).await;
        Self {
            pgbench: Pgbench::new(system, "floor", "floor"),
            script: system.file("floor.sql", include_str!("floor.sql")).into(),
            database: own,
            clients: CLIENTS[0],
        }
    }

    /// Tries it with several numbers of clients and keeps to the best.
    async fn probe(&mut self, turn: Duration) {
        let mut best = 0.0;
        for clients in CLIENTS {
            let (probed, _) = self.pgbench.run(&self.script, clients, turn).await;
            report::say(&format!(
                "the floor with {clients} clients: {:.0} a second\n",
                probed.rate
            ));
            if probed.rate > best {
                (best, self.clients) = (probed.rate, clients);
            }
        }
    }

    /// Empties its tables, so that it does not grow slower from one comparison to the next.
    async fn empty(&mut self) {
        let tables = "TRUNCATE floor.request, floor.idempotency, floor.journal_entry, floor.outbox_event";
        run(&mut self.database, tables.into()).await;
    }
}

/// What (b) and (d) cost, in what the floor and the echo do in the time of one answer.
struct Costs {
    submit: Vec<f64>,
    get: Vec<f64>,
}

impl<'a> Bench<'a> {
    async fn prepare(system: &'a System) -> Self {
        let mut database = open_requests::database(system).await;
        durable(&mut database).await;
        let connect = |count| {
            (0..count)
                .map(|_| system.channel("request-intake", Some("edms")))
                .collect()
        };
        Self {
            system,
            turn: Duration::from_secs(setting("LEGALSTAT_BENCH_SECONDS").unwrap_or(5).max(1)),
            floor: Floor::prepare(system, &mut database).await,
            database,
            submissions: Submissions::new(connect(SUBMITTERS), system.process()),
            channels: connect(CONNECTIONS),
            echo: echo::start(&system.home()),
            profile: Profile::new(system.postmaster()),
        }
    }

    async fn measure(&mut self) -> Vec<Line> {
        self.floor.probe(self.turn).await;
        let empty = stored::sizes(&mut self.database).await;
        self.statements_of_a_submission().await;
        let mut lines = vec![self.bring().await];
        let get = self.get("").await;
        let submit = self.submit("").await;
        let alone = self.alone().await;
        lines.extend(submit.0.into_iter().chain(alone).chain(get.0));
        lines.push(self.bytes(&empty).await);
        let official = self.system.channel("request-intake", Some("operator"));
        desk::fill(&mut self.database, &official).await;
        lines.extend(self.reading("").await);
        if let Some(wanted) = setting("LEGALSTAT_BENCH_STORED") {
            let few = Costs {
                submit: submit.1,
                get: get.1,
            };
            lines.extend(self.many(wanted, &few).await);
        }
        lines
    }

    /// What officials and watchers read while others submit.
    async fn reading(&mut self, when: &str) -> Vec<Line> {
        let official = self.system.channel("request-intake", Some("operator"));
        let mut lines = desk::pages(&official, when).await;
        let length = self.turn * 4;
        lines.push(following::lag(&self.channels[0], &mut self.submissions, length, when).await);
        lines
    }

    /// Whether something was not registered, which it says.
    fn wrong(&self) -> bool {
        if let Some(first) = &self.submissions.first_wrong {
            let wrong = self.submissions.wrong;
            report::say(&format!(
                "{wrong} submissions were not registered, the first: {first}\n"
            ));
        }
        self.submissions.wrong > 0
    }

    async fn statements_of_a_submission(&mut self) {
        // The second, for the first one finds nothing prepared and nothing known.
        self.submissions.submit(1, 1).await;
        let listening = Listening::start(self.system, &mut self.database).await;
        let number = self.submissions.next_number();
        self.submissions.submit(1, 1).await;
        let sent = stored::naming(&listening.stop(&mut self.database).await, &number);
        report::say(&format!("one submission, alone: {} statements\n", sent.len()));
    }

    /// What GetRequest sends to the database, as the server tells.
    async fn statements_of_get(&mut self, picked: &Picked) -> Vec<String> {
        let listening = Listening::start(self.system, &mut self.database).await;
        stored::get(&self.channels[0], picked.first()).await;
        let sent = stored::naming(&listening.stop(&mut self.database).await, picked.first());
        report::say(&format!("one GetRequest: {} statements\n", sent.len()));
        sent
    }

    async fn bring(&mut self) -> Line {
        let began = Instant::now();
        self.submissions.submit(SUBMITTED, FIRST).await;
        Line::of_times("bringing the first".into(), &[began.elapsed().as_secs_f64()], FIRST)
    }

    /// Many submissions at a time against the floor at its best.
    async fn submit(&mut self, when: &str) -> (Vec<Line>, Vec<f64>) {
        let clients = self.floor.clients;
        let (floor, ours) = self.against_floor(clients, SUBMITTED, when).await;
        let slowest = ours.percentile(99).unwrap_or_default();
        let costs = floor
            .rates()
            .iter()
            .zip(ours.rates())
            .map(|(floor, ours)| floor / ours)
            .collect();
        let lines = vec![
            Line::of_rounds(floor_name(clients, when), &floor),
            Line::of_rounds(submit_name(SUBMITTED, when), &ours).at_least(1.0, &ours.against(&floor)),
            Line::plain(format!("(b) p99 of SubmitRequest{when}")).judged(
                format!("{:.1} ms", slowest * 1e3),
                format!("< {:.0} ms", SLOWEST * 1e3),
                slowest < SLOWEST,
            ),
        ];
        (lines, costs)
    }

    /// One submission after another against the floor with one client.
    async fn alone(&mut self) -> [Line; 2] {
        let (floor, ours) = self.against_floor(1, 1, "").await;
        [
            Line::of_rounds(floor_name(1, ""), &floor),
            Line::of_rounds(submit_name(1, ""), &ours).at_least(0.4, &ours.against(&floor)),
        ]
    }

    async fn against_floor(&mut self, clients: usize, in_flight: usize, when: &str) -> (Rounds, Rounds) {
        self.floor.empty().await;
        let (mut floor, mut ours) = (Rounds::default(), Rounds::default());
        for round in 0..ROUNDS {
            // Who goes first alternates, so that a machine that slows down favours nobody.
            for floors_turn in [round % 2 == 0, round % 2 == 1] {
                if floors_turn {
                    let Floor { pgbench, script, .. } = &self.floor;
                    let turn = pgbench.run(script, clients, self.turn);
                    floor.add(self.profile.around(&floor_name(clients, when), None, turn).await);
                } else {
                    let turn = self.submissions.turn(in_flight, self.turn);
                    let (name, server) = (submit_name(in_flight, when), Some(self.system.process()));
                    ours.add(self.profile.around(&name, server, turn).await);
                }
            }
        }
        (floor, ours)
    }

    /// GetRequest against pgbench with the same statements, and against an echo of as many bytes.
    async fn get(&mut self, when: &str) -> (Vec<Line>, Vec<f64>) {
        let picked = Picked::pick(&mut self.database).await;
        let asked = picked.asked(&self.channels, &[]).await;
        let bytes = asked.sizes.iter().sum::<usize>() / asked.sizes.len();
        report::say(&format!("on average the answer to GetRequest has {bytes} bytes\n"));
        let sent = self.statements_of_get(&picked).await;
        let script = self.system.folder().join("get-request.sql");
        let together = picked.script(&mut self.database, &script, &sent).await;
        let channels: Vec<Channel> = (0..CONNECTIONS).map(|_| self.echo.channel()).collect();
        let echoes = Load::new(echo::subject(), &channels, echo::alike(&asked), self.echo.process());
        let gets = Load::new(stored::subject(), &self.channels, asked, self.system.process());
        for load in [&echoes, &gets] {
            load.calls(Reading::Decoded, 1000).await;
        }
        let servers = self.servers();
        let subjects = Readers {
            pgbench: Pgbench::new(self.system, "legalstat", "requests"),
            script,
            together,
            loads: [
                (&gets, Reading::Skipped),
                (&gets, Reading::Decoded),
                (&echoes, Reading::Decoded),
            ],
        };
        let rounds = subjects.by_turns(self.turn, &mut self.profile, &servers, when).await;
        let [database, skipped, decoded, echo] = &rounds;
        let [database_name, skipped_name, decoded_name, echo_name] = reader_names(when);
        let spent = [&decoded_name, &echo_name].map(|name| self.profile.spent(name));
        let costs = spent[0].iter().zip(&spent[1]).map(|(ours, echo)| ours / echo).collect();
        let in_kazakh = self.get_in_kazakh(&picked, &channels, when).await;
        let mut lines = vec![
            // No service can come nearer to the echo than its statements alone.
            Line::of_rounds(database_name, database).with_ratio(&database.against(echo)),
            Line::of_rounds(skipped_name, skipped).at_least(0.5, &skipped.against(database)),
            Line::of_rounds(echo_name, echo),
            Line::of_rounds(decoded_name, decoded).with_ratio(&decoded.against(echo)),
        ];
        lines.extend(in_kazakh);
        (lines, costs)
    }

    /// GetRequest with its texts in one language, against an echo of as many bytes.
    async fn get_in_kazakh(&self, picked: &Picked, echo: &[Channel], when: &str) -> [Line; 2] {
        let asked = picked.asked(&self.channels, &["kk"]).await;
        let bytes = asked.sizes.iter().sum::<usize>() / asked.sizes.len();
        report::say(&format!("in Kazakh alone it has {bytes} bytes\n"));
        let echoes = Load::new(echo::subject(), echo, echo::alike(&asked), self.echo.process());
        let gets = Load::new(stored::subject(), &self.channels, asked, self.system.process());
        let (mut theirs, mut ours) = (Rounds::default(), Rounds::default());
        for round in 0..ROUNDS {
            for echos_turn in [round % 2 == 0, round % 2 == 1] {
                if echos_turn {
                    theirs.add(echoes.turn(Reading::Decoded, self.turn).await);
                } else {
                    ours.add(gets.turn(Reading::Decoded, self.turn).await);
                }
            }
        }
        let name = |what: &str| format!("(d) {what} in Kazakh alone, {}{when}", Reading::Decoded.in_words());
        [
            Line::of_rounds(name("bare tonic echo of GetRequest"), &theirs),
            Line::of_rounds(name("GetRequest"), &ours).with_ratio(&ours.against(&theirs)),
        ]
    }

    /// The processes that answer the three kinds of calls.
    fn servers(&self) -> [u32; 3] {
        [self.system.process(), self.system.process(), self.echo.process()]
    }

    /// How many bytes a request takes, over all tables and indexes.
    async fn bytes(&mut self, empty: &BTreeMap<String, i64>) -> Line {
        let full = stored::sizes(&mut self.database).await;
        let requests = stored::count(&mut self.database).await as f64;
        let mut each: Vec<(f64, &String)> = full
            .iter()
            .map(|(name, bytes)| ((bytes - empty.get(name).unwrap_or(&0)) as f64 / requests, name))
            .collect();
        each.sort_by(|these, those| those.0.total_cmp(&these.0));
        let sum: f64 = each.iter().map(|(bytes, _)| bytes).sum();
        report::say(&format!("\nbytes of each of {requests} requests\n"));
        for (bytes, name) in each.iter().filter(|(bytes, _)| *bytes >= 1.0) {
            report::say(&format!("{bytes:8.0}  {name}\n"));
        }
        let (value, target) = (format!("{sum:.0} bytes"), format!("≤ {BYTES:.0}"));
        Line::plain("(e) stored for one request").judged(value, target, sum <= BYTES)
    }

    /// What (b) and (d) cost when many are stored, against what they cost before.
    async fn many(&mut self, wanted: u64, few: &Costs) -> Vec<Line> {
        let wanted = i64::try_from(wanted).expect("a number of requests");
        let (before, began) = (stored::count(&mut self.database).await, Instant::now());
        fill::fill(&mut self.database, wanted).await;
        let stored = stored::count(&mut self.database).await;
        let brought = usize::try_from(stored - before).expect("there are more");
        let seconds = began.elapsed().as_secs_f64();
        let when = format!(", {stored} stored");
        let (get, submit) = (self.get(&when).await, self.submit(&when).await);
        let mut lines = vec![Line::of_times(
            format!("copying until {stored} are stored"),
            &[seconds],
            brought,
        )];
        lines.extend(submit.0.into_iter().chain(get.0));
        lines.extend(self.reading(&when).await);
        for (name, many, few) in [("(b)", &submit.1, &few.submit), ("(d)", &get.1, &few.get)] {
            let line = Line::plain(format!("(f) what {name} costs{when}, in what it cost before"));
            lines.push(line.below(1.25, &report::ratios(many, few)));
        }
        lines
    }
}

/// Whoever reads stored requests, and the echo.
struct Readers<'a> {
    pgbench: Pgbench,
    script: PathBuf,
    /// How many requests one run of the script reads.
    together: usize,
    loads: [(&'a Load, Reading); 3],
}

impl Readers<'_> {
    async fn by_turns(&self, length: Duration, profile: &mut Profile, servers: &[u32; 3], when: &str) -> [Rounds; 4] {
        let names = reader_names(when);
        let mut rounds: [Rounds; 4] = Default::default();
        for round in 0..ROUNDS {
            for at in 0..rounds.len() {
                let at = if round % 2 == 0 { at } else { rounds.len() - 1 - at };
                let turn = match at.checked_sub(1) {
                    None => profile.around(&names[at], None, self.in_database(length)).await,
                    Some(load) => {
                        let server = Some(servers[load]);
                        profile.around(&names[at], server, self.by_calls(load, length)).await
                    }
                };
                rounds[at].add(turn);
            }
        }
        rounds
    }

    async fn in_database(&self, length: Duration) -> (Turn, usize) {
        let (mut turn, count) = self.pgbench.run(&self.script, IN_FLIGHT, length).await;
        turn.rate *= self.together as f64;
        (turn, count * self.together)
    }

    async fn by_calls(&self, load: usize, length: Duration) -> (Turn, usize) {
        let (load, reading) = &self.loads[load];
        let turn = load.turn(*reading, length).await;
        let count = turn.latencies.len();
        (turn, count)
    }
}

fn floor_name(clients: usize, when: &str) -> String {
    format!("(a) the floor, pgbench with {clients} clients{when}")
}

fn submit_name(in_flight: usize, when: &str) -> String {
    let part = if in_flight == 1 { "c" } else { "b" };
    format!("({part}) SubmitRequest, {in_flight} in flight{when}")
}

fn reader_names(when: &str) -> [String; 4] {
    let read = |reading: Reading| format!("(d) GetRequest, {IN_FLIGHT} in flight, {}{when}", reading.in_words());
    [
        format!("(d) pgbench, the same statements, {IN_FLIGHT} clients{when}"),
        read(Reading::Skipped),
        read(Reading::Decoded),
        format!("(d) bare tonic echo, {}{when}", Reading::Decoded.in_words()),
    ]
}
