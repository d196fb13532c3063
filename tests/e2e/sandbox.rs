//! `up` as a place to rehearse in: another time, services that are away, ports of one's own; and the contracts that it hands out.

use std::net::TcpListener;

use jiff::Timestamp;
use legalstat_kit::zone::civil_day;
use nix::sys::signal::Signal;

use legalstat_test_support::system::{System, program};

use crate::{command_line::request, openssl};

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what falls due next January has not come on any day on which the test runs"
)]
fn lateness_and_an_outage_can_be_rehearsed() {
    let mut system = System::start();
    let year = civil_day(Timestamp::now()).year();
    let january = |day: u8| format!("{}-01-{day:02}", year + 1);
    let (first, last) = (january(1), january(19));
    let overdue = [
        "forms",
        "schedule",
        "--overdue",
        "--due-from",
        &first,
        "--due-to",
        &last,
    ];
    let edition = format!("forms/22/editions/{year}-Q4");
    let late = |system: &System| system.json(&overdue).to_string().contains(&edition);
    assert!(!late(&system), "its day has not come");
    system.end(Signal::SIGTERM);

    let begins = format!("{}T09:00:00+05:00", january(20));
    system.up_with(&["--clock", &begins, "--without", "calendar"]);
    assert!(late(&system), "its day has passed");
    let asked = ["calendar", "deadline", "--period", "2019-Q2", "--due-day", "14"];
    // Another test's calendar may have got the port by now; its certificate is not this system's.
    let (code, said) = system.failure(&asked);
    assert!(code == 3 || code == 2, "the calendar is away: {said}");
    let file = system.file("request.json", &request().to_string());
    let accepted = system.json(&["requests", "submit", "--as", "edms", "--file", &file]);
    assert_eq!(
        accepted["state"], "REQUEST_STATE_RECEIVED",
        "its examination waits for the calendar"
    );
    let accepted_at = accepted["coupon"]["acceptedAt"].as_str().expect("it has a coupon");
    assert!(
        accepted_at.starts_with(&format!("{}T04:", january(20))),
        "{accepted_at}"
    );
}

#[test]
fn ports_that_were_asked_for_are_taken_or_nothing_starts() {
    let mut system = System::start();
    system.end(Signal::SIGTERM);
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = held
        .local_addr()
        .expect("an address")
        .port()
        .min(u16::MAX - 13)
        .to_string();
    let (code, said) = system.failure(&["up", "--port", &taken]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains(&format!("port {taken} cannot be had")), "{said}");
    let (code, said) = system.failure(&["up", "--port", "65530"]);
    assert_eq!(code, 2, "health would be beyond the last port: {said}");
}

#[test]
fn other_machines_reach_the_services_under_the_names_that_their_certificates_are_made_for() {
    let mut system = System::start();
    system.end(Signal::SIGTERM);
    let certificates = |hosts: &str| {
        let mut certificates = program(system.folder());
        certificates.env("LEGALSTAT_PUBLIC_HOSTS", hosts).arg("certificates");
        certificates.output().expect("the program runs")
    };
    let wrong = certificates("registers.example,https://registers.example");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&wrong.stderr).contains("LEGALSTAT_PUBLIC_HOSTS"),
        "it is named"
    );
    assert!(certificates("registers.example, 127.0.0.2").status.success());
    let (code, said) = system.failure(&["up", "--listen", "192.0.2.1"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("LEGALSTAT_PUBLIC_HOSTS does not name 192.0.2.1"),
        "{said}"
    );

    system.up_with(&["--listen", "0.0.0.0", "--log", "info"]);
    let version = system.run(&["--version"]).stdout;
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    let release = version.strip_prefix("legalstat ").expect("the program's name");
    assert!(release.contains(" (revision "), "{release}");
    let started = system
        .said()
        .lines()
        .any(|line| line.contains("starting") && line.contains(release));
    assert!(started, "its log begins with its release: {}", system.said());
    let addresses = std::fs::read_to_string(system.home().join("addresses.json")).expect("it runs");
    let addresses: serde_json::Value = serde_json::from_str(&addresses).expect("JSON");
    let calendar = addresses["calendar"]
        .as_str()
        .expect("a URL")
        .replace("localhost", "127.0.0.2");
    let mut call = program(system.folder());
    call.env("LEGALSTAT_CALENDAR_URL", calendar)
        .args(["calendar", "day", "2027-01-04"]);
    let answer = call.output().expect("the program runs");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let names = [
        "x509",
        "-in",
        ".legalstat/certificates/calendar.pem",
        "-noout",
        "-ext",
        "subjectAltName",
    ];
    let names = openssl::run(system.folder(), &names);
    assert!(
        names.contains("registers.example") && names.contains("127.0.0.2"),
        "{names}"
    );

    let elsewhere = [("LEGALSTAT_CALENDAR_URL", "https://127.0.0.1:1")];
    let mut call = program(system.folder());
    call.envs(elsewhere).args(["calendar", "day", "2027-01-04"]);
    let away = call.output().expect("the program runs");
    let said = String::from_utf8_lossy(&away.stderr);
    assert_eq!(away.status.code(), Some(3), "{said}");
    assert!(
        said.contains("are these its addresses? LEGALSTAT_CALENDAR_URL"),
        "{said}"
    );

    system.signal_database(Signal::SIGSTOP);
    let (code, said) = system.failure(&["forms", "schedule", "--year", "2026", "--timeout", "20"]);
    system.signal_database(Signal::SIGCONT);
    assert_eq!(code, 3, "{said}");
    assert_eq!(said.matches("waiting for https://").count(), 1, "{said}");
}
