use super::{request::SignedKey, *};
use legalstat_kit::Caller;
use x509_parser::{prelude::FromDer as _, x509::SubjectPublicKeyInfo};

#[test]
fn a_certificate_is_made_once_and_names_its_caller() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = || {
        let authority = Authority::open_or_create(folder.path()).expect("it opens");
        let identity = authority
            .ensure(&Usage::caller("edms", &[Role::Edms, Role::Subject]))
            .expect("it is made");
        std::fs::read(identity.certificate_path).expect("it is there")
    };
    let pem = make();
    assert_eq!(pem, make());
    let (_, parsed) = x509_parser::pem::parse_x509_pem(&pem).expect("PEM");
    let caller = Caller::from_certificate(&parsed.contents).expect("it names a caller");
    assert_eq!(
        caller,
        Caller {
            name: "edms".into(),
            roles: vec![Role::Edms, Role::Subject]
        }
    );
}

#[test]
fn a_service_is_reached_under_its_names_and_a_caller_under_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(folder.path()).expect("it opens");
    let names = |usage: &Usage| {
        let pem = std::fs::read(authority.ensure(usage).expect("it is made").certificate_path).expect("it is there");
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).expect("PEM");
        let certificate = pem.parse_x509().expect("a certificate");
        let names = certificate
            .subject_alternative_name()
            .expect("readable")
            .expect("it has names");
        let serves = certificate
            .extended_key_usage()
            .expect("readable")
            .expect("it has usages")
            .value
            .server_auth;
        (
            names
                .value
                .general_names
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            serves,
        )
    };
    let (calendar, serves) = names(&Usage::service("calendar").reached_as("calendar.legalstat.svc"));
    for name in [
        "DNSName(calendar)",
        "DNSName(localhost)",
        "DNSName(calendar.legalstat.svc)",
        "role=service",
    ] {
        assert!(calendar.contains(name), "{calendar}");
    }
    assert!(serves);
    let (operator, serves) = names(&Usage::caller("operator", &[Role::Operator]));
    assert!(
        !operator.contains("DNSName") && operator.contains("legalstat://operator?role=operator"),
        "{operator}"
    );
    assert!(!serves);
}

#[test]
fn a_certificate_is_made_anew_for_a_host_that_it_is_not_for_and_stays_for_those_that_it_is_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(folder.path()).expect("it opens");
    let made = |usage: &Usage| {
        let identity = authority.ensure(usage).expect("it is made");
        std::fs::read(identity.certificate_path).expect("it is there")
    };
    let caller = Usage::recipient("senate");
    let first = made(&caller);
    let serving = caller
        .clone()
        .reached_as("localhost")
        .reached_as("127.0.0.1")
        .reached_as("::1");
    let second = made(&serving);
    assert_ne!(first, second);
    assert_eq!(made(&serving), second);
    assert_eq!(made(&caller), second, "it serves for more than is asked");
    assert_ne!(made(&serving.reached_as("inbox.senate.example")), second);
}

fn end(path: &Path) -> i64 {
    let pem = std::fs::read(path).expect("it is there");
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).expect("PEM");
    let certificate = pem.parse_x509().expect("a certificate");
    certificate.validity().not_after.timestamp()
}

#[test]
fn what_nears_its_end_is_renewed_the_authoritys_own_certificate_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (usage, short) = (Usage::service("calendar"), Duration::days(20));
    let old = Authority::open_or_create_for(folder.path(), VALID + short).expect("it opens");
    let signed = old.ensure_for(&usage, short).expect("it is made").certificate_path;
    let before = (end(&old.certificate_path()), end(&signed));
    let key = old.issuer.key().public_key_pem();

    let renewed = Authority::open_or_create(folder.path()).expect("it opens");
    renewed.ensure(&usage).expect("it is made");
    assert!(end(&renewed.certificate_path()) > before.0 && end(&signed) > before.1);
    assert_eq!(
        renewed.issuer.key().public_key_pem(),
        key,
        "who trusted it trusts it still"
    );
    assert!(
        end(&signed) < end(&renewed.certificate_path()),
        "nothing outlives who signed it"
    );
}

