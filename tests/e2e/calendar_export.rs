//! `legalstat calendar export`: what calendar programs read, and what they must be told of what went.

use icalendar::Component;

use crate::calendar_command::{act, recording_act, registered, said, written};
use legalstat_test_support::system::System;

#[test]
fn an_export_is_read_by_a_calendar_program_and_the_same_twice() {
    let system = System::start();
    let export = ["calendar", "export", "--year", "2026"];
    let text = said(&system, &export);
    assert_eq!(text, said(&system, &export), "nothing changed in between");
    let calendar: icalendar::Calendar = text.parse().expect("it is iCalendar");
    let mut uids: Vec<&str> = calendar.events().filter_map(|event| event.get_uid()).collect();
    let events = uids.len();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(events, uids.len(), "every event has a UID of its own");
    let due = calendar
        .events()
        .find(|event| event.get_uid() == Some("forms-1-editions-2026-M04@legalstat"))
        .expect("form 1 falls due in May");
    let start = &due.properties()["DTSTART"];
    assert_eq!(
        (start.value(), start.params()["TZID"].value()),
        ("20260505T000000", "Asia/Almaty")
    );
    assert!(due.get_description().is_some_and(|text| text.contains("Appendix 2")));
    let off = calendar
        .events()
        .find(|event| event.property_value("DTSTART") == Some("20260527"));
    assert!(
        off.and_then(|day| day.get_summary())
            .is_some_and(|summary| summary.contains("Kurban Ait"))
    );

    let days = [&export[..], &["--only", "days", "--language", "kk", "--to", "days.ics"]].concat();
    assert_eq!(said(&system, &days), "", "a file was asked for");
    let days = std::fs::read_to_string(system.folder().join("days.ics")).expect("it was written");
    assert!(days.contains("Құрбан айт") && !days.contains("-editions-"), "{days}");
    assert_eq!(system.failure(&["calendar", "export", "--year", "2037"]).0, 2);
    let reversed = ["calendar", "export", "--from-year", "2027", "--to-year", "2025"];
    assert_eq!(system.failure(&reversed).0, 2, "no other year is exported instead");
}

#[test]
fn the_days_of_a_withdrawn_act_stay_in_the_export_cancelled_and_each_turn_counts() {
    let system = System::start();
    let before = said(&system, &["calendar", "export", "--year", "2027"]);
    assert!(!before.contains("CANCELLED"), "nothing went yet");
    let create = |name: &str| {
        let file = system.file("act.json", &act().replace("order-1-2027", name));
        system.json(&recording_act(&file));
    };
    let withdraw = |name: &str| {
        system.json(&["calendar", "act", "withdraw", name, "--yes", "--as", "administrator"]);
    };
    let events = |status: &str, sequence: &str| {
        let export = ["calendar", "export", "--year", "2027", "--only", "days"];
        let text = said(&system, &export);
        assert_eq!(text, said(&system, &export), "the same twice");
        let calendar: icalendar::Calendar = text.parse().expect("it is iCalendar");
        for day in ["2027-01-08", "2027-01-09"] {
            let uid = format!("days-{day}@legalstat");
            let found: Vec<_> = calendar
                .events()
                .filter(|event| event.get_uid() == Some(&uid))
                .collect();
            assert_eq!(found.len(), 1, "{day} {status}: {text}");
            let told = ["STATUS", "SEQUENCE", "DTSTART"].map(|name| found[0].property_value(name));
            assert_eq!(
                told,
                [Some(status), Some(sequence), Some(&*day.replace('-', ""))],
                "{day}"
            );
        }
        let cancelled = calendar
            .events()
            .filter(|event| event.property_value("STATUS") == Some("CANCELLED"));
        assert_eq!(cancelled.count(), if status == "CANCELLED" { 2 } else { 0 });
    };
    create("order-1-2027");
    events("TENTATIVE", "0");
    withdraw("order-1-2027");
    events("CANCELLED", "1");
    create("order-2-2027");
    events("TENTATIVE", "2");
    withdraw("order-2-2027");
    events("CANCELLED", "3");
}

#[test]
fn an_export_has_requests_only_when_asked_for_and_nothing_of_who_asks_or_for_what() {
    let system = System::start();
    let submitted = registered(&system);
    let number = submitted["registrationNumber"].as_str().expect("a number");
    let due = written(&submitted["dueDate"]);
    let export = ["calendar", "export", "--year", &due[..4]];
    let usual = said(&system, &export);
    assert!(!usual.contains("requests-") && !usual.contains(number), "not by itself");

    let uid = format!(
        "{}@legalstat",
        submitted["name"].as_str().expect("a name").replace('/', "-")
    );
    let basis = submitted["deadline"]["steps"]
        .as_array()
        .and_then(|steps| steps.last())
        .expect("the due date");
    let act = basis["legalBasis"]["act"].as_str().expect("an act");
    for (flags, alone) in [(&["--only", "requests"][..], true), (&["--requests"], false)] {
        let text = said(&system, &[&export[..], flags].concat());
        let calendar: icalendar::Calendar = text.parse().expect("it is iCalendar");
        assert_eq!(calendar.events().count() == 1, alone, "{flags:?}");
        let event = calendar
            .events()
            .find(|event| event.get_uid() == Some(&uid))
            .expect("the request is in it");
        assert_eq!(event.get_summary(), Some(&*format!("Answer to request {number}")));
        assert_eq!(event.property_value("SEQUENCE"), Some("0"));
        let start = format!("{}T000000", due.replace('-', ""));
        assert_eq!(event.property_value("DTSTART"), Some(&*start));
        assert!(
            event
                .get_description()
                .is_some_and(|text| text.starts_with("term ") && text.contains(act)),
            "{event:?}"
        );
        // Long lines are folded, so what must not be there is sought in the whole text.
        let unfolded = text.replace("\r\n ", "");
        let coupon = submitted["coupon"]["number"].as_str().expect("a coupon");
        for personal in [
            "Ministry of Justice",
            "The head",
            "12-3/45",
            "Crimes registered",
            "Registered crimes",
            coupon,
        ] {
            assert!(!unfolded.contains(personal), "{personal}: {text}");
        }
    }
    let others = system.run(&[&export[..], &["--only", "requests", "--as", "supreme-court"]].concat());
    assert!(
        !String::from_utf8_lossy(&others.stdout).contains(number),
        "it sees its own, and has none"
    );
}
