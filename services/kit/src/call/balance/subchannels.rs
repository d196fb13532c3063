//! The addresses behind a name, one lazily connected channel to each, and how each stands.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures::future::join_all;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tonic::{
    body::Body,
    transport::{Channel, Endpoint, Error},
};
use tower::{Service as _, ServiceExt as _, service_fn};

use crate::{call::client::CONNECTING, job::Once};

/// It answered last, or took a connection.
const SERVES: u8 = 0;
/// A call to it ended without an answer since.
const DOUBTED: u8 = 1;
/// It took no connection, or was not tried yet.
const AWAY: u8 = 2;

/// The channels to a name's addresses; `None` until the name was first looked up.
pub(super) type Subchannels = Option<Vec<Arc<Subchannel>>>;

/// The channel to one address.
pub(super) struct Subchannel {
    pub(super) address: SocketAddr,
    channel: Channel,
    standing: AtomicU8,
    under_way: AtomicUsize,
    doubts: Arc<Notify>,
}

impl Subchannel {
    /// The smaller, the better it is to call.
    pub(super) fn rank(&self) -> (u8, usize) {
        (self.standing.load(Relaxed), self.under_way.load(Relaxed))
    }

    /// Calls, and answers once the answer begins.
    pub(super) async fn call(&self, request: http::Request<Body>) -> Result<http::Response<Body>, Error> {
        self.under_way.fetch_add(1, Relaxed);
        let mut call = UnderWay {
            to: self,
            is_answered: false,
        };
        let answer = self.channel.clone().ready().await?.call(request).await?;
        call.is_answered = true;
        Ok(answer)
    }
}

/// A call that its caller may give up at any time.
struct UnderWay<'a> {
    to: &'a Subchannel,
    is_answered: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Subchannel {
            standing,
            under_way,
            doubts,
            ..
        } = self.to;
        under_way.fetch_sub(1, Relaxed);
        if self.is_answered {
            // Most often it stands so: what is only read is shared by all processors.
            if standing.load(Relaxed) != SERVES {
                standing.store(SERVES, Relaxed);
            }
            return;
        }
        standing.compare_exchange(SERVES, DOUBTED, Relaxed, Relaxed).ok();
        doubts.notify_one();
    }
}

/// Follows the addresses behind a name.
pub(super) struct Follower<R, C> {
    pub(super) name: String,
    pub(super) endpoint: Endpoint,
    /// How often the name is looked up; five times as often while calls end without an answer.
    pub(super) every: Duration,
    pub(super) resolve: R,
    pub(super) connect: C,
    pub(super) doubts: Arc<Notify>,
}

impl<R, A, C, F, S> Follower<R, C>
where
    R: Fn() -> A,
    A: Future<Output = io::Result<Vec<SocketAddr>>>,
    C: Fn(SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Follows them as long as somebody has the other end.
    pub(super) async fn follow(self, subchannels: watch::Sender<Subchannels>) {
        let mut resolving = Once::new("look up a service");
        loop {
            let round = async {
                let resolved = timeout(CONNECTING, (self.resolve)()).await;
                let resolved = resolved.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                let resolved = resolved.map_err(|error| format!("{}: {error}", self.name));
                self.take_up(resolving.note(resolved), &subchannels);
                self.try_those_that_do_not_serve(&subchannels).await;
                sleep(self.every / 5).await;
                timeout(self.every * 4 / 5, self.doubts.notified()).await.ok();
            };
            tokio::select! {
                () = subchannels.closed() => return,
                () = round => {}
            }
        }
    }

    /// Calls go to these addresses from now on; to those before when there are none. Calls that are under way at an address that has
    /// gone are carried on.
    fn take_up(&self, resolved: Option<Vec<SocketAddr>>, subchannels: &watch::Sender<Subchannels>) {
        let before = subchannels.borrow().clone();
        let Some(mut addresses) = resolved else {
            if before.is_none() {
                subchannels.send_replace(Some(Vec::new()));
            }
            return;
        };
        addresses.sort_unstable();
        addresses.dedup();
        let is_same = |known: &Vec<Arc<Subchannel>>| known.iter().map(|known| &known.address).eq(&addresses);
        if before.as_ref().is_some_and(is_same) {
            return;
        }
        let before = before.unwrap_or_default();
        let service = &self.name;
        for gone in before.iter().filter(|known| !addresses.contains(&known.address)) {
            tracing::info!(service, address = %gone.address, "the name has this address no more");
        }
        let of = |address: SocketAddr| {
            let known = before.iter().find(|known| known.address == address);
            known.cloned().unwrap_or_else(|| self.subchannel(address))
        };
        subchannels.send_replace(Some(addresses.into_iter().map(of).collect()));
    }

    fn subchannel(&self, address: SocketAddr) -> Arc<Subchannel> {
        let connect = self.connect.clone();
        let connector = service_fn(move |_| {
            let connecting = connect(address);
            async move { connecting.await.map(TokioIo::new) }
        });
        Arc::new(Subchannel {
            address,
            channel: self.endpoint.connect_with_connector_lazy(connector),
            standing: AtomicU8::new(AWAY),
            under_way: AtomicUsize::new(0),
            doubts: self.doubts.clone(),
        })
    }

    async fn try_those_that_do_not_serve(&self, subchannels: &watch::Sender<Subchannels>) {
        let known = subchannels.borrow().clone().unwrap_or_default();
        let doubtful = known.iter().filter(|known| known.rank().0 != SERVES);
        join_all(doubtful.map(|doubtful| self.try_out(doubtful))).await;
    }

    /// Tries a connection, so that no call has to.
    async fn try_out(&self, subchannel: &Subchannel) {
        let connected = timeout(CONNECTING, (self.connect)(subchannel.address)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let standing = if connected.is_ok() { SERVES } else { AWAY };
        let before = subchannel.standing.swap(standing, Relaxed);
        let (service, address) = (&self.name, subchannel.address);
        match connected {
            Ok(_) if before == AWAY => tracing::info!(service, %address, "calls go to this address"),
            Err(error) if before != AWAY => {
                tracing::warn!(service, %address, %error, "this address takes no connection; calls go to others, if there are any");
            }
            _ => {}
        }
    }
}
