//! A calendar that trusts an authority of the test's own, with limits of the test's own.

use std::{net::SocketAddr, path::Path, sync::Arc};

use jiff::Timestamp;
use legalstat_kit::call::tls;
use legalstat_local::testing::harness::Running;
use legalstat_proto::calendar::v1::{Day, GetDayRequest, calendar_service_client::CalendarServiceClient};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use super::authority::{Authority, Signed};

/// A running calendar and its authority.
pub struct Stage {
    /// Who signs for it.
    pub authority: Authority,
    folder: TempDir,
    service: Running,
}

impl Stage {
    /// Starts one with these settings.
    pub async fn start(settings: &[(&str, u64)]) -> Self {
        let authority = Authority::new("the test's own authority");
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("ca.pem"), &authority.pem).expect("it is written");
        std::fs::write(file("revoked.pem"), authority.revoked(&[999])).expect("it is written");
        write(&file("server"), &authority.server(100));
        std::fs::create_dir(file("outside")).expect("it is made");
        let path = |name: &str| file(name).display().to_string();
        let mut given = vec![
            ("LEGALSTAT_TLS_CERTIFICATE", path("server.pem")),
            ("LEGALSTAT_TLS_KEY", path("server.key")),
            ("LEGALSTAT_TLS_AUTHORITY", path("ca.pem")),
            ("LEGALSTAT_TLS_REVOKED", path("revoked.pem")),
            ("LEGALSTAT_OUTSIDE_AUTHORITY", path("outside")),
        ];
        given.extend(settings.iter().map(|(name, value)| (*name, value.to_string())));
        let service = Running::start(&legalstat_calendar::SERVICE, &given, Timestamp::now).await;
        Self {
            authority,
            folder,
            service,
        }
    }

    /// Replaces a file as a whole: `ca.pem`, `revoked.pem`, those in `outside/`.
    pub fn replace(&self, name: &str, content: &str) {
        let (file, new) = (self.folder.path().join(name), self.folder.path().join("new"));
        std::fs::write(&new, content).expect("it is written");
        std::fs::rename(new, file).expect("it is replaced");
    }

    /// Replaces the server's certificate, and between the two files lets whoever looks see only one of them new.
    pub fn replace_server(&self, signed: &Signed) {
        write(&self.folder.path().join("server"), signed);
    }

    /// The files of the service itself.
    pub fn server_files(&self) -> tls::Files {
        let file = |name: &str| self.folder.path().join(name);
        tls::Files {
            certificate: file("server.pem"),
            key: file("server.key"),
            authority: file("ca.pem"),
            revoked: Some(file("revoked.pem")),
            outside: None,
        }
    }

    /// Files for a client of the kit, with this certificate.
    pub fn client_files(&self, signed: &Signed) -> tls::Files {
        let file = |name: &str| self.folder.path().join(name);
        write(&file("client"), signed);
        tls::Files {
            certificate: file("client.pem"),
            key: file("client.key"),
            authority: file("ca.pem"),
            revoked: None,
            outside: None,
        }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        self.service.url()
    }

    /// Where it takes calls.
    pub fn address(&self) -> SocketAddr {
        let port = self.url().rsplit(':').next().and_then(|port| port.parse().ok());
        ([127, 0, 0, 1], port.expect("the URL has a port")).into()
    }

    /// Where it answers probes.
    pub fn health(&self) -> SocketAddr {
        self.service.health()
    }

    /// A channel with this certificate, or without one, that waits for its line for as long as a busy machine takes.
    pub fn channel(&self, signed: Option<&Signed>) -> Channel {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.authority.pem));
        let tls = match signed {
            Some(signed) => tls.identity(Identity::from_pem(&signed.certificate, &signed.key)),
            None => tls,
        };
        let endpoint = Endpoint::from_shared(self.url().to_owned()).and_then(|endpoint| endpoint.tls_config(tls));
        endpoint.expect("a URL").connect_lazy()
    }

    /// A connection with TLS and nothing after it. The peer's system keeps few bytes for it.
    pub async fn line(&self) -> TlsStream<TcpStream> {
        self.line_of(None).await
    }

    /// The same, with this certificate.
    pub async fn line_of(&self, signed: Option<&Signed>) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let own = CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).expect("PEM");
        roots.add(own).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match signed {
            None => config.with_no_client_auth(),
            Some(signed) => {
                let chain = CertificateDer::pem_slice_iter(signed.certificate.as_bytes());
                let chain = chain.collect::<Result<_, _>>().expect("PEM");
                let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).expect("PEM");
                config.with_client_auth_cert(chain, key).expect("they belong together")
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(8 * 1024).expect("it can be set");
        let stream = socket.connect(self.address()).await.expect("it listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.expect("the handshake succeeds")
    }

    /// How many refusals its journal holds.
    pub async fn refusals(&self) -> i64 {
        let sql = "SELECT count(*) FROM calendar.journal_entry WHERE outcome = 'REFUSED'";
        let counted = sqlx::query_scalar(sql)
            .fetch_one(&mut self.service.superuser().await)
            .await;
        counted.expect("the journal is there")
    }

    /// Tells it to stop.
    pub fn tell_to_stop(&self) {
        self.service.tell_to_stop();
    }

    /// Stops it, and waits until it has ended.
    pub async fn stop(self) {
        self.service.stop().await;
    }

    /// Asks for a day: anyone may.
    pub async fn day(&self, channel: Channel) -> Result<Day, Status> {
        let day = CalendarServiceClient::new(channel).get_day(a_day()).await;
        day.map(tonic::Response::into_inner)
    }
}

/// What anyone may ask.
pub fn a_day() -> GetDayRequest {
    GetDayRequest {
        name: "days/2026-11-24".into(),
        as_known_at: None,
        languages: Vec::new(),
    }
}

fn write(stem: &Path, signed: &Signed) {
    let file = |extension: &str| stem.with_extension(extension);
    std::fs::write(file("key"), &signed.key).expect("it is written");
    std::fs::write(file("pem"), &signed.certificate).expect("it is written");
}
