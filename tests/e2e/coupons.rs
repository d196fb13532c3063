//! A coupon in the hands of who was given it: the status of a request, and whether the coupon is the service's.

use std::{
    fs,
    time::{Duration, Instant},
};

use legalstat_test_support::system::System;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::command_line::request;

/// A system with an accepted request; the answer, and the paths of the saved answer and of what was submitted.
fn accepted() -> (System, Value, String, String) {
    let system = System::start();
    let submitted = system.file("request.json", &request().to_string());
    let answer = system.examined(&["requests", "submit", "--as", "edms", "--file", &submitted]);
    let saved = system.file("answer.json", &answer.to_string());
    (system, answer, saved, submitted)
}

#[test]
fn who_holds_a_coupon_reads_where_the_request_stands_without_telling_the_secret_to_the_command_line() {
    let (system, answer, ..) = accepted();
    let coupon = answer["coupon"]["number"].as_str().expect("it has one");
    let secret = answer["coupon"]["secret"].as_str().expect("it has one");
    let file = system.file("secret.txt", &format!("{secret}\n"));
    let told = system.json(&["requests", "status", coupon, "--secret-file", &file]);
    assert_eq!(told["state"], "REQUEST_STATE_REGISTERED");
    assert_eq!(
        (&told["registrationNumber"], &told["dueDate"]),
        (&answer["registrationNumber"], &answer["dueDate"])
    );
    let freely = coupon.to_lowercase().replace('-', " ");
    let typed = ["requests", "status", &freely, "--secret-file", "-", "--language", "kk"];
    let shown = system.run_with_input(&typed, &secret.replace('-', ""));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.starts_with("Сұрау салу тіркелді.") && shown.contains(coupon),
        "{shown}"
    );
    let wrong = system.file("wrong.txt", "00000-00000-00000-00000");
    let (code, said) = system.failure(&["requests", "status", coupon, "--secret-file", &wrong]);
    assert!(
        code == 1 && said.contains("no coupon with this number and this secret"),
        "{code} {said}"
    );
}

#[test]
fn a_saved_coupon_is_verified_without_the_service_and_what_was_changed_is_found() {
    let (mut system, answer, saved, submitted) = accepted();
    let verify = |system: &System, answer: &str, more: &[&str]| {
        let line = [&["requests", "verify-coupon", answer], more].concat();
        system.run(&line)
    };
    assert!(
        verify(&system, &saved, &[]).status.success(),
        "the service tells its keys"
    );
    let keys = system.file("keys.json", &system.json(&["requests", "keys"]).to_string());
    let read = system.json(&["requests", "get", answer["name"].as_str().expect("a name")]);
    let read = system.file("read.json", &read.to_string());
    system.end(Signal::SIGTERM);
    for answer in [&saved, &read] {
        let proved = verify(&system, answer, &["--keys", &keys, "--submitted", &submitted]);
        let text = String::from_utf8_lossy(&proved.stdout).into_owned();
        assert!(
            proved.status.success() && text.contains("what the file holds"),
            "{text}"
        );
    }
    let mut later = answer.clone();
    later["coupon"]["acceptedAt"] = json!("2026-01-01T00:00:00Z");
    let later = system.file("later.json", &later.to_string());
    let mut other = request();
    other["request"]["essence"] = json!("Offences");
    let other = system.file("other.json", &other.to_string());
    for (answer, submitted, told) in [
        (&later, &submitted, "is not signed by the key"),
        (&saved, &other, "is not what the file holds"),
    ] {
        let line = [
            "requests",
            "verify-coupon",
            answer,
            "--keys",
            &keys,
            "--submitted",
            submitted,
        ];
        let (code, said) = system.failure(&line);
        assert!(code == 1 && said.contains(told), "{code} {said}");
    }
}

#[test]
fn the_next_key_is_announced_by_a_running_system_and_signs_from_its_time_on() {
    let (system, first, ..) = accepted();
    let listed = || {
        system.json(&["requests", "keys"])["signingKeys"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(listed().len(), 1);
    let until = |holds: &dyn Fn() -> bool| {
        let give_up = Instant::now() + Duration::from_secs(60);
        while !holds() {
            assert!(Instant::now() < give_up, "{:?}", listed());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    assert!(system.run(&["signing-keys", "add"]).status.success());
    until(&|| listed().iter().any(|key| key["state"] == "SIGNING_KEY_STATE_ANNOUNCED"));
    // Of those that begin at the same time the last one made signs.
    let begun = listed()[0]["validFrom"].as_str().expect("an instant").to_owned();
    assert!(
        system
            .run(&["signing-keys", "add", "--signs-from", &begun])
            .status
            .success()
    );
    until(&|| listed().iter().any(|key| key["state"] == "SIGNING_KEY_STATE_RETIRED"));
    let mut another = request();
    another["requestId"] = json!("0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e02");
    let another = system.file("another.json", &another.to_string());
    let second = system.json(&["requests", "submit", "--as", "edms", "--file", &another]);
    assert_ne!(first["coupon"]["key"], second["coupon"]["key"]);
    let saved = system.file("second.json", &second.to_string());
    assert!(system.run(&["requests", "verify-coupon", &saved]).status.success());
    let keys = system.home().join("signing-keys/request-intake");
    for key in fs::read_dir(keys).expect("it is there") {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &key.expect("a file").metadata().expect("it is there").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }
}
