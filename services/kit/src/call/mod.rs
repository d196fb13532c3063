//! One call: as a handler sees it, and the layers it passes before, one a file.

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;

pub mod accepting;
pub mod access;
pub mod admission;
mod apart;
mod arrived;
pub mod balance;
mod bounded;
pub mod caller;
pub mod client;
pub mod connections;
pub mod deadline;
mod held;
pub mod line;
mod localized;
mod outside;
pub(crate) mod patience;
mod places;
mod scrape;
pub mod showing;
pub mod streams;
pub mod telemetry;
pub mod tls;
pub mod trust;
pub mod unreadable;

use crate::call::caller::{Caller, Peer, SYSTEM};

/// How many bytes a message may have, inflated where it came compressed. The contracts name this number.
pub const MESSAGE: usize = 4 * 1024 * 1024;

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// The name in the caller's certificate.
    pub by: String,
}

/// Who calls which method. The access layer puts it into the request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The full method name, for example `/legalstat.forms.v1.FormRegistryService/PlaceEdition`.
    pub method: &'static str,
    /// The caller's network address, when it came over the network.
    pub address: Option<SocketAddr>,
}

impl Call {
    /// The call that a request belongs to.
    ///
    /// # Panics
    /// When the call did not pass an access layer; every server has one.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        request
            .extensions()
            .get::<Call>()
            .cloned()
            .expect("the access layer puts the call into every request")
    }

    /// The call that a request belongs to, and its message.
    ///
    /// # Panics
    /// As [`Call::of`].
    pub fn with_message<T>(request: tonic::Request<T>) -> (Self, T) {
        (Self::of(&request), request.into_inner())
    }

    /// A call that the service makes of itself, for its jobs. `method` is what the journal names: `jobs/` and the job.
    pub fn system(method: &'static str) -> Self {
        let caller = Caller {
            name: SYSTEM.into(),
            roles: Vec::new(),
        };
        Self {
            caller: Arc::new(caller),
            method,
            address: None,
        }
    }

    /// What the caller does at this instant.
    pub fn done(&self, at: Timestamp) -> Done {
        let by = self.caller.name.clone();
        Done { at, by }
    }

    pub(crate) fn new(peer: Option<&Peer>, method: &'static str) -> Self {
        let caller = peer
            .and_then(|peer| peer.caller.clone())
            .unwrap_or_else(|| Arc::new(Caller::anonymous()));
        Self {
            caller,
            method,
            address: peer.map(|peer| peer.address),
        }
    }
}
