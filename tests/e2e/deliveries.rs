//! Copies that are delivered to a recipient's own server, on the command line: from the administrator's entry to the proof.

use std::time::{Duration, Instant};

use legalstat_test_support::{inbox::Inbox, system::System};
use serde_json::Value;

pub(super) const LEADERSHIP: &str = "gpo-leadership";
pub(super) const EDITION: &str = "crime/2025-Q1";
pub(super) const CONTENT: &str = "%PDF-1.7 crime";
/// How long its copies may be on their way, on a busy machine far more than they are: an attempt that fails there is made again after
/// about a minute.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);

pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("a text")
}

/// Makes the inbox of a recipient a key, which an administrator enters.
pub(super) fn give_key(system: &System, recipient: &str) {
    let store = format!("{recipient}-inbox");
    let key = system.json(&["inbox", "add-key", "--as", recipient, "--store", &store]);
    let public = system.file(&format!("{recipient}.pub"), text(&key, "publicKey"));
    let enter = [
        "collections",
        "add-recipient-key",
        recipient,
        text(&key, "key"),
        "--as",
        "administrator",
    ];
    system.json(&[&enter[..], &["--public-key", &public, "--reason", "its inbox signs"]].concat());
}

/// The keys of the distribution, as `collections keys` tells them.
pub(super) fn distribution_keys(system: &System) -> Vec<u8> {
    system.run(&["collections", "keys", "-o", "json"]).stdout
}

/// Says on behalf of an administrator where the leadership's inbox is.
pub(super) fn enter(system: &System, inbox: &Inbox) {
    let update = [
        "collections",
        "update-recipient",
        LEADERSHIP,
        "--endpoint",
        &inbox.url(),
        "--as",
        "administrator",
    ];
    let facts = ["--certificate", LEADERSHIP, "--act", "Order 1", "--reason", "its inbox"];
    system.json(&[&update[..], &facts].concat());
}

/// An inbox of which an administrator has told the system: its key and where it is.
fn connected(system: &System) -> Inbox {
    give_key(system, LEADERSHIP);
    let inbox = Inbox::start(system.folder(), LEADERSHIP, &distribution_keys(system));
    enter(system, &inbox);
    inbox
}

/// Releases the edition, and gives its file.
pub(super) fn released(system: &System) -> String {
    let file = system.file("crime.pdf", CONTENT);
    system.json(&["collections", "upload", EDITION, "--content", &file]);
    system.json(&["collections", "seal", EDITION, "--file", &file]);
    system.json(&["collections", "release", EDITION, "--as", "approver"]);
    file
}

/// The recipient's copies, once there is none that is not received.
fn received(system: &System) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let listed = system.json(&["collections", "copies", "--edition", EDITION, "--as", LEADERSHIP]);
        let copies = listed["copies"].as_array().cloned().expect("a list");
        if copies.iter().all(|copy| copy["state"] == "COPY_STATE_RECEIVED") {
            return copies;
        }
        assert!(began.elapsed() < PATIENCE, "{listed}");
    }
}

#[test]
fn a_recall_comes_to_the_inbox_that_has_the_copies_and_its_answer_confirms_it() {
    let system = System::start();
    let inbox = connected(&system);
    released(&system);
    received(&system);
    let recall = [
        "collections",
        "recall",
        EDITION,
        "--reason",
        "table 3 is wrong",
        "--as",
        "approver",
    ];
    system.json(&recall);
    let began = Instant::now();
    loop {
        let listed = system.json(&["collections", "copies", "--edition", EDITION, "--as", LEADERSHIP]);
        let copies = listed["copies"].as_array().expect("a list");
        assert!(
            copies.iter().all(|copy| copy["state"] == "COPY_STATE_RECALLED"),
            "{listed}"
        );
        if copies.iter().all(|copy| copy["recallConfirmedAt"].is_string()) {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{listed}");
    }
    let store = inbox.store().display().to_string();
    let listed = system.json(&["inbox", "list", "--store", &store]);
    let copies = listed["copies"].as_array().expect("a list");
    let told = |copy: &Value| (text(copy, "state").to_owned(), text(copy, "reason").to_owned());
    let expected = ("RECALLED".to_owned(), "table 3 is wrong".to_owned());
    assert_eq!(copies.iter().map(told).collect::<Vec<_>>(), vec![expected; 7]);
    let shown = system.json(&["inbox", "show", "crime/2025-Q1/1", "--store", &store]);
    assert_eq!(shown["recall"]["reason"], "table 3 is wrong", "{shown}");
    let export = [
        "inbox",
        "export",
        "crime/2025-Q1/1",
        "--to",
        "received",
        "--store",
        &store,
    ];
    let (code, said) = system.failure(&export);
    assert!(code == 2 && said.contains("table 3 is wrong"), "{code} {said}");
    let exported = system.json(&[&export[..], &["--recalled"]].concat());
    assert_eq!(exported["files"].as_array().map(Vec::len), Some(1), "{exported}");
}

#[test]
fn copies_of_a_recipient_whose_inbox_an_administrator_entered_arrive_by_themselves_and_their_receipts_prove_it() {
    let system = System::start();
    let inbox = connected(&system);
    let file = released(&system);

    let copies = received(&system);
    assert_eq!(copies.len(), 7);
    let mut names: Vec<_> = copies.iter().map(|copy| text(copy, "name").to_owned()).collect();
    let mut arrived = inbox.received();
    names.sort();
    arrived.sort();
    assert_eq!(arrived, names);
    for number in 1..=7 {
        let short = format!("{EDITION}/{number}");
        assert_eq!(inbox.content(&short), CONTENT.as_bytes());
        let receipt = system.json(&["collections", "copy", &short])["receipt"].clone();
        assert_eq!(text(&receipt, "way"), "RECEIPT_WAY_PUSH");
        assert_eq!(text(&receipt, "confirmedBy"), LEADERSHIP);
        assert!(text(&receipt, "signingKey").starts_with("recipients/gpo-leadership/signingKeys/"));
    }
    let attempts = system.json(&["collections", "attempts", "crime/2025-Q1/1"]);
    let attempts = attempts["attempts"].as_array().expect("a list");
    // The last one comes first. One before it found the inbox busy, if there was any.
    let outcomes: Vec<&str> = attempts.iter().map(|attempt| text(attempt, "outcome")).collect();
    let is_received = |outcome: &&&str| **outcome == "DELIVERY_OUTCOME_RECEIVED";
    assert_eq!(outcomes.first(), Some(&"DELIVERY_OUTCOME_RECEIVED"), "{attempts:?}");
    assert_eq!(outcomes.iter().filter(is_received).count(), 1, "{attempts:?}");
    let courts = system.json(&["collections", "copy", "crime/2025-Q1/25"]);
    assert_eq!(
        courts["state"], "COPY_STATE_ISSUED",
        "who has no inbox fetches its copies"
    );

    let proof = system.folder().join("proof.json").display().to_string();
    system.run(&["collections", "prove", "crime/2025-Q1/1", "--to", &proof]);
    let keys = system.file("keys.json", &system.json(&["collections", "keys"]).to_string());
    let said = system.run(&["collections", "verify", &proof, "--keys", &keys, "--content", &file]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(text.contains("gpo-leadership") && text.contains("received"), "{text}");
}
