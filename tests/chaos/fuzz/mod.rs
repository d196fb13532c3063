//! Every method of every service, called with random messages, sound and broken, by every sort of caller. No call is answered
//! by a fault of the server, the process lives on without a panic and takes no more memory at the end than at the beginning,
//! no backend stays in a transaction and no half file on the disk, and the journal holds just what was told.
//!
//! Messages are made by reflection, so that a new method is tried too. `LEGALSTAT_FUZZ_SEED` repeats the calls,
//! `LEGALSTAT_FUZZ_CALLS` makes other than 20,000 of them, and `LEGALSTAT_FUZZ_ONLY` only those whose path contains it.

mod attack;
mod batch;
mod ledger;
mod message;
mod sound;
mod watch;
mod wire;
mod words;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_local::residents::SERVICES;
use legalstat_test_support::system::System;
use nix::sys::signal::Signal;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt as _;

use crate::dice::Dice;
use attack::{Attack, Method};
use ledger::{Ledger, Who};
use wire::Answer;

/// The method whose requests are calls of their own, and that of each.
const BATCH: &str = "/BatchSubmitRequests";
const EACH: &str = "/SubmitRequest";
/// How many calls are made, unless the environment says otherwise.
const CALLS: u64 = 20_000;
/// How many are under way at once.
const SIDE_BY_SIDE: usize = 24;
/// How long what was counted may take to be written, and what was broken off to be gone.
const SETTLING: Duration = Duration::from_secs(60);
/// How much more memory the process may take in the last tenth than in the first, in MiB: its caches fill, and its allocator
/// keeps what it had at the busiest moment.
const GROWTH: u64 = 96;
/// Of how many problems a failure tells.
const TOLD: usize = 30;

/// Everyone who calls: nobody known, each official, both document systems, a recipient, services.
const CALLERS: [Option<&str>; 11] = [
    None,
    Some("operator"),
    Some("approver"),
    Some("administrator"),
    Some("auditor"),
    Some("edms"),
    Some("kadagalau"),
    Some("supreme-court"),
    Some("calendar"),
    Some("form-registry"),
    Some("request-intake"),
];

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What is shared by those who call.
struct Course {
    channels: BTreeMap<(&'static str, Option<&'static str>), Channel>,
    methods: Vec<Method>,
    calls: u64,
    next: AtomicU64,
    ledger: Mutex<Ledger>,
    codes: Mutex<BTreeMap<(String, String), u64>>,
    problems: Mutex<Vec<String>>,
}

impl Course {
    fn of(system: &System) -> Self {
        let mut channels = BTreeMap::new();
        for (service, _) in SERVICES {
            for caller in CALLERS {
                channels.insert((service, caller), system.channel(service, caller));
            }
        }
        let only = setting("LEGALSTAT_FUZZ_ONLY").unwrap_or_default();
        let mut methods = attack::methods();
        methods.retain(|method| method.path.contains(&only));
        Self {
            channels,
            methods,
            calls: setting("LEGALSTAT_FUZZ_CALLS").map_or(CALLS, |calls| calls.parse().expect("a number")),
            next: AtomicU64::new(0),
            ledger: Mutex::default(),
            codes: Mutex::default(),
            problems: Mutex::default(),
        }
    }

