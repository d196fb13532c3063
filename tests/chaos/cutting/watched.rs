//! A service with a relay before its database, and what its journal must hold because of the answers it gave.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::Timestamp;
use legalstat_kit::Service;
use legalstat_local::testing::{
    harness::{Ground, Running},
    relay::Relay,
};
use legalstat_proto::requests::v1::{BatchSubmitRequestsResponse, SubmissionResult, submission_result};
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use tonic::{Code, Status};

use crate::call::Call;

/// How long, and for how many looks, a backend may take to leave a transaction that nobody waits for; it takes milliseconds when all is well.
/// After ten seconds PostgreSQL ends such a transaction by itself.
const SETTLING: Duration = Duration::from_secs(5);
const LOOKS: u32 = 100;
/// The methods that leave a journal entry and change nothing, and whether each call does: of others the first of an hour.
const READINGS: [(&str, bool); 4] = [
    (
        "/legalstat.collections.v1.CollectionDistributionService/DownloadCopy",
        true,
    ),
    ("/legalstat.requests.v1.RequestIntakeService/DownloadAnswer", true),
    ("/legalstat.requests.v1.RequestIntakeService/GetAnswerByCoupon", false),
    (
        "/legalstat.requests.v1.RequestIntakeService/DownloadAnswerByCoupon",
        false,
    ),
];

/// A call of these changes several resources, each with an entry of its own, in a transaction that no other call shares.
const SEVERAL: [&str; 5] = [
    "/legalstat.forms.v1.FormRegistryService/CreateForm",
    "/legalstat.forms.v1.FormRegistryService/UpdateForm",
    "/legalstat.forms.v1.FormRegistryService/RetireForm",
    "/legalstat.collections.v1.CollectionDistributionService/ReleaseEdition",
    "/legalstat.collections.v1.CollectionDistributionService/RecallEdition",
];

/// What callers were told, so that the journal must hold it.
#[derive(Default)]
struct Told {
    done: BTreeMap<&'static str, i64>,
    refused: i64,
    /// How often something was given whose reading is recorded, by method: for certain, and at most.
    given: BTreeMap<&'static str, (i64, i64)>,
}

/// A running service under watch.
pub struct Watched {
    /// The service.
    pub running: Running,
    /// The line to its database.
    pub relay: Relay,
    /// How many connections it may have for reading, and as many more for writing.
    pub most: u32,
    schema: &'static str,
    database: tokio::sync::Mutex<PgConnection>,
    told: Mutex<Told>,
    since: Mutex<(i64, i64)>,
}

/// The time that all services of a test go by: it passes, from a day on which much is due.
pub fn clock() -> impl Fn() -> Timestamp + Clone + Send + Sync + 'static {
    let (began, from) = (Instant::now(), "2026-03-02T05:00:00Z".parse::<Timestamp>());
    let from = from.expect("an instant");
    move || from + began.elapsed()
}

