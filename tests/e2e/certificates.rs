//! A certificate that cannot be used is told from a service that is away.

use legalstat_local::authority::{Authority, Usage};
use legalstat_proto::common::v1::Role;
use legalstat_test_support::system::{System, program};
use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// Puts a caller's certificate with these dates, counted from now, beside the others; the system's authority signs it.
#[expect(
    clippy::disallowed_methods,
    reason = "the dates of a certificate are counted from now"
)]
fn issue(system: &System, name: &str, from: Duration, to: Duration) {
    let key = std::fs::read_to_string(system.home().join("authority/ca.key")).expect("it is there");
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(rcgen::DnType::CommonName, "legalstat private authority");
    let issuer = Issuer::new(authority, KeyPair::from_pem(&key).expect("a key"));
    let mut parameters = CertificateParams::default();
    let uri = format!("legalstat://{name}?role=operator").try_into().expect("a URI");
    parameters.subject_alt_names = vec![SanType::URI(uri)];
    let now = OffsetDateTime::now_utc();
    (parameters.not_before, parameters.not_after) = (now + from, now + to);
    let pair = KeyPair::generate().expect("a key");
    let made = parameters.signed_by(&pair, &issuer).expect("a certificate");
    let certificates = system.home().join("certificates");
    std::fs::write(certificates.join(format!("{name}.pem")), made.pem()).expect("the folder is ours");
    std::fs::write(certificates.join(format!("{name}.key")), pair.serialize_pem()).expect("the folder is ours");
}

#[test]
fn an_expired_certificate_another_authority_and_a_service_that_is_away_are_told_apart() {
    let system = System::start();
    let list = |system: &System, caller: &str| system.failure(&["requests", "list", "--as", caller]);
    let says = |(code, said): (i32, String), status: i32, words: &[&str]| {
        assert_eq!(code, status, "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    };
    issue(&system, "ended", Duration::days(-2), Duration::days(-1));
    says(list(&system, "ended"), 2, &["ended.pem expired at"]);
    issue(&system, "coming", Duration::days(1), Duration::days(2));
    says(list(&system, "coming"), 2, &["coming.pem is valid only from"]);
    issue(&system, "good", Duration::days(-1), Duration::days(1));
    system.json(&["requests", "list", "--as", "good"]);

    let other = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(other.path()).expect("it is made");
    authority
        .ensure(&Usage::caller("stranger", &[Role::Operator]))
        .expect("it is made");
    let certificates = system.home().join("certificates");
    for file in ["stranger.pem", "stranger.key"] {
        std::fs::copy(other.path().join("certificates").join(file), certificates.join(file)).expect("it is copied");
    }
    for _ in 0..5 {
        says(list(&system, "stranger"), 2, &["certificate", "authority"]);
    }
    std::fs::copy(certificates.join("edms.key"), certificates.join("good.key")).expect("it is copied");
    says(list(&system, "good"), 2, &["good.pem", "good.key"]);
    std::fs::write(certificates.join("good.pem"), "nothing").expect("the folder is ours");
    says(list(&system, "good"), 2, &["good.pem holds no certificate"]);

    let trusted = certificates.join("ca.pem");
    let before = std::fs::read(&trusted).expect("it is there");
    std::fs::copy(authority.certificate_path(), &trusted).expect("it is copied");
    says(
        list(&system, "edms"),
        2,
        &["service's certificate", "another authority", "ca.pem"],
    );
    std::fs::write(&trusted, before).expect("the folder is ours");

    // Nothing listens on the port that means "any"; that of a killed service could be another test's by now.
    let addresses = json!({ "request-intake": "https://localhost:0" }).to_string();
    std::fs::write(system.home().join("addresses.json"), addresses).expect("the folder is ours");
    says(list(&system, "edms"), 3, &["unreachable", "refused"]);
    says(list(&system, "ended"), 2, &["ended.pem expired at"]);
}

#[test]
fn a_command_never_takes_another_persons_certificate_by_itself() {
    let system = System::start();
    let journal = ["journal", "list", "--service", "calendar"];
    let (code, said) = system.failure(&journal);
    let told = "operator, whose certificate is the default, may not call legalstat.journal.v1.JournalService/ListEntries: say \
                who does with `--as administrator` or `--as auditor`";
    assert!(code == 2 && said.contains(told), "{code}: {said}");
    let refused = system.json(&[&journal[..], &["--outcome", "refused", "--as", "auditor"]].concat());
    assert_eq!(
        refused["entries"].as_array().map(Vec::len),
        Some(0),
        "nothing was sent: {refused}"
    );
    let (code, said) = system.failure(&[&journal[..], &["--as", "operator"]].concat());
    assert!(
        code == 1 && said.contains("ROLE_MISSING"),
        "who is named is asked for: {said}"
    );

    // Where there is one certificate alone, it is the default; nobody there may do more.
    let own = system.folder().join("own");
    std::fs::create_dir(&own).expect("the folder is ours");
    for file in ["ca.pem", "auditor.pem", "auditor.key"] {
        std::fs::copy(system.home().join("certificates").join(file), own.join(file)).expect("it is there");
    }
    let by_the_only_one = |arguments: &[&str]| {
        let mut command = program(system.folder());
        let called = command.env("LEGALSTAT_CERTIFICATES", &own).args(arguments).output();
        called.expect("the program runs")
    };
    let read = by_the_only_one(&journal);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let written = by_the_only_one(&["forms", "place", "forms/1/editions/2025-M01"]);
    let said = String::from_utf8_lossy(&written.stderr).into_owned();
    assert!(
        written.status.code() == Some(1) && said.contains("ROLE_MISSING"),
        "{said}"
    );
}
