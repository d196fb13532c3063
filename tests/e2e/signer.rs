//! An official who signs on his own side: a key that nobody else has, a certificate of an authority, and detached CMS made by hand, so
//! that the tests need no other program.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SigningKey as _,
};
use sha2::{Digest as _, Sha256};

const DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const SIGNED_DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const CONTENT_TYPE: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SHA256: &[u8] = &[0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// Who signs, and the authority that vouches for him.
pub(crate) struct Signer {
    key: KeyPair,
    certificate: Vec<u8>,
    authority: String,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

impl Signer {
    /// Someone of this name.
    pub(crate) fn named(name: &str) -> Self {
        let (authority, own) = (key(), key());
        let mut root = parameters("Authority of the test");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = root.self_signed(&authority).expect("it signs itself").pem();
        let mut leaf = parameters(name);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
        let issuer = Issuer::new(root, authority);
        let leaf = leaf.signed_by(&own, &issuer).expect("it is signed");
        Self {
            key: own,
            certificate: leaf.der().to_vec(),
            authority: certificate,
        }
    }

    /// Writes the authority's certificate into a folder, for who trusts it.
    pub(crate) fn be_trusted(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("the folder is ours");
        std::fs::write(folder.join("authority.pem"), &self.authority).expect("the folder is ours");
    }

    /// The SHA-256 of his certificate, in hexadecimal.
    pub(crate) fn certificate_sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.certificate))
    }

    /// A detached signature over a content, in DER.
    pub(crate) fn sign(&self, content: &[u8]) -> Vec<u8> {
        let algorithm = der(SEQUENCE, &[SHA256]);
        let attribute = |kind: &[u8], value: &[u8]| der(SEQUENCE, &[kind, &der(SET, &[value])]);
        let digest = der(0x04, &[&Sha256::digest(content)[..]]);
        let attributes = [attribute(CONTENT_TYPE, DATA), attribute(MESSAGE_DIGEST, &digest)].concat();
        let signature = self.key.sign(&der(SET, &[&attributes])).expect("the key signs");
        let info = der(
            SEQUENCE,
            &[
                &[0x02, 1, 1],
                &self.issuer_and_serial(),
                &algorithm,
                &der(0xa0, &[&attributes]),
                &der(SEQUENCE, &[ECDSA_WITH_SHA256]),
                &der(0x04, &[&signature]),
            ],
        );
        let signed = der(
            SEQUENCE,
            &[
                &[0x02, 1, 1],
                &der(SET, &[&algorithm]),
                &der(SEQUENCE, &[DATA]),
                &der(0xa0, &[&self.certificate]),
                &der(SET, &[&info]),
            ],
        );
        der(SEQUENCE, &[SIGNED_DATA, &der(0xa0, &[&signed])])
    }

    fn issuer_and_serial(&self) -> Vec<u8> {
        let (_, certificate) = x509_parser::parse_x509_certificate(&self.certificate).expect("it is one");
        let serial = der(0x02, &[certificate.raw_serial()]);
        der(SEQUENCE, &[certificate.issuer().as_raw(), &serial])
    }
}

/// An element of DER, up to 64 KiB.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("not so large").to_be_bytes();
    let header = match length {
        [0, low @ 0..=0x7f] => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header, content].concat()
}
