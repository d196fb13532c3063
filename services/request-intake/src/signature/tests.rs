use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;
use x509_parser::asn1_rs::Oid;

use super::{
    ber::{self, OBJECT_IDENTIFIER, Reader},
    *,
};

const CONTENT: &[u8] = include_bytes!("fixtures/content.txt");

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("fixtures/", $name, ".p7s")).as_slice()
    };
}

pub(crate) fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/signature/fixtures/trust")
}

/// A detached container with content in it; nothing is signed anew.
pub(crate) fn enclosing(detached: &[u8], content: &[u8]) -> Vec<u8> {
    let all = |der| Reader(der).all(usize::MAX).expect("it is DER");
    let outer = all(detached)[0].contents;
    let data = all(all(outer)[1].contents)[0].contents;
    let fields = all(data).into_iter().enumerate().map(|(place, field)| match place {
        2 => {
            let content = ber::write(ber::context(0), &ber::write(ber::OCTET_STRING, content));
            ber::write(ber::SEQUENCE, &[field.contents, &content].concat())
        }
        _ => field.whole.to_vec(),
    });
    let data = ber::write(ber::SEQUENCE, &fields.collect::<Vec<_>>().concat());
    let outer = [all(outer)[0].whole, &ber::write(ber::context(0), &data)].concat();
    ber::write(ber::SEQUENCE, &outer)
}

#[test]
fn a_container_is_detached_when_it_can_be_read_and_holds_no_content() {
    for container in [fixture!("p256"), fixture!("pem"), fixture!("without_attributes")] {
        assert!(is_detached(container));
    }
    let enclosed = enclosing(fixture!("without_attributes"), CONTENT);
    for other in [
        fixture!("enclosing"),
        fixture!("enclosing_stream"),
        &enclosed,
        b"no container",
    ] {
        assert!(!is_detached(other));
    }
}

fn trust() -> TrustStore {
    TrustStore::read(&folder()).expect("the folder can be read")
}

fn now() -> Timestamp {
    "2027-03-01T06:00:00Z".parse().expect("an instant")
}

fn of_content(container: &[u8]) -> Verdict {
    verify(container, Content::Detached(CONTENT), now(), &trust())
}

#[track_caller]
fn signer(verdict: Verdict) -> Signer {
    match verdict {
        Verdict::Valid(mut signers) => signers.remove(0),
        other => panic!("{other:?}"),
    }
}

/// What stands in the place of an element's contents, by its tag.
type Rewriting<'a> = dyn Fn(u8, &[u8]) -> Option<Vec<u8>> + 'a;

/// The same container with other contents of its elements that hold no others.
fn rewritten(der: &[u8], with: &Rewriting<'_>) -> Vec<u8> {
    let elements = Reader(der).all(usize::MAX).expect("it is DER");
    let written = elements.iter().map(|element| {
        let contents = if element.tag & 0x20 != 0 {
            rewritten(element.contents, with)
        } else {
            with(element.tag, element.contents).unwrap_or_else(|| element.contents.to_vec())
        };
        ber::write(element.tag, &contents)
    });
    written.collect::<Vec<_>>().concat()
}

fn identifier(dotted: &str) -> Vec<u8> {
    let numbers: Vec<u64> = dotted
        .split('.')
        .map(|number| number.parse().expect("a number"))
        .collect();
    Oid::from(&numbers).expect("an identifier").as_bytes().to_vec()
}

fn with_identifiers(der: &[u8], pairs: &[(&str, &str)]) -> Vec<u8> {
    rewritten(der, &|tag, contents| {
        let is = |from: &str| tag == OBJECT_IDENTIFIER && contents == identifier(from);
        pairs.iter().find(|(from, _)| is(from)).map(|(_, to)| identifier(to))
    })
}

#[test]
fn what_each_algorithm_has_signed_is_valid_and_says_who_and_by_which_chain() {
    for (container, algorithm) in [
        (fixture!("rsa"), "RSA PKCS #1 v1.5 with SHA-256"),
        (fixture!("rsa_sha512"), "RSA PKCS #1 v1.5 with SHA-512"),
        (fixture!("pss"), "RSASSA-PSS with SHA-256"),
        (fixture!("pss_sha384"), "RSASSA-PSS with SHA-384"),
        (fixture!("p256"), "ECDSA with SHA-256"),
        (fixture!("p384"), "ECDSA with SHA-384"),
        (fixture!("cades"), "ECDSA with SHA-256"),
        (fixture!("by_key"), "ECDSA with SHA-256"),
        (fixture!("pem"), "ECDSA with SHA-256"),
    ] {
        let signer = signer(of_content(container));
        assert_eq!(signer.algorithm, algorithm);
        assert_eq!(signer.name, "Есенова Айгүл Қуанышқызы");
        assert_eq!(signer.chain, ["CN=Test authority", "CN=Test root"]);
        assert!(signer.signed_at.is_some() && signer.revocations_of.is_some());
        assert!(!signer.serial_number.is_empty() && signer.certificate_sha256 != [0; 32]);
    }
}

