//! The way from a signer's certificate to an authority that is trusted (RFC 5280).

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath, spki_for_anchor};
use x509_parser::{
    prelude::{FromDer as _, X509Certificate},
    x509::X509Name,
};

use super::{
    Fault, TrustStore,
    ber::{SEQUENCE, write},
    trust::{Anchor, RevocationList},
    verify::{Refused, shown},
};

/// The way that was found.
#[derive(Debug)]
pub struct Chain {
    /// The subjects of the authorities, the trusted one last.
    pub authorities: Vec<String>,
    /// Of when the list of the certificate's issuer is, where there is one.
    pub revocations_of: Option<Timestamp>,
}

/// One step of the way: a certificate, and who issued it.
struct Step {
    serial_number: Vec<u8>,
    issuer: Vec<u8>,
    issuer_key: Vec<u8>,
}

/// Finds the way at a time.
///
/// # Errors
/// Why there is none.
pub fn find(certificate: &[u8], others: &[&[u8]], at: Timestamp, store: &TrustStore) -> Result<Chain, Refused> {
    let certificate = CertificateDer::from(certificate);
    let end = EndEntityCert::try_from(&certificate).map_err(refused)?;
    let others = others.iter().map(|other| CertificateDer::from(*other));
    let others: Vec<_> = others.chain(store.intermediates.iter().cloned()).collect();
    let anchors: Vec<_> = store.anchors.iter().map(|anchor| anchor.trusted.clone()).collect();
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let path = end
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &others,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            Signing,
            // The lists are asked below: there a revocation counts from its day on.
            None,
            None,
        )
        .map_err(refused)?;
    require_valid(path.anchor(), at, store)?;
    let steps = steps(&certificate, &path)?;
    let revoked_by = |list: &&RevocationList| {
        steps
            .iter()
            .any(|step| applies(list, step) && list.has_revoked(&step.serial_number, at))
    };
    if store.lists.iter().any(|list| revoked_by(&list)) {
        return Err(Fault::Revoked.into());
    }
    let own = store.lists.iter().filter(|list| applies(list, &steps[0]));
    let authorities = path.intermediate_certificates().map(|one| subject(&one.der()));
    Ok(Chain {
        authorities: authorities
            .chain([named(&write(SEQUENCE, path.anchor().subject.as_ref()))])
            .collect(),
        revocations_of: own.map(|list| list.issued).max(),
    })
}

/// The certificate of the authority that is trusted is valid too: `webpki` takes its name and its key alone. An authority may have several
/// for one key.
fn require_valid(found: &TrustAnchor<'_>, at: Timestamp, store: &TrustStore) -> Result<(), Fault> {
    let is_same = |known: &&Anchor| {
        let known = &known.trusted;
        known.subject == found.subject && known.subject_public_key_info == found.subject_public_key_info
    };
    let of_key: Vec<[i64; 2]> = store.anchors.iter().filter(is_same).map(|known| known.valid).collect();
    let at = at.as_second();
    if of_key.iter().any(|[from, to]| (*from..=*to).contains(&at)) {
        Ok(())
    } else if of_key.iter().all(|[from, _]| at < *from) {
        Err(Fault::NotValidYet)
    } else {
        Err(Fault::Expired)
    }
}

fn applies(list: &RevocationList, step: &Step) -> bool {
    list.issuer == step.issuer && list.issuer_key == step.issuer_key
}

fn steps(certificate: &[u8], path: &VerifiedPath<'_>) -> Result<Vec<Step>, Fault> {
    let mut certificates = vec![certificate.to_vec()];
    certificates.extend(path.intermediate_certificates().map(|one| one.der().to_vec()));
    let keys = path
        .intermediate_certificates()
        .map(|one| one.subject_public_key_info());
    let keys = keys.chain([spki_for_anchor(path.anchor())]);
    let steps = certificates.iter().zip(keys).map(|(der, key)| {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|_| Fault::UnusableCertificate)?;
        Ok(Step {
            serial_number: parsed.raw_serial().to_owned(),
            issuer: parsed.issuer().as_raw().to_owned(),
            issuer_key: key.as_ref().to_owned(),
        })
    });
    steps.collect()
}

fn subject(certificate: &[u8]) -> String {
    X509Certificate::from_der(certificate)
        .map_or_else(|_| String::new(), |(_, parsed)| shown(&parsed.subject().to_string()))
}

fn named(name: &[u8]) -> String {
    X509Name::from_der(name).map_or_else(|_| String::new(), |(_, name)| shown(&name.to_string()))
}

fn refused(error: Error) -> Refused {
    let fault = match error {
        Error::CertExpired { .. } => Fault::Expired,
        Error::CertNotValidYet { .. } => Fault::NotValidYet,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => Fault::NotForSigning,
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => Fault::NotTrusted,
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            return Refused::Unsupported(
                "a certificate that was signed by an algorithm which is not supported".to_owned(),
            );
        }
        _ => Fault::UnusableCertificate,
    };
    fault.into()
}

/// A certificate for signing documents: of those that name purposes, one for signed mail or documents, or for any. The
/// National Certification Centre parts certificates for signing from those for signing in by just this: the former are for mail
/// (1.3.6.1.5.5.7.3.4), the latter for clients.
#[derive(Debug)]
struct Signing;

impl ExtendedKeyUsageValidator for Signing {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        const ALLOWED: [&[usize]; 4] = [
            &[1, 3, 6, 1, 5, 5, 7, 3, 4],
            &[1, 3, 6, 1, 5, 5, 7, 3, 36],
            &[1, 3, 6, 1, 4, 1, 311, 10, 3, 12],
            &[2, 5, 29, 37, 0],
        ];
        let mut is_any_named = false;
        for purpose in purposes {
            is_any_named = true;
            if ALLOWED.contains(&purpose?.to_decoded_oid().as_slice()) {
                return Ok(());
            }
        }
        if is_any_named {
            Err(Error::EmptyEkuExtension)
        } else {
            Ok(())
        }
    }
}
