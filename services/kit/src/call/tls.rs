//! TLS: servers accept with tokio-rustls and know callers by client certificate; clients show theirs.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context as Polling, Poll},
    time::Duration,
};

use anyhow::Context as _;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, server::Connected};

use crate::call::caller::{Caller, Peer};

/// How long a peer may take for its handshake, and then for its first bytes.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many accepted connections may wait to be served.
const BACKLOG: usize = 128;

/// The PEM files of one party: its certificate chain, its key, and the authority it trusts.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate chain, own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The certificates of the trusted authorities.
    pub authority: PathBuf,
}

fn read(path: &PathBuf) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Makes the server's side: callers may show a certificate, and if they do the authority must have signed it.
///
/// # Errors
/// Files that cannot be read or do not belong together.
pub fn acceptor(files: &Files) -> anyhow::Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&read(&files.authority)?) {
        roots.add(certificate.context("the authority's file")?)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .context("the authority's file")?;
    let chain = CertificateDer::pem_slice_iter(&read(&files.certificate)?).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).context("the private key's file")?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Makes a client's side; without `identity` the caller stays anonymous.
///
/// # Errors
/// Files that cannot be read.
pub fn client(authority: &PathBuf, identity: Option<(&PathBuf, &PathBuf)>) -> anyhow::Result<ClientTlsConfig> {
    let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(authority)?));
    Ok(match identity {
        None => config,
        Some((certificate, key)) => config.identity(Identity::from_pem(read(certificate)?, read(key)?)),
    })
}

/// A connection whose handshake is done.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    /// Ends when the peer has sent nothing for too long. Removed when its first bytes arrive.
    silence: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        polling: &mut Polling<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(polling, buffer);
        if buffer.filled().len() > before {
            self.silence = None;
        }
        match (&read, &mut self.silence) {
            // HTTP/2's own keepalive begins only after the peer's first bytes. The server sees a connection that ended.
            (Poll::Pending, Some(silence)) => silence.as_mut().poll(polling).map(Ok),
            _ => read,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, polling: &mut Polling<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(polling, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        polling: &mut Polling<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(polling, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(polling)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(polling)
    }
}

/// Accepts connections until `shutdown`. Handshakes run side by side, so that a slow peer keeps nobody waiting.
pub fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shutdown: CancellationToken,
) -> mpsc::Receiver<io::Result<Connection>> {
    let (ready, connections) = mpsc::channel(BACKLOG);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = shutdown.cancelled() => return,
            };
            match accepted {
                Ok((stream, address)) => {
                    let silence = given_up(shutdown.clone());
                    tokio::spawn(hand_over(stream, address, acceptor.clone(), silence, ready.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Most likely no file handle is free: an immediate retry would only burn the processor.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    });
    connections
}

/// Ends when a peer has sent nothing for too long.
async fn given_up(shutdown: CancellationToken) {
    tokio::time::timeout(HANDSHAKE, shutdown.cancelled()).await.ok();
}

async fn hand_over(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    silence: impl Future<Output = ()> + Send + 'static,
    ready: mpsc::Sender<io::Result<Connection>>,
) {
    match tokio::time::timeout(HANDSHAKE, handshake(stream, address, acceptor)).await {
        Ok(Ok(mut connection)) => {
            connection.silence = Some(Box::pin(silence));
            ready.send(Ok(connection)).await.ok();
        }
        Ok(Err(error)) => tracing::info!(%address, error = format!("{error:#}"), "a connection was refused"),
        Err(_) => tracing::info!(%address, "a connection was refused: its handshake took too long"),
    }
}

async fn handshake(stream: TcpStream, address: SocketAddr, acceptor: TlsAcceptor) -> anyhow::Result<Connection> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(<[CertificateDer<'_>]>::first);
    let caller = certificate
        .map(|der| Caller::from_certificate(der).map(Arc::new))
        .transpose()?;
    Ok(Connection {
        stream,
        peer: Peer { address, caller },
        silence: None,
    })
}
