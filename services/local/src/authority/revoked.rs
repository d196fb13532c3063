//! What an authority has revoked: its list, which servers and clients read.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, KeyPair, PublicKeyData as _, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use x509_parser::{prelude::FromDer as _, x509::SubjectPublicKeyInfo};

use super::{AUTHORITY_VALID, Alone, Authority, Issued, State, read, request::KeyId};
use crate::folder::write_whole;

impl Authority {
    /// The list of what the authority has revoked.
    pub fn revoked_path(&self) -> PathBuf {
        self.folder.join("authority/revoked.pem")
    }

    /// Revokes every certificate of a name that could still be used, and gives those that it revoked. Where the key was made
    /// here, [`ensure`](Self::ensure) then makes a new one; whose owner made it gets a new one signed.
    ///
    /// # Errors
    /// A name without a certificate, or files that cannot be read or written.
    pub fn revoke(&self, name: &str) -> anyhow::Result<Vec<Issued>> {
        let alone = self.alone()?;
        anyhow::ensure!(
            self.issued()?.iter().any(|issued| issued.name == name),
            "there is no certificate of {name:?}"
        );
        self.revoke_where(&alone, |issued| issued.name == name)
    }

    /// Revokes what of these could still be used, and removes those with their keys that were made here. Whatever else stands in
    /// `certificates/` is its owner's.
    pub(super) fn revoke_where(&self, _: &Alone, which: impl Fn(&Issued) -> bool) -> anyhow::Result<Vec<Issued>> {
        let those: Vec<Issued> = self.issued()?.into_iter().filter(which).collect();
        let now = Timestamp::now();
        let usable = |issued: &&Issued| issued.until > now && issued.state != State::Revoked;
        let revoked: Vec<Issued> = those.iter().filter(usable).cloned().collect();
        if !revoked.is_empty() {
            self.revoke_serials(revoked.iter().map(|issued| issued.serial.clone()).collect())?;
        }
        // Those that a process revoked before and was ended then, too.
        for issued in those.iter().filter(|issued| issued.has_key_here) {
            self.remove(issued)?;
        }
        Ok(revoked)
    }

    /// Removes a certificate whose key was made here, and the key beside it.
    fn remove(&self, issued: &Issued) -> anyhow::Result<()> {
        let file = |extension: &str| {
            let folder = self.folder.join("certificates");
            folder.join(format!("{}.{extension}", issued.name))
        };
        let text = |extension| std::fs::read_to_string(file(extension)).unwrap_or_default();
        let gone = |extension| {
            let file = file(extension);
            std::fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))
        };
        if text("pem") == issued.pem {
            gone("pem")?;
        }
        let is_of_it = |pair: KeyPair| {
            let der = pair.subject_public_key_info();
            SubjectPublicKeyInfo::from_der(&der).is_ok_and(|(_, info)| KeyId::of(&info) == issued.key)
        };
        if KeyPair::from_pem(&text("key")).is_ok_and(is_of_it) {
            gone("key")?;
        }
        Ok(())
    }

    /// The serials that the list names.
    pub(super) fn revoked(&self) -> anyhow::Result<Vec<RevokedCertParams>> {
        if !self.revoked_path().exists() {
            return Ok(Vec::new());
        }
        let pem = read(&self.revoked_path())?;
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).context("the list of revoked certificates")?;
        let (_, list) = x509_parser::parse_x509_crl(&pem.contents).context("the list of revoked certificates")?;
        let revoked = list.iter_revoked_certificates().map(|revoked| RevokedCertParams {
            serial_number: SerialNumber::from_slice(revoked.raw_serial()),
            revocation_time: revoked.revocation_date.to_datetime(),
            reason_code: None,
            invalidity_date: None,
        });
        Ok(revoked.collect())
    }

    /// Writes the list with these serials besides. Whoever calls it holds the authority's lock.
    pub(super) fn revoke_serials(&self, serials: Vec<Vec<u8>>) -> anyhow::Result<()> {
        let now = OffsetDateTime::now_utc();
        let mut revoked_certs = self.revoked()?;
        revoked_certs.extend(serials.into_iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: now,
            reason_code: None,
            invalidity_date: None,
        }));
        let number = u64::try_from(now.unix_timestamp_nanos() / 1000)?;
        let list = CertificateRevocationListParams {
            this_update: now - Duration::hours(1),
            next_update: now + AUTHORITY_VALID,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer)?.pem()?;
        write_whole(&self.revoked_path(), list.as_bytes(), 0o644)
    }
}
