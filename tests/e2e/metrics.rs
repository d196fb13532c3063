//! The page of metrics that Prometheus fetches, of a system as its users have it.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use legalstat_test_support::system::System;
use serde_json::json;
use sqlx::Connection as _;

use crate::calendar_command;

/// How long the jobs that count may take to have counted, on a busy machine far more than they do.
const PATIENCE: Duration = Duration::from_secs(120);
const RULES: &str = include_str!("../../deploy/prometheus/alerts.yml");

/// Where a service answers probes: ten ports beyond its calls, or where `up` said.
pub(crate) fn health_port(system: &System, service: &str) -> u16 {
    let said = told_whole(system);
    let moved = said.split_once(&format!("  {service} takes port "));
    let port = match moved {
        Some((_, rest)) => {
            let (_, rest) = rest.split_once("for calls and ").expect("it says both ports");
            rest.split(' ').next().map(str::to_owned)
        }
        None => {
            let usual = system
                .url(service)
                .rsplit(':')
                .next()
                .and_then(|port| port.parse::<u16>().ok());
            usual.map(|port| (port + 10).to_string())
        }
    };
    port.and_then(|port| port.parse().ok()).expect("it is a port")
}

/// What a system says when it has started, to its last line: which ports it took is told after that it runs.
fn told_whole(system: &System) -> String {
    let began = Instant::now();
    loop {
        let said = system.said();
        if said.contains("Ctrl-C stops it") {
            return said;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it says no more than: {said}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What Prometheus gets.
fn page(port: u16) -> String {
    let mut line = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    line.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("the line is there");
    let mut answer = String::new();
    line.read_to_string(&mut answer).expect("it ends");
    let (head, page) = answer.split_once("\r\n\r\n").expect("there is a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    page.to_owned()
}

/// The names of the metrics that have a value.
fn names(page: &str) -> BTreeSet<&str> {
    let values = page.lines().filter(|line| !line.starts_with('#'));
    values.filter_map(|line| line.split(['{', ' ']).next()).collect()
}

/// The names of the metrics that an alert looks at.
fn looked_at() -> BTreeSet<&'static str> {
    let words = RULES.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("legalstat_") || word.starts_with("rpc_server_"))
        .collect()
}

#[test]
fn every_metric_that_an_alert_looks_at_is_on_the_page_that_prometheus_fetches() {
    let system = System::start();
    system.json(&["forms", "schedule", "--year", "2026"]);
    let port = health_port(&system, "form-registry");
    let began = Instant::now();
    let page = loop {
        let page = page(port);
        let missing: Vec<_> = looked_at().difference(&names(&page)).copied().collect();
        if missing.is_empty() {
            break page;
        }
        assert!(began.elapsed() < PATIENCE, "{missing:?} of {page}");
        std::thread::sleep(Duration::from_millis(200));
    };
    // By the labels that the alerts take calls apart by, in buckets of fractions of a second.
    let called = |part: &str, rest: &str| {
        let line = page.lines().find(|line| {
            line.starts_with(&format!("rpc_server_call_duration_seconds_{part}{{"))
                && line.contains("rpc_method=\"legalstat.forms.v1.FormRegistryService/ListSchedule\"")
                && line.contains("rpc_response_status_code=\"OK\"")
                && line.contains(rest)
        });
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("{part} {rest}: {page}"))
    };
    assert!(called("count", "") >= 1.0 && called("sum", "") > 0.0);
    assert_eq!(called("bucket", "le=\"+Inf\""), called("count", ""));
    assert!(called("bucket", "le=\"0.25\"") <= called("bucket", "le=\"1\""));
}

/// Asks the database of a system as its superuser.
fn sql(system: &System, statements: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let url = system.database_url("legalstat");
        let mut database = sqlx::PgConnection::connect(&url).await.expect("it runs");
        let ran = sqlx::raw_sql(statements).execute(&mut database).await;
        ran.expect("the statements are right");
    });
}

#[test]
fn a_change_of_the_calendar_that_cannot_be_taken_up_lags_until_it_is() {
    let system = System::start();
    let port = health_port(&system, "form-registry");
    let until_lag = |is_it: fn(f64) -> bool| {
        let began = Instant::now();
        loop {
            let page = page(port);
            let line = page
                .lines()
                .find(|line| line.starts_with("legalstat_calendar_feed_lag"));
            if line
                .and_then(|line| line.rsplit(' ').next()?.parse().ok())
                .is_some_and(is_it)
            {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{line:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until_lag(|seconds| seconds == 0.0);
    sql(
        &system,
        "CREATE FUNCTION forms.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'for the test'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON forms.calendar_following FOR EACH ROW EXECUTE FUNCTION forms.refuse()",
    );
    let file = system.file("act.json", &calendar_command::act());
    system.json(&[
        "calendar",
        "act",
        "create",
        "--file",
        &file,
        "--yes",
        "--as",
        "administrator",
    ]);
    until_lag(|seconds| seconds >= 4.0);
    sql(&system, "DROP TRIGGER refuse ON forms.calendar_following");
    until_lag(|seconds| seconds == 0.0);
}

#[test]
fn how_many_calls_share_a_transaction_is_counted_for_each_that_is_stored() {
    let system = System::start();
    let request = json!({ "request": {
        "requester": { "kind": "REQUESTER_KIND_STATE_BODY", "fullName": "Министерство юстиции", "bin": "160340014245" },
        "signatory": { "fullName": "Министр", "capacity": "SIGNATORY_CAPACITY_HEAD" },
        "channel": "CHANNEL_UNIFIED_EDMS", "externalNumber": "12-3/45",
        "externalDate": { "year": 2026, "month": 2, "day": 2 },
        "essence": "Преступления за январь 2025 года", "language": "LANGUAGE_RU",
        "items": [{ "kind": "ITEM_KIND_STATISTICS", "description": "зарегистрировано преступлений",
                    "unit": "UNIT_CRIME", "period": "2025-M01", "territories": ["11"] }] } });
    let file = system.file("request.json", &request.to_string());
    system.json(&["requests", "submit", "--as", "edms", "--file", &file]);
    let page = page(health_port(&system, "request-intake"));
    let told = |name: &str| {
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("legalstat_write_group_size_{name}")));
        line.unwrap_or_else(|| panic!("{name}: {page}")).rsplit(' ').next()
    };
    assert_eq!(
        (told("count"), told("sum"), told("bucket")),
        (Some("1"), Some("1"), Some("1"))
    );
}
