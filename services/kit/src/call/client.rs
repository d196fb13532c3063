//! Calls to other services. A channel connects at its first call, so that services start in any order; each call has a
//! deadline.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{
    Code, Status,
    metadata::MetadataMap,
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use crate::call::{
    balance::{Balanced, EVERY},
    deadline, telemetry, tls,
};

/// The longest an outgoing call may take.
pub(super) const LONGEST: Duration = Duration::from_secs(5);
/// The longest that a connection may take to be made.
pub(super) const CONNECTING: Duration = Duration::from_secs(2);

/// A channel to a service. It connects at the first call and again whenever the line was cut.
///
/// # Errors
/// An address that is not a URL.
pub fn channel(url: &str, tls: ClientTlsConfig) -> anyhow::Result<Channel> {
    Ok(endpoint(url)?.tls_config(tls)?.connect_lazy())
}

/// A channel to all replicas of another service, with the certificate that the files hold when it connects; to an address of the scheme
/// `http` in plaintext. Whatever address is called, its certificate must name the host of the URL.
///
/// # Errors
/// An address that is not a URL with a host, or files that cannot be read.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn to_service(url: &str, files: &tls::Files) -> anyhow::Result<Balanced> {
    let uri: http::Uri = url.parse()?;
    let is_secure = uri.scheme_str() == Some("https");
    let authority = uri.authority().context("the address of a service has a host")?.clone();
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let port = authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    // What connects brings the TLS; tonic is told a plain address, and the real one is what each call is for.
    let endpoint = endpoint(&format!("http://{authority}"))?.origin(uri);
    let name = host.clone();
    let resolve = move || {
        let host = host.clone();
        async move { Ok(lookup_host((host, port)).await?.collect()) }
    };
    if !is_secure {
        return Ok(Balanced::new(&name, endpoint, EVERY, resolve, connect));
    }
    let client = Arc::new(tls::Client::load(files)?);
    let server = ServerName::try_from(name.clone())?;
    let connect = move |address| connect_securely(address, server.clone(), client.clone());
    Ok(Balanced::new(&name, endpoint, EVERY, resolve, connect))
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn connect_securely(
    address: SocketAddr,
    server: ServerName<'static>,
    client: Arc<tls::Client>,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = connect(address).await?;
    let config = tokio::task::spawn_blocking(move || client.config()).await?;
    TlsConnector::from(config).connect(server, stream).await
}

fn endpoint(url: &str) -> anyhow::Result<Endpoint> {
    let endpoint = Endpoint::from_shared(url.to_owned())?;
    Ok(endpoint
        .connect_timeout(CONNECTING)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true))
}

/// Prepares an outgoing request: its deadline is what is left of the current call, at most 5 s, and its trace goes on.
pub fn request<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(deadline::remaining(LONGEST));
    traced(request)
}

/// The same request, by which the current trace goes on where it is answered.
pub fn traced<T>(mut request: tonic::Request<T>) -> tonic::Request<T> {
    let metadata = std::mem::take(request.metadata_mut());
    let mut headers = metadata.into_headers();
    telemetry::inject(&mut headers);
    *request.metadata_mut() = MetadataMap::from_headers(headers);
    request
}

/// Turns the failure of a call into the failure of a job, which has no caller to answer.
pub fn failed(status: Status) -> anyhow::Error {
    anyhow::anyhow!("{:?}: {}", status.code(), status.message())
}

/// Whether a failure means that the service is unavailable or slow, so that the same call may succeed later.
pub fn is_away(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted
    )
}
