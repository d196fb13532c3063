//! Feeds on the command line.

use serde_json::Value;

use legalstat_test_support::system::System;

const JANUARY: &str = "forms/1/editions/2025-M01";

/// Everything that a feed tells until it has caught up, one message a line.
fn watched(system: &System, arguments: &[&str]) -> Vec<Value> {
    let output = system.run(&[arguments, &["--until-caught-up", "-o", "json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    let lines = String::from_utf8(output.stdout).expect("it is a text");
    let messages = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is a message"));
    messages.collect()
}

fn kinds(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .filter_map(|message| message["event"]["kind"].as_str())
        .collect()
}

fn last_token(messages: &[Value]) -> &str {
    let last = messages.last().expect("a heartbeat at least");
    assert_eq!(last["caughtUp"], true, "{last}");
    last["resumeToken"].as_str().expect("it has a token")
}

#[test]
fn what_happens_to_forms_is_watched_left_and_joined_again() {
    let system = System::start();
    let before = watched(&system, &["forms", "watch"]);
    assert!(kinds(&before).contains(&"schedule.filled"), "{before:?}");
    let nothing = watched(&system, &["forms", "watch", "--new"]);
    assert_eq!((kinds(&nothing).len(), last_token(&nothing)), (0, last_token(&before)));

    let file = system.file("january.csv", "a;b\n1;2\n");
    system.json(&[
        "forms",
        "upload",
        JANUARY,
        "--content",
        &file,
        "--content-type",
        "text/csv",
    ]);
    let since = watched(&system, &["forms", "watch", "--after", last_token(&before)]);
    assert_eq!(kinds(&since), ["edition.prepared"]);
    assert_eq!(since[0]["event"]["resource"], JANUARY);
    let others = watched(
        &system,
        &["forms", "watch", "--as", "edms", "--after", last_token(&before)],
    );
    assert!(kinds(&others).is_empty(), "it is not placed: {others:?}");

    let output = system.run(&["forms", "watch", "--until-caught-up", "--after", last_token(&before)]);
    let line = String::from_utf8_lossy(&output.stdout);
    assert!(
        line.trim_end().ends_with(&format!("edition.prepared  {JANUARY}")),
        "{line}"
    );
    let (code, said) = system.failure(&["forms", "watch", "--after", "yesterday"]);
    assert!(code == 1 && said.contains("TOKEN"), "{said}");
}

#[test]
fn changes_of_the_calendar_are_watched_until_all_are_told() {
    let system = System::start();
    let changes = watched(&system, &["calendar", "watch"]);
    assert_eq!(
        changes.last().map(|last| &last["caughtUp"]),
        Some(&Value::Bool(true)),
        "{changes:?}"
    );
}
