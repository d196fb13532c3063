//! What officials and requesters do with a request by the command line: each verb once, the sheet that tells what is next, and the
//! numbers by which a request is called.

#![expect(
    clippy::disallowed_methods,
    reason = "a requester is told on the day on which the test runs"
)]

use jiff::Timestamp;
use legalstat_kit::zone::civil_day;
use legalstat_test_support::{open_requests, system::System};
use serde_json::Value;

fn said(system: &System, arguments: &[&str]) -> String {
    let output = system.run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("it is a text")
}

/// A person's request on paper, with two items; its coupon's number.
fn recorded(system: &System, essence: &str, flags: &[&str]) -> String {
    let usual = [
        "requests",
        "new",
        "--kind",
        "individual",
        "--channel",
        "paper",
        "--language",
        "ru",
        "--name",
        "Ахметов Данияр",
        "--essence",
        essence,
        "--signatory",
        "Ахметов Данияр",
        "--capacity",
        "applicant",
        "--external-date",
        "2026-02-02",
        "--item",
        "unit=crime;period=2025-Q4;words=registered crimes",
        "--item",
        "unit=person;period=2025;words=population",
    ];
    let request = system.examined(&[&usual[..], flags].concat());
    request["coupon"]["number"]
        .as_str()
        .expect("it has a coupon")
        .to_owned()
}

const ADDRESS: [&str; 2] = ["--address", "Astana, Mangilik El 8"];

fn state(system: &System, number: &str) -> String {
    let request = system.json(&["requests", "get", number]);
    request["state"]
        .as_str()
        .expect("it has a state")
        .trim_start_matches("REQUEST_STATE_")
        .to_owned()
}

