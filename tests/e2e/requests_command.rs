//! Requests on the command line: several at once, by any number, by filters, as they change, and in counts; and bodies.

use jiff::Timestamp;
use legalstat_kit::zone::civil_day;
use serde_json::{Value, json};

use crate::command_line::request;
use legalstat_test_support::system::System;

const BIN: &str = "160340014245";

/// Three requests a line, the second without an essence.
fn three() -> String {
    let line = |place: usize| {
        let mut one = request();
        one.as_object_mut().expect("it is an object").remove("requestId");
        one["request"]["externalNumber"] = json!(format!("12-3/{place}"));
        one["request"]["requester"]["bin"] = json!(BIN);
        if place == 2 {
            one["request"]["essence"] = json!("");
        }
        one.to_string()
    };
    format!("{}\n{}\n{}\n", line(1), line(2), line(3))
}

fn lines(output: &std::process::Output) -> Vec<Value> {
    let lines = String::from_utf8(output.stdout.clone()).expect("it is a text");
    let values = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"));
    values.collect()
}

fn names(listed: &Value) -> Vec<&str> {
    let requests = listed["requests"].as_array().expect("a list");
    requests.iter().filter_map(|request| request["name"].as_str()).collect()
}

#[test]
fn several_requests_of_a_file_have_each_their_answer_and_are_found_watched_and_counted() {
    let system = System::start();
    let file = system.file("several.ndjson", &three());
    let id = "0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e02";
    let submit = [
        "requests",
        "submit",
        "--as",
        "edms",
        "--file",
        &file,
        "--request-id",
        id,
        "-o",
        "json",
    ];
    let output = system.run(&submit);
    assert_eq!(output.status.code(), Some(1), "one of them is refused");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("1 of 3 requests were refused"), "{said}");
    let answers = lines(&output);
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1]["failure"]["reason"], "ERROR_REASON_INVALID_FIELDS");
    let [first, third] = [0, 2].map(|place: usize| system.until_examined(&submit, &answers[place]["request"]));
    assert_eq!(
        lines(&system.run(&submit)),
        answers,
        "the same file under the same id has no second effect"
    );
    let person = system.run(&submit[..submit.len() - 2]);
    let shown = String::from_utf8_lossy(&person.stdout).into_owned();
    assert!(shown.contains("2: ") && shown.contains("request.essence"), "{shown}");

    let number = first["registrationNumber"].as_str().expect("it has one");
    let coupon = first["coupon"]["number"].as_str().expect("it has one");
    let name = first["name"].as_str().expect("it has one");
    for text in [name, number, &coupon.to_lowercase(), "12 3/1"] {
        assert_eq!(system.json(&["requests", "get", text])["name"], name, "{text}");
    }
    let (code, told) = system.failure(&["requests", "get", number, "--as", "kadagalau"]);
    assert!(code == 1 && told.contains("no request that you see"), "{told}");

    let by = |flags: &[&str]| system.json(&[&["requests", "list"], flags].concat());
    let newest_first = [third["name"].as_str().expect("it has one"), name];
    let at = |request: &Value, field: &str| -> Timestamp {
        let instant = request[field].as_str().expect("it has one");
        instant.parse().expect("an instant")
    };
    // Examined by the job, the first may have changed last.
    let last_changed_first = match at(&first, "updateTime") > at(&third, "updateTime") {
        true => [name, newest_first[0]],
        false => newest_first,
    };
    for flags in [
        &["--bin", BIN][..],
        &["--requester", "JUSTICE ministry"],
        &["--state", "registered", "--state", "answered"],
        &["--channel", "unified-edms"],
        &["--changed-since", "2019-04-15T00:00:00+05:00"],
    ] {
        assert_eq!(names(&by(flags)), newest_first, "{flags:?}");
    }
    assert_eq!(
        names(&by(&["--words", "registered crimes", "--order-by", "update_time desc"])),
        last_changed_first
    );
    assert_eq!(names(&by(&["--number", number])), [name]);
    for flags in [&["--assigned-to", "aliya"][..], &["--received-to", "2019-04-15"]] {
        assert!(names(&by(flags)).is_empty(), "{flags:?}");
    }

    let watched = lines(&system.run(&["requests", "watch", "--as", "edms", "--until-caught-up", "-o", "json"]));
    // One event of each, or two where it is examined after the call.
    let events_of = |request: &Value| -> Vec<Value> {
        let events = watched.iter().map(|message| &message["requestEvent"]);
        events
            .filter(|event| event["request"] == request["name"])
            .cloned()
            .collect()
    };
    let (events, of_third) = (events_of(&first), events_of(&third));
    assert!(
        [&events, &of_third]
            .iter()
            .all(|of_one| (1..=2).contains(&of_one.len())),
        "{watched:?}"
    );
    let all = watched.iter().filter(|message| message["event"].is_object()).count();
    assert_eq!(all, events.len() + of_third.len(), "{watched:?}");
    assert_eq!(events[events.len() - 1]["registrationNumber"], number);
    let notices = events.iter().filter_map(|event| event["notices"].as_array());
    assert_eq!(
        notices.flatten().collect::<Vec<_>>(),
        ["NOTICE_DELIVERED", "NOTICE_REGISTERED", "NOTICE_NEW_CONTROL"]
    );

    // By the days of Kazakhstan, where the year begins before it does in the time of the answer.
    let year = |request: &Value| civil_day(at(request, "receivedAt")).year();
    let (from, to) = (format!("{}-01-01", year(&first)), format!("{}-12-31", year(&third)));
    let counted = system.json(&["requests", "statistics", "--from", &from, "--to", &to]);
    assert_eq!(counted["total"]["registered"], "2");
    let table = system.run(&["requests", "statistics", "--from", &from, "--to", &to, "--forms"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(
        table.contains("UNIFIED_EDMS") && table.contains("90 % within days") && table.contains("no form"),
        "{table}"
    );
}

#[test]
fn a_body_is_entered_and_sees_what_was_brought_in_its_name() {
    let system = System::start();
    let file = system.file("several.ndjson", &three());
    system.run(&["requests", "submit", "--as", "edms", "--file", &file]);
    // Of the certificates that `up` makes this one belongs to no document system.
    let body = "supreme-court";
    assert!(names(&system.json(&["requests", "list", "--as", body])).is_empty());
    let entered = system.json(&[
        "bodies",
        "add",
        body,
        "--kind",
        "state-body",
        "--en",
        "Supreme Court",
        "--bin",
        BIN,
        "--certificate",
        body,
        "--from",
        "2020-01-01",
        "--act",
        "Order 7",
        "--reason",
        "its system is connected",
        "--as",
        "administrator",
    ]);
    assert_eq!(entered["name"], "bodies/supreme-court");
    assert_eq!(names(&system.json(&["requests", "list", "--as", body])).len(), 2);
    assert_eq!(
        system.json(&["requests", "get", "12-3/3", "--as", body])["externalNumber"],
        "12-3/3"
    );

    let renamed = [
        "bodies",
        "update",
        body,
        "--ru",
        "Верховный Суд",
        "--reason",
        "it was left out",
        "--as",
        "administrator",
    ];
    assert_eq!(system.json(&renamed)["title"]["ru"], "Верховный Суд");
    let without = [
        "bodies",
        "update",
        body,
        "--certificate",
        "",
        "--reason",
        "its key is lost",
        "--as",
        "administrator",
    ];
    assert_eq!(system.json(&without)["certificateName"], "");
    assert!(names(&system.json(&["requests", "list", "--as", body])).is_empty());
    let listed = system.json(&["bodies", "list", "--bin", BIN]);
    assert_eq!(listed["bodies"].as_array().map(Vec::len), Some(1));
    assert_eq!(system.json(&["bodies", "get", body])["title"]["en"], "Supreme Court");
    let (code, told) = system.failure(&[
        "bodies",
        "update",
        "none",
        "--en",
        "x",
        "--reason",
        "x",
        "--as",
        "administrator",
    ]);
    assert!(code == 1 && told.contains("RESOURCE_NOT_FOUND"), "{told}");
}
