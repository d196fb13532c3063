//! Retention rules and the erasure of one request on the command line.

#![expect(
    clippy::disallowed_methods,
    reason = "a rule is entered from the day on which the test runs"
)]

use serde_json::Value;

use legalstat_test_support::{open_requests, system::System};

/// Adds a rule for individuals, with these flags of its own.
fn added<'a>(own: &[&'a str]) -> Vec<&'a str> {
    let of = ["requests", "retention", "add", "--of", "individual"];
    let by = [
        "--act",
        "Order No. 7",
        "--provision",
        "para 3",
        "--reason",
        "the storage periods",
        "-o",
        "json",
        "--as",
        "administrator",
    ];
    [&of, own, &by].concat()
}

fn rule<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let own = ["--ended", "returned", "--months", "6", "--from", "2090-01-01"];
    added(&[&own, more].concat())
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
    let own = system.run(&["requests", "retention", "approve", name, "--as", "administrator"]);
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
        "--as",
        "administrator",
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
        "--as",
        "administrator",
    ];
    let said = String::from_utf8_lossy(&system.run(&absent).stderr).into_owned();
    assert!(said.contains("there is no requests/0198c0de"), "{said}");
}

/// A request that its requester has taken back, some time ago if `days` says so; its coupon's number.
async fn withdrawn(system: &System, name: &str, days: i64) -> String {
    let new = [
        "requests",
        "new",
        "--kind",
        "individual",
        "--channel",
        "paper",
        "--language",
        "ru",
        "--essence",
        "Crimes",
    ];
    let request = system.examined(&[&new[..], &["--name", name, "--request-id", FIRST_CALL]].concat());
    let coupon = request["coupon"]["number"].as_str().expect("it has one").to_owned();
    let withdraw = ["requests", "withdraw", &coupon, "--reason", "By letter 9"];
    assert!(system.run(&withdraw).status.success());
    // Nobody waits for the time of a rule here.
    let mut database = open_requests::database(system).await;
    let aged =
        "UPDATE requests.request SET changed_at = changed_at - make_interval(days => $2) WHERE coupon_number = $1";
    let aged = sqlx::query(aged)
        .bind(&coupon)
        .bind(i32::try_from(days).expect("a few days"))
        .execute(&mut database)
        .await
        .expect("the database is ours");
    assert_eq!(aged.rows_affected(), 1);
    coupon
}

const NAME: &str = "Ахметов Данияр Болатович";
const FIRST_CALL: &str = "0b8f6a8e-6a35-4a0c-9d0e-1f1f5f0f8d21";

fn second_administrator(system: &System) {
    let add = [
        "certificates",
        "add",
        "--name",
        "second-administrator",
        "--role",
        "administrator",
    ];
    assert!(system.run(&add).status.success());
}

/// The sheet has nothing of the person, and the call by which the request came is told that its data were erased.
fn is_erased(system: &System, coupon: &str) {
    let sheet = system.run(&["requests", "show", coupon]);
    let sheet = String::from_utf8_lossy(&sheet.stdout).into_owned();
    assert!(
        sheet.contains("its personal data were erased") && !sheet.contains(NAME),
        "{sheet}"
    );
    let new = [
        "requests",
        "new",
        "--kind",
        "individual",
        "--channel",
        "paper",
        "--language",
        "ru",
        "--essence",
        "Crimes",
    ];
    let (code, said) = system.failure(&[&new[..], &["--name", NAME, "--request-id", FIRST_CALL]].concat());
    assert!(code == 1 && said.contains("DATA_ERASED"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_another_administrator_approves_erases_what_is_due() {
    let system = System::start();
    second_administrator(&system);
    let coupon = withdrawn(&system, NAME, 40).await;
    let today = || legalstat_kit::zone::civil_day(jiff::Timestamp::now()).to_string();
    let entered = loop {
        let from = today();
        let entered = system.run(&added(&["--days", "30", "--from", &from]));
        // At midnight the day may be over when the call comes.
        if entered.status.success() || from == today() {
            break answer(&entered);
        }
    };
    let name = entered["name"].as_str().expect("it has a name");
    let approve = [
        "requests",
        "retention",
        "approve",
        name,
        "--as",
        "second-administrator",
        "-o",
        "json",
    ];
    let approved = answer(&system.run(&approve));
    assert_eq!(approved["state"], "RETENTION_RULE_STATE_APPROVED");
    assert_eq!(approved["approvedBy"], "second-administrator");
    let begun = std::time::Instant::now();
    while answer(&system.run(&["requests", "get", &coupon, "-o", "json"]))["erased"].is_null() {
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(120),
            "{coupon} is not erased"
        );
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    is_erased(&system, &coupon);
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_erase_one_ended_request_by_its_number() {
    let system = System::start();
    second_administrator(&system);
    let coupon = withdrawn(&system, NAME, 0).await;
    let erased = || answer(&system.run(&["requests", "get", &coupon, "-o", "json"]));
    for administrator in ["administrator", "second-administrator"] {
        // Where one person is enough there is nothing left for the other.
        if erased()["erased"].is_object() {
            break;
        }
        let etag = erased()["etag"].as_str().expect("it has one").to_owned();
        let erase = [
            "requests",
            "erase",
            &coupon,
            "--etag",
            &etag,
            "--act",
            "Decision 2-15",
            "--provision",
            "para 1",
            "--reason",
            "by a court",
            "--as",
            administrator,
        ];
        let done = system.run(&erase);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let next = format!(
            "`requests erase {coupon} --etag {etag} --act 'Decision 2-15' --provision 'para 1' --reason 'by a court' --as NAME`"
        );
        assert!(told.contains(&next) == erased()["erased"].is_null(), "{told}");
    }
    assert_eq!(erased()["erased"]["legalBasis"]["act"], "Decision 2-15");
    is_erased(&system, &coupon);
}
