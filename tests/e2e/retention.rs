//! Retention rules and the erasure of one request on the command line.

use serde_json::Value;

use legalstat_test_support::system::System;

fn rule<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let rule = [
        "requests",
        "retention",
        "add",
        "--of",
        "individual",
        "--ended",
        "returned",
        "--months",
        "6",
        "--from",
        "2090-01-01",
        "--act",
        "Order No. 7",
        "--provision",
        "para 3",
        "--reason",
        "the storage periods",
        "-o",
        "json",
    ];
    [&rule, more].concat()
}

fn answer(output: &std::process::Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

#[test]
fn an_administrator_tries_a_rule_enters_it_and_ends_it_and_does_not_approve_his_own() {
    let system = System::start();
    let tried = answer(&system.run(&rule(&["--validate-only"])));
    assert_eq!(tried["effect"]["asOf"]["year"], 2090);
    assert_eq!(tried["name"], "", "{tried}");
    let entered = answer(&system.run(&rule(&[])));
    let name = entered["name"].as_str().expect("it has a name");
    assert_eq!(entered["state"], "RETENTION_RULE_STATE_PROPOSED");
    let own = system.run(&["requests", "retention", "approve", name]);
    let said = String::from_utf8_lossy(&own.stderr);
    assert_eq!(own.status.code(), Some(1), "{said}");
    assert!(said.contains("another person approves it"), "{said}");
    let listed = answer(&system.run(&["requests", "retention", "list", "--state", "proposed", "-o", "json"]));
    assert_eq!(listed["retentionRules"][0]["name"], name);
    let table = system.run(&["requests", "retention", "list"]);
    let table = String::from_utf8_lossy(&table.stdout);
    assert!(table.contains("Order No. 7") && table.contains("INDIVIDUAL"), "{table}");
    let ended = answer(&system.run(&[
        "requests",
        "retention",
        "end",
        name,
        "--reason",
        "entered wrong",
        "-o",
        "json",
    ]));
    assert_eq!(ended["state"], "RETENTION_RULE_STATE_ENDED");
    let shown = answer(&system.run(&["requests", "retention", "show", name, "-o", "json"]));
    assert_eq!(shown["endReason"], "entered wrong");
    let untimed: Vec<&str> = rule(&[])
        .into_iter()
        .filter(|word| !["--months", "6"].contains(word))
        .collect();
    assert_eq!(
        system.run(&untimed).status.code(),
        Some(2),
        "a rule without a period is wrong usage"
    );
    let absent = [
        "requests",
        "erase",
        "requests/0198c0de-0000-7000-8000-000000000000",
        "--etag",
        "1",
        "--act",
        "Decision 2-15",
        "--provision",
        "para 1",
        "--reason",
        "by a court",
    ];
    let said = String::from_utf8_lossy(&system.run(&absent).stderr).into_owned();
    assert!(said.contains("there is no requests/0198c0de"), "{said}");
}
