//! Another body's system with a key of its own: made by `openssl`, signed by request, renewed, revoked.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use legalstat_test_support::system::{System, program};
use serde_json::Value;

use crate::openssl;

/// How soon after its revocation a certificate is of no use.
const REVOKED_WITHIN: Duration = Duration::from_secs(10);

/// The machine of another body: nothing of the installation but the authority's certificate.
struct Stranger {
    folder: tempfile::TempDir,
    addresses: Vec<(String, String)>,
}

impl Stranger {
    fn of(system: &System) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::copy(system.home().join("authority/ca.pem"), folder.path().join("ca.pem")).expect("it is handed over");
        let addresses = std::fs::read(system.home().join("addresses.json")).expect("it runs");
        let addresses: Value = serde_json::from_slice(&addresses).expect("JSON");
        let setting = |name: &str| format!("LEGALSTAT_{}_URL", name.replace('-', "_").to_uppercase());
        let addresses = addresses.as_object().expect("by service").iter();
        let addresses = addresses.map(|(name, url)| (setting(name), url.as_str().expect("a URL").to_owned()));
        Self {
            addresses: addresses.collect(),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a key and a request for its certificate, as the page says.
    fn make_key(&self) -> PathBuf {
        key_and_request(
            self.folder.path(),
            &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        );
        self.path("tax-committee.csr")
    }

    fn call(&self) -> Output {
        let mut call = program(self.folder.path());
        call.env("LEGALSTAT_CERTIFICATES", self.folder.path());
        call.envs(self.addresses.iter().map(|(name, url)| (name, url)));
        call.args(["requests", "list", "--as", "tax-committee", "-o", "json"]);
        call.output().expect("the program runs")
    }

    fn serial(&self) -> String {
        let told = openssl::run(
            self.folder.path(),
            &["x509", "-in", "tax-committee.pem", "-noout", "-serial"],
        );
        told.trim().trim_start_matches("serial=").to_owned()
    }
}

fn key_and_request(folder: &Path, kind: &[&str]) {
    let files = ["-keyout", "tax-committee.key", "-out", "tax-committee.csr"];
    let request = ["req", "-new", "-nodes", "-subj", "/CN=tax-committee"];
    openssl::run(folder, &[&request[..], kind, &files].concat());
}

fn text(path: &Path) -> &str {
    path.to_str().expect("plain paths")
}

fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_system_with_a_key_of_its_own_calls_is_renewed_and_is_refused_once_it_is_revoked() {
    let system = System::start();
    let stranger = Stranger::of(&system);
    let (csr, pem) = (stranger.make_key(), stranger.path("tax-committee.pem"));
    let certificates = |arguments: &[&str]| succeeded(&system.run(&[&["certificates"], arguments].concat()));
    let sign = [
        "sign",
        "--csr",
        text(&csr),
        "--name",
        "tax-committee",
        "--role",
        "subject",
        "--days",
        "20",
        "--out",
        text(&pem),
    ];
    assert!(certificates(&sign).contains("signed for tax-committee"));
    let first = stranger.serial();
    assert!(certificates(&sign).contains("signed before"));
    assert_eq!(stranger.serial(), first, "the same request has the same certificate");
    succeeded(&stranger.call());

    let list =
        |arguments: &[&str]| system.json(&[&["certificates", "list"], arguments].concat())["certificates"].take();
    let expiring = list(&["--expiring", "30d"]);
    assert_eq!(expiring.as_array().map(Vec::len), Some(1), "{expiring}");
    assert_eq!(expiring[0]["serial"], first.as_str());
    assert_eq!(expiring[0]["key"], "by its owner");

    let renew = ["renew", "tax-committee", "--out", text(&pem)];
    assert!(certificates(&renew).contains("signed for tax-committee"));
    assert!(certificates(&renew).contains("signed before"));
    assert_ne!(stranger.serial(), first);
    succeeded(&stranger.call());
    assert_eq!(list(&["--expiring", "30d"]), Value::Array(vec![]));

    assert!(certificates(&["revoke", "tax-committee"]).contains(&first));
    assert!(certificates(&["revoke", "tax-committee"]).contains("no certificate that could still be used"));
    let revoked = Instant::now();
    let refused = loop {
        let call = stranger.call();
        if !call.status.success() {
            break String::from_utf8_lossy(&call.stderr).into_owned();
        }
        assert!(
            revoked.elapsed() < REVOKED_WITHIN + Duration::from_secs(20),
            "the call is still taken"
        );
    };
    assert!(refused.contains("revoked"), "{refused}");
    let (_, said) = system.failure(&[&["certificates"], &renew[..]].concat());
    assert!(said.contains("a new one needs a new key"), "{said}");
    let (_, said) = system.failure(&["certificates", "add", "--name", "tax-committee", "--role", "subject"]);
    assert!(said.contains("the key of tax-committee is its owner's"), "{said}");
    let (_, said) = system.failure(&["certificates", "add", "--name", "Tax-Committee", "--role", "subject"]);
    assert!(said.contains("differ in case only"), "{said}");
    let (_, said) = system.failure(&["certificates", "add", "--name", "subject", "--role", "subject"]);
    assert!(said.contains("subject is a role"), "{said}");

    stranger.make_key();
    certificates(&sign);
    succeeded(&stranger.call());
}

#[test]
fn every_mistake_in_a_request_for_a_certificate_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let sign = |arguments: &[&str]| {
        let mut sign = program(folder.path());
        sign.env("LEGALSTAT_PUBLIC_HOSTS", "registers.example,2001:db8::1");
        let output = sign
            .args(["certificates", "sign"])
            .args(arguments)
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty(), "nothing is signed");
        said
    };
    let good = [
        "--csr",
        "tax-committee.csr",
        "--name",
        "tax-committee",
        "--role",
        "subject",
    ];
    for (kind, part) in [
        (&["-newkey", "rsa:1024"][..], "RSA of 1024 bits"),
        (
            &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
            "an EC key on another curve",
        ),
    ] {
        key_and_request(folder.path(), kind);
        let said = sign(&good);
        assert!(said.contains(part) && said.contains("P-256"), "{said}");
    }
    let said = sign(&["--csr", "nothing.csr", "--name", "operator", "--role", "operator"]);
    assert!(
        said.contains("operator is a role") && said.contains("cannot read nothing.csr"),
        "{said}"
    );
    let said = sign(&["--csr", "tax-committee.key", "--name", "a b", "--role", "subject"]);
    assert!(
        said.contains("holds a private key") && said.contains("is not made of letters"),
        "{said}"
    );
    let said = sign(&[
        "--csr",
        "tax-committee.key",
        "--name",
        "supreme-court",
        "--role",
        "operator",
    ]);
    assert!(
        said.contains("supreme-court is there already, with the roles subject, recipient"),
        "{said}"
    );
    for host in ["calendar", "Request-Intake.", "registers.example", "2001:db8:0::1"] {
        let said = sign(&[&good[..], &["--host", host]].concat());
        assert!(
            said.contains("the services are reached under this name"),
            "{host}: {said}"
        );
    }
    for arguments in [&["--days", "826"][..], &["--role", "service"], &["--host", "https://a"]] {
        sign(&[&good[..], arguments].concat());
    }
    for host in [
        "calendar",
        "Form-Registry.legalstat.svc",
        "request-intake.legalstat.svc.cluster.local",
    ] {
        let said = sign(&[&good[..], &["--host", host]].concat());
        assert!(said.contains("could pass for one"), "{said}");
    }
}

