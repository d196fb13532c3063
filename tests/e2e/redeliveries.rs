//! Copies that are delivered anew on the command line, and what is told of the attempts: of a recipient that got its server late, whose
//! server was away, and that a body followed.

use std::time::Instant;

use legalstat_test_support::{inbox::Inbox, system::System};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::deliveries::{CONTENT, EDITION, LEADERSHIP, PATIENCE, distribution_keys, enter, give_key, released, text};

const FIRST: &str = "crime/2025-Q1/1";
const SECOND: &str = "crime/2025-Q1/2";
/// How many copies of the edition the leadership has.
const COPIES: usize = 7;
const COUNCIL: &str = "constitutional-council";
/// The outcome of an attempt that has none yet.
const UNDER_WAY: &str = "DELIVERY_OUTCOME_UNSPECIFIED";
const UNREACHABLE: &str = "DELIVERY_OUTCOME_UNREACHABLE";
const HEIR: &str = "constitutional-court";

fn redelivering(copy: &str) -> [&str; 5] {
    ["collections", "redeliver", copy, "--reason", "the server is mended"]
}

/// What a command tells, once it is as awaited.
fn until(system: &System, command: &[&str], is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let told = system.json(command);
        if is(&told) {
            return told;
        }
        assert!(began.elapsed() < PATIENCE, "{told}");
    }
}

fn until_state(system: &System, copy: &str, state: &str) -> Value {
    until(system, &["collections", "copy", copy], |copy| copy["state"] == state)
}

/// How the attempts to deliver a copy ended, the latest first, once at least so many have and none is under way.
fn outcomes(system: &System, copy: &str, least: usize) -> Vec<String> {
    let ended = |listed: &Value| {
        let attempts = listed["attempts"].as_array().map_or(&[][..], Vec::as_slice).iter();
        let outcomes = attempts.map(|attempt| attempt["outcome"].as_str().unwrap_or(UNDER_WAY).to_owned());
        outcomes.collect::<Vec<_>>()
    };
    let all_ended = |listed: &Value| {
        let outcomes = ended(listed);
        outcomes.len() >= least && outcomes.iter().all(|outcome| outcome != UNDER_WAY)
    };
    let listed = until(system, &["collections", "attempts", copy], all_ended);
    ended(&listed)
}

/// The last attempt of each copy's schedule is due at once, as after two days without its server.
async fn pass_schedule(system: &System) {
    let mut database = PgConnection::connect(&system.database_url("legalstat"))
        .await
        .expect("it runs");
    for statement in [
        "UPDATE collections.delivery SET attempts = 8, attempts_ever = greatest(attempts_ever, 8), next_attempt_at = now()
         WHERE next_attempt_at IS NOT NULL",
        "DELETE FROM collections.recipient_breaker",
    ] {
        sqlx::query(statement)
            .execute(&mut database)
            .await
            .expect("the statement is right");
    }
}