#[test]
fn a_revoked_certificate_stays_on_the_list_and_a_new_one_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(folder.path()).expect("it opens");
    let (edms, operator) = (
        Usage::caller("edms", &[Role::Edms]),
        Usage::caller("operator", &[Role::Operator]),
    );
    let serial = |usage: &Usage| {
        let pem = read(&authority.ensure(usage).expect("it is made").certificate_path).expect("it is there");
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).expect("PEM");
        pem.parse_x509().expect("a certificate").raw_serial().to_vec()
    };
    let (first, second) = (serial(&edms), serial(&operator));
    authority.revoke("edms").expect("it is revoked");
    assert_ne!(serial(&edms), first, "a new one is made");
    authority.revoke("operator").expect("it is revoked");
    let listed = authority.revoked().expect("it is readable").into_iter();
    let listed: Vec<Vec<u8>> = listed.map(|revoked| revoked.serial_number.to_bytes()).collect();
    assert_eq!(listed, [first, second]);
    assert!(authority.revoke("nobody").is_err() && authority.revoke("../authority/ca").is_err());
}

#[test]
fn a_certificate_beside_another_key_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(folder.path()).expect("it opens");
    let usage = Usage::service("calendar");
    let identity = authority.ensure(&usage).expect("it is made");
    // As if the process had been killed between writing the one and the other.
    let other = KeyPair::generate().expect("a key").serialize_pem();
    std::fs::write(&identity.key_path, &other).expect("it is written");
    authority.ensure(&usage).expect("it is made again");
    let key = KeyPair::from_pem(&read(&identity.key_path).expect("it is there")).expect("a key");
    assert!(lasts(&identity.certificate_path, &key, RENEWED));
}

#[test]
fn a_lost_authority_certificate_is_made_again_from_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = |authority: &Authority| authority.issuer.key().public_key_pem();
    let first = Authority::open_or_create(folder.path()).expect("it opens");
    std::fs::remove_file(first.certificate_path()).expect("it was there");
    let second = Authority::open_or_create(folder.path()).expect("it opens again");
    assert!(second.certificate_path().exists());
    assert_eq!(public(&first), public(&second));
}

/// A request for a key, as its owner makes it.
fn request(key: &KeyPair) -> Vec<u8> {
    let request = CertificateParams::new(["ignored.example".to_owned()]).expect("a name");
    request
        .serialize_request(key)
        .expect("a request")
        .pem()
        .expect("PEM")
        .into()
}

fn in_pem(label: &str, content: &[u8]) -> String {
    pem::encode(&pem::Pem::new(label, content))
}

fn folder_and_authority() -> (tempfile::TempDir, Authority) {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(folder.path()).expect("it opens");
    (folder, authority)
}

fn sign(
    authority: &Authority,
    request: &SigningRequest,
    usage: &Usage,
    days: i64,
) -> Result<(Issued, bool), NotSigned> {
    let alone = authority.alone().expect("nobody else is at it");
    authority.sign(request, usage, days, &alone)
}

#[test]
fn a_request_is_signed_for_whom_the_authority_says_and_repeated_gives_the_same() {
    let (folder, authority) = folder_and_authority();
    for kind in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
    ] {
        let key = KeyPair::generate_for(kind).expect("a key");
        let asked = SigningRequest::read(&request(&key)).expect("it proves its key");
        let committee = Usage::caller(
            &format!("committee-{kind:?}").replace(|c: char| !c.is_alphanumeric(), ""),
            &[Role::Subject],
        );
        let (first, is_new) = sign(&authority, &asked, &committee, 365).expect("it is signed");
        assert!(is_new);
        let (again, is_new) = sign(&authority, &asked, &committee, 365).expect("it is signed");
        assert!(!is_new);
        assert_eq!(first.pem, again.pem);
        let (_, pem) = x509_parser::pem::parse_x509_pem(first.pem.as_bytes()).expect("PEM");
        let caller = Caller::from_certificate(&pem.contents).expect("it names a caller");
        assert_eq!(
            (caller.name.as_str(), &caller.roles[..]),
            (committee.name(), &[Role::Subject][..])
        );
        assert!(
            first.hosts.is_empty(),
            "what the request asks for besides does not count"
        );
        let bits = pem
            .parse_x509()
            .expect("a certificate")
            .public_key()
            .subject_public_key
            .data
            .to_vec();
        assert_eq!(bits, key.public_key_raw());
    }
    assert!(
        !folder.path().join("certificates").exists(),
        "keys and certificates are their owners'"
    );
    assert_eq!(authority.issued().expect("they are recorded").len(), 3);
}

