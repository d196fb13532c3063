//! Why a certificate cannot be used, told before it is shown where its file says so, and by the TLS alert otherwise.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{io::AsyncReadExt, net::TcpStream};
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
    /// Certificate and key of the caller, if it shows one.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

impl Line {
    /// What is wrong with a certificate, if that is why no call comes through.
    ///
    /// A call itself cannot always tell: TLS 1.3 refuses a caller's certificate after the handshake, when the call has begun
    /// and the end of the line can overtake the alert. So the handshake is made once more, and then only listened.
    pub(crate) async fn fault(&self) -> Option<String> {
        let error = tokio::time::timeout(ASKING, self.listen()).await.ok()?.err()?;
        let error = error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()?;
        Some(format!("{} ({error})", told(error)?))
    }

    async fn listen(&self) -> anyhow::Result<()> {
        let uri: http::Uri = self.url.parse()?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(443))).await?;
        let connector = TlsConnector::from(Arc::new(self.config()?));
        let mut stream = connector.connect(ServerName::try_from(host)?, stream).await?;
        stream.read_u8().await?;
        Ok(())
    }

    fn config(&self) -> anyhow::Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(&self.authority)?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            Some((certificate, key)) => {
                config.with_client_auth_cert(certificates(certificate)?, PrivateKeyDer::from_pem_file(key)?)?
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    Ok(CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?)
}

/// What an error of TLS says of a certificate.
fn told(error: &rustls::Error) -> Option<&'static str> {
    match error {
        rustls::Error::AlertReceived(alert) => of_caller(*alert),
        rustls::Error::InvalidCertificate(wrong) => Some(of_service(wrong)),
        _ => None,
    }
}

fn of_caller(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateExpired => "the service says that the caller's certificate has expired",
        AlertDescription::CertificateRevoked => "the service says that the caller's certificate is revoked",
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "the caller's certificate is of an authority that the service does not know"
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => "the service does not accept the caller's certificate",
        _ => return None,
    })
}

fn of_service(wrong: &CertificateError) -> &'static str {
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
