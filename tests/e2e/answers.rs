//! A request from its receipt to its dispatched answer, by the command line alone, and its documents verified by whoever holds them.

use std::path::{Path, PathBuf};

use legalstat_test_support::system::System;
use serde_json::{Value, json};

use crate::signer::Signer;

const JANUARY: &str = "forms/1/editions/2025-M01";
const LAW: [&str; 4] = ["--valid-from", "2020-01-01", "--act", "Order No. 7"];

/// A system whose form 1 has figures of January 2025 by region, sealed and not placed.
pub(crate) fn with_figures() -> System {
    let system = System::start();
    let import = |what: &str, of: &str, content: &str| {
        let file = system.file("register.csv", content);
        system.json(&[&["forms", what, "import", of, "--content", &file][..], &LAW].concat())
    };
    import(
        "code-lists",
        "KATO",
        "code;title_kk;title_ru;title_en\n11;Ақмола облысы;Акмолинская область;Akmola region\n15;Ақтөбе облысы;Актюбинская область;Aktobe region\n",
    );
    import(
        "indicators",
        "1",
        "code,title_kk,title_ru,title_en,unit,measure,by_territory\ncrimes,Тіркелген қылмыстар,Зарегистрировано преступлений,Registered crimes,CRIME,number,yes\n",
    );
    let figures = system.file(
        "figures.csv",
        "indicator,territory,value\ncrimes,11,1234\ncrimes,15,2345\n",
    );
    system.json(&["forms", "observations", "import", JANUARY, "--content", &figures]);
    system.json(&["forms", "seal", JANUARY]);
    system
}

fn submitted(system: &System) -> String {
    let request = json!({ "request": {
        "requester": { "kind": "REQUESTER_KIND_STATE_BODY", "fullName": "Қазақстан Республикасының Әділет министрлігі", "bin": "160340014245" },
        "signatory": { "fullName": "Министр", "capacity": "SIGNATORY_CAPACITY_HEAD" },
        "channel": "CHANNEL_UNIFIED_EDMS", "externalNumber": "12-3/45",
        "externalDate": { "year": 2026, "month": 2, "day": 2 },
        "essence": "Преступления за январь 2025 года", "language": "LANGUAGE_RU",
        "items": [{ "kind": "ITEM_KIND_STATISTICS", "description": "#eval(1) =HYPERLINK зарегистрировано преступлений",
                    "unit": "UNIT_CRIME", "period": "2025-M01", "indicator": "forms/1/indicators/crimes",
                    "territories": ["11", "15"] }] } });
    let file = system.file("request.json", &request.to_string());
    let submitted = system.examined(&["requests", "submit", "--as", "edms", "--file", &file]);
    assert_eq!(submitted["state"], "REQUEST_STATE_REGISTERED", "{submitted}");
    submitted["name"].as_str().expect("a name").to_owned()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs `requests verify`: its exit status, and what it found.
fn verified(system: &System, file: &Path, trust: &Path) -> (Option<i32>, Value) {
    verified_with(system, file, trust, &[])
}

fn verified_with(system: &System, file: &Path, trust: &Path, options: &[&str]) -> (Option<i32>, Value) {
    let (file, trust) = (text(file), text(trust));
    let verify = ["requests", "verify", &file, "--trust", &trust, "-o", "json"];
    let output = system.run(&[&verify, options].concat());
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).expect("it says what it found"),
    )
}

fn outcome<'f>(found: &'f Value, point: &str) -> &'f str {
    let mut findings = found["findings"].as_array().expect("a list").iter();
    let found = findings.find(|finding| finding["point"] == point);
    found.and_then(|finding| finding["outcome"].as_str()).unwrap_or("none")
}

