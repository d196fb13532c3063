//! What is wrong is refused with every violation, its reason and its law, and changes nothing.

use std::collections::BTreeSet;

use serde_json::json;

use crate::command_line::request;
use legalstat_test_support::system::System;

/// A command line, its exit status, and what it must say.
type Case<'a> = (&'a [&'a str], i32, &'a [&'a str]);

fn refused(system: &System, cases: &[Case<'_>]) {
    for (arguments, code, words) in cases {
        let (found, said) = system.failure(arguments);
        assert_eq!(found, *code, "{arguments:?}: {said}");
        for word in *words {
            assert!(said.contains(word), "{arguments:?} does not say {word:?}: {said}");
        }
        assert!(!said.contains("INTERNAL"), "{arguments:?}: {said}");
    }
}

#[test]
fn dates_periods_and_resources_that_do_not_exist_are_refused() {
    let system = System::start();
    refused(
        &system,
        &[
            (&["calendar", "day", "2019-02-30"], 1, &["name", "INVALID_FIELDS"]),
            (&["calendar", "day", "2037-01-01"], 1, &["YEAR_OUT_OF_RANGE"]),
            (
                &["calendar", "days", "--from", "2019-02-30", "--to", "2019-03-01"],
                2,
                &["--from", "a day that there is"],
            ),
            (
                &["calendar", "days", "--from", "yesterday", "--to", "2019-03-01"],
                2,
                &["2019-07-15"],
            ),
            (
                &["calendar", "deadline", "--period", "2019-Q5", "--due-day", "40"],
                1,
                &["period", "Q1 to Q4", "due_day"],
            ),
            (
                &[
                    "calendar",
                    "deadline",
                    "--term",
                    "none",
                    "--received",
                    "2025-01-01T00:00:00Z",
                ],
                1,
                &["terms/none"],
            ),
            (&["calendar", "deadline"], 2, &["--period"]),
            (
                &["forms", "edition", "forms/1/editions/2019-Q1"],
                1,
                &["name", "every month"],
            ),
            (
                &["forms", "edition", "forms/99/editions/2019-M05"],
                1,
                &["RESOURCE_NOT_FOUND", "forms/99"],
            ),
            (&["forms", "get", "one"], 1, &["INVALID_FIELDS"]),
            (&["forms", "schedule", "--year", "1999"], 1, &["year"]),
            (&["collections", "get", "none"], 1, &["RESOURCE_NOT_FOUND"]),
            (
                &[
                    "collections",
                    "edition",
                    "collections/prosecution-bodies/editions/2025-S2",
                ],
                1,
                &["name", "S1"],
            ),
            (
                &["requests", "get", "00000000-0000-4000-8000-000000000000"],
                1,
                &["RESOURCE_NOT_FOUND"],
            ),
            (&["requests", "get", "nonsense"], 1, &["no request", "nonsense"]),
            (&["requests", "get", "requests/nonsense"], 1, &["INVALID_FIELDS"]),
            (
                &["calendar", "terms", "--as", "nobody"],
                2,
                &["no certificate", "operator"],
            ),
        ],
    );
}

#[test]
fn wrong_states_and_wrong_callers_are_refused() {
    let system = System::start();
    let digest = "0".repeat(64);
    let file = system.file("form.csv", "a");
    let sealed = "collections/crime/editions/2025-Q1";
    refused(
        &system,
        &[
            (
                &["forms", "place", "forms/1/editions/2025-M01"],
                1,
                &["CONTENT_MISSING", "para 14"],
            ),
            (
                &["forms", "place", "forms/1/editions/2035-M01"],
                1,
                &["PERIOD_NOT_ENDED"],
            ),
            (
                &["forms", "place", "forms/1/editions/2025-M01", "--as", "edms"],
                1,
                &["ROLE_MISSING", "ROLE_OPERATOR"],
            ),
            (
                &["forms", "upload", "forms/1/editions/2035-M01", "--content", &file],
                1,
                &["PERIOD_NOT_ENDED"],
            ),
            (&["collections", "seal", sealed, "--sha256", &digest], 1, &["refused"]),
            (
                &["collections", "release", sealed, "--as", "operator"],
                1,
                &["ROLE_MISSING"],
            ),
            (
                &[
                    "collections",
                    "release",
                    "collections/courts/editions/2025-Q1",
                    "--as",
                    "approver",
                ],
                1,
                &["DISTRIBUTION_UNRESOLVED", "3-8, 13-24"],
            ),
            (
                &[
                    "collections",
                    "confirm",
                    "collections/crime/editions/2025-Q1/copies/1",
                    "--sha256",
                    &digest,
                    "--as",
                    "operator",
                ],
                1,
                &["ROLE_MISSING"],
            ),
            (
                &["journal", "list", "--service", "calendar", "--as", "operator"],
                1,
                &["ROLE_MISSING"],
            ),
            (
                &[
                    "requests",
                    "statistics",
                    "--from",
                    "2026-01-01",
                    "--to",
                    "2026-03-31",
                    "--as",
                    "supreme-court",
                ],
                1,
                &["ROLE_MISSING"],
            ),
        ],
    );
    let refusals = system.json(&[
        "journal",
        "list",
        "--service",
        "form-registry",
        "--outcome",
        "refused",
        "--as",
        "administrator",
    ]);
    // A refusal whose entry comes late is told at the next try alone, which has an entry too.
    let entries = refusals["entries"].as_array().expect("entries").iter();
    let refused: BTreeSet<String> = entries
        .map(|entry| {
            ["method", "resource", "caller", "reason"]
                .map(|field| entry[field].to_string())
                .join(" ")
        })
        .collect();
    assert_eq!(
        refused.len(),
        4,
        "every refusal of a mutation is in the journal: {refused:?}"
    );
}

#[test]
fn a_bad_request_is_refused_with_every_violation_at_once_and_leaves_nothing() {
    let system = System::start();
    let mut bad = request();
    bad["requestId"] = json!("not a UUID");
    bad["request"]["requester"]["bin"] = json!("160940004325");
    bad["request"]["requester"]["iin"] = json!("911003342906");
    bad["request"]["externalDate"] = json!({ "year": 2026, "month": 2, "day": 30 });
    bad["request"]["items"][0]["period"] = json!("2019-Q5");
    bad["request"]["items"][0]["form"] = json!("1-M");
    bad["request"]["state"] = json!("REQUEST_STATE_REGISTERED");
    let file = system.file("bad.json", &bad.to_string());
    let fields = [
        "request_id",
        "request.requester.bin",
        "request.requester.iin",
        "request.external_date",
        "request.items[0].period",
        "request.items[0].form",
        "request.state",
    ];
    refused(
        &system,
        &[(&["requests", "submit", "--as", "edms", "--file", &file], 1, &fields)],
    );

    let mut unknown = request();
    unknown["request"]["colour"] = json!("blue");
    let unknown = system.file("unknown.json", &unknown.to_string());
    let broken = system.file("broken.json", "{");
    let other = system.file("other.json", &request().to_string());
    refused(
        &system,
        &[
            (
                &["requests", "submit", "--as", "edms", "--file", &unknown],
                2,
                &["colour"],
            ),
            (
                &["requests", "submit", "--as", "edms", "--file", &broken],
                2,
                &["not JSON"],
            ),
            (
                &["requests", "submit", "--as", "edms", "--file", "nowhere.json"],
                2,
                &["cannot read"],
            ),
            (
                &["requests", "submit", "--as", "kadagalau", "--file", &other],
                1,
                &["CHANNEL_NOT_OF_CALLER", "para 7"],
            ),
        ],
    );
    let mut hundred = request();
    hundred["request"]["items"] = (0..100).map(|_| json!({ "period": "2019-Q5" })).collect();
    let hundred = system.file("hundred.json", &hundred.to_string());
    let list = system.file("list.json", "[]");
    let mut later = request();
    later["request"]["externalDate"] = json!({ "year": 2099, "month": 1, "day": 1 });
    later["request"]["essence"] = json!("\u{1b}[2J");
    let later = system.file("later.json", &later.to_string());
    let folder = system.folder().display().to_string();
    refused(
        &system,
        &[
            (
                &["requests", "submit", "--as", "edms", "--file", &hundred],
                1,
                &["request.items[0].kind", "more violations"],
            ),
            (
                &["requests", "submit", "--as", "edms", "--file", &list],
                2,
                &["JSON object"],
            ),
            (
                &["requests", "submit", "--as", "edms", "--file", &later],
                1,
                &["request.external_date", "request.essence"],
            ),
            (
                &["forms", "upload", "forms/1/editions/2025-M01", "--content", &folder],
                2,
                &["folder"],
            ),
            (
                &["calendar", "terms", "--as", "../authority/ca"],
                2,
                &["no certificate"],
            ),
        ],
    );
    let requests = system.json(&["requests", "list"]);
    assert_eq!(requests["requests"], json!([]), "nothing was stored");
}

#[test]
fn a_file_over_the_limit_is_refused_and_changes_nothing() {
    let system = System::start();
    let file = system.folder().join("large.bin");
    let large = std::fs::File::create(&file).expect("the folder is ours");
    large.set_len(32 * 1024 * 1024 + 1).expect("it may be sparse");
    let (file, edition) = (file.display().to_string(), "collections/crime/editions/2025-Q1");
    refused(
        &system,
        &[(
            &["collections", "upload", edition, "--content", &file],
            1,
            &["FILE_TOO_LARGE", "33554432"],
        )],
    );
    assert_eq!(
        system.json(&["collections", "edition", edition])["state"],
        "EDITION_STATE_SCHEDULED"
    );
}

#[test]
fn the_same_request_id_with_another_body_is_refused() {
    let system = System::start();
    let file = system.file("request.json", &request().to_string());
    system.json(&["requests", "submit", "--as", "edms", "--file", &file]);
    let mut other = request();
    other["request"]["essence"] = json!("Something else");
    let other = system.file("other.json", &other.to_string());
    refused(
        &system,
        &[(
            &["requests", "submit", "--as", "edms", "--file", &other],
            1,
            &["REQUEST_ID_REUSED"],
        )],
    );
}
