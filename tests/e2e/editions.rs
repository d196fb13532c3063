//! An edition's life on the command line: uploaded, sealed, placed, corrected, withdrawn; nil, and under an embargo.

use legalstat_test_support::system::System;
use serde_json::Value;

const EDITION: &str = "forms/1/editions/2025-M01";

fn strings<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[field].as_str().expect("a text")).collect()
}

#[test]
fn an_edition_is_sealed_placed_corrected_and_withdrawn() {
    let system = System::start();
    let (csv, pdf) = (
        system.file("form.csv", "a;1\n"),
        system.file("form-kk.pdf", "%PDF-1.7\n"),
    );
    system.json(&["forms", "upload", EDITION, "--content", &csv]);
    let two = system.json(&["forms", "upload", EDITION, "--content", &pdf, "--language", "kk"]);
    assert_eq!(strings(&two["files"], "filename"), ["form-kk.pdf", "form.csv"]);
    let (code, said) = system.failure(&["forms", "place", EDITION]);
    assert!(
        code == 1 && said.contains("EDITION_NOT_SEALED") && said.contains("para 14"),
        "{said}"
    );
    let sealed = system.json(&["forms", "seal", EDITION]);
    assert_eq!(sealed["state"], "EDITION_STATE_SEALED");
    let (code, said) = system.failure(&["forms", "delete-file", EDITION, "form.csv"]);
    assert!(code == 1 && said.contains("WRONG_STATE"), "{said}");
    system.json(&["forms", "place", EDITION, "--address", "https://qamqor.gov.kz/1-m"]);

    system.json(&["forms", "correct", EDITION, "--reason", "A sum was wrong"]);
    let other = system.file("form.csv", "a;2\n");
    system.json(&["forms", "upload", EDITION, "--content", &other]);
    let kept = system.folder().join("kept.csv");
    let to = kept.display().to_string();
    let download = ["forms", "download", EDITION, "--filename", "form.csv", "--to", &to];
    let content = || std::fs::read_to_string(&kept).expect("it was downloaded");
    system.json(&download);
    assert_eq!(content(), "a;1\n", "what is placed goes on being served");
    system.json(&["forms", "seal", EDITION]);
    system.json(&["forms", "place", EDITION]);
    let received = system.json(&download)["received"].clone();
    assert_eq!((content().as_str(), received["sizeBytes"].as_i64()), ("a;2\n", Some(4)));
    system.json(&[&download[..], &["--revision", "1"]].concat());
    assert_eq!(content(), "a;1\n", "both are kept");
    let placements = system.json(&["forms", "placements", "--edition", EDITION]);
    let revisions = placements["placements"].as_array().expect("a list").iter();
    let revisions: Vec<i64> = revisions
        .filter_map(|placement| placement["revision"].as_i64())
        .collect();
    assert_eq!(revisions, [1, 2]);

    system.json(&["forms", "withdraw", EDITION, "--reason", "Figures of another month"]);
    let (code, said) = system.failure(&[&download[..], &["--as", "edms"]].concat());
    assert!(code == 1 && said.contains("EDITION_WITHDRAWN"), "{said}");
    let shown = system.json(&["forms", "edition", EDITION, "--as", "edms"]);
    assert_eq!(shown["state"], "EDITION_STATE_WITHDRAWN");
    assert_eq!(shown["revisions"][1]["withdrawalReason"], "Figures of another month");
}

#[test]
fn a_form_without_cases_is_declared_nil_and_an_embargo_is_set_and_lifted() {
    let system = System::start();
    let nil = "forms/19/editions/2025-Q1";
    system.json(&["forms", "nil", nil, "--reason", "No such cases"]);
    let listed = system.json(&["forms", "editions", "--form", "19", "--state", "nil"]);
    assert_eq!(strings(&listed["editions"], "name"), [nil]);

    let embargo = ["forms", "embargo", EDITION, "--reason", "Press conference"];
    let until = [
        "--until",
        "2035-02-05T10:00:00+05:00",
        "--reader",
        "supreme-court=Instruction, para 16",
    ];
    let set = system.json(&[&embargo[..], &until[..]].concat());
    assert_eq!(set["embargo"]["until"], "2035-02-05T05:00:00Z");
    assert_eq!(set["embargo"]["readers"][0]["legalBasis"]["provision"], "para 16");
    let to = system.folder().join("kept.csv").display().to_string();
    let (code, said) = system.failure(&["forms", "download", EDITION, "--to", &to, "--as", "edms"]);
    assert!(code == 1 && said.contains("EDITION_EMBARGOED"), "{said}");
    let lifted = system.json(&[&embargo[..], &["--lift"]].concat());
    assert!(lifted["embargo"].is_null(), "{lifted}");
}

#[test]
fn an_upload_and_a_download_that_are_ended_go_on() {
    let system = System::start();
    let content: String = (0..400_000).map(|line| format!("{line};1\n")).collect();
    let file = system.file("form.csv", &content);
    let id = "0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e77";
    let upload = ["forms", "upload", EDITION, "--content", &file, "--request-id", id];
    let first = system.json(&upload);
    assert_eq!(system.json(&upload), first, "the same call has the same answer");
    let kept = system.folder().join("kept.csv");
    let part = system.folder().join(".legalstat-kept.csv.part");
    std::fs::write(&part, &content[..1_000_000]).expect("written");
    let to = kept.display().to_string();
    system.json(&["forms", "download", EDITION, "--to", &to, "--resume"]);
    assert!(
        std::fs::read_to_string(&kept).expect("it is whole") == content,
        "the content is another"
    );
    assert!(!part.exists());
    std::fs::write(&part, "something else").expect("written");
    let (code, said) = system.failure(&["forms", "download", EDITION, "--to", &to, "--resume"]);
    assert!(
        code == 1 && said.contains("download it again") && !part.exists(),
        "{said}"
    );
}
