//! The record of what an authority has signed, each in a file named by its serial number.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use legalstat_kit::{Caller, call::caller::Role};
use rcgen::PublicKeyData as _;
use x509_parser::{
    certificate::X509Certificate, pem::parse_x509_pem, prelude::FromDer as _, x509::SubjectPublicKeyInfo,
};

use super::{Authority, ISSUED, SIGNED, Usage, host, request::KeyId};

/// What has become of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be used.
    Valid,
    /// The same name has one that ends later.
    Replaced,
    /// Its time is over.
    Expired,
    /// It is on the authority's list of revoked ones.
    Revoked,
}

/// A certificate that the authority has signed.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The name in it.
    pub name: String,
    /// The roles in it.
    pub roles: Vec<Role>,
    /// Its serial number.
    pub serial: Vec<u8>,
    /// From when on it is valid.
    pub from: Timestamp,
    /// Until when it is valid.
    pub until: Timestamp,
    /// Whether it can be used.
    pub state: State,
    /// Whether the key was made here, and not by its owner.
    pub has_key_here: bool,
    /// The certificate in PEM.
    pub pem: String,
    /// The hosts that it is for.
    pub(super) hosts: Vec<String>,
    /// Its public key.
    pub(super) key: KeyId,
}

impl Issued {
    /// The serial number in hexadecimal, as `openssl x509 -serial` tells it.
    pub fn serial_text(&self) -> String {
        hex::encode_upper(&self.serial)
    }

    /// Whether it ends within this time, or ended no longer ago, and nothing stands in its place.
    pub fn ends_within(&self, ahead: SignedDuration) -> bool {
        let counts = matches!(self.state, State::Valid | State::Expired);
        counts && self.until.duration_since(Timestamp::now()).abs() <= ahead
    }

    /// Whose certificate it is.
    pub fn usage(&self) -> Usage {
        let caller = Usage::caller(&self.name, &self.roles);
        self.hosts.iter().fold(caller, |usage, host| usage.reached_as(host))
    }

    pub(super) fn read(pem: &str) -> anyhow::Result<Self> {
        let (_, parsed) = parse_x509_pem(pem.as_bytes()).context("no PEM")?;
        let caller = Caller::from_certificate(&parsed.contents)?;
        let certificate = parsed.parse_x509().context("no certificate")?;
        Ok(Self {
            name: caller.name,
            roles: caller.roles,
            serial: certificate.raw_serial().to_vec(),
            from: Timestamp::from_second(certificate.validity().not_before.timestamp())?,
            until: Timestamp::from_second(certificate.validity().not_after.timestamp())?,
            state: State::Valid,
            has_key_here: true,
            pem: pem.to_owned(),
            hosts: hosts(&certificate),
            key: KeyId::of(certificate.public_key()),
        })
    }
}

fn hosts(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names);
    names.filter_map(host).collect()
}

impl Authority {
    /// Everything that the authority has signed, by name, and of one name what ends last first. What was signed before there was a record
    /// of it is known as long as it stands in `certificates/`.
    ///
    /// # Errors
    /// Files that cannot be read, or hold no certificate of a caller.
    pub fn issued(&self) -> anyhow::Result<Vec<Issued>> {
        // Others may have put there what they like.
        let here = texts(&self.folder.join("certificates"))?.into_iter();
        let here = here.filter_map(|(_, text)| Issued::read(&text).ok());
        let here = here.filter(|issued| self.has_signed(issued));
        let issued = read_all(texts(&self.folder.join(ISSUED))?)?;
        let signed = read_all(texts(&self.folder.join(SIGNED))?)?;
        let signed = signed.into_iter().map(|signed| Issued {
            has_key_here: false,
            ..signed
        });
        // Whoever made a key may keep its certificate in `certificates/` too: the record says whose the key is.
        let all = here.chain(issued).chain(signed);
        let all: BTreeMap<Vec<u8>, Issued> = all.map(|one| (one.serial.clone(), one)).collect();
        let revoked: Vec<Vec<u8>> = self.revoked()?.iter().map(|one| one.serial_number.to_bytes()).collect();
        let mut all: Vec<Issued> = all.into_values().collect();
        all.sort_by(|one, other| {
            let order = (&one.name, one.has_key_here).cmp(&(&other.name, other.has_key_here));
            order.then(other.until.cmp(&one.until))
        });
        let now = Timestamp::now();
        let mut before = None;
        for issued in &mut all {
            let party = Some((issued.name.clone(), issued.has_key_here));
            issued.state = match &before {
                _ if revoked.contains(&issued.serial) => State::Revoked,
                before if *before == party => State::Replaced,
                _ if issued.until < now => State::Expired,
                _ => State::Valid,
            };
            if issued.state == State::Valid {
                before = party;
            }
        }
        Ok(all)
    }

    /// Whether this authority has signed it: somebody may have put others' certificates into the folder.
    fn has_signed(&self, issued: &Issued) -> bool {
        let own = self.issuer.key().subject_public_key_info();
        let key = SubjectPublicKeyInfo::from_der(&own);
        let certificate = parse_x509_pem(issued.pem.as_bytes());
        match (key, certificate) {
            (Ok((_, key)), Ok((_, pem))) => pem
                .parse_x509()
                .is_ok_and(|certificate| certificate.verify_signature(Some(&key)).is_ok()),
            _ => false,
        }
    }
}

/// The files of a folder that are whole.
fn texts(folder: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    let mut texts = Vec::new();
    for file in files {
        let path = file.with_context(|| format!("reading {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') && name.ends_with(".pem") {
            let text = super::read(&path)?;
            texts.push((path, text));
        }
    }
    Ok(texts)
}

fn read_all(texts: impl IntoIterator<Item = (PathBuf, String)>) -> anyhow::Result<Vec<Issued>> {
    let read = |(path, text): (PathBuf, String)| Issued::read(&text).with_context(|| format!("{}", path.display()));
    texts.into_iter().map(read).collect()
}