#[test]
fn a_request_is_answered_by_the_command_line_alone_and_its_documents_are_verified_offline() {
    let mut system = with_figures();
    let name = submitted(&system);
    let answer = |arguments: &[&str]| {
        [&["requests", "answer"][..], arguments]
            .concat()
            .iter()
            .map(|&part| part.to_owned())
            .collect::<Vec<_>>()
    };
    let json = |system: &System, arguments: &[&str]| {
        let all = answer(arguments);
        system.json(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let drafted = json(&system, &["draft", &name]);
    let figures = drafted["items"][0]["figures"].as_array().expect("figures").clone();
    let values: Vec<&str> = figures
        .iter()
        .map(|figure| figure["value"].as_str().expect("a value"))
        .collect();
    assert_eq!(values, ["1234", "2345", "3579"], "{drafted}");
    assert_eq!(figures[0]["territory"]["title"]["kk"], "Ақмола облысы");
    assert_eq!(drafted["sources"][0]["edition"], JANUARY);
    assert_eq!(drafted["sources"][0]["contentSha256"].as_str().map(str::len), Some(64));

    let mut edited = json(&system, &["show", &name]);
    edited["opening"] = "На Ваш запрос № 12-3/45 сообщаем: әғқңөұүһі.".into();
    let file = system.file("answer.json", &edited.to_string());
    let edited = json(&system, &["edit", &name, "--file", &file]);
    assert_eq!(
        (
            &edited["version"],
            edited["editedBy"].as_array().map(Vec::len).unwrap_or(0)
        ),
        (&Value::from(2), 1)
    );
    let (code, said) = system.failure(&["requests", "answer", "edit", &name, "--file", &file]);
    assert!(code == 1 && said.contains("ETAG_MISMATCH"), "{said}");

    let to_sign = json(&system, &["approve", &name, "--capacity", "deputy"]);
    assert_eq!(to_sign["sha256"], edited["sha256"]);
    let canonical = system.folder().join("canonical.json");
    json(
        &system,
        &[
            "download",
            &name,
            "--format",
            "canonical-json",
            "--to",
            &text(&canonical),
        ],
    );
    let (signer, trust) = (Signer::named("Deputy of the Committee"), system.folder().join("trust"));
    signer.be_trusted(&trust);
    let signature = system.folder().join("answer.p7s");
    std::fs::write(&signature, signer.sign(b"something else")).expect("the folder is ours");
    let approve = [
        "requests",
        "answer",
        "approve",
        &name,
        "--capacity",
        "deputy",
        "--signature",
        &text(&signature),
        "--as",
        "approver",
    ]
    .map(str::to_owned);
    let approve: Vec<&str> = approve.iter().map(String::as_str).collect();
    let (code, said) = system.failure(&approve);
    assert!(code == 1 && said.contains("signature"), "{said}");
    let signed = std::fs::read(&canonical).expect("it was downloaded");
    std::fs::write(&signature, signer.sign(&signed)).expect("the folder is ours");
    let approved = system.json(&approve);
    assert_eq!(approved["approval"]["approvedBy"], "approver");

    let (code, said) = system.failure(&[
        "requests",
        "answer",
        "dispatch",
        &name,
        "--means",
        "post",
        "--at",
        "2020-01-01T00:00:00Z",
        "--proof",
        "1",
    ]);
    assert!(code == 1 && said.contains("OUT_OF_RANGE"), "{said}");
    json(
        &system,
        &["dispatch", &name, "--means", "post", "--proof", "RR123456789KZ"],
    );
    let stands = system.json(&["requests", "get", &name]);
    assert_eq!(stands["state"], "REQUEST_STATE_ANSWERED");

    let mut documents: Vec<PathBuf> = Vec::new();
    for (format, language) in [
        ("pdf", "kk"),
        ("pdf", "ru"),
        ("pdf", "en"),
        ("xlsx", "ru"),
        ("json", "ru"),
    ] {
        let to = system.folder().join(format!("{language}.{format}"));
        // Who brought the request has its answer too.
        json(
            &system,
            &[
                "download",
                &name,
                "--format",
                format,
                "--language",
                language,
                "--to",
                &text(&to),
                "--as",
                "edms",
            ],
        );
        documents.push(to);
    }
    // Nobody is asked.
    system.end(nix::sys::signal::Signal::SIGTERM);
    for file in &documents {
        let (code, found) = verified(&system, file, &trust);
        assert_eq!(code, Some(0), "{}: {found}", file.display());
        assert_eq!(
            (&found["proved"], &found["sha256"]),
            (&Value::Bool(true), &edited["sha256"])
        );
        assert_eq!(
            outcome(&found, "CAPACITY"),
            "NOT_PROVED",
            "a file alone never proves it"
        );
        assert_eq!(outcome(&found, "APPROVAL"), "NOT_PROVED", "no signature covers it");
        for (expected, code, signature) in [
            ("Deputy of the Committee", Some(0), "PROVED"),
            (signer.certificate_sha256().as_str(), Some(0), "PROVED"),
            ("Head of the Committee", Some(1), "REFUTED"),
        ] {
            let found = verified_with(&system, file, &trust, &["--signer", expected]);
            assert_eq!(
                (found.0, outcome(&found.1, "SIGNATURE")),
                (code, signature),
                "{}",
                found.1
            );
        }
        let nobody = system.folder().join("nobody");
        std::fs::create_dir_all(&nobody).expect("the folder is ours");
        let (code, found) = verified(&system, file, &nobody);
        assert_eq!(
            (code, outcome(&found, "SIGNATURE"), outcome(&found, "SHOWN")),
            (Some(1), "NOT_PROVED", "PROVED")
        );
        let mut bytes = std::fs::read(file).expect("it was downloaded");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let changed = system.folder().join("changed");
        std::fs::write(&changed, bytes).expect("the folder is ours");
        assert_eq!(
            verified(&system, &changed, &trust).0,
            Some(1),
            "{} changed",
            file.display()
        );
    }
}

#[test]
fn whoever_signs_what_he_drafted_himself_proves_no_approver() {
    let folder = tempfile::tempdir().expect("a folder");
    let (signer, trust) = (Signer::named("Anybody at all"), folder.path().join("trust"));
    signer.be_trusted(&trust);
    let answer = json!({ "appeal": [], "body": "", "draftedBy": "me", "draftedOn": "2026-03-20", "editedBy": [], "items": [],
        "language": "ru", "opening": "", "request": { "couponNumber": "20260314-0AB1C2D3E4", "externalDate": "",
        "externalNumber": "", "name": "requests/1", "receivedOn": "2026-03-13", "registeredOn": "", "registrationNumber": "" },
        "requester": { "bin": "", "fullName": "A", "kind": "STATE_BODY", "postalAddress": "" }, "schema": "legalstat.answer/1",
        "sources": [], "version": 1 });
    let canonical = answer.to_string();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(canonical.as_bytes());
    let document = json!({ "approval": { "approvedAt": "2020-01-01T00:00:00Z", "approvedBy": "head", "approvedOn": "2020-01-01",
        "capacity": "HEAD", "signature": hex::encode(signer.sign(canonical.as_bytes())) }, "language": "ru", "rendering": 1,
        "sha256": hex::encode(digest) });
    let file = folder.path().join("forged.json");
    let forged = json!({ "answer": answer, "document": document });
    std::fs::write(&file, forged.to_string()).expect("the folder is ours");
    let verify = |signer: &[&str]| {
        let (file, trust) = (text(&file), text(&trust));
        let all = [
            &["requests", "verify", &file, "--trust", &trust, "-o", "json"][..],
            signer,
        ]
        .concat();
        let program = legalstat_test_support::system::program(folder.path())
            .args(all)
            .output();
        let output = program.expect("the program runs");
        let found: Value = serde_json::from_slice(&output.stdout).expect("it says what it found");
        (output.status.code(), found)
    };
    let (_, found) = verify(&[]);
    assert_eq!(outcome(&found, "APPROVAL"), "NOT_PROVED", "{found}");
    let says = found["findings"].to_string();
    assert!(says.contains("Anybody at all"), "it says who signed: {says}");
    let (code, found) = verify(&["--signer", "Head of the Committee"]);
    assert_eq!((code, outcome(&found, "SIGNATURE")), (Some(1), "REFUTED"), "{found}");
}
