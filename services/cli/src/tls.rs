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
use tokio_rustls::TlsConnector;
use x509_parser::pem::parse_x509_pem;

/// How long a service may take to say what is wrong.
const ASKING: Duration = Duration::from_secs(2);

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

/// The way to a service, to ask it what is wrong when no call comes through.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) url: String,
    pub(crate) authority: PathBuf,
}

impl Line {
    /// What is wrong with the service's certificate, if that is why no call comes through: the handshake is made once more.
    pub(crate) async fn fault(&self) -> Option<String> {
        let error = tokio::time::timeout(ASKING, self.shake_hands()).await.ok()?.err()?;
        let error = error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()?;
        match error {
            rustls::Error::InvalidCertificate(wrong) => Some(format!("{} ({error})", told(wrong))),
            _ => None,
        }
    }

    async fn shake_hands(&self) -> anyhow::Result<()> {
        let uri: http::Uri = self.url.parse()?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(443))).await?;
        let connector = TlsConnector::from(Arc::new(self.config()?));
        connector.connect(ServerName::try_from(host)?, stream).await?;
        Ok(())
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
