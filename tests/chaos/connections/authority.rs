//! An authority of the test's own, which signs what no authority should.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};

/// An authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate in PEM.
    pub pem: String,
}

/// A certificate to sign. It is one for a caller who may, unless a field says otherwise.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Its SAN URIs.
    pub uris: &'a [&'a str],
    /// How many seconds from now it ends.
    pub ends: i64,
    /// How many seconds from now it begins.
    pub begins: i64,
    /// What it is for.
    pub usage: Purpose,
    /// Its serial number.
    pub serial: u64,
    /// The common name of its subject.
    pub common_name: &'a str,
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Calling.
    Client,
    /// Serving.
    Server,
}

/// A certificate and its key in PEM.
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

/// A certificate of a service that may watch the calendar.
pub const WATCHER: Wanted<'static> = Wanted {
    uris: &["legalstat://form-registry?role=service"],
    ends: 3600,
    begins: -60,
    usage: Purpose::Client,
    serial: 1,
    common_name: "a caller",
};

impl Authority {
    /// A new one.
    pub fn new(name: &str) -> Self {
        let parameters = parameters(name);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("it is signed").pem();
        Self {
            issuer: Issuer::new(parameters, key),
            pem,
        }
    }

    /// An authority for which this one vouches.
    pub fn under(&self, name: &str, wanted: Wanted<'_>) -> Self {
        let mut parameters = parameters(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.use_authority_key_identifier_extension = true;
        parameters.serial_number = Some(wanted.serial.into());
        parameters.not_after = OffsetDateTime::now_utc() + Duration::seconds(wanted.ends);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.signed_by(&key, &self.issuer).expect("it is signed").pem();
        Self {
            issuer: Issuer::new(parameters, key),
            pem,
        }
    }

    /// Signs what is wanted, and adds this authority to the chain.
    pub fn sign_with_chain(&self, wanted: Wanted<'_>) -> Signed {
        let signed = self.sign(wanted);
        Signed {
            certificate: signed.certificate + &self.pem,
            ..signed
        }
    }

    /// Signs what is wanted.
    pub fn sign(&self, wanted: Wanted<'_>) -> Signed {
        let serves = wanted.usage == Purpose::Server;
        let hosts = if serves {
            vec!["localhost".to_owned()]
        } else {
            Vec::new()
        };
        let mut parameters = CertificateParams::new(hosts).expect("the names can be used");
        let uris = wanted
            .uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().expect("ASCII")));
        parameters.subject_alt_names.extend(uris);
        parameters
            .distinguished_name
            .push(DnType::CommonName, wanted.common_name);
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![match serves {
            true => ExtendedKeyUsagePurpose::ServerAuth,
            false => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        parameters.serial_number = Some(wanted.serial.into());
        let now = OffsetDateTime::now_utc();
        parameters.not_before = now + Duration::seconds(wanted.begins);
        parameters.not_after = now + Duration::seconds(wanted.ends);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("it is signed").pem();
        Signed {
            certificate,
            key: key.serialize_pem(),
        }
    }

    /// A certificate to serve with.
    pub fn server(&self, serial: u64) -> Signed {
        self.sign(Wanted {
            uris: &[],
            usage: Purpose::Server,
            serial,
            ..WATCHER
        })
    }

    /// The list of these revoked serial numbers.
    pub fn revoked(&self, serials: &[u64]) -> String {
        let now = OffsetDateTime::now_utc();
        let revoked = serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: now,
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: now - Duration::hours(1),
            next_update: now + Duration::hours(1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).expect("it is signed");
        list.pem().expect("it is written")
    }
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}
