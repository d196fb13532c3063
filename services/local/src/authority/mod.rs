//! A private certificate authority: certificates for every caller and service of a local system.

mod issued;
mod request;
mod revoked;
mod signed;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs::File,
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::Context as _;
use legalstat_proto::common::v1::Role;
use rand::RngExt as _;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

pub use self::{
    issued::{Issued, State},
    request::{Fault, SigningRequest},
    signed::NotSigned,
};
use super::{
    folder::write_whole,
    residents::{DOCUMENT_SYSTEMS, OFFICIALS},
};

/// How long a certificate is valid.
const VALID: Duration = Duration::days(825);
/// How long before its end a certificate is replaced.
const RENEWED: Duration = Duration::days(30);
/// How long the authority's own certificate is valid.
const AUTHORITY_VALID: Duration = Duration::days(3650);

/// The record of certificates whose keys are made here.
const ISSUED: &str = "authority/issued";
/// The record of certificates of keys that their owners made.
const SIGNED: &str = "authority/signed";

/// Whose certificate to make.
#[derive(Clone, Debug)]
pub struct Usage {
    name: String,
    roles: Vec<Role>,
    hosts: Vec<String>,
}

impl Usage {
    /// A caller with its roles.
    pub fn caller(name: &str, roles: &[Role]) -> Self {
        Self {
            name: name.into(),
            roles: roles.to_vec(),
            hosts: Vec::new(),
        }
    }

    /// A recipient of collections, by its id.
    pub fn recipient(id: &str) -> Self {
        Self::caller(id, &[Role::Recipient, Role::Subject])
    }

    /// The name in the certificate.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has these roles, in whatever order.
    pub fn has_roles(&self, roles: &[Role]) -> bool {
        let sorted = |roles: &[Role]| roles.iter().copied().collect::<BTreeSet<_>>();
        sorted(&self.roles) == sorted(roles)
    }

    /// Its roles.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether it is the certificate of this name.
    pub fn is_of(&self, name: &str) -> bool {
        self.name == name
    }

    /// A service, which serves under its name and on this machine, and calls others.
    pub fn service(name: &str) -> Self {
        let hosts = [name, "localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
        Self {
            name: name.into(),
            roles: vec![Role::Service],
            hosts,
        }
    }

    /// The same, served under another DNS name or address too.
    pub fn reached_as(mut self, host: &str) -> Self {
        self.hosts.push(host.into());
        self
    }
}

/// Everyone who calls a system, its services aside: officials, document systems, and the recipients given by id.
pub fn callers(recipients: &[String]) -> Vec<Usage> {
    let officials = OFFICIALS.iter().map(|(name, role)| Usage::caller(name, &[*role]));
    let systems = DOCUMENT_SYSTEMS.iter();
    let systems = systems.map(|(name, role)| Usage::caller(name, &[*role, Role::Subject]));
    let recipients = recipients.iter().map(|id| Usage::recipient(id));
    officials.chain(systems).chain(recipients).collect()
}

/// The files of one party.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its certificate.
    pub certificate_path: PathBuf,
    /// Its private key.
    pub key_path: PathBuf,
}

/// A certificate authority in a folder: `authority/ca.pem`, `authority/ca.key`, `authority/revoked.pem`, `certificates/` with the certificates
/// whose keys are made here, and a record of everything that it has signed: `authority/issued/` of those, `authority/signed/` of keys that
/// their owners made.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// Held while a certificate is made: whoever wants the same one meanwhile must not take the key of one and the certificate of
    /// another.
    making: Mutex<()>,
}

/// Holds an authority's records for this process until it is dropped.
#[derive(Debug)]
pub struct Alone {
    _file: File,
}

