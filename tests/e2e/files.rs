//! Messages in files, the ids of changes, and the files that the command line writes.

use std::process::Output;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{calendar_command::recording_act, command_line::request};
use legalstat_test_support::system::System;

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn requests(system: &System) -> usize {
    let listed = system.json(&["requests", "list"]);
    listed["requests"].as_array().expect("a list").len()
}

fn kind_of_8_january_2027(system: &System) -> Value {
    system.json(&["calendar", "day", "2027-01-08"])["kind"].clone()
}

/// Moves a day off from Saturday 9 to Friday 8 January 2027; the fields are spelled as in the contract.
fn act() -> Value {
    json!({
        "name": "calendarActs/order-1-2027", "kind": "CALENDAR_ACT_KIND_ORDER", "grade": "GRADE_ACT_READ",
        "citation": "Order No. 1 of 2027",
        "transfers": [{
            "working_day": { "year": 2027, "month": 1, "day": 9 }, "day_off": { "year": 2027, "month": 1, "day": 8 },
        }],
    })
}

const ID: &str = "0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e09";

#[test]
fn a_request_id_and_a_trial_in_a_file_count_in_either_spelling() {
    let system = System::start();
    let body = &request()["request"];
    let tried = system.file(
        "tried.json",
        &json!({ "validate_only": true, "request": body }).to_string(),
    );
    system.json(&["requests", "submit", "--as", "edms", "--file", &tried]);
    assert_eq!(requests(&system), 0, "a trial stores nothing");
    let file = system.file(
        "request.json",
        &json!({ "request_id": ID, "request": body }).to_string(),
    );
    let submit = ["requests", "submit", "--as", "edms", "--file", &file];
    let names = [0; 3].map(|_| system.json(&submit)["name"].clone());
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert_eq!(requests(&system), 1, "three sendings are one request");

    let content = system.file("form.csv", "a");
    let edition = "forms/1/editions/2025-M01";
    system.json(&["forms", "upload", edition, "--content", &content]);
    system.json(&["forms", "seal", edition]);
    let place = json!({ "name": edition, "channel": "CHANNEL_INFORMATION_SERVICE", "validate_only": true });
    let place = system.file("place.json", &place.to_string());
    let tried = system.run(&["forms", "place", "--file", &place]);
    assert!(tried.status.success(), "{}", errors(&tried));
    assert_eq!(
        system.json(&["forms", "edition", edition])["state"],
        "EDITION_STATE_SEALED"
    );
}

#[test]
fn an_act_in_the_contracts_spelling_is_tried_previewed_recorded_and_repeated() {
    let system = System::start();
    let whole =
        |validate_only: bool| json!({ "calendar_act": act(), "request_id": ID, "validate_only": validate_only });
    let tried = system.file("tried.json", &whole(true).to_string());
    for file in [["--file", &tried, "--yes"], ["--file", &tried, "-o=table"]] {
        let output = system.run(&[&["calendar", "act", "create", "--as", "administrator"], &file[..]].concat());
        let told = errors(&output);
        assert!(
            output.status.success() && told.contains("Nothing was recorded"),
            "{told}"
        );
        for part in ["2027-01-08", "form-registry: ", " would move"] {
            assert!(told.contains(part), "the preview lacks {part}: {told}");
        }
        assert!(!told.contains("does not say what would change"), "{told}");
    }
    assert_eq!(kind_of_8_january_2027(&system), "DAY_KIND_WORKING");

    let file = system.file("act.json", &whole(false).to_string());
    let create = [
        "calendar",
        "act",
        "create",
        "--file",
        &file,
        "-o",
        "json",
        "--as",
        "administrator",
    ];
    let answers = [0; 2].map(|_| system.run_with_input(&create, "yes\n"));
    for output in &answers {
        assert!(output.status.success(), "{}", errors(output));
    }
    assert_eq!(
        answers[0].stdout, answers[1].stdout,
        "a repeated call has the same answer"
    );
    assert_eq!(kind_of_8_january_2027(&system), "DAY_KIND_TRANSFERRED_DAY_OFF");
}

