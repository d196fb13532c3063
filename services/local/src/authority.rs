//! A private certificate authority: certificates for every caller and service of a local system.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::Context as _;
use legalstat_proto::common::v1::Role;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

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

/// A certificate authority in a folder: `authority/ca.pem`, `authority/ca.key`, `authority/revoked.pem` and `certificates/`.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// Held while a certificate is made: whoever wants the same one meanwhile must not take the key of one and the certificate of
    /// another.
    making: Mutex<()>,
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
            authority.write_revoked(Vec::new())?;
        }
        Ok(authority)
    }

    /// The authority's own certificate.
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join("authority/ca.pem")
    }

    /// The list of what the authority has revoked.
    pub fn revoked_path(&self) -> PathBuf {
        self.folder.join("authority/revoked.pem")
    }

    /// Revokes the certificate that a party has now. [`ensure`](Self::ensure) then makes it a new one.
    ///
    /// # Errors
    /// A name without a certificate, or files that cannot be read or written.
    pub fn revoke(&self, name: &str) -> anyhow::Result<()> {
        anyhow::ensure!(!name.contains('/'), "{name:?} is not a name");
        let file = |extension| self.folder.join("certificates").join(format!("{name}.{extension}"));
        let (certificate, key) = (file("pem"), file("key"));
        let pem = read(&certificate)?;
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).context("the certificate")?;
        let serial = pem.parse_x509().context("the certificate")?.raw_serial().to_vec();
        let mut revoked = self.revoked()?;
        revoked.push(RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: OffsetDateTime::now_utc(),
            reason_code: None,
            invalidity_date: None,
        });
        self.write_revoked(revoked)?;
        std::fs::remove_file(key)?;
        Ok(std::fs::remove_file(certificate)?)
    }

    fn revoked(&self) -> anyhow::Result<Vec<RevokedCertParams>> {
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

    fn write_revoked(&self, revoked_certs: Vec<RevokedCertParams>) -> anyhow::Result<()> {
        let now = OffsetDateTime::now_utc();
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
            let made = parameters(usage, valid)?.signed_by(&pair, &self.issuer)?;
            write_whole(&identity.key_path, pair.serialize_pem().as_bytes(), 0o600)?;
            write_whole(&identity.certificate_path, made.pem().as_bytes(), 0o644)?;
        }
        Ok(identity)
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
    fn a_certificate_is_made_anew_for_a_host_that_it_is_not_for_and_stays_for_those_that_it_is_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path()).expect("it opens");
        let made = |usage: &Usage| {
            let identity = authority.ensure(usage).expect("it is made");
            std::fs::read(identity.certificate_path).expect("it is there")
        };
        let caller = Usage::recipient("senate");
        let first = made(&caller);
        let serving = caller
            .clone()
            .reached_as("localhost")
            .reached_as("127.0.0.1")
            .reached_as("::1");
        let second = made(&serving);
        assert_ne!(first, second);
        assert_eq!(made(&serving), second);
        assert_eq!(made(&caller), second, "it serves for more than is asked");
        assert_ne!(made(&serving.reached_as("inbox.senate.example")), second);
    }

    fn end(path: &Path) -> i64 {
        let pem = std::fs::read(path).expect("it is there");
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).expect("PEM");
        let certificate = pem.parse_x509().expect("a certificate");
        certificate.validity().not_after.timestamp()
    }

    #[test]
    fn what_nears_its_end_is_renewed_the_authoritys_own_certificate_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let (usage, short) = (Usage::service("calendar"), Duration::days(20));
        let old = Authority::open_or_create_for(folder.path(), VALID + short).expect("it opens");
        let signed = old.ensure_for(&usage, short).expect("it is made").certificate_path;
        let before = (end(&old.certificate_path()), end(&signed));
        let key = old.issuer.key().public_key_pem();

        let renewed = Authority::open_or_create(folder.path()).expect("it opens");
        renewed.ensure(&usage).expect("it is made");
        assert!(end(&renewed.certificate_path()) > before.0 && end(&signed) > before.1);
        assert_eq!(
            renewed.issuer.key().public_key_pem(),
            key,
            "who trusted it trusts it still"
        );
        assert!(
            end(&signed) < end(&renewed.certificate_path()),
            "nothing outlives who signed it"
        );
    }

    #[test]
    fn a_revoked_certificate_stays_on_the_list_and_a_new_one_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path()).expect("it opens");
        let (edms, operator) = (
            Usage::caller("edms", &[Role::Edms]),
            Usage::caller("operator", &[Role::Operator]),
        );
        let serial = |usage: &Usage| {
            let pem = read(&authority.ensure(usage).expect("it is made").certificate_path).expect("it is there");
            let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).expect("PEM");
            pem.parse_x509().expect("a certificate").raw_serial().to_vec()
        };
        let (first, second) = (serial(&edms), serial(&operator));
        authority.revoke("edms").expect("it is revoked");
        assert_ne!(serial(&edms), first, "a new one is made");
        authority.revoke("operator").expect("it is revoked");
        let listed = authority.revoked().expect("it is readable").into_iter();
        let listed: Vec<Vec<u8>> = listed.map(|revoked| revoked.serial_number.to_bytes()).collect();
        assert_eq!(listed, [first, second]);
        assert!(authority.revoke("nobody").is_err() && authority.revoke("../authority/ca").is_err());
    }

    #[test]
    fn a_certificate_beside_another_key_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path()).expect("it opens");
        let usage = Usage::service("calendar");
        let identity = authority.ensure(&usage).expect("it is made");
        // As if the process had been killed between writing the one and the other.
        let other = KeyPair::generate().expect("a key").serialize_pem();
        std::fs::write(&identity.key_path, &other).expect("it is written");
        authority.ensure(&usage).expect("it is made again");
        let key = KeyPair::from_pem(&read(&identity.key_path).expect("it is there")).expect("a key");
        assert!(lasts(&identity.certificate_path, &key, RENEWED));
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
