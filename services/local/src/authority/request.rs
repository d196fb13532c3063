//! A certificate signing request (PKCS #10, RFC 2986): the public key of who asks, and the proof that he has the private one.

use rcgen::{PublicKeyData, SignatureAlgorithm};
use x509_parser::{
    certification_request::X509CertificationRequest,
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
    },
    pem::Pem,
    prelude::FromDer as _,
    public_key::PublicKey,
    x509::SubjectPublicKeyInfo,
};

/// The shortest RSA key that is signed, in bits: services verify none that is shorter.
const SHORTEST_RSA: usize = 2048;
/// The longest RSA key that services verify, in bits.
const LONGEST_RSA: usize = 8192;

/// Why a request is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not a request in PEM.
    #[error("it holds no certificate signing request in PEM (BEGIN CERTIFICATE REQUEST)")]
    Unreadable,
    /// It holds a private key, which its owner gives to nobody.
    #[error("it holds a private key: keep that to yourself, and give the request alone")]
    PrivateKey,
    /// Who asks does not prove that he has the private key.
    #[error("its signature is not that of its key: whoever made it does not prove that he has the private key")]
    Unproven,
    /// The services could not verify the key, or it is too weak.
    #[error("its key is {0}; take EC on P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits")]
    Key(String),
}

/// A request that proves that who asks has the key.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    pub(super) key: SignedKey,
}

/// A public key that can be signed.
#[derive(Clone, Debug)]
pub(super) struct SignedKey {
    algorithm: &'static SignatureAlgorithm,
    pub(super) id: KeyId,
}

/// What tells one public key from another: its kind and its bits. A SubjectPublicKeyInfo as a whole does not, as the parameters of an RSA key
/// may be NULL or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyId {
    kind: String,
    bits: Vec<u8>,
}

impl KeyId {
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Self {
        Self {
            kind: info.algorithm.algorithm.to_id_string(),
            bits: info.subject_public_key.data.to_vec(),
        }
    }
}

impl PublicKeyData for SignedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.id.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningRequest {
    /// Reads a request in PEM. Of what it asks for only the key counts: name, roles and hosts are for the authority to say.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, Vec<Fault>> {
        let blocks: Vec<Pem> = Pem::iter_from_buffer(text).filter_map(Result::ok).collect();
        if blocks.iter().any(|block| block.label.contains("PRIVATE KEY")) {
            return Err(vec![Fault::PrivateKey]);
        }
        let is_request = |block: &&Pem| block.label.ends_with("CERTIFICATE REQUEST");
        let block = blocks.iter().find(is_request).ok_or_else(|| vec![Fault::Unreadable])?;
        let (_, request) = X509CertificationRequest::from_der(&block.contents).map_err(|_| vec![Fault::Unreadable])?;
        let key = SignedKey::of(&request.certification_request_info.subject_pki);
        let proof = request.verify_signature().map_err(|_| Fault::Unproven);
        match (key, proof) {
            (Ok(key), Ok(())) => Ok(Self { key }),
            // A key of an unknown kind proves nothing that could be looked at.
            (Err(key), _) => Err(vec![key]),
            (Ok(_), Err(proof)) => Err(vec![proof]),
        }
    }
}

impl SignedKey {
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Result<Self, Fault> {
        Ok(Self {
            algorithm: algorithm(info)?,
            id: KeyId::of(info),
        })
    }
}

fn algorithm(info: &SubjectPublicKeyInfo<'_>) -> Result<&'static SignatureAlgorithm, Fault> {
    let kind = &info.algorithm.algorithm;
    if *kind == OID_SIG_ED25519 {
        return Ok(&rcgen::PKCS_ED25519);
    }
    if *kind == OID_PKCS1_RSAENCRYPTION {
        return match info.parsed() {
            Ok(PublicKey::RSA(key)) if (SHORTEST_RSA..=LONGEST_RSA).contains(&key.key_size()) => {
                Ok(&rcgen::PKCS_RSA_SHA256)
            }
            Ok(PublicKey::RSA(key)) => Err(Fault::Key(format!("RSA of {} bits", key.key_size()))),
            _ => Err(Fault::Key("an RSA key that cannot be read".into())),
        };
    }
    if *kind == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
        return match curve {
            Some(curve) if curve == OID_EC_P256 => Ok(&rcgen::PKCS_ECDSA_P256_SHA256),
            Some(curve) if curve == OID_NIST_EC_P384 => Ok(&rcgen::PKCS_ECDSA_P384_SHA384),
            _ => Err(Fault::Key("an EC key on another curve".into())),
        };
    }
    Err(Fault::Key(format!("of an unknown kind ({kind})")))
}