#[test]
fn a_field_given_twice_in_whichever_spelling_is_refused_and_nothing_is_recorded() {
    let system = System::start();
    let twice = [
        (
            r#"{ "calendarAct": ACT, "calendar_act": ACT }"#,
            "calendar_act: given twice",
        ),
        (
            r#"{ "calendarAct": ACT, "calendarAct": null }"#,
            "calendar_act: given twice",
        ),
        (
            r#"{ "calendarAct": ACT, "validateOnly": true, "validate_only": false }"#,
            "validate_only: given twice",
        ),
        (
            r#"{ "calendarAct": { "name": "calendarActs/order-1-2027", "transfers": [{ "dayOff": null, "day_off": {} }] } }"#,
            "calendar_act.transfers[0].day_off: given twice, as dayOff and as day_off",
        ),
    ];
    for (text, told) in twice {
        let file = system.file("act.json", &text.replace("ACT", &act().to_string()));
        let (code, said) = system.failure(&recording_act(&file));
        assert!(code == 2 && said.contains(told), "{code}: {said}");
        assert!(!said.contains("request id"), "nothing was asked for: {said}");
    }
    let keys = system.file(
        "keys.json",
        r#"{ "signingKeys": [], "signing_keys": [{ "id": "2026-1" }] }"#,
    );
    let serve = [
        "inbox",
        "serve",
        "--as",
        "supreme-court",
        "--store",
        "inbox",
        "--trusted-keys",
        &keys,
    ];
    let (code, said) = system.failure(&serve);
    assert!(
        code == 2 && said.contains("signing_keys: given twice"),
        "{code}: {said}"
    );
    assert_eq!(kind_of_8_january_2027(&system), "DAY_KIND_WORKING");
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_path_and_the_words_that_are_allowed() {
    let system = System::start();
    let mut wrong = request();
    wrong["request"]["language"] = json!("ru");
    wrong["request"]["items"][0]["colour\u{202e}"] = json!("blue");
    let file = system.file("wrong.json", &wrong.to_string());
    let (code, said) = system.failure(&["requests", "submit", "--as", "edms", "--file", &file]);
    assert_eq!(code, 2);
    for told in [
        "request.language: \"ru\" is none of LANGUAGE_KK, LANGUAGE_RU",
        "request.items[0].colour\\u{202e}: Item has no such field",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains('\u{202e}'), "{said}");
    let marked = system.file("marked.json", &format!("\u{feff}{}", request()));
    system.json(&["requests", "submit", "--as", "edms", "--file", &marked]);
}

/// The request id that a call told, if it told one.
fn told_id(said: &str) -> Option<String> {
    let line = said.lines().find_map(|line| line.strip_prefix("request id "))?;
    Some(line.split(';').next()?.to_owned())
}

#[test]
fn the_request_id_made_is_told_whatever_happens_and_takes_the_call_up_again() {
    let mut system = System::start();
    let file = system.file("request.json", &json!({ "request": request()["request"] }).to_string());
    let submit = ["requests", "submit", "--as", "edms", "--file", &file];
    system.signal_database(Signal::SIGSTOP);
    let (code, said) = system.failure(&[&submit[..], &["--timeout", "2"]].concat());
    system.signal_database(Signal::SIGCONT);
    let id = told_id(&said).unwrap_or_else(|| panic!("no id is told: {said}"));
    assert_eq!(code, 3, "try again: {said}");
    let again = [&submit[..], &["--request-id", &id]].concat();
    let resumed = system.json(&again);
    assert_eq!(system.json(&again), resumed);
    assert_eq!(requests(&system), 1, "it was taken once");

    let done = system.run(&submit);
    assert!(
        done.status.success() && told_id(&errors(&done)).is_some(),
        "{}",
        errors(&done)
    );
    system.end(Signal::SIGTERM);
    let (code, said) = system.failure(&submit);
    assert!(code == 3 && told_id(&said).is_some(), "{code}: {said}");
    let (code, said) = system.failure(&["calendar", "act", "withdraw", "order-1-2027", "--as", "administrator"]);
    assert!(code == 3 && told_id(&said).is_some(), "{code}: {said}");
    let up = format!("{} up", env!("CARGO_BIN_EXE_legalstat"));
    assert!(
        said.contains(&up),
        "the hint names the program as it was called: {said}"
    );
}

#[test]
fn a_full_disk_leaves_the_file_that_was_there_and_nothing_beside_it() {
    let system = System::start();
    let content = system.file("form.csv", &"a,b\n".repeat(1000));
    let edition = "forms/1/editions/2025-M01";
    system.json(&["forms", "upload", edition, "--content", &content]);
    let before = |file: &str| std::fs::read_to_string(system.folder().join(file)).expect("it is there");
    for command in [
        &["calendar", "export", "--year", "2026", "--to", "kept"][..],
        &["forms", "download", edition, "--to", "kept"],
    ] {
        system.file("kept", "what was there");
        let entries = || std::fs::read_dir(system.folder()).expect("a folder").count();
        let count = entries();
        let output = system.run_on_a_full_disk(command);
        let told = errors(&output);
        assert!(
            output.status.code() == Some(1) && told.contains("kept"),
            "{command:?}: {told}"
        );
        assert_eq!(before("kept"), "what was there", "{command:?}");
        assert_eq!(entries(), count, "{command:?} leaves something beside it");
        let whole = system.run(command);
        assert!(whole.status.success(), "{}", errors(&whole));
        assert!(before("kept").len() > 512, "{command:?}");
    }
}
