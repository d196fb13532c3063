//! What a signer signed beside the digest of the content (RFC 5652, section 11; RFC 5035).

use jiff::Timestamp;
use x509_parser::{
    prelude::{AlgorithmIdentifier, FromDer as _},
    time::ASN1Time,
};

use super::{
    Fault,
    algorithm::Digest,
    ber::{self, Element, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, SET},
    container::dotted,
};

/// How many attributes are looked at.
const ATTRIBUTES: usize = 64;

/// The signed attributes.
#[derive(Debug)]
pub struct Attributes<'a> {
    elements: Vec<Element<'a>>,
    /// Of which kind the content is.
    pub content_type: &'a [u8],
    pub message_digest: &'a [u8],
    pub signed_at: Option<Timestamp>,
    /// What names the signer's certificate by its digest, where something does.
    certificate: Option<NamedCertificate<'a>>,
}

#[derive(Debug)]
struct NamedCertificate<'a> {
    /// None for an algorithm that is not known here.
    algorithm: Option<Digest>,
    digest: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub fn read(contents: &'a [u8]) -> Result<Self, Fault> {
        let elements = Reader(contents).all(ATTRIBUTES)?;
        let (mut content_type, mut message_digest, mut time, mut certificate) = (None, None, None, None);
        for element in &elements {
            let mut attribute = Reader(element.whole).inner(SEQUENCE)?;
            let kind = dotted(attribute.expect(OBJECT_IDENTIFIER)?.contents);
            let mut values = attribute.inner(SET)?;
            let found = match kind.as_str() {
                "1.2.840.113549.1.9.3" => &mut content_type,
                "1.2.840.113549.1.9.4" => &mut message_digest,
                "1.2.840.113549.1.9.5" => &mut time,
                "1.2.840.113549.1.9.16.2.47" => &mut certificate,
                _ => continue,
            };
            // Each comes once and has one value: of two, a reader could take either.
            if found.replace(values.any()?).is_some() || !values.is_empty() {
                return Err(Fault::Malformed("a signed attribute comes twice"));
            }
        }
        let content_type = content_type.filter(|value| value.tag == OBJECT_IDENTIFIER);
        let message_digest = message_digest.filter(|value| value.tag == OCTET_STRING);
        let missing = Fault::Malformed("a signed attribute that each signature has is missing");
        Ok(Self {
            content_type: content_type.ok_or(Fault::OtherContentType)?.contents,
            message_digest: message_digest.ok_or(missing)?.contents,
            signed_at: time.map(|value| instant(value.whole)).transpose()?,
            certificate: certificate
                .map(|value| NamedCertificate::read(value.whole))
                .transpose()?,
            elements,
        })
    }

    /// The bytes that were signed: a set, as it came and, where that is another, in the order that DER has.
    pub fn signed(&self, contents: &[u8]) -> Vec<Vec<u8>> {
        let mut sorted: Vec<&[u8]> = self.elements.iter().map(|element| element.whole).collect();
        sorted.sort_unstable();
        let sorted = sorted.concat();
        let mut signed = vec![ber::write(SET, contents)];
        if sorted != contents {
            signed.push(ber::write(SET, &sorted));
        }
        signed
    }

    /// Whether the attributes name no other certificate than this.
    pub fn allow(&self, certificate: &[u8]) -> bool {
        let Some(named) = &self.certificate else { return true };
        named
            .algorithm
            .is_none_or(|algorithm| algorithm.of(certificate) == named.digest)
    }
}

fn instant(time: &[u8]) -> Result<Timestamp, Fault> {
    let unreadable = Fault::Malformed("the time of the signature cannot be read");
    let (_, time) = ASN1Time::from_der(time).map_err(|_| unreadable)?;
    Timestamp::from_second(time.timestamp()).map_err(|_| unreadable)
}

impl<'a> NamedCertificate<'a> {
    /// Reads a SigningCertificateV2; the first certificate that it names is the signer's.
    fn read(value: &'a [u8]) -> Result<Self, Fault> {
        let mut first = Reader(value).inner(SEQUENCE)?.inner(SEQUENCE)?.inner(SEQUENCE)?;
        let algorithm = match first.optional(SEQUENCE)? {
            None => Some(Digest::Sha256),
            Some(given) => {
                let read = AlgorithmIdentifier::from_der(given.whole);
                let (_, given) = read.map_err(|_| Fault::Malformed("an algorithm cannot be read"))?;
                Digest::of_identifier(&given.algorithm.to_id_string())
            }
        };
        let digest = first.expect(OCTET_STRING)?.contents;
        Ok(Self { algorithm, digest })
    }
}