impl Watched {
    /// Starts a service behind a relay, with so many connections.
    pub async fn start<C: Send + 'static>(
        connections: u32,
        service: &'static Service<C>,
        settings: &[(&str, String)],
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let relay = Relay::before(Ground::shared().await.database_server()).await;
        let most = [
            "LEGALSTAT_DATABASE_CONNECTIONS",
            "LEGALSTAT_DATABASE_READING_CONNECTIONS",
        ];
        let most = most.map(|setting| (setting, connections.to_string()));
        // What waits for a connection that was cut must not keep the next calls out.
        let places = ["LEGALSTAT_PUBLIC_CALLS", "LEGALSTAT_LISTS"].map(|setting| (setting, "16".to_owned()));
        let settings: Vec<_> = most.into_iter().chain(places).chain(settings.iter().cloned()).collect();
        let running = Running::start_behind(&relay, service, &settings, clock).await;
        let database = tokio::sync::Mutex::new(running.superuser().await);
        Self {
            running,
            relay,
            most: connections,
            schema: service.schema,
            database,
            told: Mutex::default(),
            since: Mutex::default(),
        }
    }

    /// From now on the journal must follow from what is told.
    pub async fn begin(&self) {
        let sql = format!(
            "SELECT (SELECT coalesce(max(number), 0) FROM {0}.journal_entry),
                    (SELECT coalesce(max(number), 0) FROM {0}.outbox_event)",
            self.schema
        );
        let mut database = self.database.lock().await;
        let since = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *database).await;
        *self.since.lock().expect("no test panics here") = since.expect("it is a service's schema");
        *self.told.lock().expect("no test panics here") = Told::default();
    }

    /// Notes that a mutation was answered.
    pub fn note_done(&self, call: &Call) {
        let mut told = self.told.lock().expect("no test panics here");
        *told.done.entry(call.journaled()).or_default() += 1;
    }

    /// Makes a mutation that prepares another one, and notes that it was answered.
    pub async fn prepared<M: Message + Default>(&self, call: &Call) -> Result<M, String> {
        let answer = call.read().await?;
        self.note_done(call);
        Ok(answer)
    }

    /// Notes that something was given whose reading is recorded, or may have been.
    pub fn note_given(&self, call: &Call, certain: bool) {
        if let Some((method, each)) = READINGS.iter().find(|(method, _)| *method == call.path) {
            let mut told = self.told.lock().expect("no test panics here");
            let given = told.given.entry(method).or_default();
            given.0 += i64::from(certain && *each);
            given.1 += 1;
        }
    }

    /// Makes a mutation and repeats it: both times it must be answered, and with the same bytes.
    pub async fn done(&self, call: &Call) -> Result<Vec<Bytes>, String> {
        let answer = call.make(None).await.map_err(|status| call.failed(&status))?;
        self.note_done(call);
        let again = call.make(None).await;
        same(call, &answer, again)?;
        Ok(answer)
    }

    /// Makes a mutation that must be refused.
    pub async fn refused(&self, call: &Call, code: Code) -> Result<(), String> {
        match call.make(None).await {
            Err(status) if status.code() == code => {
                self.told.lock().expect("no test panics here").refused += 1;
                Ok(())
            }
            Err(status) => Err(format!("{}, and not {code:?}", call.failed(&status))),
            Ok(_) => Err(format!("{} was carried out, and not refused", call.method())),
        }
    }

    /// Waits until no backend of the service is at work or in a transaction.
    pub async fn settled(&self) -> Result<(), String> {
        let sql = "SELECT state || ' after ' || query FROM pg_stat_activity
                   WHERE datname = current_database() AND usename = $1
                     AND (state = 'active' OR state LIKE 'idle in transaction%') LIMIT 1";
        let (began, mut database, mut looks) = (Instant::now(), self.database.lock().await, 0);
        loop {
            looks += 1;
            let busy: Option<String> = sqlx::query_scalar(sql)
                .bind(format!("{}_runtime", self.schema))
                .fetch_optional(&mut *database)
                .await
                .map_err(|error| error.to_string())?;
            match busy {
                None => return Ok(()),
                Some(busy) if began.elapsed() > SETTLING && looks > LOOKS => {
                    return Err(format!("a backend is still {busy}"));
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// How many connections the service has.
    pub async fn open(&self) -> u64 {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1";
        let open: i64 = sqlx::query_scalar(sql)
            .bind(format!("{}_runtime", self.schema))
            .fetch_one(&mut *self.database.lock().await)
            .await
            .expect("the database runs");
        u64::try_from(open).unwrap_or_default()
    }

    /// How many it may still open: it has fewer than it may have.
    pub async fn spare(&self) -> u64 {
        u64::from(2 * self.most).saturating_sub(self.open().await)
    }

    /// Checks that the journal holds what was told and nothing else, and an event for each change.
    pub async fn journal(&self) -> Result<(), String> {
        let sql = format!(
            "SELECT method, outcome, count(*), count(DISTINCT transaction) FROM {0}.journal_entry WHERE number > $1
             GROUP BY method, outcome
             UNION ALL SELECT 'events', '', count(*), 0 FROM {0}.outbox_event WHERE number > $2",
            self.schema
        );
        let (since_journal, since_events) = *self.since.lock().expect("no test panics here");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(since_journal)
            .bind(since_events)
            .fetch_all(&mut *self.database.lock().await)
            .await
            .map_err(|error| error.to_string())?;
        let held = rows
            .iter()
            .map(|row| {
                let count = Count {
                    entries: row.get(2),
                    transactions: row.get(3),
                };
                ((row.get::<String, _>(0), row.get::<String, _>(1)), count)
            })
            .collect();
        self.told.lock().expect("no test panics here").compare(&held)
    }

    /// What one query counts.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut database = self.database.lock().await;
        let counted = sqlx::query_scalar(sql).fetch_one(&mut *database).await;
        counted.expect("the query is right")
    }
}

/// Whether a repeated call had the answer of the first.
pub fn same(call: &Call, answer: &[Bytes], again: Result<Vec<Bytes>, Status>) -> Result<(), String> {
    let again = again.map_err(|status| format!("repeated under its request_id, {}", call.failed(&status)))?;
    // What failed for the moment within a batch is carried out by its repetition.
    if again == answer || fails_in_part(call, answer) {
        return Ok(());
    }
    Err(format!(
        "{} repeated under its request_id was answered otherwise than before",
        call.method()
    ))
}

fn fails_in_part(call: &Call, answer: &[Bytes]) -> bool {
    let results = |bytes: &Bytes| {
        BatchSubmitRequestsResponse::decode(bytes.clone())
            .unwrap_or_default()
            .results
    };
    let failed = |result: SubmissionResult| matches!(result.result, Some(submission_result::Result::Failure(_)));
    call.method() == "BatchSubmitRequests" && answer.iter().flat_map(results).any(failed)
}

/// How many entries there are of a method and outcome, and in how many transactions.
#[derive(Clone, Copy, Default)]
struct Count {
    entries: i64,
    transactions: i64,
}

type Held = BTreeMap<(String, String), Count>;

/// The outcomes of what leaves an event too.
const CARRIED_OUT: &[&str] = &["DONE", "REPEATED"];

impl Told {
    fn compare(&self, held: &Held) -> Result<(), String> {
        let of = |method: &str, outcome: &str| {
            let key = (method.to_owned(), outcome.to_owned());
            held.get(&key).copied().unwrap_or_default()
        };
        let mut problems = Vec::new();
        for (method, done) in &self.done {
            // A repeat that changes nothing has an outcome of its own, and an event as well.
            let [done_once, repeated] = [of(method, "DONE"), of(method, "REPEATED")];
            let entries = if SEVERAL.contains(method) {
                done_once.transactions + repeated.transactions
            } else {
                done_once.entries + repeated.entries
            };
            if entries != *done {
                problems.push(format!("{done} {method} were answered, the journal holds {entries}"));
            }
        }
        let outcomes =
            |outcomes: &'static [&'static str]| held.iter().filter(move |((_, it), _)| outcomes.contains(&it.as_str()));
        let refusals: i64 = outcomes(&["REFUSED"]).map(|(_, count)| count.entries).sum();
        if refusals != self.refused {
            let of_methods: Vec<_> = outcomes(&["REFUSED"])
                .map(|((method, _), count)| format!("{} of {method}", count.entries))
                .collect();
            problems.push(format!(
                "{} refusals were answered, the journal holds {refusals}: {}",
                self.refused,
                of_methods.join(", ")
            ));
        }
        let mut given = 0;
        for (method, _) in READINGS {
            let (certain, most) = self.given.get(method).copied().unwrap_or_default();
            let entries = of(method, "DONE").entries;
            if !(certain..=most).contains(&entries) {
                problems.push(format!(
                    "{method} was answered {certain} to {most} times, the journal holds {entries}"
                ));
            }
            given += entries;
        }
        let changes: i64 = outcomes(CARRIED_OUT).map(|(_, count)| count.entries).sum::<i64>() - given;
        let events = of("events", "").entries;
        if changes != events {
            problems.push(format!(
                "the journal holds {changes} changes and the outbox {events} events"
            ));
        }
        let unknown = outcomes(CARRIED_OUT).find(|((method, _), _)| {
            let is_reading = READINGS.iter().any(|(reading, _)| reading == method);
            method.starts_with('/') && !is_reading && !self.done.contains_key(method.as_str())
        });
        problems.extend(unknown.map(|((method, _), count)| {
            format!("nobody was answered {method}, but it is there {} times", count.entries)
        }));
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("; "))
        }
    }
}
