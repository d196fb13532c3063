//! A CMS container as it is written (RFC 5652, section 5.1).

use std::borrow::Cow;

use x509_parser::{
    asn1_rs::Oid,
    pem::parse_x509_pem,
    prelude::{AlgorithmIdentifier, FromDer as _},
};

use super::{
    Fault,
    ber::{self, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, SET, context},
};

/// How many certificates, and how many revocation lists, are looked at.
const CERTIFICATES: usize = 32;
/// How many signatures.
const SIGNERS: usize = 8;
/// The tag of a key identifier.
const KEY_IDENTIFIER: u8 = 0x80;

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// What a container holds.
#[derive(Debug)]
pub struct Container<'a> {
    /// Of which kind the content is.
    pub content_type: &'a [u8],
    /// The content, where the container encloses it.
    pub content: Option<&'a [u8]>,
    /// Certificates, as they were written.
    pub certificates: Vec<&'a [u8]>,
    /// The signatures.
    pub signers: Vec<SignerInfo<'a>>,
}

/// One signature.
#[derive(Debug)]
pub struct SignerInfo<'a> {
    pub signer: SignerId<'a>,
    pub digest: AlgorithmIdentifier<'a>,
    /// The signed attributes, one after the other.
    pub attributes: Option<&'a [u8]>,
    pub algorithm: AlgorithmIdentifier<'a>,
    pub signature: &'a [u8],
}

/// Which certificate a signature names.
#[derive(Debug)]
pub enum SignerId<'a> {
    Issued { issuer: &'a [u8], serial_number: &'a [u8] },
    Key(&'a [u8]),
}

/// The dotted text of an object identifier.
pub fn dotted(contents: &[u8]) -> String {
    Oid::new(Cow::Borrowed(contents)).to_id_string()
}

/// The container in DER, out of PEM or BER.
pub fn normalised(given: &[u8]) -> Result<Vec<u8>, Fault> {
    if given.starts_with(b"-----BEGIN ") {
        let (_, pem) = parse_x509_pem(given).map_err(|_| Fault::Malformed("its PEM cannot be read"))?;
        return ber::normalised(&pem.contents);
    }
    ber::normalised(given)
}

impl<'a> Container<'a> {
    /// Reads one in DER.
    pub fn read(der: &'a [u8]) -> Result<Self, Fault> {
        let mut info = Reader(der).inner(SEQUENCE)?;
        if dotted(info.expect(OBJECT_IDENTIFIER)?.contents) != SIGNED_DATA {
            return Err(Fault::NotSignedData);
        }
        let mut data = info.inner(context(0))?.inner(SEQUENCE)?;
        data.expect(INTEGER)?;
        data.expect(SET)?;
        let mut enclosed = data.inner(SEQUENCE)?;
        let content_type = enclosed.expect(OBJECT_IDENTIFIER)?.contents;
        let content = match enclosed.optional(context(0))? {
            Some(explicit) => Some(Reader(explicit.contents).expect(OCTET_STRING)?.contents),
            None => None,
        };
        let certificates = match data.optional(context(0))? {
            Some(certificates) => Reader(certificates.contents).all(CERTIFICATES)?,
            None => Vec::new(),
        };
        // Revocation lists that a signer brings are no better than none: those of the trust store count.
        data.optional(context(1))?;
        let signers = data.inner(SET)?.all(SIGNERS)?;
        Ok(Self {
            content_type,
            content,
            // Attribute certificates and their like have other tags, and sign nothing.
            certificates: certificates
                .iter()
                .filter(|one| one.tag == SEQUENCE)
                .map(|one| one.whole)
                .collect(),
            signers: signers
                .iter()
                .map(|one| SignerInfo::read(Reader(one.whole)))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl<'a> SignerInfo<'a> {
    fn read(mut reader: Reader<'a>) -> Result<Self, Fault> {
        let mut info = reader.inner(SEQUENCE)?;
        info.expect(INTEGER)?;
        let signer = if info.tag() == Some(KEY_IDENTIFIER) {
            SignerId::Key(info.any()?.contents)
        } else {
            let mut issued = info.inner(SEQUENCE)?;
            SignerId::Issued {
                issuer: issued.expect(SEQUENCE)?.whole,
                serial_number: issued.expect(INTEGER)?.contents,
            }
        };
        let digest = algorithm(&mut info)?;
        let attributes = info.optional(context(0))?.map(|attributes| attributes.contents);
        let algorithm = algorithm(&mut info)?;
        let signature = info.expect(OCTET_STRING)?.contents;
        Ok(Self {
            signer,
            digest,
            attributes,
            algorithm,
            signature,
        })
    }
}

fn algorithm<'a>(reader: &mut Reader<'a>) -> Result<AlgorithmIdentifier<'a>, Fault> {
    let read = AlgorithmIdentifier::from_der(reader.expect(SEQUENCE)?.whole);
    let (_, algorithm) = read.map_err(|_| Fault::Malformed("an algorithm cannot be read"))?;
    Ok(algorithm)
}
