//! What `legalstat doctor` says of a running system, and of one with which something is wrong.

use std::{
    net::TcpListener,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use legalstat_local::authority::{Authority, Usage};
use legalstat_proto::common::v1::Role;
use legalstat_test_support::system::{System, program};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::metrics::health_port;

/// How long a state may take to come, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);

/// Its exit status and what it found.
fn examined(command: &mut Command, arguments: &[&str]) -> (i32, Vec<Value>) {
    command.args(["doctor", "-o", "json"]).args(arguments);
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let code = output.status.code().expect("it ends by itself");
    (code, found["findings"].as_array().expect("a list").clone())
}

fn of_folder(folder: &Path, arguments: &[&str]) -> (i32, Vec<Value>) {
    examined(&mut program(folder), arguments)
}

fn about<'a>(findings: &'a [Value], about: &str) -> &'a Value {
    let found = findings.iter().find(|finding| finding["about"] == about);
    found.unwrap_or_else(|| panic!("nothing about {about}: {findings:?}"))
}

/// What is wrong, what was found of it and what is to be done.
type Wrong<'a> = (&'a str, &'a str, &'a str);

/// Whether that is told, each containing its part.
fn tells(findings: &[Value], (of, found, to_do): Wrong<'_>) -> bool {
    let finding = findings.iter().find(|finding| finding["about"] == of);
    let has =
        |field: &str, part: &str| finding.is_some_and(|it| it[field].as_str().is_some_and(|is| is.contains(part)));
    has("state", "WRONG") && has("found", found) && has("toDo", to_do)
}

fn is_wrong(findings: &[Value], wrong: Wrong<'_>) {
    assert!(tells(findings, wrong), "{wrong:?} of {findings:?}");
}

fn wrong(findings: &[Value]) -> Vec<&str> {
    let wrong = findings.iter().filter(|finding| finding["state"] == "WRONG");
    wrong.filter_map(|finding| finding["about"].as_str()).collect()
}

#[test]
fn of_a_sound_system_nothing_is_wrong_and_every_service_is_looked_at() {
    let system = System::start();
    let port = health_port(&system, "form-registry").to_string();
    let services = ["calendar", "form-registry", "request-intake", "collection-distribution"];
    let certificates = services.map(|service| format!("certificate of {service}"));
    let began = Instant::now();
    // Until the feed of the calendar is measured for the first time, every database answers in time, and every service shows its
    // certificate.
    let findings = loop {
        let (code, findings) = of_folder(system.folder(), &["--health-port", &port]);
        assert_eq!(code == 0, wrong(&findings).is_empty(), "{findings:?}");
        let is_there = |of: &String| findings.iter().any(|finding| finding["about"] == of.as_str());
        if findings.iter().all(|finding| finding["state"] == "RIGHT") && certificates.iter().all(is_there) {
            break findings;
        }
        assert!(began.elapsed() < PATIENCE, "{findings:?}");
        std::thread::sleep(Duration::from_millis(200));
    };
    for service in services {
        let serves = about(&findings, service)["found"].as_str().expect("a text").to_owned();
        let release = concat!("it serves, ", env!("CARGO_PKG_VERSION"), " (revision ");
        assert!(serves.starts_with(release), "{serves}");
        for of in [format!("clock of {service}"), format!("certificate of {service}")] {
            about(&findings, &of);
        }
    }
    for of in [
        "authority",
        "certificates here",
        "releases",
        "operator at request-intake",
        "due dates of form-registry",
    ] {
        about(&findings, of);
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_what_to_do() {
    let mut system = System::start();
    let other = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(other.path()).expect("it is made");
    let usage = Usage::caller("stranger", &[Role::Operator]);
    authority.ensure(&usage).expect("it is made");
    let certificates = system.home().join("certificates");
    for file in ["stranger.pem", "stranger.key"] {
        std::fs::copy(other.path().join("certificates").join(file), certificates.join(file)).expect("it is copied");
    }
    // It takes no connection, as a service that waits for its migration.
    let waiting = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("https://localhost:{}", waiting.local_addr().expect("an address").port());
    system.end(Signal::SIGTERM);
    system.up_with(&["--without", "collection-distribution"]);

    let expected = [
        ("certificate of stranger here", "another authority", "a new one"),
        ("calendar", "no answer", "migration"),
        ("stranger at request-intake", "certificate", "replaced by"),
    ];
    let began = Instant::now();
    // On a busy machine a service answers late, and is found at fault for that, too.
    loop {
        let mut doctor = program(system.folder());
        doctor.env("LEGALSTAT_CALENDAR_URL", &address);
        let (code, findings) = examined(&mut doctor, &["--as", "stranger", "--timeout", "3"]);
        assert_eq!(code, 1, "{findings:?}");
        // Another test's service may have got the port by now; its certificate is not this system's.
        let away = about(&findings, "collection-distribution");
        let found = away["found"].as_str().expect("a text");
        assert!(
            away["state"] == "WRONG" && (found.contains("unreachable") || found.contains("of another authority")),
            "{away}"
        );
        // These and the one that is away.
        if expected.iter().all(|wrong| tells(&findings, *wrong)) && wrong(&findings).len() == expected.len() + 1 {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{findings:?}");
    }
    drop(waiting);

    system.signal_database(Signal::SIGSTOP);
    let began = Instant::now();
    let findings = loop {
        let (_, findings) = of_folder(system.folder(), &["--timeout", "3"]);
        let found = &about(&findings, "request-intake")["found"];
        if found.as_str().is_some_and(|found| found.contains("does not serve")) {
            break findings;
        }
        assert!(began.elapsed() < PATIENCE, "{findings:?}");
    };
    system.signal_database(Signal::SIGCONT);
    is_wrong(&findings, ("request-intake", "does not serve", "its database"));
}

#[test]
fn where_there_is_no_system_it_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, findings) = of_folder(folder.path(), &[]);
    assert_eq!(code, 1);
    is_wrong(
        &findings,
        ("authority", "cannot read", "put the authority's certificate there"),
    );
    is_wrong(
        &findings,
        ("calendar", "LEGALSTAT_CALENDAR_URL is not set", "start the system"),
    );
    assert_eq!(wrong(&findings).len(), 5, "{findings:?}");
}