    /// Makes calls until all are made.
    async fn call(self: Arc<Self>, dice: Dice) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.calls {
                return;
            }
            let attack = Attack::random(&self.methods, &CALLERS, &mut dice.of_number(number));
            let channel = &self.channels[&(attack.service, attack.caller)];
            let answer = wire::call(channel, &attack.sent).await;
            let problems = self.note(&attack, &answer);
            let told = problems.into_iter().map(|problem| {
                let (path, caller, end) = (&attack.sent.path, attack.caller, attack.sent.end);
                format!("call {number}, {path} by {caller:?}, {end:?}: {problem}")
            });
            self.problems.lock().expect("no test panics here").extend(told);
        }
    }

    /// Notes what a call was answered; what is wrong with the answer.
    fn note(&self, attack: &Attack, answer: &Answer) -> Vec<String> {
        let who = Who {
            schema: attack.schema,
            caller: attack.caller.unwrap_or(legalstat_kit::call::caller::ANONYMOUS),
            path: attack.sent.path.clone(),
        };
        let told = match answer {
            Answer::Ok(_) => "OK".into(),
            Answer::Refused(status, _) => format!("{:?}", status.code()),
            Answer::Lost(why) => why.clone(),
            Answer::Silent => "silent".into(),
        };
        let method = attack.sent.path.rsplit('/').next().unwrap_or_default().to_owned();
        *self
            .codes
            .lock()
            .expect("no test panics here")
            .entry((method, told))
            .or_default() += 1;
        let mut ledger = self.ledger.lock().expect("no test panics here");
        if attack.sent.path.ends_with(BATCH) {
            let each = Who {
                path: attack.sent.path.replace(BATCH, EACH),
                ..who.clone()
            };
            match answer {
                Answer::Ok(content) => return batch::note(&mut ledger, attack, &each, content),
                _ => batch::note_untold(&mut ledger, attack, &each),
            }
        }
        match answer {
            Answer::Ok(_) => {
                if attack.recorded {
                    ledger.read(who);
                } else if attack.mutates && !attack.validate_only {
                    match attack.ids[..] {
                        [id] => ledger.done(who, id),
                        _ => return vec![format!("it was carried out under {:?}", attack.ids)],
                    }
                }
                Vec::new()
            }
            Answer::Refused(status, before_any) => {
                let problem = judged(attack, status);
                let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
                let lost = [
                    Code::DeadlineExceeded,
                    Code::Cancelled,
                    Code::Unavailable,
                    Code::Unknown,
                ];
                if lost.contains(&status.code()) || !attack.is_call || !before_any {
                    ledger.lost(who, attack.ids.iter().copied());
                } else if attack.is_recorded(status.code()) {
                    ledger.refused(who, &reason.unwrap_or_default());
                }
                problem.into_iter().collect()
            }
            Answer::Lost(_) => {
                ledger.lost(who, attack.ids.iter().copied());
                Vec::new()
            }
            Answer::Silent => {
                ledger.lost(who, attack.ids.iter().copied());
                vec!["it was not answered in a minute".into()]
            }
        }
    }

    /// Waits until the journal follows from what was told; what does not.
    async fn unfollowed(&self, database: &mut PgConnection) -> Vec<String> {
        let began = Instant::now();
        let ledger = std::mem::take(&mut *self.ledger.lock().expect("no test panics here"));
        let (done, refused, perhaps) = ledger.sums();
        eprintln!("fuzz: {done} changes, {refused} refusals for the journal, {perhaps} calls whose end nobody knows");
        assert!(done > 0 && refused > 0, "some calls are carried out and some refused");
        loop {
            let mut problems = Vec::new();
            for (_, schema) in SERVICES {
                problems.extend(ledger.compare(schema, database).await);
            }
            if problems.is_empty() || began.elapsed() > SETTLING {
                return problems;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn tell(&self, took: Duration) {
        let rate = self.calls as f64 / took.as_secs_f64();
        eprintln!("fuzz: {} calls in {took:?}, {rate:.0} a second", self.calls);
        let mut methods: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for ((method, told), count) in &*self.codes.lock().expect("no test panics here") {
            methods
                .entry(method.clone())
                .or_default()
                .push(format!("{count} {told}"));
        }
        for (method, codes) in methods {
            eprintln!("    {method}: {}", codes.join(", "));
        }
    }
}

/// What is wrong with a refusal: a fault of the server, or one without a reason.
fn judged(attack: &Attack, status: &tonic::Status) -> Option<String> {
    match status.code() {
        Code::Internal | Code::Unknown | Code::DataLoss => Some(format!("a fault of the server: {status:?}")),
        _ if attack.is_call && status.get_error_details().error_info().is_none() => {
            Some(format!("a refusal without a reason: {status:?}"))
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_of_any_caller_breaks_the_services_or_their_journal() {
    let mut dice = Dice::of("LEGALSTAT_FUZZ_SEED", "fuzz");
    let mut system = tokio::task::block_in_place(System::start);
    let course = Arc::new(Course::of(&system));
    let watch = watch::Watch::begin(system.process(), Arc::clone(&course));
    let (began, dice) = (Instant::now(), dice.another());
    let mut callers = JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        callers.spawn(Arc::clone(&course).call(dice.clone()));
    }
    while let Some(ended) = callers.join_next().await {
        ended.expect("no caller panics");
    }
    course.tell(began.elapsed());
    let mut problems = std::mem::take(&mut *course.problems.lock().expect("no test panics here"));
    assert!(system.runs(), "the process has ended:\n{}", system.said());
    let mut database = PgConnection::connect(&system.database_url("legalstat"))
        .await
        .expect("it runs");
    problems.extend(watch.end().await);
    problems.extend(watch::settled(&mut database, SETTLING).await);
    problems.extend(watch::no_half_file(&system.home().join("files"), SETTLING).await);
    problems.extend(course.unfollowed(&mut database).await);
    let said = system.said();
    problems.extend(said.lines().filter(|line| line.contains("panicked")).map(str::to_owned));
    problems.extend(said.lines().filter(|line| line.contains("ERROR")).map(str::to_owned));
    let all = problems.len();
    problems.truncate(TOLD);
    assert!(problems.is_empty(), "{all} problems:\n{}", problems.join("\n"));
    let ended = tokio::task::block_in_place(|| system.end(Signal::SIGTERM));
    assert_eq!(ended, Some(0), "it ran to the end and stopped well");
}
