//! A private certificate authority: certificates for every caller and service of a local system.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use legalstat_proto::common::v1::Role;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use time::{Duration, OffsetDateTime};

use super::{
    folder::write_whole,
    residents::{DOCUMENT_SYSTEMS, OFFICIALS},
};

/// How long a certificate is valid.
const VALID: Duration = Duration::days(825);
/// How long before its end a certificate is replaced.
const RENEWED: Duration = Duration::days(30);

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

/// A certificate authority in a folder: `authority/ca.pem`, `authority/ca.key` and `certificates/`.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the authority of a folder, made at the first call.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn open_or_create(folder: &Path) -> anyhow::Result<Self> {
        let (certificate, key) = (folder.join("authority/ca.pem"), folder.join("authority/ca.key"));
        if !key.exists() && !certificate.exists() {
            write_whole(&key, KeyPair::generate()?.serialize_pem().as_bytes(), 0o600)?;
        }
        let pair = KeyPair::from_pem(&read(&key)?)?;
        if !certificate.exists() {
            write_whole(
                &certificate,
                authority_parameters().self_signed(&pair)?.pem().as_bytes(),
                0o644,
            )?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(authority_parameters(), pair),
        })
    }

    /// The authority's own certificate.
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join("authority/ca.pem")
    }

    /// The certificate of a party, made when it is missing or ends within 30 days.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn ensure(&self, usage: &Usage) -> anyhow::Result<Identity> {
        let file = |extension| {
            self.folder
                .join("certificates")
                .join(format!("{}.{extension}", usage.name))
        };
        let identity = Identity {
            certificate_path: file("pem"),
            key_path: file("key"),
        };
        if !lasts(&identity) {
            let pair = KeyPair::generate()?;
            let made = parameters(usage)?.signed_by(&pair, &self.issuer)?;
            write_whole(&identity.key_path, pair.serialize_pem().as_bytes(), 0o600)?;
            write_whole(&identity.certificate_path, made.pem().as_bytes(), 0o644)?;
        }
        Ok(identity)
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn lasts(identity: &Identity) -> bool {
    let Ok(pem) = std::fs::read(&identity.certificate_path) else {
        return false;
    };
    let renewed = (OffsetDateTime::now_utc() + RENEWED).unix_timestamp();
    identity.key_path.exists()
        && x509_parser::pem::parse_x509_pem(&pem).is_ok_and(|(_, pem)| {
            pem.parse_x509()
                .is_ok_and(|certificate| certificate.validity().not_after.timestamp() > renewed)
        })
}

fn authority_parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "legalstat private authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    parameters.not_after = parameters.not_before + Duration::days(3650);
    parameters
}

fn parameters(usage: &Usage) -> anyhow::Result<CertificateParams> {
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
    parameters.not_after = parameters.not_before + VALID;
    Ok(parameters)
}

fn word(role: Role) -> String {
    role.as_str_name().trim_start_matches("ROLE_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use legalstat_kit::Caller;

    #[test]
    fn a_certificate_is_made_once_and_names_its_caller() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = || {
            let authority = Authority::open_or_create(folder.path()).expect("it opens");
            let identity = authority
                .ensure(&Usage::caller("edms", &[Role::Edms, Role::Subject]))
                .expect("it is made");
            std::fs::read(identity.certificate_path).expect("it is there")
        };
        let pem = make();
        assert_eq!(pem, make());
        let (_, parsed) = x509_parser::pem::parse_x509_pem(&pem).expect("PEM");
        let caller = Caller::from_certificate(&parsed.contents).expect("it names a caller");
        assert_eq!(
            caller,
            Caller {
                name: "edms".into(),
                roles: vec![Role::Edms, Role::Subject]
            }
        );
    }

    #[test]
    fn a_service_is_reached_under_its_names_and_a_caller_under_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path()).expect("it opens");
        let names = |usage: &Usage| {
            let pem =
                std::fs::read(authority.ensure(usage).expect("it is made").certificate_path).expect("it is there");
            let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).expect("PEM");
            let certificate = pem.parse_x509().expect("a certificate");
            let names = certificate
                .subject_alternative_name()
                .expect("readable")
                .expect("it has names");
            let serves = certificate
                .extended_key_usage()
                .expect("readable")
                .expect("it has usages")
                .value
                .server_auth;
            (
                names
                    .value
                    .general_names
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" "),
                serves,
            )
        };
        let (calendar, serves) = names(&Usage::service("calendar").reached_as("calendar.legalstat.svc"));
        for name in [
            "DNSName(calendar)",
            "DNSName(localhost)",
            "DNSName(calendar.legalstat.svc)",
            "role=service",
        ] {
            assert!(calendar.contains(name), "{calendar}");
        }
        assert!(serves);
        let (operator, serves) = names(&Usage::caller("operator", &[Role::Operator]));
        assert!(
            !operator.contains("DNSName") && operator.contains("legalstat://operator?role=operator"),
            "{operator}"
        );
        assert!(!serves);
    }

    #[test]
    fn a_lost_authority_certificate_is_made_again_from_its_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let public = |authority: &Authority| authority.issuer.key().public_key_pem();
        let first = Authority::open_or_create(folder.path()).expect("it opens");
        std::fs::remove_file(first.certificate_path()).expect("it was there");
        let second = Authority::open_or_create(folder.path()).expect("it opens again");
        assert!(second.certificate_path().exists());
        assert_eq!(public(&first), public(&second));
    }
}