/// Waits until the job has brought a request somewhere.
fn until(system: &System, number: &str, wanted: &str) {
    let begun = std::time::Instant::now();
    while state(system, number) != wanted {
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(60),
            "{number} does not become {wanted}"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn verbs(request: &Value) -> Vec<&str> {
    let decisions = request["decisions"].as_array().expect("a list");
    decisions
        .iter()
        .filter_map(|decision| decision["verb"].as_str()?.strip_prefix("VERB_"))
        .collect()
}

#[test]
fn each_verb_is_given_once_and_the_sheet_tells_what_is_next_after_each() {
    let system = System::start();
    let coupon = recorded(&system, "Преступления за квартал", &[]);
    let sheet = said(&system, &["requests", "show", &coupon]);
    let lines: Vec<&str> = sheet.lines().collect();
    assert_eq!(lines[0], format!("{coupon}  AWAITING_CLARIFICATION"));
    assert!(
        lines[1].starts_with("next: wait for the requester") && lines[1].contains(&format!("provide {coupon} ")),
        "{sheet}"
    );
    let (failed, passed) = (sheet.find("  FAILED ADDRESS"), sheet.find("  PASSED "));
    assert!(failed.is_some() && failed < passed, "{sheet}");

    let told = said(
        &system,
        &[
            "requests",
            "clarify",
            "provide",
            &coupon,
            "--answer",
            "By letter 8",
            "--set",
            "requester.postal_address=Astana",
        ],
    );
    assert!(
        told.lines().next().is_some_and(|line| line.starts_with(&coupon)),
        "{told}"
    );
    until(&system, &coupon, "REGISTERED");
    let request = system.json(&["requests", "get", &coupon]);
    let number = request["registrationNumber"]
        .as_str()
        .expect("it has a number")
        .to_owned();
    let sheet = said(&system, &["requests", "show", &number, "--language", "kk"]);
    let lines: Vec<&str> = sheet.lines().collect();
    assert_eq!(lines[0], format!("{number}  REGISTERED"));
    assert!(
        lines[1].starts_with("due ") && lines[1].contains("days left"),
        "{sheet}"
    );
    assert!(
        lines[2].starts_with("next: decide ") && lines[2].contains(&format!("`requests review {number} --kept ")),
        "{sheet}"
    );

    let kept: Vec<String> = lines[2]
        .split("--kept ")
        .skip(1)
        .filter_map(|rest| rest.split(' ').next())
        .map(|word| word.trim_matches('\'').to_owned())
        .collect();
    let mut review = vec!["requests", "review", &number, "--reason", "Looked at"];
    review.extend(kept.iter().flat_map(|check| ["--kept", check.as_str()]));
    said(&system, &review);
    let sheet = said(&system, &["requests", "show", &number]);
    assert!(
        sheet.contains(&format!(
            "next: give it to an official with `requests assign {number} --to NAME`"
        )),
        "{sheet}"
    );
    said(&system, &["requests", "assign", &number, "--to", "operator"]);
    let name = "requester.full_name=Ахметов Данияр Болатович";
    let unit = "items[0].unit=offence";
    said(
        &system,
        &[
            "requests", "correct", &number, "--set", name, "--set", unit, "--reason", "Mistyped",
        ],
    );
    said(
        &system,
        &[
            "requests",
            "extend",
            &number,
            "--capacity",
            "head",
            "--reason",
            "Two regions are late",
            "--as",
            "approver",
        ],
    );
    let (code, told) = system.failure(&[
        "requests",
        "extend",
        &number,
        "--capacity",
        "head",
        "--reason",
        "Again",
        "--as",
        "approver",
    ]);
    assert!(code == 1 && told.contains("ALREADY_EXTENDED"), "{told}");
    let forward = [
        "requests",
        "forward",
        &number,
        "--item",
        "items[1]",
        "--to",
        "Bureau of National Statistics",
    ];
    said(
        &system,
        &[&forward[..], &["--reason", "It keeps these figures"]].concat(),
    );
    told_of_both(&system, &number);
    said(
        &system,
        &[
            "requests",
            "clarify",
            "ask",
            &number,
            "--defect",
            "essence=Уточните, что нужно",
        ],
    );
    assert_eq!(state(&system, &number), "AWAITING_CLARIFICATION");
    said(&system, &["requests", "withdraw", &number, "--reason", "By letter 9"]);

    let request = system.json(&["requests", "get", &number]);
    assert_eq!(request["state"], "REQUEST_STATE_WITHDRAWN");
    assert_eq!(request["requester"]["fullName"], "Ахметов Данияр Болатович");
    assert_eq!(request["items"][0]["unit"], "UNIT_OFFENCE");
    assert_eq!(request["items"][0]["period"], "2025-Q4", "what was not set stays");
    let given = [
        "PROVIDE_CLARIFICATION",
        "REVIEW_DECISION",
        "ASSIGN",
        "CORRECT",
        "EXTEND",
        "FORWARD",
        "ASK_CLARIFICATION",
        "WITHDRAW",
    ];
    assert_eq!(verbs(&request), given);
    let sheet = said(&system, &["requests", "show", &number]);
    assert!(
        sheet.contains("next: nothing: it has ended") && sheet.contains("FORWARD by operator: It keeps these figures"),
        "{sheet}"
    );
    let (code, told) = system.failure(&["requests", "assign", &number, "--to", "operator"]);
    assert!(code == 1 && told.contains("WRONG_STATE"), "{told}");
}

/// Records that the requester was told of the extension (the fifth decision) and of the forwarding (the sixth) of items.
fn told_of_both(system: &System, number: &str) {
    let today = civil_day(Timestamp::now()).to_string();
    let notice = ["requests", "notice", number, "--on", &today, "--means", "e-government"];
    let (code, told) = system.failure(&notice);
    assert!(
        code == 2 && told.contains("--decision 4 is EXTEND") && told.contains("--decision 5 is FORWARD"),
        "{told}"
    );
    said(system, &[&notice[..], &["--decision", "4"]].concat());
    // Of the other one it need not be said which it is.
    said(system, &notice);
    let request = system.json(&["requests", "get", number]);
    for place in [4, 5] {
        let notice = &request["decisions"][place]["notice"];
        assert_eq!(
            (notice["means"].as_str(), notice["recordedBy"].as_str()),
            (Some("NOTICE_MEANS_E_GOVERNMENT"), Some("operator")),
            "{request}"
        );
        let decision = &request["decisions"][place];
        // What is forwarded does not wait for a calendar that is slow: then it has no day, and none is explained.
        assert!(
            decision["explanation"]["steps"].is_array() || place == 5 && decision["notifyBy"].is_null(),
            "{request}"
        );
    }
    let (code, told) = system.failure(&notice);
    assert!(code == 2 && told.contains("no decision"), "{told}");
    let (code, told) = system.failure(&[&notice[..], &["--decision", "4"]].concat());
    assert!(code == 1 && told.contains("decision"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_ended_each_in_its_way_and_one_is_not_returned_before_its_time() {
    let system = System::start();
    let left = recorded(&system, "Открытые сведения", &ADDRESS);
    let leave = [
        "requests",
        "leave",
        &left,
        "--ground",
        "OPENLY_AVAILABLE",
        "--reason",
        "forms/1/editions/2025-M12 has it",
    ];
    assert!(said(&system, &leave).contains("LEFT_WITHOUT_CONSIDERATION"));
    let (code, told) = system.failure(&["requests", "leave", &left, "--ground", "NONE", "--reason", "x"]);
    assert!(code == 1, "{told}");

    let ended = recorded(&system, "Повторно", &ADDRESS);
    let terminate = [
        "requests",
        "terminate",
        &ended,
        "--ground",
        "REPEATED",
        "--capacity",
        "deputy",
        "--reason",
        "Answered before",
    ];
    let by = |name| [&terminate[..], &["--as", name]].concat();
    let (code, told) = system.failure(&by("operator"));
    assert!(code == 1 && told.contains("ROLE_MISSING"), "{told}");
    assert!(said(&system, &by("approver")).contains("TERMINATED"));

    let whole = recorded(&system, "Население", &ADDRESS);
    let forward = [
        "requests",
        "forward",
        &whole,
        "--to",
        "Bureau of National Statistics",
        "--reason",
        "It keeps these figures",
    ];
    assert!(said(&system, &forward).contains("FORWARDED"));
    let sheet = said(&system, &["requests", "show", &whole]);
    assert!(
        sheet.contains("next: when its requester was told") && sheet.contains("`requests notice "),
        "{sheet}"
    );
    let before = ["requests", "notice", &whole, "--on", "2020-01-06", "--means", "post"];
    let (code, told) = system.failure(&before);
    assert!(code == 1 && told.contains("notified_on"), "{told}");
    let today = civil_day(Timestamp::now()).to_string();
    said(
        &system,
        &["requests", "notice", &whole, "--on", &today, "--means", "post"],
    );
    assert!(said(&system, &["requests", "show", &whole]).contains("next: nothing: it has ended"));

    let returned = recorded(&system, "Без адреса", &[]);
    let back = ["requests", "return", &returned, "--reason", "The address was not given"];
    let (code, told) = system.failure(&back);
    assert!(code == 1 && told.contains("CURE_TERM_RUNNING"), "{told}");
    // Nobody waits for the end of its time here.
    let mut database = open_requests::database(&system).await;
    let aged = "UPDATE requests.request SET examined_at = examined_at - interval '40 days' WHERE coupon_number = $1";
    let aged = sqlx::query(aged)
        .bind(&returned)
        .execute(&mut database)
        .await
        .expect("the database is ours");
    assert_eq!(aged.rows_affected(), 1);
    assert!(said(&system, &back).contains("RETURNED"));
}

#[test]
fn a_command_takes_whatever_number_is_at_hand_unless_several_requests_have_it() {
    let system = System::start();
    let number = |bin: &str, name: &str| {
        let request = system.examined(&[
            "requests",
            "new",
            "--as",
            "edms",
            "--kind",
            "state-body",
            "--channel",
            "unified-edms",
            "--language",
            "ru",
            "--name",
            name,
            "--bin",
            bin,
            "--external-number",
            "12-3/45",
            "--external-date",
            "2026-02-02",
            "--signatory",
            "The head",
            "--capacity",
            "head",
            "--essence",
            "Crimes",
            "--item",
            "unit=crime;period=2025-Q4;words=registered crimes",
        ]);
        request["registrationNumber"]
            .as_str()
            .expect("it is registered")
            .to_owned()
    };
    let first = number("160340014245", "Ministry of Justice");
    for named in [first.replace('-', " "), "12 3/45".to_owned()] {
        assert!(
            said(&system, &["requests", "show", &named]).starts_with(&first),
            "{named}"
        );
    }
    let second = number("990440002381", "Ministry of Finance");
    let (code, told) = system.failure(&["requests", "assign", "12-3/45", "--to", "operator"]);
    assert!(code == 2 && told.contains(&first) && told.contains(&second), "{told}");
    let every = system.json(&["requests", "get", "12-3/45"]);
    let every = every["requests"].as_array().expect("each that has the number");
    let numbers = every.iter().map(|request| request["registrationNumber"].as_str());
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(&*second), Some(&*first)]);
    let (code, told) = system.failure(&["requests", "answer", "draft", "2019-000001"]);
    assert!(
        code == 1 && told.contains("no request that you see has the number 2019-000001"),
        "{told}"
    );
    assert!(said(&system, &["requests", "assign", &second]).contains("IN_PREPARATION"));
    assert_eq!(system.json(&["requests", "get", &second])["assignee"], "operator");
    assert!(said(&system, &["requests", "attachments", &first]).contains("0 rows"));
}
