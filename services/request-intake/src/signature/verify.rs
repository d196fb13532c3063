//! The verification of a container.

use std::time::Duration;

use jiff::Timestamp;
use legalstat_kit::door::wire;
use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;
use x509_parser::{
    extensions::ParsedExtension,
    oid_registry::OID_X509_SERIALNUMBER,
    prelude::{FromDer as _, X509Certificate},
    x509::AttributeTypeAndValue,
};

use super::{
    Content, Fault, MAX_CONTAINER, Signer, TrustStore, Verdict,
    algorithm::{Algorithm, Digest},
    attributes::Attributes,
    chain::{self, Chain},
    container::{self, Container, SignerId, SignerInfo},
};

/// By how much the clock of a signer may be ahead.
const AHEAD: Duration = Duration::from_secs(300);
/// How many characters of a certificate's names are shown.
const SHOWN: usize = 255;

/// Why a signature is not told as valid.
#[derive(Debug)]
pub(super) enum Refused {
    Fault(Fault),
    Unsupported(String),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Verifies a container that was received at a time. What is malformed is not valid; of several signatures each must hold.
pub fn verify(container: &[u8], content: Content<'_>, at: Timestamp, trust: &TrustStore) -> Verdict {
    match signers(container, content, at, trust) {
        Ok(_) if trust.is_empty() => Verdict::NobodyTrusted,
        Ok(signers) => Verdict::Valid(signers),
        Err(Refused::Fault(fault)) => Verdict::NotValid(fault),
        Err(Refused::Unsupported(algorithm)) => Verdict::Unsupported(algorithm),
    }
}

/// Whether a container holds nothing of what it signs; no when it is no container that can be read.
pub fn is_detached(container: &[u8]) -> bool {
    let Ok(der) = container::normalised(container) else {
        return false;
    };
    Container::read(&der).is_ok_and(|container| container.content.is_none())
}

fn signers(given: &[u8], content: Content<'_>, at: Timestamp, trust: &TrustStore) -> Result<Vec<Signer>, Refused> {
    if given.len() > MAX_CONTAINER {
        return Err(Fault::TooLarge.into());
    }
    let der = container::normalised(given)?;
    let container = Container::read(&der)?;
    if container.signers.is_empty() {
        return Err(Fault::NoSigner.into());
    }
    let mut signers = Vec::new();
    let mut unsupported = None;
    for info in &container.signers {
        match signer(&container, info, content, at, trust) {
            Ok(signer) => signers.push(signer),
            // One that is not valid is told before one that cannot be verified.
            Err(Refused::Unsupported(algorithm)) => unsupported = unsupported.or(Some(algorithm)),
            Err(fault) => return Err(fault),
        }
    }
    unsupported.map_or(Ok(signers), |algorithm| Err(Refused::Unsupported(algorithm)))
}

fn signer(
    container: &Container<'_>,
    info: &SignerInfo<'_>,
    content: Content<'_>,
    at: Timestamp,
    trust: &TrustStore,
) -> Result<Signer, Refused> {
    let algorithm = Algorithm::of(&info.digest, &info.algorithm).map_err(Refused::Unsupported)?;
    let written = info.attributes.ok_or_else(|| {
        // What such a signature covers can be taken for another's attributes.
        Refused::Unsupported("a signature without signed attributes".to_owned())
    })?;
    let attributes = Attributes::read(written)?;
    if attributes.content_type != container.content_type {
        return Err(Fault::OtherContentType.into());
    }
    if attributes.message_digest != digest(container, content, algorithm.digest)? {
        return Err(Fault::OtherDigest.into());
    }
    let der = certificate(container, info, trust)?;
    if !attributes.allow(der) {
        return Err(Fault::OtherCertificate.into());
    }
    let (_, parsed) = X509Certificate::from_der(der).map_err(|_| Fault::UnusableCertificate)?;
    require_signature(&parsed, der, algorithm, &attributes.signed(written), info.signature)?;
    require_time(&parsed, attributes.signed_at, at)?;
    require_for_signing(&parsed)?;
    let chain = if trust.is_empty() {
        Chain {
            authorities: Vec::new(),
            revocations_of: None,
        }
    } else {
        chain::find(der, &container.certificates, at, trust)?
    };
    let (iin, bin) = identifiers(&parsed);
    Ok(Signer {
        name: name(&parsed),
        iin,
        bin,
        serial_number: hex::encode(parsed.raw_serial()),
        certificate_sha256: wire::sha256(der),
        algorithm: algorithm.name(),
        signed_at: attributes.signed_at,
        chain: chain.authorities,
        revocations_of: chain.revocations_of,
    })
}

fn digest(container: &Container<'_>, content: Content<'_>, by: Digest) -> Result<Vec<u8>, Refused> {
    let enclosed = container.content;
    match content {
        Content::Enclosed => Ok(by.of(enclosed.ok_or(Fault::NoContent)?)),
        Content::Detached(content) if enclosed.is_some_and(|enclosed| enclosed != content) => {
            Err(Fault::OtherContent.into())
        }
        Content::Detached(content) => Ok(by.of(content)),
        Content::Sha256(known) if enclosed.is_some_and(|enclosed| &wire::sha256(enclosed) != known) => {
            Err(Fault::OtherContent.into())
        }
        Content::Sha256(known) => match (by, enclosed) {
            (Digest::Sha256, _) => Ok(known.to_vec()),
            (_, Some(enclosed)) => Ok(by.of(enclosed)),
            (_, None) => Err(Refused::Unsupported(
                "a digest other than SHA-256 of content that is not at hand".to_owned(),
            )),
        },
    }
}

/// The certificate that a signature names, from the container or else from the trust store.
fn certificate<'a>(container: &Container<'a>, info: &SignerInfo<'_>, trust: &'a TrustStore) -> Result<&'a [u8], Fault> {
    let known = trust.intermediates.iter().map(|one| one.as_ref());
    let mut all = container.certificates.iter().copied().chain(known);
    all.find(|der| X509Certificate::from_der(der).is_ok_and(|(_, parsed)| is_named(&info.signer, &parsed)))
        .ok_or(Fault::NoCertificate)
}