#[test]
fn a_request_that_proves_nothing_or_holds_something_else_is_refused() {
    let key = KeyPair::generate().expect("a key");
    let text = request(&key);
    let (_, pem) = x509_parser::pem::parse_x509_pem(&text).expect("PEM");
    let mut forged = pem.contents.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forged = in_pem("CERTIFICATE REQUEST", &forged);
    let refused = |text: &[u8]| SigningRequest::read(text).expect_err("it is refused");
    assert_eq!(refused(forged.as_bytes()), [Fault::Unproven]);
    assert_eq!(refused(b"nothing"), [Fault::Unreadable]);
    assert_eq!(
        refused(in_pem("CERTIFICATE REQUEST", b"no").as_bytes()),
        [Fault::Unreadable]
    );
    let with_key = [&text[..], key.serialize_pem().as_bytes()].concat();
    assert_eq!(refused(&with_key), [Fault::PrivateKey]);
}

#[test]
fn a_renewed_certificate_has_a_serial_of_its_own_and_revoking_takes_all() {
    let (_folder, authority) = folder_and_authority();
    let key = KeyPair::generate().expect("a key");
    let asked = SigningRequest::read(&request(&key)).expect("it proves its key");
    let committee = Usage::caller("tax-committee", &[Role::Subject]);
    let (short, _) = sign(&authority, &asked, &committee, 20).expect("it is signed");
    assert!(short.ends_within(jiff::SignedDuration::from_hours(24 * 30)));
    let (long, is_new) = authority.renew("tax-committee", 365).expect("it is renewed");
    assert!(is_new && long.serial != short.serial && long.key == short.key);
    let (again, is_new) = authority.renew("tax-committee", 365).expect("it is there");
    assert!(!is_new && again.serial == long.serial);
    let states = |authority: &Authority| {
        let issued = authority.issued().expect("they are recorded").into_iter();
        issued.map(|one| (one.serial, one.state)).collect::<Vec<_>>()
    };
    let serials = [long.serial.clone(), short.serial.clone()];
    let expected = |states: [State; 2]| serials.clone().into_iter().zip(states).collect::<Vec<_>>();
    assert_eq!(states(&authority), expected([State::Valid, State::Replaced]));
    assert_eq!(authority.revoke("tax-committee").expect("it is revoked").len(), 2);
    assert_eq!(states(&authority), expected([State::Revoked; 2]));
    assert!(authority.revoke("tax-committee").expect("nothing is left").is_empty());
    let refused = |refused: Result<(Issued, bool), NotSigned>| refused.expect_err("the key is revoked").to_string();
    assert!(refused(authority.renew("tax-committee", 365)).contains("new key"));
    assert!(refused(sign(&authority, &asked, &committee, 365)).contains("new key"));
    let other = SigningRequest::read(&request(&KeyPair::generate().expect("a key"))).expect("it proves its key");
    sign(&authority, &other, &committee, 365).expect("a new key is signed");
    assert!(matches!(authority.renew("nobody", 365), Err(NotSigned::Unknown(_))));
    let another = Usage::caller("another", &[Role::Subject]);
    let refused = sign(&authority, &other, &another, 365);
    assert!(matches!(refused, Err(NotSigned::OfAnother(name)) if name == "tax-committee"));
}

