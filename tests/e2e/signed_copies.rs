//! An edition from its seal to its recall, and what a copy proves to who has no access to the system.

use legalstat_test_support::system::System;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const EDITION: &str = "crime/2025-Q1";
const COPY: &str = "crime/2025-Q1/25";

fn released(system: &System) -> Value {
    let file = system.file("crime.pdf", "the collection on crime");
    system.json(&["collections", "upload", EDITION, "--content", &file]);
    let other = system.file("other.pdf", "something else");
    let (code, said) = system.failure(&["collections", "seal", EDITION, "--file", &other]);
    assert!(code == 1 && said.contains("DIGEST_MISMATCH"), "{code} {said}");
    system.json(&["collections", "seal", EDITION, "--file", &file]);
    system.json(&["collections", "release", EDITION])
}

#[test]
fn a_saved_copy_is_verified_without_the_system_and_what_was_changed_is_found() {
    let mut system = System::start();
    assert_eq!(released(&system)["copiesTotal"], 33);
    let copy = system.json(&["collections", "copy", COPY, "--as", "supreme-court"]);
    assert_eq!(copy["statement"]["ordinal"], 25);
    let saved = system.file("copy.json", &copy.to_string());
    let keys = system.file("keys.json", &system.json(&["collections", "keys"]).to_string());
    let asked = system.run(&["collections", "verify-copy", &saved]);
    assert!(asked.status.success(), "the service tells its keys");
    system.end(Signal::SIGTERM);
    let proved = system.run(&["collections", "verify-copy", &saved, "--keys", &keys]);
    let text = String::from_utf8_lossy(&proved.stdout).into_owned();
    assert!(proved.status.success() && text.contains("copy 25 of 33"), "{text}");
    assert!(text.contains("does not prove"), "{text}");
    let mut forged = copy;
    forged["recipient"] = json!("recipients/senate");
    forged["statement"]["recipient"] = json!("recipients/senate");
    let forged = system.file("forged.json", &forged.to_string());
    let (code, said) = system.failure(&["collections", "verify-copy", &forged, "--keys", &keys]);
    assert!(code != 0 && said.contains("is not proved"), "{code} {said}");
}

#[test]
fn an_edition_is_recalled_and_its_holder_confirms_that_it_knows() {
    let system = System::start();
    released(&system);
    let reason = "table 3 is wrong";
    let recalled = system.json(&["collections", "recall", EDITION, "--reason", reason]);
    assert_eq!(recalled["state"], "EDITION_STATE_RECALLED");
    assert_eq!(recalled["revisions"][0]["recall"]["reason"], reason);
    let confirmed = system.json(&["collections", "confirm-recall", COPY, "--as", "supreme-court"]);
    assert_eq!(confirmed["state"], "COPY_STATE_RECALLED");
    let shown = system.json(&["collections", "edition", EDITION]);
    assert_eq!(shown["revisions"][0]["recall"]["copiesConfirmed"], 1);
    let listed = system.json(&["collections", "editions", "--state", "recalled"]);
    assert_eq!(listed["editions"].as_array().map(Vec::len), Some(1));
}
