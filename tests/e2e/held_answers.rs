//! A person who has no certificate reads the answer to a request on paper: by the number and the secret of the coupon.

use std::{path::Path, process::Output};

use legalstat_test_support::system::{System, program};
use serde_json::{Value, json};

use crate::signer::Signer;

/// A request of a person on paper, recorded by an official: what was answered.
fn recorded(system: &System) -> Value {
    let request = json!({ "request": {
        "requester": { "kind": "REQUESTER_KIND_INDIVIDUAL", "fullName": "Айгүл Серікқызы Нұрланова", "iin": "911003342906",
                       "postalAddress": "Астана қ., Тәуелсіздік даңғылы, 1" },
        "signatory": { "fullName": "Айгүл Серікқызы Нұрланова", "capacity": "SIGNATORY_CAPACITY_APPLICANT" },
        "channel": "CHANNEL_PAPER", "externalDate": { "year": 2026, "month": 2, "day": 2 },
        "essence": "2025 жылдың қаңтарындағы қылмыстар", "language": "LANGUAGE_KK",
        "items": [{ "kind": "ITEM_KIND_STATISTICS", "description": "Тіркелген қылмыстар", "unit": "UNIT_CRIME", "period": "2025-M01" }] } });
    let file = system.file("request.json", &request.to_string());
    let submitted = system.examined(&["requests", "submit", "--file", &file]);
    assert_eq!(submitted["state"], "REQUEST_STATE_REGISTERED", "{submitted}");
    submitted
}

/// Drafts, approves and dispatches the answer, as officials do.
fn answer(system: &System, name: &str) {
    let drafted = system.json(&["requests", "answer", "draft", name]);
    let to_sign = system.folder().join("to-sign.json").display().to_string();
    let download = [
        "requests",
        "answer",
        "download",
        name,
        "--format",
        "canonical-json",
        "--to",
        &to_sign,
    ];
    let downloaded = system.json(&download);
    assert_eq!(downloaded["file"]["sha256"], drafted["sha256"]);
    let signed = std::fs::read(&to_sign).expect("it was downloaded");
    let signature = system.folder().join("answer.p7s");
    std::fs::write(&signature, Signer::named("The head").sign(&signed)).expect("the folder is ours");
    let signature = signature.display().to_string();
    let approve = [
        "requests",
        "answer",
        "approve",
        name,
        "--capacity",
        "head",
        "--signature",
        &signature,
        "--as",
        "approver",
    ];
    system.json(&approve);
    system.json(&[
        "requests",
        "answer",
        "dispatch",
        name,
        "--means",
        "in-person",
        "--proof",
        "by hand, 17",
    ]);
}

/// Runs `requests answer` as somebody who has the authority's certificate and none of his own.
fn without_certificate(system: &System, certificates: &Path, arguments: &[&str]) -> Output {
    program(system.folder())
        .env("LEGALSTAT_CERTIFICATES", certificates)
        .args(["requests", "answer"])
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn said(output: &Output) -> String {
    assert!(!output.status.success(), "it did not fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_person_reads_the_answer_with_coupon_and_secret_and_a_guess_gets_nothing() {
    let system = System::start();
    let submitted = recorded(&system);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (name, coupon) = (text(&submitted["name"]), text(&submitted["coupon"]["number"]));
    let secret = system.file("secret.txt", &format!("{}\n", text(&submitted["coupon"]["secret"])));
    let certificates = system.folder().join("of-nobody");
    std::fs::create_dir(&certificates).expect("the folder is ours");
    std::fs::copy(system.home().join("certificates/ca.pem"), certificates.join("ca.pem")).expect("it is there");
    let person = |arguments: &[&str]| without_certificate(&system, &certificates, arguments);
    let show = ["show", "--coupon", &coupon, "--secret-file", &secret, "-o", "json"];
    let early = said(&person(&show));
    assert!(early.contains("WRONG_STATE") && early.contains("REGISTERED"), "{early}");
    answer(&system, &name);

    let shown = person(&show);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("it answers in JSON");
    assert_eq!(shown, system.json(&["requests", "answer", "show", &name]));
    for (format, language) in [("pdf", "kk"), ("pdf", "ru"), ("xlsx", "kk"), ("json", "en")] {
        let to = system
            .folder()
            .join(format!("{language}.{format}"))
            .display()
            .to_string();
        let of = ["download", "--coupon", &coupon, "--secret-file", &secret];
        let how = ["--format", format, "--language", language, "--to", &to, "-o", "json"];
        let downloaded = person(&[&of[..], &how].concat());
        assert!(
            downloaded.status.success(),
            "{}",
            String::from_utf8_lossy(&downloaded.stderr)
        );
        let downloaded: Value = serde_json::from_slice(&downloaded.stdout).expect("it answers in JSON");
        assert_eq!(downloaded["file"]["answerSha256"], shown["sha256"]);
        assert_eq!(downloaded["received"]["sha256"], downloaded["file"]["sha256"]);
    }
    let pdf = std::fs::read(system.folder().join("kk.pdf")).expect("it was downloaded");
    assert!(pdf.starts_with(b"%PDF-"));

    // Ten wrong secrets are the limit; then not even the right one is taken for a while.
    let wrong = system.file("wrong.txt", "00000-00000-00000-00000");
    let guess = ["show", "--coupon", &coupon, "--secret-file", &wrong];
    let (mut wrong, mut repeated) = (0, false);
    loop {
        let refused = said(&person(&guess));
        // On a busy machine the journal takes longer than the answer waits for it: the command tries again, and that counts too.
        repeated |= refused.contains("waiting for https://");
        if refused.contains("TOO_MANY_TRIES") {
            break;
        }
        assert!(
            refused.contains("no coupon with this number and this secret"),
            "{refused}"
        );
        wrong += 1;
        assert!(wrong <= 10, "{wrong} tries");
    }
    assert!(wrong == 10 || repeated, "{wrong} tries");
    let refused = person(&show);
    assert!(refused.stdout.is_empty());
    let refused = said(&refused);
    assert!(
        refused.contains("TOO_MANY_TRIES") && refused.contains("try again"),
        "{refused}"
    );
    // The command line takes the one or the other, and a secret only with a coupon.
    for wrong in [
        &["show"][..],
        &["show", &name, "--coupon", &coupon],
        &["show", &name, "--secret-file", &secret],
    ] {
        assert_eq!(person(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let journal = [
        "journal",
        "list",
        "--service",
        "request-intake",
        "--outcome",
        "refused",
        "--as",
        "administrator",
    ];
    let journal = system.json(&journal).to_string();
    assert!(
        journal.contains("GetAnswerByCoupon") && journal.contains("RESOURCE_NOT_FOUND"),
        "{journal}"
    );
}
