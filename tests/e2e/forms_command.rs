//! The register of forms on the command line: short names, explanations, filters, and what an administrator changes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use legalstat_test_support::system::System;

/// How long the calendar may take until it answers as soon as a reader of an edition waits for it, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn said(system: &System, arguments: &[&str]) -> String {
    let output = system.run(arguments);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    told
}

#[test]
fn an_edition_is_explained_under_its_short_name() {
    let system = System::start();
    let began = Instant::now();
    let told = loop {
        let told = said(&system, &["forms", "explain", "7/2026-M10"]);
        if !told.contains("there is no explanation") {
            break told;
        }
        assert!(began.elapsed() < PATIENCE, "{told}");
    };
    for part in [
        "forms/7/editions/2026-M10",
        "2026-11-07 (Sat)",
        "moves on",
        "due 2026-11-09 (Mon)",
        "Appendix 2, No. 7",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let explained = |name: &str| loop {
        let edition = system.json(&["forms", "edition", name]);
        if edition["dueDateStepsMissing"].as_str().is_none_or(str::is_empty) {
            break edition;
        }
        assert!(began.elapsed() < PATIENCE, "{edition}");
    };
    let named = ["forms/7/editions/2026-M10", "7/2026-M10"].map(explained);
    assert_eq!(named[0], named[1]);
    let steps = named[0]["dueDateSteps"].as_array().expect("a list");
    assert_eq!(
        steps.last().map(|step| &step["effect"]),
        Some(&json!("STEP_EFFECT_DUE"))
    );
}

#[test]
fn an_administrator_changes_the_register_and_everyone_reads_it() {
    let system = System::start();
    let told = said(&system, &["forms", "list"]);
    assert!(told.contains("kk; ru"), "missing languages are shown: {told}");
    let title = [
        "forms",
        "update",
        "1",
        "--title-kk",
        "атауы",
        "--reason",
        "the title was missing",
        "--as",
        "administrator",
    ];
    let corrected = system.json(&title);
    assert_eq!(corrected["missingLanguages"], json!(["ru"]));
    let etag = corrected["etag"].as_str().expect("it has one");
    let update = [
        "forms",
        "update",
        "1",
        "--due-day",
        "7",
        "--from",
        "2027-01-01",
        "--reason",
        "Order No. 7",
        "--etag",
        etag,
        "--as",
        "administrator",
    ];
    assert_eq!(system.json(&update)["dueDay"], json!(7));
    let (code, refused) = system.failure(&update);
    assert_eq!(code, 1);
    assert!(refused.contains("ETAG_MISMATCH"), "{refused}");
    let as_of = |day: &str| system.json(&["forms", "get", "1", "--as-of", day])["dueDay"].clone();
    assert_eq!((as_of("2026-12-31"), as_of("2027-01-01")), (json!(5), json!(7)));
    let versions = system.json(&["forms", "versions", "1"]);
    assert_eq!(versions["formVersions"].as_array().map(Vec::len), Some(3));
    let december = system.json(&["forms", "edition", "1/2026-M12"]);
    let moved = &december["dueDateChanges"][0];
    assert_eq!(
        (&moved["terms"], &moved["reason"]),
        (&json!("forms/1/versions/3"), &json!("Order No. 7"))
    );

    let entry = [
        "forms",
        "open-data",
        "add",
        "1",
        "--from",
        "2026-01-01",
        "--act",
        "Order No. 22",
        "--provision",
        "item 1",
    ];
    let entry = system.json(&entry)["name"].clone();
    let entry = entry.as_str().expect("it has a name");
    let end = [
        "forms",
        "open-data",
        "end",
        entry,
        "--last-day",
        "2026-12-31",
        "--reason",
        "Order No. 23",
    ];
    assert_eq!(
        system.json(&end)["validTo"],
        json!({ "year": 2026, "month": 12, "day": 31 })
    );
    let listed = system.json(&["forms", "open-data", "list", "--form", "1"]);
    assert_eq!(listed["openDataEntries"].as_array().map(Vec::len), Some(1));
    let retire = [
        "forms",
        "retire",
        "20",
        "--last-day",
        "2026-12-31",
        "--act",
        "Order No. 9",
        "--reason",
        "abolished",
        "--as",
        "administrator",
    ];
    system.json(&retire);
    assert!(system.json(&["forms", "schedule", "--year", "2027", "--form", "20"])["items"] == json!([]));
}

#[test]
fn what_is_overdue_and_due_is_asked_by_flags() {
    let system = System::start();
    let count = |arguments: &[&str]| {
        system.json(arguments)["items"]
            .as_array()
            .map(Vec::len)
            .expect("a list")
    };
    let day = |date: &Value| ["year", "month", "day"].map(|part| date[part].as_i64().expect("a date"));
    let installed = day(&system.json(&["forms", "answering-day"])["day"]);
    let overdue = system.json(&["forms", "schedule", "--overdue"]);
    // What is due on the day of the installation is overdue from midnight on.
    let mut due = overdue["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| day(&item["dueDate"]));
    assert!(
        due.all(|due| due >= installed),
        "a new installation calls nothing overdue that was due before it: {overdue}"
    );
    let december = [
        "forms",
        "schedule",
        "--due-from",
        "2026-12-01",
        "--due-to",
        "2026-12-31",
    ];
    assert_eq!(count(&december), 6);
    assert_eq!(count(&[&december[..], &["--state", "placed"]].concat()), 0);
    assert_eq!(count(&[&december[..], &["--form", "7"]].concat()), 1);
    let set = [
        "forms",
        "answering-day",
        "--set",
        "2025-01-01",
        "--reason",
        "the paper register ended in 2024",
        "--as",
        "administrator",
    ];
    let set = system.json(&set);
    assert_eq!(set["previous"].as_array().map(Vec::len), Some(1));
    assert!(count(&["forms", "schedule", "--overdue"]) > 152);
    let told = said(&system, &["forms", "punctuality", "--year", "2025", "--by", "form"]);
    assert!(told.contains("forms/26") && told.contains("26 rows"), "{told}");
    let (code, _) = system.failure(&["forms", "schedule"]);
    assert_eq!(code, 2, "a year or days");
}
