//! What the command line tells an official to do next: by the same person, of what is overdue, of what the system decided, and of a
//! report of a crime; and two officials who mend one request at the same moment.

#![expect(
    clippy::disallowed_methods,
    reason = "what is overdue was received long before the test runs"
)]

use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan, Zoned};
use legalstat_test_support::system::System;
use serde_json::Value;

fn said(system: &System, arguments: &[&str]) -> String {
    let output = system.run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("it is a text")
}

/// The commands that a text tells.
fn hints(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A command as it is told, with its `…` filled in.
fn filled<'a>(hint: &'a str, name: &'a str) -> Vec<&'a str> {
    let words = hint.split(' ').map(|word| match word {
        "…" => "Looked at",
        "NAME" => name,
        word => word.trim_matches('\''),
    });
    words.collect()
}

/// A person's request on paper with two items; its registration number.
fn registered(system: &System, flags: &[&str]) -> String {
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
        "Преступления",
        "--signatory",
        "Ахметов Данияр",
        "--capacity",
        "applicant",
        "--address",
        "Astana, Mangilik El 8",
        "--item",
        "unit=crime;period=2025-Q4;words=registered crimes",
        "--item",
        "unit=person;period=2025;words=persons",
    ];
    let dated = ["--external-date", "2026-02-02"];
    let dated = if flags.contains(&"--external-date") {
        &[][..]
    } else {
        &dated
    };
    let request = system.examined(&[&usual[..], dated, flags].concat());
    let number = request["registrationNumber"]
        .as_str()
        .filter(|number| !number.is_empty());
    number
        .unwrap_or_else(|| panic!("it is registered: {request}"))
        .to_owned()
}

fn added(system: &System, name: &str, role: &str) {
    let add = system.run(&["certificates", "add", "--name", name, "--role", role]);
    assert!(add.status.success(), "{}", String::from_utf8_lossy(&add.stderr));
}