/// Names for which a key is made here and another is signed, all at the same moment.
const AT_ONCE: [&str; 6] = ["aliya", "bolat", "daniyar", "erlan", "galym", "saule"];

#[test]
fn of_a_key_made_here_and_an_owners_key_signed_at_the_same_moment_only_the_owners_can_be_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = |arguments: &[&str]| {
        let mut command = program(folder.path());
        command.arg("certificates").args(arguments).stderr(Stdio::piped());
        command
    };
    succeeded(&command(&[]).output().expect("the program runs"));
    for (place, name) in AT_ONCE.into_iter().enumerate() {
        // Of two with different roles one is refused: a name is one person.
        let role = if place % 2 == 0 { "operator" } else { "auditor" };
        key_and_request(folder.path(), &["-newkey", "ed25519"]);
        let csr = folder.path().join(format!("{name}.csr"));
        std::fs::rename(folder.path().join("tax-committee.csr"), &csr).expect("it is made");
        let mut add = command(&["add", "--name", name, "--role", "operator"]);
        let mut sign = command(&["sign", "--csr", text(&csr), "--name", name, "--role", role]);
        let (add, sign) = (add.spawn().expect("it starts"), sign.stdout(Stdio::null()).spawn());
        let sign = sign.expect("it starts").wait_with_output().expect("it ends");
        let add = add.wait_with_output().expect("it ends");

        let list = command(&["list", "-o", "json"]).output().expect("the program runs");
        let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
        let of_name = list["certificates"].as_array().expect("a list").iter();
        let valid: Vec<&Value> = of_name
            .filter(|one| one["name"] == name && one["state"] == "VALID")
            .collect();
        assert_eq!(valid.len(), 1, "{list}");
        let (own, said) = (sign.status.success(), [add.stderr, sign.stderr].concat());
        let said = String::from_utf8_lossy(&said);
        assert_eq!(valid[0]["key"] == "by its owner", own, "{said}");
        assert!(
            own || role != "operator",
            "the same person may have his own key: {said}"
        );
        assert!(own || add.status.success(), "one of them is carried out: {said}");
        let made_here = folder.path().join(format!(".legalstat/certificates/{name}.key"));
        assert_eq!(made_here.exists(), !own, "{said}");
    }
}