#[test]
fn a_container_that_encloses_its_content_is_verified_by_it_also_in_ber() {
    for container in [fixture!("enclosing"), fixture!("enclosing_stream")] {
        let verdict = verify(container, Content::Enclosed, now(), &trust());
        assert_eq!(signer(verdict).name, "Есенова Айгүл Қуанышқызы");
        // The same content beside it changes nothing, another does.
        signer(of_content(container));
        let other = verify(container, Content::Detached(b"another"), now(), &trust());
        assert_eq!(other, Verdict::NotValid(Fault::OtherContent));
    }
    let nothing = verify(fixture!("p256"), Content::Enclosed, now(), &trust());
    assert_eq!(nothing, Verdict::NotValid(Fault::NoContent));
}

#[test]
fn content_that_is_known_by_its_digest_alone_is_verified_where_that_was_signed() {
    let digest = legalstat_kit::door::wire::sha256(CONTENT);
    let verified = |container, digest: &[u8; 32]| verify(container, Content::Sha256(digest), now(), &trust());
    signer(verified(fixture!("p256"), &digest));
    signer(verified(fixture!("enclosing"), &digest));
    assert_eq!(
        verified(fixture!("p256"), &[7; 32]),
        Verdict::NotValid(Fault::OtherDigest)
    );
    assert_eq!(
        verified(fixture!("enclosing"), &[7; 32]),
        Verdict::NotValid(Fault::OtherContent)
    );
    assert!(matches!(
        verified(fixture!("rsa_sha512"), &digest),
        Verdict::Unsupported(_)
    ));
}

