//! Calls to other services. A channel connects at its first call, so that services start in any order; each call has a
//! deadline.

use std::{io, sync::Arc, time::Duration};

use anyhow::Context as _;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{
    Code, Status,
    metadata::MetadataMap,
    transport::{Channel, ClientTlsConfig, Endpoint},
};
use tower::service_fn;

use crate::call::{deadline, telemetry, tls};

/// The longest an outgoing call may take.
const LONGEST: Duration = Duration::from_secs(5);

/// A channel to a service. It connects at the first call and again whenever the line was cut.
///
/// # Errors
/// An address that is not a URL.
pub fn channel(url: &str, tls: ClientTlsConfig) -> anyhow::Result<Channel> {
    Ok(endpoint(url)?.tls_config(tls)?.connect_lazy())
}

/// A channel to another service, with the certificate that the files hold when it connects; to an address of the scheme `http`
/// in plaintext.
///
/// # Errors
/// An address that is not a URL with a host, or files that cannot be read.
pub fn to_service(url: &str, files: &tls::Files) -> anyhow::Result<Channel> {
    let uri: http::Uri = url.parse()?;
    if uri.scheme_str() != Some("https") {
        return Ok(endpoint(url)?.connect_lazy());
    }
    let host = uri.host().context("the address of a service has a host")?;
    let (host, port) = (host.trim_matches(['[', ']']).to_owned(), uri.port_u16().unwrap_or(443));
    let name = ServerName::try_from(host.clone())?;
    let client = Arc::new(tls::Client::load(files)?);
    // The connector brings the TLS; tonic is told a plain address, and the real one is what each call is for.
    let plain = endpoint(&format!("http://{}", uri.authority().context("a host")?))?.origin(uri);
    Ok(plain.connect_with_connector_lazy(service_fn(move |_| {
        connect(host.clone(), port, name.clone(), client.clone())
    })))
}

async fn connect(
    host: String,
    port: u16,
    name: ServerName<'static>,
    client: Arc<tls::Client>,
) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let config = tokio::task::spawn_blocking(move || client.config()).await?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    Ok(TokioIo::new(stream))
}

fn endpoint(url: &str) -> anyhow::Result<Endpoint> {
    let endpoint = Endpoint::from_shared(url.to_owned())?;
    Ok(endpoint
        .connect_timeout(Duration::from_secs(2))
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