#[test]
fn what_was_signed_before_there_was_a_record_is_known_and_anothers_certificate_is_not_taken_for_it() {
    let (folder, authority) = folder_and_authority();
    authority
        .ensure(&Usage::caller("edms", &[Role::Edms]))
        .expect("it is made");
    std::fs::remove_dir_all(folder.path().join(ISSUED)).expect("it was there");
    let (other, another) = folder_and_authority();
    let stranger = another
        .ensure(&Usage::caller("stranger", &[Role::Operator]))
        .expect("it is made");
    std::fs::copy(
        &stranger.certificate_path,
        folder.path().join("certificates/stranger.pem"),
    )
    .expect("it is copied");
    std::fs::copy(authority.certificate_path(), folder.path().join("certificates/ca.pem")).expect("it is copied");
    let issued = authority.issued().expect("they are read");
    let names: Vec<&str> = issued.iter().map(|issued| issued.name.as_str()).collect();
    assert_eq!(names, ["edms"]);
    assert!(issued[0].has_key_here);
    drop(other);
}

/// An RSA key of 2048 bits as a SubjectPublicKeyInfo whose parameters are these bytes.
fn rsa_key(parameters: &[u8]) -> Vec<u8> {
    let sequence = |content: &[u8]| {
        let length = u16::try_from(content.len()).expect("it is short").to_be_bytes();
        [&[0x30, 0x82], &length[..], content].concat()
    };
    let modulus = [&[0x02, 0x82, 0x01, 0x01, 0x00][..], &[0xa5; 256]].concat();
    let key = sequence(&[&modulus[..], &[0x02, 0x03, 0x01, 0x00, 0x01]].concat());
    let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let length = u16::try_from(key.len() + 1).expect("it is short").to_be_bytes();
    let bits = [&[0x03, 0x82], &length[..], &[0x00], &key].concat();
    sequence(&[sequence(&[&oid[..], parameters].concat()), bits].concat())
}

#[test]
fn a_revoked_key_is_known_however_its_parameters_are_written() {
    let (_folder, authority) = folder_and_authority();
    let committee = Usage::caller("tax-committee", &[Role::Subject]);
    let signed = |parameters: &[u8]| {
        let der = rsa_key(parameters);
        let (_, info) = SubjectPublicKeyInfo::from_der(&der).expect("it is a key");
        authority.signed(&SignedKey::of(&info).expect("it can be signed"), &committee, 365)
    };
    let (null, left_out) = (&[0x05, 0x00][..], &[][..]);
    assert!(signed(left_out).expect("it is signed").1);
    assert!(!signed(null).expect("it was signed before").1);
    authority.revoke("tax-committee").expect("it is revoked");
    for parameters in [null, left_out] {
        assert!(matches!(signed(parameters), Err(NotSigned::Revoked)));
    }
}

#[test]
fn a_key_that_was_made_here_is_given_up_once_its_party_has_one_of_its_own() {
    let (folder, authority) = folder_and_authority();
    let (senate, other) = (Usage::recipient("senate"), Usage::recipient("mazhilis"));
    let made = authority.ensure(&senate).expect("it is made");
    let stays = authority.ensure(&other).expect("it is made");
    let key = KeyPair::generate().expect("a key");
    let asked = SigningRequest::read(&request(&key)).expect("it proves its key");
    let (signed, _) = sign(&authority, &asked, &senate, 365).expect("it is signed");
    let of_senate = || {
        let issued = authority.issued().expect("they are recorded").into_iter();
        let issued = issued.filter(|one| one.name == "senate");
        issued.map(|one| (one.has_key_here, one.state)).collect::<Vec<_>>()
    };
    assert_eq!(of_senate(), [(false, State::Valid), (true, State::Revoked)]);
    assert!(!made.key_path.exists() && !made.certificate_path.exists());
    assert!(stays.key_path.exists() && stays.certificate_path.exists());
    let refused = authority
        .ensure(&senate)
        .expect_err("its key is its owner's")
        .to_string();
    assert!(refused.contains("the key of senate is its owner's"), "{refused}");

    // What its owner keeps there is his, also when it is revoked.
    let certificates = folder.path().join("certificates");
    std::fs::write(certificates.join("senate.pem"), &signed.pem).expect("the folder is ours");
    std::fs::write(certificates.join("senate.key"), key.serialize_pem()).expect("the folder is ours");
    authority.revoke("senate").expect("it is revoked");
    assert!(made.key_path.exists() && made.certificate_path.exists());
    assert_eq!(of_senate(), [(false, State::Revoked), (true, State::Revoked)]);
}
