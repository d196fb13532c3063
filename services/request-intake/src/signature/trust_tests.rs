//! Who is trusted of the certificates of a folder, and as of when.

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};

use super::{Fault, TrustStore, chain, verify::Refused};

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// An authority, valid in the years 2025 and 2026.
fn authority() -> CertificateParams {
    let mut root = named("Authority");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (root.not_before, root.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2026, 12, 31));
    root
}

fn store(files: &[(&str, &[u8])]) -> TrustStore {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("the folder is ours");
    }
    TrustStore::read(folder.path()).expect("the folder can be read")
}

fn instant(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().expect("an instant")
}

#[test]
fn a_certificate_that_bears_its_issuers_name_and_not_its_own_signature_is_no_authority() {
    let (old, new) = (key(), key());
    let itself = authority().self_signed(&old).expect("it signs itself");
    let next = authority().signed_by(&new, &Issuer::new(authority(), old));
    let next = next.expect("it is signed by the old key");
    assert!(store(&[("next.der", next.der())]).is_empty());
    let both = store(&[("next.der", next.der()), ("root.der", itself.der())]);
    assert_eq!(both.anchors.len(), 1);
    // What the next key has certified leads to the old one by way of it.
    let leaf = named("Signer").signed_by(&key(), &Issuer::new(authority(), new));
    let found = chain::find(leaf.expect("it is signed").der(), &[], instant("2026-03-02"), &both);
    assert_eq!(
        found.expect("there is a way").authorities,
        ["CN=Authority", "CN=Authority"]
    );
}

#[test]
fn an_authority_counts_while_its_own_certificate_is_valid() {
    let own = key();
    let root = authority().self_signed(&own).expect("it signs itself");
    let mut longer = authority();
    longer.not_after = date_time_ymd(2030, 1, 1);
    let longer = longer.self_signed(&own).expect("it signs itself");
    let mut leaf = named("Signer");
    (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1));
    let leaf = leaf
        .signed_by(&key(), &Issuer::new(authority(), own))
        .expect("it is signed");
    let at = |day: &str, store: &TrustStore| match chain::find(leaf.der(), &[], instant(day), store) {
        Ok(_) => None,
        Err(Refused::Fault(fault)) => Some(fault),
        Err(Refused::Unsupported(algorithm)) => panic!("{algorithm}"),
    };
    let alone = store(&[("root.der", root.der())]);
    assert_eq!(at("2026-03-02", &alone), None);
    assert_eq!(at("2027-03-02", &alone), Some(Fault::Expired));
    assert_eq!(at("2024-03-02", &alone), Some(Fault::NotValidYet));
    let renewed = store(&[("root.der", root.der()), ("renewed.der", longer.der())]);
    assert_eq!(at("2027-03-02", &renewed), None, "the same key, certified for longer");
}

#[test]
fn a_revocation_list_that_was_to_be_followed_by_another_is_told_as_stale() {
    let own = key();
    let root = authority().self_signed(&own).expect("it signs itself");
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2026, 2, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&Issuer::new(authority(), own)).expect("it is signed");
    let store = store(&[("root.der", root.der()), ("root.crl", list.der())]);
    assert!(store.stale(instant("2026-01-31")).is_empty());
    assert_eq!(store.stale(instant("2026-02-02")), ["CN=Authority"]);
}

#[test]
fn the_numbers_of_a_signer_are_read_as_the_certification_centre_writes_them_and_no_others() {
    for (serial_number, unit, iin, bin) in [
        (
            "IIN911003342906",
            "BIN160340014245",
            Some("911003342906"),
            Some("160340014245"),
        ),
        ("911003342906", "160340014245", None, None),
        ("IIN9110033429061", "BIN16034001424x", None, None),
    ] {
        let mut parameters = named("Signer");
        let kind = DnType::CustomDnType(vec![2, 5, 4, 5]);
        parameters.distinguished_name.push(kind, serial_number);
        parameters.distinguished_name.push(DnType::OrganizationalUnitName, unit);
        let certificate = parameters.self_signed(&key()).expect("it signs itself");
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate.der()).expect("it is one");
        let read = super::verify::identifiers(&parsed);
        assert_eq!(
            (read.0.as_deref(), read.1.as_deref()),
            (iin, bin),
            "{serial_number} {unit}"
        );
    }
}
