//! `legalstat calendar` for people: explanations, the month, and the question before an act is recorded.

use std::{
    collections::BTreeMap,
    process::Output,
    time::{Duration, Instant},
};

use icalendar::Component;
use serde_json::{Value, json};

use crate::command_line::request;
use legalstat_test_support::system::System;

pub(crate) fn said(system: &System, arguments: &[&str]) -> String {
    let output = system.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", errors(&output));
    String::from_utf8(output.stdout).expect("text")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The command that records the act in a file, without asking.
pub(crate) fn recording_act(file: &str) -> [&str; 8] {
    [
        "calendar",
        "act",
        "create",
        "--file",
        file,
        "--yes",
        "--as",
        "administrator",
    ]
}

/// Moves a day off from Saturday 9 to Friday 8 January 2027.
pub(crate) fn act() -> String {
    let act = json!({ "calendarAct": {
        "name": "calendarActs/order-1-2027",
        "kind": "CALENDAR_ACT_KIND_ORDER",
        "citation": "Order No. 1 of 2027",
        "grade": "GRADE_ACT_READ",
        "transfers": [{
            "workingDay": { "year": 2027, "month": 1, "day": 9 },
            "dayOff": { "year": 2027, "month": 1, "day": 8 },
        }],
    } });
    act.to_string()
}

fn kind_of_8_january_2027(system: &System) -> Value {
    system.json(&["calendar", "day", "2027-01-08"])["kind"].clone()
}

#[test]
fn a_deadline_is_one_line_and_explained_day_by_day_in_the_language_asked_for() {
    let system = System::start();
    let term = ["--term", "application-2021", "--received", "2025-03-14T10:00:00+05:00"];
    let deadline = [&["calendar", "deadline"], &term[..]].concat();
    let short = said(&system, &deadline);
    assert!(
        short.starts_with(
            "due 2025-04-09 (Wed), until 2025-04-10 00:00 UTC+05:00 (Astana), assumed; term application-2021"
        ),
        "{short}"
    );
    assert!(short.contains("--explain") && !short.contains("Nauryz"), "{short}");

    let explained = said(&system, &[&deadline[..], &["--explain"]].concat());
    let lines: Vec<&str> = explained.lines().collect();
    let has = |parts: &[&str]| lines.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    for parts in [
        &["2025-03-17 (Mon)", "day 1 of 15", "[Code 350-VI, art. 76]"][..],
        &["2025-03-21 (Fri)", "not counted", "Nauryz", "Law No. 267-II"],
        &["2025-04-09 (Wed)", "due, day 15 of 15"],
        &["assumed:", "no source"],
        &["calendar version"],
    ] {
        assert!(has(parts), "{parts:?}\n{explained}");
    }

    let obligation = ["--period", "2019-Q2", "--due-day", "14", "--roll-forward", "--explain"];
    let russian = [&["calendar", "deadline"], &obligation[..], &["--language", "ru"]].concat();
    let russian = said(&system, &russian);
    assert!(
        russian.contains("2019-07-14 (вс)  переносится") && russian.contains("(assumed)"),
        "{russian}"
    );
    let (code, told) = system.failure(&[&deadline[..], &["--suspended", "2025-03-17"]].concat());
    assert!(code == 2 && told.contains("FROM/TO"), "{told}");
}

#[test]
fn a_last_day_that_is_off_and_does_not_move_is_told_with_what_moving_it_gives() {
    let system = System::start();
    let fixed = ["calendar", "deadline", "--period", "2019-Q2", "--due-day", "14"];
    let sunday = "2019-07-14 (Sun) is a day off";
    let told = said(&system, &fixed);
    assert!(
        told.starts_with("due 2019-07-14 (Sun)") && told.contains(sunday) && told.contains("[Labour Code"),
        "{told}"
    );
    assert!(told.contains("with --roll-forward: due 2019-07-15 (Mon)"), "{told}");
    let obligation = json!({ "obligation": { "period": "2019-Q2", "due_day": 14 } });
    let file = system.file("deadline.json", &obligation.to_string());
    let output = system.run(&["calendar", "deadline", "--file", &file, "-o", "json"]);
    assert!(errors(&output).contains(sunday), "{}", errors(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("it answers in JSON");
    assert_eq!(answer["dueDate"]["day"], 14);
    for quiet in [&["--roll-forward"][..], &["--due-day", "15"]] {
        let other = [&fixed[..if quiet.len() == 1 { 6 } else { 4 }], quiet].concat();
        assert!(!said(&system, &other).contains("is a day off"), "{other:?}");
    }
}

#[test]
fn days_terms_and_acts_can_be_narrowed_down() {
    let system = System::start();
    let week = [
        "calendar",
        "days",
        "--from",
        "2026-05-04",
        "--to",
        "2026-05-10",
        "--off",
    ];
    let days = system.json(&week);
    let days: Vec<&Value> = days["days"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|day| &day["date"]["day"])
        .collect();
    assert_eq!(days, [7, 9, 10]);
    assert!(
        said(&system, &week).contains("Victory Day"),
        "the reason that had the last word is shown"
    );
    let day = said(&system, &["calendar", "day", "2025-01-05"]);
    assert!(
        day.contains("2025-01-05 (Sun): worked") && day.contains("Labour Code, art. 84") && day.contains("No. 436"),
        "{day}"
    );

    let terms = said(&system, &["calendar", "terms"]);
    for words in [
        "15 working days",
        "extension   2 months",
        "notice      3 working days",
        "the clock c",
    ] {
        assert!(terms.contains(words), "{words}: {terms}");
    }

    let count = |arguments: &[&str]| {
        let acts = system.json(&[&["calendar", "acts"], arguments].concat());
        acts["calendarActs"].as_array().map_or(0, Vec::len)
    };
    let all = count(&[]);
    assert!((1..all).contains(&count(&["--year", "2025"])));
    assert!((1..all).contains(&count(&["--kind", "order"])));
    assert!(count(&["--as-known-at", "2017-06-01T00:00:00Z"]) < all);
    let file = system.file("act.json", &act());
    system.json(&recording_act(&file));
    system.json(&[
        "calendar",
        "act",
        "withdraw",
        "order-1-2027",
        "--yes",
        "--as",
        "administrator",
    ]);
    assert_eq!((count(&[]), count(&["--withdrawn"])), (all, all + 1));
}

#[test]
fn a_month_shows_its_days_and_what_falls_due() {
    let system = System::start();
    let may = said(&system, &["calendar", "month", "2026-05"]);
    for line in [
        "  4    5    6    7H   8    9H  10",
        " 11R  12   13   14   15   16   17",
        "  2026-05-11 (Mon) R  day off: Victory Day",
        "  2026-05-05 (Tue)  forms 1, 25 (2026-M04, assumed)",
    ] {
        assert!(may.lines().any(|found| found.starts_with(line)), "{line}\n{may}");
    }
    let july = system.json(&["calendar", "month", "2026-07"]);
    let count = |field: &str| july[field].as_array().map_or(0, Vec::len);
    assert_eq!(count("days"), 31);
    assert!(count("forms") > 0 && count("collections") > 0, "{july}");
    let january = system.json(&["calendar", "month", "2025-01"]);
    let forms = january["forms"].as_array().into_iter().flatten();
    assert!(
        forms.clone().any(|item| item["edition"] == "forms/1/editions/2024-M12"),
        "periods of the year before fall due too"
    );
    assert!(forms.clone().all(|item| item["dueDate"]["month"] == 1));
    assert_eq!(system.failure(&["calendar", "month", "2026-13"]).0, 2);
}

/// A registered request, brought by the Unified EDMS.
pub(crate) fn registered(system: &System) -> Value {
    let file = system.file("request.json", &request().to_string());
    let submitted = system.examined(&["requests", "submit", "--as", "edms", "--file", &file]);
    assert_eq!(submitted["state"], "REQUEST_STATE_REGISTERED");
    submitted
}

/// A date of the contracts as it is written.
pub(crate) fn written(date: &Value) -> String {
    let part = |name: &str| date[name].as_i64().expect("a date");
    format!("{}-{:02}-{:02}", part("year"), part("month"), part("day"))
}

#[test]
fn a_month_and_a_list_show_the_open_requests_that_fall_due_to_those_who_may_see_them() {
    let system = System::start();
    let submitted = registered(&system);
    let number = submitted["registrationNumber"].as_str().expect("a number");
    let due = written(&submitted["dueDate"]);
    let month = ["calendar", "month", &due[..7]];
    let line = format!("  1 request ({number})");
    let shows = |text: &str| text.lines().any(|found| found.contains(&due) && found.ends_with(&line));
    let seen = said(&system, &month);
    assert!(shows(&seen) && !seen.contains("Ministry"), "{seen}");
    let fields = ["name", "registrationNumber", "dueDate"].map(|field| (field.to_owned(), submitted[field].clone()));
    let brief = Value::Object(fields.into_iter().collect());
    assert_eq!(system.json(&month)["requests"], json!([brief]));

    let listed = |flags: [&str; 2]| {
        let listed = system.json(&[&["requests", "list", "--state", "registered"], &flags[..]].concat());
        listed["requests"].as_array().map(Vec::len)
    };
    for (flags, count) in [
        (["--due-from", &due], 1),
        (["--due-to", &due], 1),
        (["--due-from", "2036-12-31"], 0),
        (["--due-to", "2019-04-15"], 0),
    ] {
        assert_eq!(listed(flags), Some(count), "{flags:?}");
    }
    let reversed = ["requests", "list", "--due-from", "2036-01-02", "--due-to", "2036-01-01"];
    let (code, told) = system.failure(&reversed);
    assert!(code == 1 && told.contains("due_to"), "{told}");

    let hidden = "requests: not shown without a certificate that may see them";
    let other = said(&system, &[&month[..], &["--as", "supreme-court"]].concat());
    assert!(
        !other.contains(hidden) && !other.contains(number),
        "it sees its own, and has none: {other}"
    );
    let certificate = system.home().join("certificates/operator.pem");
    std::fs::remove_file(certificate).expect("the folder is ours");
    let public = said(&system, &month);
    assert!(public.contains(hidden) && !public.contains(number), "{public}");
    assert!(system.json(&month)["requests"].is_null(), "not shown is not none");
}

#[test]
fn a_month_shows_every_open_request_however_many_pages_they_fill() {
    let system = System::start();
    let mut large = request();
    // Two of these are more than a page holds.
    let mut item = large["request"]["items"][0].clone();
    item["description"] = json!("한".repeat(4000));
    large["request"]["items"] = json!(vec![item; 100]);
    let submitted = ["1", "2", "3"].map(|last| {
        large["requestId"] = json!(format!("0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e0{last}"));
        let file = system.file("request.json", &large.to_string());
        system.examined(&["requests", "submit", "--as", "edms", "--file", &file])
    });
    // They fall due on one day, or at midnight on two.
    let mut due: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for request in &submitted {
        let number = request["registrationNumber"].as_str().expect("a number");
        due.entry(written(&request["dueDate"])).or_default().push(number);
    }
    for (day, numbers) in due {
        let month = said(&system, &["calendar", "month", &day[..7]]);
        let plural = if numbers.len() == 1 { "" } else { "s" };
        let told = format!("{} request{plural} ({})", numbers.len(), numbers.join(", "));
        assert!(month.contains(&told), "{told}: {month}");
    }
}

#[test]
fn an_act_is_recorded_only_after_yes_and_a_preview() {
    let system = System::start();
    let file = system.file("act.json", &act());
    let create = ["calendar", "act", "create", "--file", &file, "--as", "administrator"];
    for answer in ["", "no\n", "perhaps\n"] {
        let output = system.run_with_input(&create, answer);
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        for words in [
            "2027-01-08",
            "form-registry:",
            "request-intake:",
            "collection-distribution:",
            "[yes/no]",
            "--yes",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(output.stdout.is_empty(), "nothing was recorded");
    }
    let tried = [&create[..], &["--validate-only"]].concat();
    assert!(
        said(&system, &tried).is_empty(),
        "people read the preview on standard error"
    );
    let from_input = ["calendar", "act", "create", "--file", "-", "--as", "administrator"];
    let output = system.run_with_input(&from_input, &act());
    assert!(
        output.status.code() == Some(2) && errors(&output).contains("--yes"),
        "standard input is used up"
    );
    assert_eq!(kind_of_8_january_2027(&system), "DAY_KIND_WORKING");

    let output = system.run_with_input(&create, "yes\n");
    let recorded = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && recorded.contains("2027-01-09"),
        "{}",
        errors(&output)
    );
    assert!(recorded.contains("recomputed by the services"), "{recorded}");
    assert_eq!(kind_of_8_january_2027(&system), "DAY_KIND_TRANSFERRED_DAY_OFF");

    let id = ["--request-id", "7b0c7f5e-1c5c-4b6e-9d3a-0d6f5a8e2c01", "--yes"];
    let withdraw = [
        &["calendar", "act", "withdraw", "order-1-2027", "--as", "administrator"],
        &id[..],
    ]
    .concat();
    assert_eq!(
        system.json(&withdraw),
        system.json(&withdraw),
        "the same call has the same answer"
    );
    assert_eq!(kind_of_8_january_2027(&system), "DAY_KIND_WORKING");
}

/// Asks again until an answer is as it must become.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < give_up, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_act_moves_open_due_dates_as_its_preview_said_and_withdrawing_it_restores_them() {
    let system = System::start();
    let edition = "forms/1/editions/2026-M12";
    let due = || {
        let schedule = system.json(&["forms", "schedule", "--year", "2026"]);
        let items = schedule["items"].as_array().expect("items").clone();
        let item = items
            .into_iter()
            .find(|item| item["edition"] == edition)
            .expect("it is in it");
        (item["dueDate"]["day"].as_i64(), item["dueDateRevision"].as_i64())
    };
    assert_eq!(due(), (Some(5), Some(0)));
    let act = act().replace("\"day\":8", "\"day\":5");
    let file = system.file("act.json", &act);
    let output = system.run_with_input(
        &["calendar", "act", "create", "--file", &file, "--as", "administrator"],
        "yes\n",
    );
    let told = errors(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(&format!("2027-01-05 -> 2027-01-06  {edition}")), "{told}");
    until("the due date moves", || due() == (Some(6), Some(1)));

    let export = said(&system, &["calendar", "export", "--year", "2027", "--only", "forms"]);
    let calendar: icalendar::Calendar = export.parse().expect("it is iCalendar");
    let event = calendar
        .events()
        .find(|event| event.get_uid() == Some("forms-1-editions-2026-M12@legalstat"))
        .expect("it is exported");
    assert_eq!(
        (event.property_value("SEQUENCE"), event.property_value("DTSTART")),
        (Some("1"), Some("20270106T000000"))
    );
    let changes = system.json(&["forms", "edition", edition])["dueDateChanges"].clone();
    assert_eq!(changes[0]["calendarAct"], "calendarActs/order-1-2027", "{changes}");
    let journal = [
        "journal",
        "list",
        "--service",
        "form-registry",
        "--method",
        "jobs/recompute",
        "--as",
        "administrator",
    ];
    let entries = system.json(&journal)["entries"].as_array().map(Vec::len);

    system.json(&[
        "calendar",
        "act",
        "withdraw",
        "order-1-2027",
        "--yes",
        "--as",
        "administrator",
    ]);
    until("the due date is restored", || due() == (Some(5), Some(2)));
    let twice = system.json(&journal)["entries"].as_array().map(Vec::len);
    assert!(
        entries.is_some_and(|once| twice == Some(2 * once)),
        "{entries:?} {twice:?}"
    );
}

#[test]
fn what_a_service_that_is_away_knows_is_named_as_missing() {
    let system = System::start();
    let addresses = system.home().join("addresses.json");
    let mut known: Value = serde_json::from_slice(&std::fs::read(&addresses).expect("it runs")).expect("addresses");
    // Nothing listens on the port that means "any".
    known["form-registry"] = json!("https://localhost:0");
    std::fs::write(&addresses, known.to_string()).expect("the folder is ours");

    let may = said(&system, &["calendar", "month", "2026-05"]);
    assert!(
        may.contains(" 11R ") && may.contains("what form-registry knows is missing"),
        "{may}"
    );
    let july = system.json(&["calendar", "month", "2026-07"]);
    assert!(july["forms"].is_null() && july["collections"].is_array(), "{july}");
    let (code, _) = system.failure(&["calendar", "export", "--year", "2026"]);
    assert_eq!(code, 3, "part of a calendar is not exported");
    said(
        &system,
        &["calendar", "export", "--year", "2026", "--only", "collections"],
    );

    let file = system.file("act.json", &act());
    let output = system.run(&recording_act(&file));
    let told = errors(&output);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("form-registry: unreachable") && told.contains("when it is back"),
        "{told}"
    );
    assert_eq!(kind_of_8_january_2027(&system), "DAY_KIND_TRANSFERRED_DAY_OFF");
}
