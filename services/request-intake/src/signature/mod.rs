//! Verifies electronic signatures: CMS SignedData (RFC 5652) that encloses its content or stands beside it, by certificates
//! that lead to an authority which the operator trusts. RSA (PKCS #1 v1.5 and PSS) and ECDSA are verified; anything else, GOST
//! before all, is told as unsupported and never as valid.
//!
//! It needs no clock, no network and no database, and takes its time: a caller on a runtime goes through `spawn_blocking`.

mod algorithm;
mod attributes;
mod ber;
mod chain;
mod container;
mod trust;
mod verify;

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod trust_tests;

pub use crate::domain::verdict::{Fault, Signer, Verdict};
pub use trust::TrustStore;
pub use verify::{is_detached, verify};

/// How many bytes a container may have, its content included.
pub const MAX_CONTAINER: usize = 16 * 1024 * 1024;

/// What a signature is about.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// The container encloses it.
    Enclosed,
    /// It stands beside the container.
    Detached(&'a [u8]),
    /// It stands beside the container, and only its SHA-256 is known: a signature over another digest cannot be verified.
    Sha256(&'a [u8; 32]),
}