#[test]
fn every_command_that_is_told_is_given_by_the_same_person_and_an_approval_by_another() {
    let system = System::start();
    added(&system, "aliya", "operator");
    added(&system, "saule", "approver");
    let number = registered(&system, &[]);
    let show = |name: &str| said(&system, &["requests", "show", &number, "--as", name]);
    for _ in 0..3 {
        let sheet = show("aliya");
        let next = sheet
            .lines()
            .find(|line| line.starts_with("next: "))
            .expect("it says what is next");
        if next.contains("answer approve") {
            break;
        }
        let told = hints(next);
        assert!(
            !told.is_empty() && told.iter().all(|hint| hint.ends_with(" --as aliya")),
            "{next}"
        );
        said(&system, &filled(told[0], "aliya"));
    }
    let request = system.json(&["requests", "get", &number]);
    let by: Vec<&Value> = request["decisions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|deed| &deed["decidedBy"])
        .collect();
    assert!(by.len() >= 2 && by.iter().all(|by| *by == "aliya"), "{by:?}");

    let sheet = show("aliya");
    assert!(
        sheet.contains(&format!("`requests answer approve {number} --capacity … --as NAME`")),
        "{sheet}"
    );
    let sheet = show("saule");
    assert!(
        sheet.contains(&format!("`requests answer approve {number} --capacity … --as saule`")),
        "{sheet}"
    );
    let queue = said(
        &system,
        &[
            "requests",
            "queue",
            "--waiting-for-approval",
            "--as",
            "saule",
            "-o",
            "json",
        ],
    );
    assert!(queue.contains(&number), "{queue}");
    let told = said(
        &system,
        &[
            "requests",
            "answer",
            "approve",
            &number,
            "--capacity",
            "deputy",
            "--as",
            "saule",
        ],
    );
    let ours: Vec<&str> = told.lines().filter(|line| line.contains(" legalstat ")).collect();
    assert!(
        ours.len() == 2 && ours.iter().all(|line| line.ends_with(" --as saule")),
        "{told}"
    );
}

#[test]
fn of_two_officials_who_mend_items_at_the_same_moment_nobody_overwrites_the_other_unawares() {
    let system = System::start();
    let number = registered(&system, &[]);
    let etag = system.json(&["requests", "get", &number])["etag"]
        .as_str()
        .expect("it has one")
        .to_owned();
    let sheet = said(&system, &["requests", "show", &number]);
    assert!(sheet.contains(&format!("\netag: {etag}")), "{sheet}");
    // It was read with this etag, and goes with it.
    let unit = [
        "requests",
        "correct",
        &number,
        "--set",
        "items[0].unit=offence",
        "--reason",
        "Mistyped",
    ];
    let mended = system.run(&unit);
    let told = String::from_utf8_lossy(&mended.stderr).into_owned();
    assert!(
        mended.status.success() && told.contains(&format!("--etag {etag} has no second effect")),
        "{told}"
    );
    let again: Vec<&str> = told
        .split("the same call with ")
        .nth(1)
        .expect("it is told")
        .split(' ')
        .take(4)
        .collect();
    let (once, twice) = (
        system.json(&["requests", "get", &number]),
        system.run(&[&unit[..], &again].concat()),
    );
    assert!(twice.status.success(), "{}", String::from_utf8_lossy(&twice.stderr));
    assert_eq!(
        system.json(&["requests", "get", &number])["decisions"],
        once["decisions"],
        "it has no second effect"
    );

    let units = ["crime", "offence", "criminal-case", "person"];
    let (mut refused, mut last) = (0, [String::from("offence"), String::from("person")]);
    for round in 0..8 {
        let chosen = [units[round % 4], units[(round + 1) % 4]];
        let outcomes = std::thread::scope(|scope| {
            let mends = [0, 1].map(|place| {
                let (system, number) = (&system, &number);
                scope.spawn(move || {
                    let set = format!("items[{place}].unit={}", chosen[place]);
                    system.run(&["requests", "correct", number, "--set", &set, "--reason", "Mistyped"])
                })
            });
            mends.map(|mend| mend.join().expect("it runs"))
        });
        for (place, outcome) in outcomes.iter().enumerate() {
            if outcome.status.success() {
                last[place] = chosen[place].to_owned();
            } else {
                let said = String::from_utf8_lossy(&outcome.stderr);
                assert!(said.contains("ETAG_MISMATCH"), "{said}");
                refused += 1;
            }
        }
        let request = system.json(&["requests", "get", &number]);
        let stands = [0, 1].map(|place| {
            let unit = request["items"][place]["unit"].as_str().expect("a unit");
            unit.trim_start_matches("UNIT_").to_lowercase().replace('_', "-")
        });
        assert_eq!(
            stands, last,
            "what was answered with success stands, after {refused} refusals"
        );
    }
}

/// The sheet of a request, once what a job has computed stands in it.
fn until_shown(system: &System, number: &str, wanted: &str) -> String {
    let begun = Instant::now();
    loop {
        let sheet = said(system, &["requests", "show", number]);
        if sheet.contains(wanted) {
            return sheet;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{sheet}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_anonymous_report_of_a_threat_is_to_be_forwarded_at_once_and_is_marked_in_the_queue() {
    let system = System::start();
    let report = [
        "requests",
        "new",
        "--kind",
        "individual",
        "--channel",
        "paper",
        "--language",
        "kk",
        "--essence",
        "Қауіп туралы хабар",
    ];
    let reported = system.examined(&[&report[..], &["--reports-crime-or-threat"]].concat());
    assert_eq!(reported["reportsCrimeOrThreat"], true);
    let coupon = reported["coupon"]["number"].as_str().expect("it has one").to_owned();
    let queue = said(&system, &["requests", "queue", "--unassigned", "-o", "json"]);
    assert!(queue.contains(&coupon), "{queue}");
    let sheet = until_shown(&system, &coupon, "forward it at once, by 20");
    let next = sheet
        .lines()
        .find(|line| line.starts_with("next: "))
        .expect("it says what is next");
    let told = said(&system, &filled(hints(next)[0], ""));
    assert!(told.contains("FORWARDED"), "{told}");

    // Marked by an official behind the door.
    let unmarked = system.examined(&report);
    let coupon = unmarked["coupon"]["number"].as_str().expect("it has one").to_owned();
    let mark = [
        "requests",
        "correct",
        &coupon,
        "--set",
        "reports_crime_or_threat=true",
        "--reason",
        "By telephone",
    ];
    said(&system, &mark);
    until_shown(&system, &coupon, "it reports a crime or a threat");
}

#[test]
fn what_is_overdue_and_what_the_system_decided_stand_in_the_queue_until_somebody_has_done_it() {
    let system = System::start();
    let long_ago: Zoned = Timestamp::now().in_tz("Asia/Almaty").expect("the zone is known") - 60.days();
    let (received, dated) = (long_ago.timestamp().to_string(), long_ago.date().to_string());
    let overdue = registered(&system, &["--received-at", &received, "--external-date", &dated]);
    let shown = said(&system, &["requests", "queue", "--overdue"]);
    assert!(shown.contains(&overdue) && shown.contains("OVERDUE by "), "{shown}");
    assert!(said(&system, &["requests", "show", &overdue]).contains("overdue by "));

    let oral = system.examined(&[
        "requests",
        "new",
        "--kind",
        "individual",
        "--channel",
        "oral",
        "--language",
        "kk",
        "--name",
        "Серикбаева Айгүл",
        "--essence",
        "кражи скота",
    ]);
    let coupon = oral["coupon"]["number"].as_str().expect("it has one").to_owned();
    let overview = said(&system, &["requests", "queue"]);
    assert!(
        overview.contains("decided by the system, to confirm\n") && overview.contains("waiting for approval: none"),
        "{overview}"
    );
    let to_confirm = || system.json(&["requests", "queue", "--to-confirm"])["requests"].clone();
    assert_eq!(to_confirm()[0]["coupon"]["number"], coupon.as_str());
    let sheet = said(&system, &["requests", "show", &coupon]);
    let told = hints(&sheet);
    assert!(told[0].contains("--broken") && told[1].contains("--kept"), "{sheet}");
    assert!(said(&system, &filled(told[0], "")).contains("LEFT_WITHOUT_CONSIDERATION"));
    assert_eq!(to_confirm(), serde_json::json!([]), "it is confirmed");
}
