//! The authorities that an operator trusts: a folder of certificates and revocation lists.

use std::{collections::HashMap, ffi::OsStr, fs, path::Path};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use x509_parser::{
    extensions::ParsedExtension,
    pem::Pem,
    prelude::{FromDer as _, ReasonCode, X509Certificate},
    revocation_list::CertificateRevocationList,
};

use super::verify::shown;

/// What the names of the folder's files end in. Others are left alone.
const ENDINGS: [&str; 5] = ["pem", "crt", "cer", "der", "crl"];

/// Authorities, and what they have revoked.
#[derive(Debug, Default)]
pub struct TrustStore {
    pub(super) anchors: Vec<Anchor>,
    /// What stands between a certificate and an anchor, where a container does not bring it.
    pub(super) intermediates: Vec<CertificateDer<'static>>,
    pub(super) lists: Vec<RevocationList>,
}

/// An authority that is trusted.
#[derive(Debug)]
pub(super) struct Anchor {
    pub trusted: TrustAnchor<'static>,
    /// The first and the last second of its certificate.
    pub valid: [i64; 2],
}

/// The revocation list of an authority.
#[derive(Debug)]
pub(super) struct RevocationList {
    /// The authority's name and key, as they are encoded.
    pub issuer: Vec<u8>,
    pub issuer_key: Vec<u8>,
    /// The authority's name as it is shown.
    pub of: String,
    pub issued: Timestamp,
    /// When there is to be a newer one; none where it does not say.
    pub next: Option<Timestamp>,
    /// Serial numbers, with the second from which on each counts as revoked.
    pub revoked: HashMap<Vec<u8>, i64>,
}

impl TrustStore {
    /// Whether it trusts no authority at all.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The authorities whose revocation list was to be followed by a newer one by then: what they revoked since is not known.
    pub fn stale(&self, at: Timestamp) -> Vec<&str> {
        let stale = self.lists.iter().filter(|list| list.next.is_some_and(|next| next < at));
        stale.map(|list| list.of.as_str()).collect()
    }

    /// Reads a folder of certificates and revocation lists, in PEM or DER. What has signed itself is trusted; other certificates help to
    /// find the way there, also those by which an authority certifies its own next key.
    ///
    /// # Errors
    /// Names the file that cannot be read, and the list whose authority is not in the folder or has not signed it.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let (mut certificates, mut lists) = (Vec::new(), Vec::new());
        let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
        let mut paths = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        paths.sort();
        for path in paths {
            let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
            if path.is_file() && ENDINGS.contains(&ending.to_ascii_lowercase().as_str()) {
                read_file(&path, &mut certificates, &mut lists).with_context(|| path.display().to_string())?;
            }
        }
        Self::of(certificates, &lists)
    }

    fn of(certificates: Vec<Vec<u8>>, lists: &[Vec<u8>]) -> anyhow::Result<Self> {
        let mut store = Self::default();
        let parsed = certificates.iter().map(|der| Ok(X509Certificate::from_der(der)?.1));
        let parsed = parsed.collect::<anyhow::Result<Vec<_>>>()?;
        for list in lists {
            let (_, list) = CertificateRevocationList::from_der(list)?;
            store.lists.push(RevocationList::of(&list, &parsed)?);
        }
        let roots: Vec<Option<[i64; 2]>> = parsed.iter().map(root).collect();
        for (der, root) in certificates.into_iter().zip(roots) {
            let certificate = CertificateDer::from(der);
            if let Some(valid) = root {
                let trusted = webpki::anchor_from_trusted_cert(&certificate)?.to_owned();
                store.anchors.push(Anchor { trusted, valid });
            } else {
                store.intermediates.push(certificate);
            }
        }
        Ok(store)
    }
}

/// From when to when a certificate that has signed itself is valid; none for another. One whose algorithm cannot be verified here vouches
/// for none that can.
fn root(certificate: &X509Certificate<'_>) -> Option<[i64; 2]> {
    let names_itself = certificate.subject().as_raw() == certificate.issuer().as_raw();
    let validity = certificate.validity();
    (names_itself && certificate.verify_signature(None).is_ok())
        .then(|| [&validity.not_before, &validity.not_after].map(|time| time.timestamp()))
}

fn read_file(path: &Path, certificates: &mut Vec<Vec<u8>>, lists: &mut Vec<Vec<u8>>) -> anyhow::Result<()> {
    let bytes = fs::read(path)?;
    if !bytes.windows(11).any(|line| line == b"-----BEGIN ") {
        if X509Certificate::from_der(&bytes).is_ok() {
            certificates.push(bytes);
        } else if CertificateRevocationList::from_der(&bytes).is_ok() {
            lists.push(bytes);
        } else {
            bail!("neither a certificate nor a revocation list");
        }
        return Ok(());
    }
    for pem in Pem::iter_from_buffer(&bytes) {
        let pem = pem?;
        match pem.label.as_str() {
            "CERTIFICATE" => {
                X509Certificate::from_der(&pem.contents)?;
                certificates.push(pem.contents);
            }
            "X509 CRL" => {
                CertificateRevocationList::from_der(&pem.contents)?;
                lists.push(pem.contents);
            }
            other => bail!("it holds a {other}, and only certificates and revocation lists belong here"),
        }
    }
    Ok(())
}

impl RevocationList {
    fn of(list: &CertificateRevocationList<'_>, certificates: &[X509Certificate<'_>]) -> anyhow::Result<Self> {
        let mut issuers = certificates
            .iter()
            .filter(|one| one.subject().as_raw() == list.issuer().as_raw());
        let issuer = issuers.find(|issuer| list.verify_signature(issuer.public_key()).is_ok());
        let Some(issuer) = issuer else {
            bail!(
                "the revocation list of {} cannot be verified: its authority's certificate is not in the folder",
                list.issuer()
            );
        };
        let usage = issuer.key_usage()?;
        ensure!(
            usage.is_none_or(|usage| usage.value.crl_sign()),
            "{} may not sign revocation lists",
            issuer.subject()
        );
        let is_indirect = list.extensions().iter().any(|extension| {
            matches!(extension.parsed_extension(),
                ParsedExtension::IssuingDistributionPoint(point) if point.indirect_crl)
        });
        ensure!(
            !is_indirect,
            "the list of {} names certificates of others (indirect)",
            list.issuer()
        );
        // What a list takes back was only on hold.
        let counts = list
            .iter_revoked_certificates()
            .filter(|one| !matches!(one.reason_code(), Some((_, ReasonCode::RemoveFromCRL))));
        Ok(Self {
            issuer: list.issuer().as_raw().to_owned(),
            issuer_key: issuer.public_key().raw.to_owned(),
            of: shown(&list.issuer().to_string()),
            issued: Timestamp::from_second(list.last_update().timestamp())?,
            next: list
                .next_update()
                .map(|next| Timestamp::from_second(next.timestamp()))
                .transpose()?,
            revoked: counts
                .map(|one| (serial_number(one.raw_serial()), one.revocation_date.timestamp()))
                .collect(),
        })
    }

    /// Whether it had revoked a certificate by then.
    pub fn has_revoked(&self, serial: &[u8], at: Timestamp) -> bool {
        let since = self.revoked.get(&serial_number(serial));
        since.is_some_and(|since| *since <= at.as_second())
    }
}

fn serial_number(written: &[u8]) -> Vec<u8> {
    let zeros = written.iter().take_while(|byte| **byte == 0).count();
    written[zeros..].to_owned()
}
