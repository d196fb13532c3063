//! What the peer of one connection has shown of itself, and for how long that can be used.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::{sync::watch, time::Instant};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::call::{
    caller::{CallerError, Peer},
    tls,
    trust::Trust,
};

/// The certificate that a peer has shown, if it has.
pub struct Showing {
    peer: Peer,
    chain: Vec<CertificateDer<'static>>,
    expiry: Option<Instant>,
    server: Option<watch::Receiver<Arc<tls::Server>>>,
}

impl Showing {
    /// A peer that could show nothing.
    pub fn nothing(address: SocketAddr) -> Self {
        let peer = Peer {
            address,
            caller: None,
            problem: None,
        };
        Self {
            peer,
            chain: Vec::new(),
            expiry: None,
            server: None,
        }
    }

    /// A peer that has shown this chain, own certificate first; an empty one when it has no certificate.
    pub fn new(
        address: SocketAddr,
        chain: Vec<CertificateDer<'static>>,
        mut server: watch::Receiver<Arc<tls::Server>>,
        now: UnixTime,
    ) -> Self {
        let examined = match chain.is_empty() {
            true => None,
            false => Some(server.borrow_and_update().trust.examine(&chain, now)),
        };
        let (caller, problem) = match examined {
            None => (None, None),
            Some(Ok(caller)) => (Some(caller), None),
            Some(Err(problem)) => {
                tracing::info!(%address, %problem, "a certificate cannot be used");
                (None, Some(problem))
            }
        };
        let expiry = caller.as_ref().and_then(|_| {
            let server = server.borrow();
            expiry(&server.trust, &chain, now)
        });
        Self {
            peer: Peer {
                address,
                caller,
                problem,
            },
            chain,
            expiry,
            server: Some(server),
        }
    }

    /// Its network address.
    pub fn address(&self) -> SocketAddr {
        self.peer.address
    }

    /// The peer, for its calls.
    pub fn peer(&self) -> Peer {
        self.peer.clone()
    }

    /// When its certificate can be used no longer.
    pub fn expiry(&self) -> Option<Instant> {
        self.expiry
    }

    /// Waits until what is trusted has changed. Answers whether what the peer has shown is worth as much as before.
    pub async fn changed(&mut self) -> bool {
        let Some(server) = &mut self.server else {
            return std::future::pending().await;
        };
        if server.changed().await.is_err() {
            // Nobody looks at the files any more: the service stops.
            return std::future::pending().await;
        }
        let examine = |server: &tls::Server| server.trust.examine(&self.chain, UnixTime::now()).map_err(Some);
        let now: Result<_, Option<CallerError>> = match self.chain.is_empty() {
            true => Err(None),
            false => examine(&server.borrow_and_update()),
        };
        match now {
            Ok(caller) => self.peer.caller.as_ref() == Some(&caller),
            Err(problem) => self.peer.caller.is_none() && self.peer.problem == problem,
        }
    }
}

/// When the chain can be used no longer, as this process counts time: its own certificate ends, or one without which no
/// authority vouches for it. A peer may show others too.
fn expiry(trust: &Trust, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<Instant> {
    let parsed = chain.iter().filter_map(|part| X509Certificate::from_der(part).ok());
    let mut ends: Vec<u64> = parsed
        .filter_map(|(_, part)| u64::try_from(part.validity().not_after.timestamp()).ok())
        .filter(|end| *end >= now.as_secs())
        .collect();
    ends.sort_unstable();
    let after = |end: u64| UnixTime::since_unix_epoch(Duration::from_secs(end.saturating_add(1)));
    let end = ends
        .into_iter()
        .find(|end| trust.examine(chain, after(*end)).is_err())?;
    Instant::now().checked_add(Duration::from_secs(end - now.as_secs()))
}
