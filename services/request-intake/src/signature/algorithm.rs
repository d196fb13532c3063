//! The algorithms of signatures, and those that can be verified.

use rustls_pki_types::SignatureVerificationAlgorithm;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use webpki::ring;
use x509_parser::{
    prelude::{AlgorithmIdentifier, SubjectPublicKeyInfo},
    signature_algorithm::RsaSsaPssParams,
};

/// The digests that can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    pub fn of_identifier(dotted: &str) -> Option<Self> {
        match dotted {
            "2.16.840.1.101.3.4.2.1" => Some(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Self::Sha512),
            _ => None,
        }
    }

    pub fn of(self, content: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(content).to_vec(),
            Self::Sha384 => Sha384::digest(content).to_vec(),
            Self::Sha512 => Sha512::digest(content).to_vec(),
        }
    }

    const fn bytes(self) -> u32 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// How the digest is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Pkcs1,
    Pss,
    Ecdsa,
}

/// A signature that can be verified.
#[derive(Clone, Copy, Debug)]
pub struct Algorithm {
    pub digest: Digest,
    scheme: Scheme,
}

/// What is told of an algorithm that cannot be verified: its name where it has a known one, and its identifier.
pub fn unsupported(dotted: &str) -> String {
    match name(dotted) {
        Some(name) => format!("{name} ({dotted})"),
        None => dotted.to_owned(),
    }
}

/// Kazakhstan's identifiers begin with 1.2.398.3.10, Russia's with 1.2.643.
fn name(dotted: &str) -> Option<&'static str> {
    let starts = |prefix: &str| {
        dotted
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let known = [
        ("1.2.398.3.10.1.1.1", "GOST 34.310-2004"),
        ("1.2.398.3.10.1.1.2", "GOST 34.10-2015"),
        ("1.2.398.3.10.1.3.1", "GOST 34.311-95"),
        ("1.2.398.3.10.1.3", "GOST 34.11-2015"),
        ("1.2.398.3.10", "GOST"),
        ("1.2.643.7.1.1", "GOST R 34.10-2012"),
        ("1.2.643.2.2", "GOST R 34.10-2001"),
        ("1.3.14.3.2.26", "SHA-1"),
        ("1.2.840.113549.1.1.5", "RSA with SHA-1"),
        ("1.2.840.113549.1.1.4", "RSA with MD5"),
        ("1.2.840.113549.2.5", "MD5"),
        ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
        ("1.2.840.10040.4.3", "DSA with SHA-1"),
        ("1.3.101.112", "Ed25519"),
        ("1.3.101.113", "Ed448"),
    ];
    known.iter().find(|(prefix, _)| starts(prefix)).map(|(_, name)| *name)
}

impl Algorithm {
    /// The algorithm of a signature, by what it says of digest and signature.
    ///
    /// # Errors
    /// What cannot be verified, named.
    pub fn of(digest: &AlgorithmIdentifier<'_>, signature: &AlgorithmIdentifier<'_>) -> Result<Self, String> {
        let signed = signature.algorithm.to_id_string();
        let hashed = digest.algorithm.to_id_string();
        // A GOST signature is told by its own name, not by that of its digest.
        let is_known = |dotted: &str| name(dotted).is_some();
        let digest = Digest::of_identifier(&hashed);
        let digest = digest.ok_or_else(|| unsupported(if is_known(&signed) { &signed } else { &hashed }))?;
        let (scheme, required) = match signed.as_str() {
            "1.2.840.113549.1.1.1" => (Scheme::Pkcs1, Some(digest)),
            "1.2.840.113549.1.1.11" => (Scheme::Pkcs1, Some(Digest::Sha256)),
            "1.2.840.113549.1.1.12" => (Scheme::Pkcs1, Some(Digest::Sha384)),
            "1.2.840.113549.1.1.13" => (Scheme::Pkcs1, Some(Digest::Sha512)),
            "1.2.840.113549.1.1.10" => (Scheme::Pss, pss_digest(signature)),
            "1.2.840.10045.4.3.2" => (Scheme::Ecdsa, Some(Digest::Sha256)),
            "1.2.840.10045.4.3.3" => (Scheme::Ecdsa, Some(Digest::Sha384)),
            "1.2.840.10045.4.3.4" => (Scheme::Ecdsa, Some(Digest::Sha512)),
            _ => return Err(unsupported(&signed)),
        };
        match required {
            Some(required) if required == digest => Ok(Self { digest, scheme }),
            Some(_) => Err(format!("{signed} with a digest that is not its own")),
            None => Err(format!("RSASSA-PSS with parameters of its own ({signed})")),
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        let scheme = match self.scheme {
            Scheme::Pkcs1 => "RSA PKCS #1 v1.5",
            Scheme::Pss => "RSASSA-PSS",
            Scheme::Ecdsa => "ECDSA",
        };
        format!("{scheme} with {}", self.digest.name())
    }

    /// What verifies it with this key.
    ///
    /// # Errors
    /// What cannot be verified, named.
    pub fn verifier(
        self,
        key: &SubjectPublicKeyInfo<'_>,
    ) -> Result<&'static dyn SignatureVerificationAlgorithm, String> {
        let kind = key.algorithm.algorithm.to_id_string();
        let curve = key.algorithm.parameters.as_ref().and_then(|given| given.as_oid().ok());
        let curve = curve.map(|curve| curve.to_id_string());
        let verifier = match (self.scheme, kind.as_str(), curve.as_deref(), self.digest) {
            (Scheme::Pkcs1, RSA, _, Digest::Sha256) => ring::RSA_PKCS1_2048_8192_SHA256,
            (Scheme::Pkcs1, RSA, _, Digest::Sha384) => ring::RSA_PKCS1_2048_8192_SHA384,
            (Scheme::Pkcs1, RSA, _, Digest::Sha512) => ring::RSA_PKCS1_2048_8192_SHA512,
            (Scheme::Pss, RSA, _, Digest::Sha256) => ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            (Scheme::Pss, RSA, _, Digest::Sha384) => ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
            (Scheme::Pss, RSA, _, Digest::Sha512) => ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
            (Scheme::Ecdsa, EC, Some(P256), Digest::Sha256) => ring::ECDSA_P256_SHA256,
            (Scheme::Ecdsa, EC, Some(P256), Digest::Sha384) => ring::ECDSA_P256_SHA384,
            (Scheme::Ecdsa, EC, Some(P384), Digest::Sha256) => ring::ECDSA_P384_SHA256,
            (Scheme::Ecdsa, EC, Some(P384), Digest::Sha384) => ring::ECDSA_P384_SHA384,
            _ => {
                return Err(format!(
                    "{} with a key of {}",
                    self.name(),
                    curve.map_or_else(|| unsupported(&kind), |curve| unsupported(&curve))
                ));
            }
        };
        Ok(verifier)
    }
}

const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";

/// The digest of a PSS signature whose parameters are the usual ones: MGF1 with the same digest, and a salt as long as it.
fn pss_digest(signature: &AlgorithmIdentifier<'_>) -> Option<Digest> {
    let parameters = RsaSsaPssParams::try_from(signature.parameters.as_ref()?).ok()?;
    let digest = Digest::of_identifier(&parameters.hash_algorithm_oid().to_id_string())?;
    let masks = parameters.mask_gen_algorithm().ok()?;
    let is_usual = masks.mgf.to_id_string() == "1.2.840.113549.1.1.8"
        && Digest::of_identifier(&masks.hash.to_id_string()) == Some(digest)
        && parameters.salt_length() == digest.bytes()
        && parameters.trailer_field() == 1;
    is_usual.then_some(digest)
}
