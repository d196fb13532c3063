//! `up` as a place to rehearse in: another time, services that are away, ports of one's own; and the contracts that it hands out.

use std::net::TcpListener;

use nix::sys::signal::Signal;

use crate::command_line::request;
use legalstat_test_support::system::System;

#[test]
fn lateness_and_an_outage_can_be_rehearsed() {
    let mut system = System::start();
    let overdue = [
        "forms",
        "schedule",
        "--overdue",
        "--due-from",
        "2027-01-01",
        "--due-to",
        "2027-01-09",
    ];
    let late = |system: &System| system.json(&overdue).to_string().contains("forms/22/editions/2026-Q4");
    assert!(!late(&system), "its day has not come");
    system.end(Signal::SIGTERM);

    system.up_with(&["--clock", "2027-01-12T09:00:00+05:00", "--without", "calendar"]);
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
    assert!(accepted_at.starts_with("2027-01-12T04:"), "{accepted_at}");
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