/// Lets the schedule of every copy of the leadership pass, until all have failed: an attempt that was under way, or put off because the
/// server is away, is one of the next round.
async fn fail_all(system: &System) {
    let began = Instant::now();
    loop {
        pass_schedule(system).await;
        let list = ["collections", "copies", "--edition", EDITION, "--state", "failed"];
        let failed = tokio::task::block_in_place(|| system.json(&list));
        if failed["copies"].as_array().is_some_and(|copies| copies.len() == COPIES) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_to_a_server_that_came_late_or_failed_once_an_official_says_so_and_each_attempt_is_told() {
    let system = tokio::task::block_in_place(System::start);
    let mut inbox = tokio::task::block_in_place(|| {
        released(&system);
        let (code, said) = system.failure(&redelivering(FIRST));
        assert!(code == 1 && said.contains("NO_ENDPOINT"), "{code} {said}");
        give_key(&system, LEADERSHIP);
        let mut inbox = Inbox::start(system.folder(), LEADERSHIP, &distribution_keys(&system));
        inbox.kill();
        enter(&system, &inbox);
        inbox
    });
    fail_all(&system).await;
    tokio::task::block_in_place(|| {
        let failed = system.json(&["collections", "copy", FIRST]);
        assert!(text(&failed, "statusReason").contains("UNREACHABLE"), "{failed}");
        let before = outcomes(&system, FIRST, 1);
        assert!(before.iter().all(|outcome| outcome == UNREACHABLE), "{before:?}");
        let anew = system.json(&redelivering(FIRST));
        assert_eq!(text(&anew, "statusReason"), "delivered anew: the server is mended");
        assert_eq!(outcomes(&system, FIRST, before.len() + 1)[0], UNREACHABLE);
        let (code, said) = system.failure(&redelivering(FIRST));
        assert!(
            code == 1 && said.contains("WRONG_STATE"),
            "it is on its way: {code} {said}"
        );
    });
    fail_all(&system).await;
    tokio::task::block_in_place(|| {
        inbox.begin();
        for copy in [FIRST, SECOND] {
            let (code, said) = system.failure(&[&redelivering(copy)[..], &["--as", LEADERSHIP]].concat());
            assert!(
                code == 1 && said.contains("ROLE_MISSING"),
                "an official does: {code} {said}"
            );
            system.json(&redelivering(copy));
            until_state(&system, copy, "COPY_STATE_RECEIVED");
            assert_eq!(inbox.content(copy), CONTENT.as_bytes());
        }
        assert_eq!(inbox.received().len(), 2, "the others were not asked for");
        let outcomes = outcomes(&system, FIRST, 3);
        assert_eq!(outcomes[0], "DELIVERY_OUTCOME_RECEIVED");
        assert!(
            outcomes[1..].iter().all(|outcome| outcome == UNREACHABLE),
            "{outcomes:?}"
        );
        let shown = system.run(&["collections", "attempts", FIRST]).stdout;
        let shown = String::from_utf8_lossy(&shown).into_owned();
        for told in ["attempt", "what happened", "UNREACHABLE", &inbox.url()] {
            assert!(shown.contains(told), "{shown}");
        }
        let (code, said) = system.failure(&redelivering(FIRST));
        assert!(
            code == 1 && said.contains("WRONG_STATE"),
            "it is received: {code} {said}"
        );
        let (code, said) = system.failure(&["collections", "attempts", "crime/2025-Q1/99"]);
        assert!(code == 1 && said.contains("NOT_FOUND"), "{code} {said}");
        drop(inbox);
        drop(system);
    });
}

/// Records that the Council became a Court, and gives the Court's inbox, which takes the Council's copies as well.
fn succeeded(system: &System) -> Inbox {
    let law = [
        "--act",
        "Constitutional Law 153-VII",
        "--reason",
        "the Council became a Court",
    ];
    let court = [
        "collections",
        "add-recipient",
        HEIR,
        "--column",
        "11",
        "--from",
        "2023-01-01",
        "--as",
        "administrator",
    ];
    system.json(
        &[
            &court[..],
            &["--en", "Constitutional Court", "--certificate", HEIR],
            &law,
        ]
        .concat(),
    );
    give_key(system, HEIR);
    let inbox = Inbox::following(system.folder(), HEIR, &[COUNCIL], &distribution_keys(system));
    let change = ["collections", "update-recipient", "--as", "administrator"];
    let server = [HEIR, "--endpoint", &inbox.url(), "--reason", "its inbox"];
    system.json(&[&change[..], &server].concat());
    let ends = [COUNCIL, "--to", "2022-12-31", "--successor", HEIR];
    system.json(&[&change[..], &ends, &law].concat());
    inbox
}

#[test]
fn a_copy_of_a_body_that_ended_goes_to_the_inbox_of_what_follows_it_and_the_proof_leads_from_one_to_the_other() {
    let system = System::start();
    let file = released(&system);
    let listed = system.json(&["collections", "copies", "--edition", EDITION, "--recipient", COUNCIL]);
    let copy = text(&listed["copies"][0], "name").to_owned();
    // Nobody asks for it: its recipient has a server once its end is recorded.
    let inbox = succeeded(&system);
    let received = until_state(&system, &copy, "COPY_STATE_RECEIVED");
    assert_eq!(received["receipt"]["successor"], format!("recipients/{HEIR}"));
    assert_eq!(inbox.received(), std::slice::from_ref(&copy));

    let proof = system.folder().join("proof.json").display().to_string();
    system.json(&["collections", "prove", &copy, "--to", &proof]);
    let keys = system.file("keys.json", &String::from_utf8_lossy(&distribution_keys(&system)));
    let verify = |proof: &str| system.run(&["collections", "verify", proof, "--keys", &keys, "--content", &file]);
    let said = verify(&proof);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}");
    for part in [HEIR, "that it follows recipients/constitutional-council"] {
        assert!(text.contains(part), "{text}");
    }
    let mut changed: Value = serde_json::from_slice(&std::fs::read(&proof).expect("it is written")).expect("JSON");
    changed["successions"][0]["successor"] = json!("recipients/senate");
    let changed = verify(&system.file("changed.json", &changed.to_string()));
    assert_eq!(changed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&changed.stdout).contains("REFUTED"));
}
