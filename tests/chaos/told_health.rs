//! What a system says of its health while something happens to its database.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use legalstat_local::residents::SERVICES;
use legalstat_test_support::system::System;
use tokio::task::JoinSet;

use crate::call::Call;

/// How often each service is asked.
const ASKING: Duration = Duration::from_millis(100);
/// How long an answer may take on a busy machine: less than the database is frozen for, which an answer does not wait for.
const ANSWER: Duration = Duration::from_secs(7);
/// How soon a service must know that its database is away: it asks each second and waits two for an answer. The rest is for a
/// busy machine.
const KNOWN: Duration = Duration::from_secs(10);
/// The statuses of grpc.health.v1.
const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

struct Seen {
    asked: Instant,
    answered: Instant,
    service: String,
    status: Result<i32, String>,
}

/// Answers of every service, under its full name and under the empty one.
pub struct ToldHealth {
    /// They ask until this is dropped.
    _asking: JoinSet<()>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl ToldHealth {
    /// Asks from now on.
    pub fn of(system: &System) -> Self {
        let (mut asking, seen) = (JoinSet::new(), Arc::<Mutex<Vec<Seen>>>::default());
        let contracts: Vec<_> = legalstat_proto::descriptors().services().collect();
        for (service, schema) in SERVICES {
            let own = contracts
                .iter()
                .find(|found| found.full_name().split('.').nth(1) == Some(schema));
            let own = own.expect("every service is in the contracts").full_name().to_owned();
            for name in [own, String::new()] {
                let call = Call::new(&system.channel(service, None), "/grpc.health.v1.Health/Check", &name);
                asking.spawn(ask(call, name, Arc::clone(&seen)));
            }
        }
        Self { _asking: asking, seen }
    }

    /// Waits until every service says that it serves.
    pub async fn ready_since(&self, since: Instant, patience: Duration) -> Result<Duration, String> {
        loop {
            let ready = |schema: &str| {
                let seen = self.seen.lock().expect("no test panics here");
                let own = seen
                    .iter()
                    .filter(|seen| seen.service.split('.').nth(1) == Some(schema));
                let serving = own.filter(|seen| seen.asked >= since && seen.status == Ok(SERVING));
                serving.map(|seen| seen.answered).min()
            };
            let told: Vec<(&str, Option<Instant>)> =
                SERVICES.iter().map(|(_, schema)| (*schema, ready(schema))).collect();
            let missing = told.iter().filter(|(_, ready)| ready.is_none());
            let missing: Vec<&str> = missing.map(|(schema, _)| *schema).collect();
            if missing.is_empty()
                && let Some(last) = told.iter().filter_map(|(_, ready)| *ready).max()
            {
                return Ok(last.duration_since(since));
            }
            if since.elapsed() > patience {
                return Err(format!("not ready after {patience:?}: {}", missing.join(", ")));
            }
            tokio::time::sleep(ASKING).await;
        }
    }

    /// What was told wrongly, with the database away from one instant to another at least.
    pub fn untruths(&self, gone: Instant, away: Instant) -> Vec<String> {
        let seen = self.seen.lock().expect("no test panics here");
        let untrue = seen.iter().filter(|seen| match &seen.status {
            // It lives throughout.
            status if seen.service.is_empty() => *status != Ok(SERVING),
            status if seen.asked >= gone + KNOWN && seen.answered <= away => *status != Ok(NOT_SERVING),
            status => status.is_err(),
        });
        let told = |seen: &Seen| {
            let (service, status) = (&seen.service, &seen.status);
            let since = seen.asked.saturating_duration_since(gone);
            format!("{service:?} said {status:?} {since:?} after the database was gone")
        };
        untrue.map(told).collect()
    }
}

async fn ask(call: Call, service: String, seen: Arc<Mutex<Vec<Seen>>>) {
    loop {
        let asked = Instant::now();
        let status = match tokio::time::timeout(ANSWER, call.read::<i32>()).await {
            Ok(status) => status,
            Err(_) => Err(format!("no answer within {ANSWER:?}")),
        };
        seen.lock().expect("no test panics here").push(Seen {
            asked,
            answered: Instant::now(),
            service: service.clone(),
            status,
        });
        tokio::time::sleep(ASKING).await;
    }
}
