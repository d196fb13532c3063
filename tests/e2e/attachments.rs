//! Requests with files, by the command line.

use serde_json::{Value, json};

use crate::command_line::request;
use legalstat_test_support::system::System;

const CONTENT: &str = include_str!("../../services/request-intake/src/signature/fixtures/content.txt");
const ID: &str = "0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e10";

fn filenames(of: &Value) -> Vec<&str> {
    let attachments = of["attachments"].as_array().expect("it has attachments");
    attachments
        .iter()
        .map(|one| one["filename"].as_str().expect("it has a name"))
        .collect()
}

#[test]
fn a_request_is_submitted_with_files_which_are_listed_downloaded_and_added_to() {
    let system = System::start();
    let body = json!({ "request": request()["request"] }).to_string();
    let message = system.file("request.json", &body);
    let original = system.file("request.txt", CONTENT);
    let list = system.file("list.csv", "a;b\n1;2\n");
    let signature = system.file("request.p7s", "no container at all");
    let submit = [
        "requests",
        "submit",
        "--as",
        "edms",
        "--file",
        &message,
        "--request-id",
        ID,
        "--signed-original",
        &original,
        "--signature",
        &signature,
        "--attach",
        &list,
    ];
    let tried = system.json(&[&submit[..], &["--validate-only"]].concat());
    assert!(
        tried["name"].as_str().is_none_or(str::is_empty),
        "a trial stores nothing"
    );
    // The trial has spent no id: a call that only checks leaves no answer.
    let submitted = system.json(&submit);
    assert_eq!(system.json(&submit), submitted, "the same command has no second effect");
    assert_eq!(filenames(&submitted).len(), 3);
    let name = submitted["name"].as_str().expect("it has a name");
    let shown = system.json(&["requests", "attachments", name]);
    let mut there = filenames(&shown);
    there.sort_unstable();
    assert_eq!(there, ["list.csv", "request.p7s", "request.txt"]);
    let attachments = shown["attachments"].as_array().expect("a list");
    let of = |kind: &str| attachments.iter().find(|one| one["kind"] == kind).expect("it is there");
    let verdict = &of("ATTACHMENT_KIND_SIGNATURE")["signature"]["outcome"];
    assert_eq!(verdict, "SIGNATURE_OUTCOME_NOT_VALID");

    let to = system.folder().join("downloaded.txt").display().to_string();
    let file = of("ATTACHMENT_KIND_SIGNED_ORIGINAL")["name"]
        .as_str()
        .expect("it has a name");
    system.json(&["requests", "download", file, "--to", &to]);
    assert_eq!(std::fs::read_to_string(&to).expect("it is there"), CONTENT);

    let more = [system.file("one.csv", "1"), system.file("two.csv", "2")];
    let added = system.json(&["requests", "attach", name, &more[0], &more[1]]);
    assert_eq!(filenames(&added), ["one.csv", "two.csv"]);
    assert_eq!(filenames(&system.json(&["requests", "attachments", name])).len(), 5);
    let (_, none) = system.failure(&["requests", "attach", name]);
    assert!(none.contains("name a file"), "{none}");
    let empty = system.file("empty.csv", "");
    let (_, told) = system.failure(&["requests", "attach", name, &empty]);
    assert!(told.contains("the content is empty"), "{told}");
}
