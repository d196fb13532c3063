//! Why a certificate cannot be used: the caller's by its file before it is shown, the service's by the handshake. What else a
//! service has against a caller's certificate it answers itself.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use x509_parser::{certificate::X509Certificate, pem::parse_x509_pem, prelude::FromDer as _};

/// How long a service may take to say what is wrong; on a busy machine far more than it does.
const ASKING: Duration = Duration::from_secs(10);

/// Refuses a certificate that cannot be used at an instant, by its file.
pub(crate) fn usable(file: &Path, now: Timestamp) -> Result<(), String> {
    let shown = file.display();
    let pem = std::fs::read(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let parsed = parse_x509_pem(&pem)
        .map_err(|_| format!("{shown} holds no certificate in PEM"))?
        .1;
    let certificate = parsed
        .parse_x509()
        .map_err(|_| format!("{shown} holds no certificate"))?;
    let validity = certificate.validity();
    let instant = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let (from, to) = (
        instant(validity.not_before.timestamp()),
        instant(validity.not_after.timestamp()),
    );
    if to < now {
        return Err(format!("{shown} expired at {to}; whoever made it makes a new one"));
    }
    if now < from {
        return Err(format!(
            "{shown} is valid only from {from} on; is this machine's clock right?"
        ));
    }
    Ok(())
}

/// When the first certificate of a file ends.
pub(crate) fn end(file: &Path) -> Result<Timestamp, String> {
    let shown = file.display();
    let pem = std::fs::read(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let (_, pem) = parse_x509_pem(&pem).map_err(|_| format!("{shown} holds no certificate in PEM"))?;
    end_of(&pem.contents).ok_or_else(|| format!("{shown} holds no certificate"))
}

fn end_of(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

/// Whether one of an authority's certificates has signed the first of a file.
pub(crate) fn is_signed_by(file: &Path, authority: &Path) -> bool {
    let (Ok(own), Ok(authorities)) = (certificates(file), certificates(authority)) else {
        return false;
    };
    let own = own.first().and_then(|own| X509Certificate::from_der(own).ok());
    own.is_some_and(|(_, own)| {
        let signed = |der: &CertificateDer<'_>| {
            X509Certificate::from_der(der)
                .is_ok_and(|(_, authority)| own.verify_signature(Some(authority.public_key())).is_ok())
        };
        authorities.iter().any(signed)
    })
}

/// The way to a service, to ask it what is wrong when no call comes through.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) url: String,
    pub(crate) authority: PathBuf,
}

impl Line {
    /// What is wrong with the service's certificate, if that is why no call comes through: the handshake is made once more. It may take as
    /// long as a call.
    pub(crate) async fn fault(&self, call: Duration) -> Option<String> {
        let shaken = tokio::time::timeout(ASKING.min(call), self.shake_hands()).await;
        let error = shaken.ok()?.err()?;
        let error = error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()?;
        match error {
            rustls::Error::InvalidCertificate(wrong) => Some(format!("{} ({error})", told(wrong))),
            _ => None,
        }
    }

    /// Until when the service's own certificate lasts.
    pub(crate) async fn certificate_end(&self) -> Option<Timestamp> {
        let stream = tokio::time::timeout(ASKING, self.shake_hands()).await.ok()?.ok()?;
        end_of(stream.get_ref().1.peer_certificates()?.first()?)
    }

    /// The host of the service's address.
    pub(crate) fn host(&self) -> String {
        let uri: Option<http::Uri> = self.url.parse().ok();
        let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
        host.trim_matches(['[', ']']).to_owned()
    }

    async fn shake_hands(&self) -> anyhow::Result<TlsStream<TcpStream>> {
        let (uri, host): (http::Uri, _) = (self.url.parse()?, self.host());
        let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(443))).await?;
        let connector = TlsConnector::from(Arc::new(self.config()?));
        Ok(connector.connect(ServerName::try_from(host)?, stream).await?)
    }

    fn config(&self) -> anyhow::Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(&self.authority)?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    Ok(CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?)
}

fn told(wrong: &CertificateError) -> &'static str {
    match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the service's certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the service's certificate is not valid yet; is this machine's clock right?"
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the service's certificate is of another authority than that in ca.pem"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the service's certificate is for another name than its address has"
        }
        CertificateError::Revoked => "the service's certificate is revoked",
        _ => "the service's certificate cannot be used",
    }
}
