//! A connection to a recipient's server: made only to the one whose certificate names the recipient, and used by one delivery at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioIo;
use legalstat_kit::{Caller, call::tls};
use legalstat_proto::collections::v1::copy_inbox_service_client::CopyInboxServiceClient;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::body::Body;

use crate::{
    clients::{
        call::{Calling, Course},
        faults,
        inbox::Destination,
        wire::{Watched, Wire},
    },
    domain::delivery::{Failure, Outcome},
};

/// How many bytes the headers or the trailers of an answer may have.
const HEADERS: u32 = 16 * 1024;
/// How many bytes of answers come before they are read.
const WINDOW: u32 = 64 * 1024;
/// How many bytes wait to be sent.
const WAITING: usize = 256 * 1024;
/// How long a connection that is not needed any more may take to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection.
pub(super) struct Line {
    sender: SendRequest<Body>,
    origin: http::Uri,
    wire: Arc<Wire>,
    made: Instant,
    /// Dropped, it ends what runs for the connection, and with it the connection.
    open: DropGuard,
}

/// Runs what HTTP/2 needs as long as the connection is wanted.
#[derive(Clone)]
struct WhileOpen(CancellationToken);

impl<F> hyper::rt::Executor<F> for WhileOpen
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        tokio::spawn(self.0.clone().run_until_cancelled_owned(task));
    }
}

impl Line {
    /// Connects. `within` is for the connection and once more for the handshake. It sends nothing but its own certificate before it
    /// knows the server.
    ///
    /// # Errors
    /// NO_ENDPOINT, UNREACHABLE, CERTIFICATE_REFUSED, or UNREADABLE_ANSWER where the server does not speak HTTP/2 over TLS.
    pub(super) async fn open(
        to: &Destination,
        client: &Arc<tls::Client>,
        within: Duration,
        until: Instant,
    ) -> Result<Self, Failure> {
        let (origin, name, port) = address(&to.endpoint)?;
        let stream = connected(&name.to_str(), port, soonest(within, until)).await?;
        let stream = secured(stream, name, client, soonest(within, until)).await?;
        require_recipient(&stream, &to.certificate_name)?;
        let (wire, open) = (Arc::<Wire>::default(), CancellationToken::new());
        wire.set_until(Some(until));
        let running = WhileOpen(open.clone());
        let watched = TokioIo::new(Watched::new(stream, wire.clone()));
        let handshake = http2::Builder::new(running.clone())
            .max_header_list_size(HEADERS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_send_buf_size(WAITING)
            .handshake(watched);
        let made = handshake
            .await
            .map_err(|error| faults::broken(format!("the connection broke: {error}")));
        let (sender, connection) = made?;
        hyper::rt::Executor::execute(&running, connection.map(drop));
        Ok(Self {
            sender,
            origin,
            wire,
            made: Instant::now(),
            open: open.drop_guard(),
        })
    }

    /// A client for one call, and what is seen of that call. Nothing is sent after `until`.
    pub(super) fn call(&self, until: Instant) -> (CopyInboxServiceClient<Calling>, Arc<Course>) {
        self.wire.set_until(Some(until));
        let course = Arc::new(Course::new(until, self.wire.clone()));
        let calling = Calling::new(self.sender.clone(), course.clone());
        (
            CopyInboxServiceClient::with_origin(calling, self.origin.clone()),
            course,
        )
    }

    /// Lets the connection wait for the next delivery.
    pub(super) fn rest(&self) {
        self.wire.set_until(None);
    }

    /// Whether another delivery can use it: it is open, and so young that the server's certificate was looked at lately.
    pub(super) fn is_usable(&self, age: Duration) -> bool {
        !self.sender.is_closed() && self.made.elapsed() < age
    }

    /// Closes it as HTTP/2 and TLS want it, if the server lets that happen.
    pub(super) fn close(self) {
        let Self { sender, open, .. } = self;
        drop(sender);
        tokio::spawn(async move {
            tokio::time::sleep(FAREWELL).await;
            drop(open);
        });
    }
}

fn soonest(within: Duration, until: Instant) -> tokio::time::Instant {
    (Instant::now() + within).min(until).into()
}

fn address(endpoint: &str) -> Result<(http::Uri, ServerName<'static>, u16), Failure> {
    let none = || Failure::new(Outcome::NoEndpoint, "the endpoint is not https:// with a host");
    let nameless = |_| {
        Failure::new(
            Outcome::NoEndpoint,
            "the endpoint's host is no name that a certificate can have",
        )
    };
    let uri: http::Uri = endpoint.parse().map_err(|_| none())?;
    let host = uri
        .host()
        .filter(|_| uri.scheme_str() == Some("https"))
        .ok_or_else(none)?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(nameless)?;
    let port = uri.port_u16().unwrap_or(443);
    Ok((uri, name, port))
}

async fn connected(host: &str, port: u16, until: tokio::time::Instant) -> Result<TcpStream, Failure> {
    let connecting = tokio::time::timeout_at(until, TcpStream::connect((host, port)));
    let connected = connecting
        .await
        .map_err(|_| faults::unreachable("the server does not answer to a connection"))?;
    let stream = connected.map_err(faults::unconnected)?;
    // Without it answers come later; they come nevertheless.
    stream.set_nodelay(true).ok();
    Ok(stream)
}

async fn secured(
    stream: TcpStream,
    name: ServerName<'static>,
    client: &Arc<tls::Client>,
    until: tokio::time::Instant,
) -> Result<TlsStream<TcpStream>, Failure> {
    let client = client.clone();
    let config = tokio::task::spawn_blocking(move || client.config()).await;
    let config = config.map_err(|error| faults::own(anyhow::Error::new(error).into()))?;
    let handshake = tokio::time::timeout_at(until, TlsConnector::from(config).connect(name, stream));
    let ended = handshake
        .await
        .map_err(|_| faults::unreachable("the server does not go on with the TLS handshake"))?;
    ended.map_err(|error| faults::handshake(&error))
}

/// Checks that the server is the recipient's, by the name in its certificate, and that it speaks HTTP/2.
fn require_recipient(stream: &TlsStream<TcpStream>, name: &str) -> Result<(), Failure> {
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().and_then(|chain| chain.first());
    match shown.map(|own| Caller::from_certificate(own)) {
        Some(Ok(server)) if server.name == name => {}
        Some(Ok(server)) => return Err(faults::another(&server.name, name)),
        Some(Err(problem)) => return Err(faults::another(&problem.to_string(), name)),
        None => return Err(faults::tls(&rustls::Error::NoCertificatesPresented)),
    }
    match session.alpn_protocol() {
        Some(b"h2") => Ok(()),
        _ => Err(faults::no_http2()),
    }
}