fn is_named(signer: &SignerId<'_>, certificate: &X509Certificate<'_>) -> bool {
    match signer {
        SignerId::Issued { issuer, serial_number } => {
            certificate.issuer().as_raw() == *issuer && certificate.raw_serial() == *serial_number
        }
        SignerId::Key(key) => certificate.extensions().iter().any(|extension| {
            matches!(extension.parsed_extension(),
                ParsedExtension::SubjectKeyIdentifier(identifier) if identifier.0 == *key)
        }),
    }
}

fn require_signature(
    certificate: &X509Certificate<'_>,
    der: &[u8],
    algorithm: Algorithm,
    signed: &[Vec<u8>],
    signature: &[u8],
) -> Result<(), Refused> {
    let verifier = algorithm
        .verifier(certificate.public_key())
        .map_err(Refused::Unsupported)?;
    let der = CertificateDer::from(der);
    let own = EndEntityCert::try_from(&der).map_err(|_| Fault::UnusableCertificate)?;
    let mut verified = signed
        .iter()
        .map(|bytes| own.verify_signature(verifier, bytes, signature));
    if verified.any(|verified| verified.is_ok()) {
        Ok(())
    } else {
        Err(Fault::WrongSignature.into())
    }
}

/// The certificate was valid when the signature says to have been made; at the time of receipt the whole chain must be.
fn require_time(certificate: &X509Certificate<'_>, signed_at: Option<Timestamp>, at: Timestamp) -> Result<(), Fault> {
    let Some(signed_at) = signed_at else { return Ok(()) };
    if signed_at.duration_since(at).unsigned_abs() > AHEAD && signed_at > at {
        return Err(Fault::SignedLater);
    }
    let validity = certificate.validity();
    if signed_at.as_second() < validity.not_before.timestamp() {
        return Err(Fault::NotValidYet);
    }
    if signed_at.as_second() > validity.not_after.timestamp() {
        return Err(Fault::Expired);
    }
    Ok(())
}

/// A certificate that says what its key is for says signatures, or the commitment to a content.
fn require_for_signing(certificate: &X509Certificate<'_>) -> Result<(), Fault> {
    let usage = certificate.key_usage().map_err(|_| Fault::UnusableCertificate)?;
    let is_for_it = usage.is_none_or(|usage| usage.value.digital_signature() || usage.value.non_repudiation());
    if is_for_it { Ok(()) } else { Err(Fault::NotForSigning) }
}

fn name(certificate: &X509Certificate<'_>) -> String {
    let subject = certificate.subject();
    let common = subject.iter_common_name().find_map(|name| name.as_str().ok());
    shown(&common.map_or_else(|| subject.to_string(), str::to_owned))
}

/// The IIN of the person and the BIN of the organisation of a certificate.
pub(super) fn identifiers(certificate: &X509Certificate<'_>) -> (Option<String>, Option<String>) {
    let subject = certificate.subject();
    (
        identifier(subject.iter_by_oid(&OID_X509_SERIALNUMBER), "IIN"),
        identifier(subject.iter_organizational_unit(), "BIN"),
    )
}

/// The identification number behind its word, as `IIN911003342906` is the serial number of a subject.
fn identifier<'n, 'c: 'n>(
    mut attributes: impl Iterator<Item = &'n AttributeTypeAndValue<'c>>,
    word: &str,
) -> Option<String> {
    attributes.find_map(|attribute| {
        let number = attribute.as_str().ok()?.strip_prefix(word)?;
        let is_one = number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then(|| number.to_owned())
    })
}

/// A name of a certificate as it may be shown: what would change how a line is read is left out.
pub(super) fn shown(name: &str) -> String {
    let is_of_a_line = |c: char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    name.chars().filter(|c| is_of_a_line(*c)).take(SHOWN).collect()
}