#[test]
fn all_of_several_signers_are_told() {
    match of_content(fixture!("two_signers")) {
        Verdict::Valid(signers) => assert_eq!(signers.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_does_not_hold_is_not_valid_and_says_why() {
    for (container, fault) in [
        (fixture!("expired"), Fault::Expired),
        (fixture!("early"), Fault::NotValidYet),
        (fixture!("revoked"), Fault::Revoked),
        (fixture!("signing_in"), Fault::NotForSigning),
        (fixture!("encryption"), Fault::NotForSigning),
        (fixture!("stranger"), Fault::NotTrusted),
        (fixture!("without_certificate"), Fault::NoCertificate),
        (fixture!("certificates_only"), Fault::NoSigner),
        (fixture!("no_signed_data"), Fault::NotSignedData),
    ] {
        assert_eq!(of_content(container), Verdict::NotValid(fault));
    }
    let other = verify(fixture!("p256"), Content::Detached(b"another"), now(), &trust());
    assert_eq!(other, Verdict::NotValid(Fault::OtherDigest));
}

#[test]
fn what_cannot_be_verified_is_told_as_unsupported_and_never_as_valid() {
    for (container, algorithm) in [
        (fixture!("p521"), "ECDSA with SHA-512"),
        (fixture!("p256_sha512"), "ECDSA with SHA-512"),
        (fixture!("sha1"), "SHA-1"),
        (fixture!("pss_long_salt"), "RSASSA-PSS"),
        (fixture!("without_attributes"), "without signed attributes"),
    ] {
        match of_content(container) {
            Verdict::Unsupported(told) => assert!(told.contains(algorithm), "{told}"),
            other => panic!("{algorithm}: {other:?}"),
        }
    }
}

/// A container as one signs by GOST 34.310.
pub(crate) fn gost() -> Vec<u8> {
    let identifiers = [
        ("1.2.840.113549.1.1.1", "1.2.398.3.10.1.1.1.2"),
        ("2.16.840.1.101.3.4.2.1", "1.2.398.3.10.1.3.1.1.0"),
    ];
    with_identifiers(fixture!("rsa"), &identifiers)
}

#[test]
fn a_signature_by_gost_is_unsupported_by_its_name() {
    let (rsa, sha256) = ("1.2.840.113549.1.1.1", "2.16.840.1.101.3.4.2.1");
    for (signature, digest, name) in [
        ("1.2.398.3.10.1.1.1.2", "1.2.398.3.10.1.3.1.1.0", "GOST 34.310-2004"),
        ("1.2.398.3.10.1.1.2.3.2", "1.2.398.3.10.1.3.3", "GOST 34.10-2015"),
        ("1.2.643.7.1.1.3.2", "1.2.643.7.1.1.2.2", "GOST R 34.10-2012"),
    ] {
        for pairs in [
            &[(rsa, signature), (sha256, digest)][..],
            &[(rsa, signature)],
            &[(sha256, digest)],
        ] {
            let container = with_identifiers(fixture!("rsa"), pairs);
            match of_content(&container) {
                Verdict::Unsupported(told) => assert!(told.starts_with("GOST"), "{told} for {name}"),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn who_trusts_no_authority_learns_that_it_holds_and_not_who_signed() {
    let nobody = TrustStore::default();
    let verified = |container| verify(container, Content::Detached(CONTENT), now(), &nobody);
    assert_eq!(verified(fixture!("p256")), Verdict::NobodyTrusted);
    assert_eq!(verified(fixture!("signing_in")), Verdict::NobodyTrusted);
    let other = verify(fixture!("p256"), Content::Detached(b"another"), now(), &nobody);
    assert_eq!(other, Verdict::NotValid(Fault::OtherDigest));
}

#[test]
fn a_certificate_counts_at_the_time_of_receipt_and_a_revocation_from_its_day_on() {
    let at = |time: &str| {
        verify(
            fixture!("revoked"),
            Content::Detached(CONTENT),
            time.parse().expect("an instant"),
            &trust(),
        )
    };
    assert_eq!(at("2055-01-02T00:00:00Z"), Verdict::NotValid(Fault::Expired));
    // The signature says that it was made after this.
    assert_eq!(at("2025-06-01T00:00:00Z"), Verdict::NotValid(Fault::SignedLater));
    let Verdict::Valid(signers) = of_content(fixture!("p256")) else {
        panic!("it is valid")
    };
    let signed_at = signers[0].signed_at.expect("it says when");
    let early = verify(fixture!("p256"), Content::Detached(CONTENT), signed_at, &trust());
    assert!(matches!(early, Verdict::Valid(_)), "{early:?}");
}

#[test]
fn a_signed_attribute_that_was_changed_breaks_the_signature() {
    let signed_data = "1.2.840.113549.1.7.1";
    let another = with_identifiers(fixture!("p256"), &[(signed_data, "1.2.840.113549.1.7.5")]);
    assert_eq!(of_content(&another), Verdict::NotValid(Fault::WrongSignature));
    // A signing certificate that is another's.
    let digest = |der: &[u8]| legalstat_kit::door::wire::sha256(der).to_vec();
    let Verdict::Valid(signers) = of_content(fixture!("cades")) else {
        panic!("it is valid")
    };
    let own = signers[0].certificate_sha256.to_vec();
    let other = rewritten(fixture!("cades"), &|_, contents| {
        (contents == own).then(|| digest(b"another"))
    });
    assert_eq!(of_content(&other), Verdict::NotValid(Fault::OtherCertificate));
}

#[test]
fn too_large_a_container_is_refused_before_it_is_read() {
    let verdict = verify(
        &vec![0; MAX_CONTAINER + 1],
        Content::Enclosed,
        now(),
        &TrustStore::default(),
    );
    assert_eq!(verdict, Verdict::NotValid(Fault::TooLarge));
}

#[test]
fn a_trust_store_that_cannot_be_used_names_the_file() {
    let made = tempfile::tempdir().expect("a folder");
    let read = || TrustStore::read(made.path()).map_err(|error| format!("{error:#}"));
    assert!(read().expect("it is empty").is_empty());
    std::fs::write(made.path().join("README.txt"), "left alone").expect("written");
    assert!(read().expect("nothing else is in it").is_empty());
    std::fs::copy(folder().join("authority.crl"), made.path().join("authority.crl")).expect("copied");
    assert!(
        read()
            .expect_err("its authority is not there")
            .contains("cannot be verified")
    );
    std::fs::copy(folder().join("authority.der"), made.path().join("authority.der")).expect("copied");
    assert!(read().expect("an authority alone is no root").is_empty());
    std::fs::write(
        made.path().join("broken.pem"),
        "-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n",
    )
    .expect("written");
    assert!(read().expect_err("it is broken").contains("broken.pem"));
}

fn any_fixture() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![
        fixture!("rsa"),
        fixture!("pss"),
        fixture!("p256"),
        fixture!("cades"),
        fixture!("by_key"),
        fixture!("enclosing_stream"),
        fixture!("two_signers"),
        fixture!("pem"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_panic_and_none_are_valid(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let valid = matches!(of_content(&bytes), Verdict::Valid(_));
        prop_assert!(!valid);
    }

    #[test]
    fn a_container_that_was_changed_anywhere_never_tells_another_signer(
        container in any_fixture(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = container.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        // What is not signed may change: the version, say, or a certificate that is not needed.
        if let Verdict::Valid(signers) = of_content(&bytes) {
            let told: Vec<_> = signers.into_iter().map(|signer| signer.certificate_sha256).collect();
            let Verdict::Valid(expected) = of_content(container) else { panic!("it is valid") };
            let expected: Vec<_> = expected.into_iter().map(|signer| signer.certificate_sha256).collect();
            prop_assert!(told.iter().all(|one| expected.contains(one)));
        }
    }

    #[test]
    fn content_that_was_changed_is_never_valid(container in any_fixture(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut content = CONTENT.to_vec();
        let at = at.index(content.len());
        content[at] ^= flip;
        let verdict = verify(container, Content::Detached(&content), now(), &trust());
        prop_assert!(matches!(verdict, Verdict::NotValid(_)));
    }
}
