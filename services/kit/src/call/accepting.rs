//! Connections from the first byte to the last. Each of their states has an end of its own: a handshake takes seconds, a
//! connection without a call under way less than a minute, and a call whose peer neither sends nor takes ends; the peer's
//! certificate and the connection's age end it too.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, pin::pin, sync::Arc, time::Duration};

use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Status, body::Body};
use tower::ServiceExt as _;

use crate::{
    call::{
        caller::{CallerError, Peer},
        connections::{Closing, Connections, PlaceGuard, Quota},
        line::Line,
        localized::localized,
        scrape,
        showing::Showing,
        streams::{RequestBody, ResponseBody, Shared, Stream, Streams},
        tls,
    },
    run::limits::Limits,
    told::Language,
};

/// How long a peer may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After how long without a word a peer is asked whether it is there, and how long its answer may take.
const SILENCE: (Duration, Duration) = (Duration::from_secs(25), Duration::from_secs(15));
/// How many bytes a peer may send ahead on one call, and on one connection.
const WINDOW: (u32, u32) = (256 * 1024, 1024 * 1024);
/// How many bytes of an answer wait for the peer to take them.
const SENT_AHEAD: usize = 256 * 1024;
/// How many bytes a frame has at most.
const FRAME: u32 = 16 * 1024;
/// How many bytes of header names and values a connection remembers.
const HEADER_TABLE: u32 = 4096;
/// How many calls that the peer takes back before the server has seen them end the connection, and how many that the server
/// had to end for the peer's mistakes.
const RESETS: (usize, usize) = (20, 128);

/// What a server takes connections with.
#[derive(Clone)]
pub struct Acceptor {
    tls: Option<watch::Receiver<Arc<tls::Server>>>,
    limits: Arc<Limits>,
    connections: Arc<Connections>,
    shared: Arc<Shared>,
    shutdown: CancellationToken,
}

impl Acceptor {
    /// Connections over TLS, for calls.
    pub fn for_calls(tls: watch::Receiver<Arc<tls::Server>>, limits: &Limits, shutdown: CancellationToken) -> Self {
        let connections = Connections::for_calls(limits.connections, limits.connections_by_address);
        Self::new(Some(tls), limits, connections, shutdown)
    }

    /// Connections in plaintext, for probes.
    pub fn for_probes(limits: &Limits, shutdown: CancellationToken) -> Self {
        let limits = limits.of_health();
        let connections = Connections::for_probes(limits.connections);
        Self::new(None, &limits, connections, shutdown)
    }

    fn new(
        tls: Option<watch::Receiver<Arc<tls::Server>>>,
        limits: &Limits,
        connections: Arc<Connections>,
        shutdown: CancellationToken,
    ) -> Self {
        let shared = Shared {
            calls: Quota::new(limits.calls, |taken| &taken.calls),
            messages: Quota::new(limits.message_bytes, |taken| &taken.messages),
            answers: Quota::new(limits.answer_bytes, |taken| &taken.answers),
            stall: limits.stall,
        };
        Self {
            tls,
            limits: Arc::new(limits.clone()),
            connections,
            shared: Arc::new(shared),
            shutdown,
        }
    }