impl Authority {
    /// Opens the authority of a folder, made at the first call. Its own certificate is made anew, from the same key, before it
    /// could end earlier than one that it signs: both the old and the new one vouch for all that it has signed.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn open_or_create(folder: &Path) -> anyhow::Result<Self> {
        Self::open_or_create_for(folder, AUTHORITY_VALID)
    }

    fn open_or_create_for(folder: &Path, valid: Duration) -> anyhow::Result<Self> {
        let (certificate, key) = (folder.join("authority/ca.pem"), folder.join("authority/ca.key"));
        if !key.exists() && !certificate.exists() {
            write_whole(&key, KeyPair::generate()?.serialize_pem().as_bytes(), 0o600)?;
        }
        let pair = KeyPair::from_pem(&read(&key)?)?;
        if !lasts(&certificate, &pair, VALID + RENEWED) {
            let own = authority_parameters(valid).self_signed(&pair)?;
            write_whole(&certificate, own.pem().as_bytes(), 0o644)?;
        }
        let authority = Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(authority_parameters(valid), pair),
            making: Mutex::default(),
        };
        if !authority.revoked_path().exists() {
            let _alone = authority.alone()?;
            authority.revoke_serials(Vec::new())?;
        }
        Ok(authority)
    }

    /// The authority's own certificate.
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join("authority/ca.pem")
    }

    /// The certificate of a party, made when it is missing, ends within 30 days, is not that of the key beside it, or is not for all hosts
    /// that the party is reached as.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn ensure(&self, usage: &Usage) -> anyhow::Result<Identity> {
        self.ensure_for(usage, VALID)
    }

    fn ensure_for(&self, usage: &Usage, valid: Duration) -> anyhow::Result<Identity> {
        let file = |extension| {
            self.folder
                .join("certificates")
                .join(format!("{}.{extension}", usage.name))
        };
        let identity = Identity {
            certificate_path: file("pem"),
            key_path: file("key"),
        };
        let _alone = self.making.lock().expect("no code panics while it holds this lock");
        let key = std::fs::read_to_string(&identity.key_path).unwrap_or_default();
        let lasting = KeyPair::from_pem(&key).is_ok_and(|pair| lasts(&identity.certificate_path, &pair, RENEWED));
        if !(lasting && serves(&identity.certificate_path, &usage.hosts)) {
            let pair = KeyPair::generate()?;
            let made = self.issue(usage, &pair, valid, ISSUED)?;
            write_whole(&identity.key_path, pair.serialize_pem().as_bytes(), 0o600)?;
            write_whole(&identity.certificate_path, made.pem().as_bytes(), 0o644)?;
        }
        Ok(identity)
    }

    /// Signs a key, and records what it has signed before anybody has it.
    fn issue(
        &self,
        usage: &Usage,
        key: &impl PublicKeyData,
        valid: Duration,
        record: &str,
    ) -> anyhow::Result<Certificate> {
        let mut parameters = parameters(usage, valid)?;
        // The library would make the serial of the key, and two certificates of one key could not be told apart.
        let mut serial: [u8; 16] = rand::rng().random();
        serial[0] = serial[0] & 0x7f | 0x40;
        parameters.serial_number = Some(SerialNumber::from_slice(&serial));
        let made = parameters.signed_by(key, &self.issuer)?;
        let record = self.folder.join(record).join(format!("{}.pem", hex::encode(serial)));
        write_whole(&record, made.pem().as_bytes(), 0o644)?;
        Ok(made)
    }

    /// Held by whoever reads what is issued, revoked or added and then adds to it: two processes must not lose what the other adds,
    /// nor give one name twice. Waits for whoever holds it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn alone(&self) -> anyhow::Result<Alone> {
        let path = self.folder.join("authority/lock");
        let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
        file.lock().with_context(|| format!("locking {}", path.display()))?;
        Ok(Alone { _file: file })
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Whether the file holds a certificate of this key that does not end within `ahead`.
fn lasts(certificate: &Path, pair: &KeyPair, ahead: Duration) -> bool {
    let Ok(pem) = std::fs::read(certificate) else {
        return false;
    };
    let needed = (OffsetDateTime::now_utc() + ahead).unix_timestamp();
    x509_parser::pem::parse_x509_pem(&pem).is_ok_and(|(_, pem)| {
        pem.parse_x509().is_ok_and(|certificate| {
            let is_of_key = *certificate.public_key().subject_public_key.data == *pair.public_key_raw();
            is_of_key && certificate.validity().not_after.timestamp() > needed
        })
    })
}

/// Whether the file holds a certificate for all of these hosts.
fn serves(certificate: &Path, hosts: &[String]) -> bool {
    let Ok(pem) = std::fs::read(certificate) else {
        return false;
    };
    let names = |certificate: &X509Certificate<'_>| -> Option<Vec<String>> {
        let names = certificate.subject_alternative_name().ok()??;
        Some(names.value.general_names.iter().filter_map(host).collect())
    };
    x509_parser::pem::parse_x509_pem(&pem).is_ok_and(|(_, pem)| {
        let names = pem.parse_x509().ok().and_then(|certificate| names(&certificate));
        names.is_some_and(|names| hosts.iter().all(|host| names.contains(host)))
    })
}

/// A DNS name or an address as hosts are written.
fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes)
                .ok()
                .map(|v4| Ipv4Addr::from(v4).to_string()),
            _ => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|v6| Ipv6Addr::from(v6).to_string()),
        },
        _ => None,
    }
}

fn authority_parameters(valid: Duration) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "legalstat private authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    parameters.not_after = parameters.not_before + valid;
    parameters
}

fn parameters(usage: &Usage, valid: Duration) -> anyhow::Result<CertificateParams> {
    let roles: Vec<String> = usage.roles.iter().map(|role| format!("role={}", word(*role))).collect();
    let uri = format!("legalstat://{}?{}", usage.name, roles.join("&"));
    let mut parameters = CertificateParams::new(usage.hosts.clone())?;
    parameters.subject_alt_names.push(SanType::URI(uri.try_into()?));
    parameters
        .distinguished_name
        .push(DnType::CommonName, usage.name.as_str());
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if !usage.hosts.is_empty() {
        parameters.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    parameters.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    parameters.not_after = parameters.not_before + valid;
    Ok(parameters)
}

/// A role as certificates write it.
pub(crate) fn word(role: Role) -> String {
    role.as_str_name().trim_start_matches("ROLE_").to_ascii_lowercase()
}
