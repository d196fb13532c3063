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
    system.json(&["collections", "release", EDITION, "--as", "approver"])
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
    let recalled = system.json(&["collections", "recall", EDITION, "--reason", reason, "--as", "approver"]);
    assert_eq!(recalled["state"], "EDITION_STATE_RECALLED");
    assert_eq!(recalled["revisions"][0]["recall"]["reason"], reason);
    let confirmed = system.json(&["collections", "confirm-recall", COPY, "--as", "supreme-court"]);
    assert_eq!(confirmed["state"], "COPY_STATE_RECALLED");
    let shown = system.json(&["collections", "edition", EDITION]);
    assert_eq!(shown["revisions"][0]["recall"]["copiesConfirmed"], 1);
    let listed = system.json(&["collections", "editions", "--state", "recalled"]);
    assert_eq!(listed["editions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn several_files_go_up_in_one_command_are_sealed_by_their_digest_and_come_down_into_a_folder() {
    let system = System::start();
    let names = ["crime.xlsx", "crime-kk.pdf", "crime-ru.pdf"];
    let [sheet, kazakh, russian] = names.map(|name| system.file(name, name));
    let uploaded = system.json(&[
        "collections",
        "upload",
        EDITION,
        "--content",
        &sheet,
        "--kk",
        &kazakh,
        "--ru",
        &russian,
    ]);
    assert_eq!(uploaded["files"].as_array().map(Vec::len), Some(3));
    assert_eq!(uploaded["files"][0]["language"], "kk");
    assert_eq!(uploaded["files"][0]["contentType"], "application/pdf");

    let marking = ["--copies", "33", "--reason", "It tells of pending cases"];
    let marked = system.json(&[&["collections", "mark", EDITION][..], &marking].concat());
    assert_eq!(marked["officialUse"]["copies"], 33);
    let (code, said) = system.failure(&["collections", "embargo", EDITION, "--until", "2020-01-01T00:00:00Z"]);
    assert!(code == 1 && said.contains("until"), "{code} {said}");
    system.json(&["collections", "embargo", EDITION, "--lift"]);

    let (code, said) = system.failure(&["collections", "seal", EDITION, "--file", &sheet, &kazakh]);
    assert!(code != 0 && said.contains("crime-ru.pdf"), "{code} {said}");
    system.json(&["collections", "seal", EDITION, "--file", &russian, &sheet, &kazakh]);
    system.json(&["collections", "release", EDITION, "--as", "approver"]);

    let folder = system.folder().join("received").display().to_string();
    let court = ["--as", "supreme-court"];
    let download = ["collections", "download", COPY, "--into", &folder];
    let fetched = system.json(&[&download[..], &court].concat());
    assert_eq!(fetched["files"].as_array().map(Vec::len), Some(3));
    let received = names.map(|name| format!("{folder}/{name}"));
    for (name, path) in names.iter().zip(&received) {
        assert_eq!(std::fs::read_to_string(path).expect("it came"), *name);
    }
    let one = system.folder().join("one.pdf").display().to_string();
    let download = ["collections", "download", COPY, "--to", &one];
    let (code, said) = system.failure(&[&download[..], &court].concat());
    assert!(code == 1 && said.contains("crime-kk.pdf"), "{code} {said}");
    system.json(&[&download[..], &["--filename", "crime-kk.pdf"], &court].concat());
    assert_eq!(std::fs::read_to_string(one).expect("it came"), "crime-kk.pdf");

    let files: Vec<&str> = received.iter().map(String::as_str).collect();
    let confirm = [&["collections", "confirm", COPY, "--file"][..], &files, &court].concat();
    assert_eq!(system.json(&confirm)["state"], "COPY_STATE_RECEIVED");
    let proof = system.folder().join("proof.json").display().to_string();
    system.run(&["collections", "prove", COPY, "--to", &proof]);
    let keys = system.file("keys.json", &system.json(&["collections", "keys"]).to_string());
    let said = system.run(&[
        "collections",
        "verify",
        &proof,
        "--keys",
        &keys,
        "--content",
        &received[1],
    ]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("crime-kk.pdf") && said.contains("one of 3"), "{said}");
}