    /// Accepts connections and serves their calls until the shutdown; comes back once all connections have ended.
    pub async fn serve<S>(self, listener: TcpListener, service: S)
    where
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.shutdown.cancelled() => break,
            };
            match accepted {
                Ok((stream, address)) => match self.connections.admit(address) {
                    Some(held) => {
                        connections.spawn(self.clone().connection(stream, address, held, service.clone()));
                    }
                    None => tracing::debug!(%address, "a connection was refused: there is no place for it"),
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Most likely no file handle is free: an immediate retry would only burn the processor.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        // Who comes now is told at once that nobody listens.
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    async fn connection<S>(self, stream: TcpStream, address: SocketAddr, held: PlaceGuard, service: S)
    where
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        let place = held.place.clone();
        tokio::select! {
            () = place.end_of_connection().cancelled() => tracing::debug!(%address, "a connection was given up for another or for its silence"),
            () = self.live(stream, address, &held, service) => {}
        }
    }

    async fn live<S>(self, stream: TcpStream, address: SocketAddr, held: &PlaceGuard, service: S)
    where
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        stream.set_nodelay(true).ok();
        let Some(mut tls) = self.tls.clone() else {
            // A peer that says nothing for so long is idle before its first call.
            return match tokio::time::timeout(self.limits.idle, scrape::is_fetch(&stream)).await {
                Ok(true) => scrape::answer(stream).await,
                Ok(false) => self.calls(stream, Showing::nothing(address), held, service).await,
                Err(_) => {}
            };
        };
        let current = tls.borrow_and_update().clone();
        let Some(stream) = handshake(stream, address, &current, &self.shutdown).await else {
            return;
        };
        let chain: Vec<CertificateDer<'static>> = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
        let showing = Showing::new(address, chain, tls, UnixTime::now());
        if let Some(caller) = &showing.peer().caller {
            held.set_caller(&caller.name);
        }
        self.calls(stream, showing, held, service).await;
    }

    async fn calls<I, S>(self, stream: I, mut showing: Showing, held: &PlaceGuard, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        let (peer, expiry) = (showing.peer(), showing.expiry());
        let answering = service_fn(move |request| answer(request, as_now(&peer, expiry), service.clone()));
        let io = TokioIo::new(Line::new(stream, self.limits.stall));
        let mut connection = pin!(self.http2(held).serve_connection(io, answering));
        let old_at = Instant::now() + this_age(self.limits.age);
        let mut closing: Option<(Closing, Instant)> = None;
        loop {
            let (end, at) = match closing {
                Some((end, since)) => (end, Self::closed_at(end, since, &showing)),
                None => self.next_end(held, &showing, old_at),
            };
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(address = %showing.address(), %error, "a connection failed");
                    }
                    return;
                }
                () = self.shutdown.cancelled(), if closing.is_none() => {
                    connection.as_mut().graceful_shutdown();
                    let end = if held.place.is_under_way() { Closing::Old } else { Closing::Idle };
                    closing = Some((end, Instant::now()));
                }
                usable = showing.changed() => if !usable {
                    tracing::info!(address = %showing.address(), "a connection ended with the trust in its certificate");
                    return;
                },
                () = tokio::time::sleep_until(at) => {
                    if closing.is_some() {
                        // The peer began a call before it heard that the connection goes.
                        if end == Closing::Idle && held.place.is_under_way() {
                            closing = Some((Closing::Old, Instant::now()));
                            continue;
                        }
                        return;
                    }
                    if self.next_end(held, &showing, old_at).1 <= Instant::now() {
                        connection.as_mut().graceful_shutdown();
                        closing = Some((end, Instant::now()));
                    }
                    if end == Closing::Expired {
                        held.place.forget_caller();
                    }
                }
            }
        }
    }

    /// When a closing connection ends, whatever is under way on it.
    fn closed_at(end: Closing, since: Instant, showing: &Showing) -> Instant {
        let at = since + end.grace();
        let expired = showing.expiry().map(|expiry| expiry + Closing::Expired.grace());
        // What its certificate allows is no shorter for a connection that was told to go before.
        expired.map_or(at, |expired| at.min(expired.max(since + Closing::Idle.grace())))
    }

    /// What ends the connection next, and when, as far as can be said now.
    fn next_end(&self, held: &PlaceGuard, showing: &Showing, old_at: Instant) -> (Closing, Instant) {
        let idle = (Closing::Idle, held.place.idle_since() + self.limits.idle);
        let old = (Closing::Old, old_at);
        let expired = showing.expiry().map(|expiry| (Closing::Expired, expiry));
        let first = [idle, old].into_iter().chain(expired).min_by_key(|(_, at)| *at);
        first.unwrap_or(idle)
    }

    fn http2(&self, held: &PlaceGuard) -> http2::Builder<Streams> {
        let mut builder = http2::Builder::new(Streams::new(held.place.clone(), self.shared.clone()));
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW.0)
            .initial_connection_window_size(WINDOW.1)
            .max_send_buf_size(SENT_AHEAD)
            .max_frame_size(FRAME)
            .header_table_size(HEADER_TABLE)
            .max_header_list_size(self.limits.header_bytes)
            .max_concurrent_streams(self.limits.streams)
            .max_pending_accept_reset_streams(RESETS.0)
            .max_local_error_reset_streams(RESETS.1)
            .keep_alive_interval(SILENCE.0)
            .keep_alive_timeout(SILENCE.1);
        builder
    }
}

/// How old one connection becomes: by chance up to a tenth less than it may, so that connections opened together, after a restart say, do
/// not all come back together.
fn this_age(most: Duration) -> Duration {
    most.mul_f64(rand::random_range(0.9..=1.0))
}

async fn handshake(
    stream: TcpStream,
    address: SocketAddr,
    server: &tls::Server,
    shutdown: &CancellationToken,
) -> Option<TlsStream<TcpStream>> {
    let accepting = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(server.config.clone()).accept(stream));
    let accepted = tokio::select! {
        accepted = accepting => accepted,
        () = shutdown.cancelled() => return None,
    };
    match accepted {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::info!(%address, %error, "a connection was refused"),
        Err(_) => tracing::info!(%address, "a connection was refused: its handshake took too long"),
    }
    None
}

/// The peer as it counts at this instant: a certificate that has ended meanwhile cannot be used.
fn as_now(peer: &Peer, expiry: Option<Instant>) -> Peer {
    match expiry {
        Some(expiry) if expiry <= Instant::now() => Peer {
            caller: None,
            problem: Some(CallerError::Expired),
            ..*peer
        },
        _ => peer.clone(),
    }
}

type Answer = Result<http::Response<Body>, Infallible>;

fn answer<S>(request: http::Request<Incoming>, peer: Peer, service: S) -> Pin<Box<dyn Future<Output = Answer> + Send>>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    Box::pin(async move {
        let stream = Stream::current();
        let language = Language::asked(request.headers());
        if let Err(refusal) = stream.require_room() {
            return Ok(localized(Status::from(refusal).into_http(), language));
        }
        let mut request = request.map(|body| RequestBody::body(body, stream.clone()));
        request.extensions_mut().insert(peer);
        let response = service.oneshot(request).await?;
        let response = response.map(|body| ResponseBody::body(body, stream));
        Ok(localized(response, language))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_opened_together_grow_old_apart_and_none_older_than_it_may() {
        let most = Duration::from_secs(4 * 3600);
        let mut ages: Vec<Duration> = (0..1000).map(|_| this_age(most)).collect();
        ages.sort();
        let (youngest, oldest) = (ages[0], ages[999]);
        assert!(
            youngest >= most * 9 / 10 && oldest <= most,
            "{youngest:?} to {oldest:?}"
        );
        assert!(
            oldest - youngest > Duration::from_secs(1000),
            "{youngest:?} to {oldest:?}"
        );
    }
}
