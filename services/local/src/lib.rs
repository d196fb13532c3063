//! A system on one machine: a private PostgreSQL with its roles, and a private certificate authority. For `legalstat up`,
//! and with the feature `testing` for tests.

#![expect(
    clippy::disallowed_methods,
    reason = "secrets and certificates of a real system are made here"
)]

pub mod added;
pub mod authority;
pub mod folder;
pub mod hosts;
pub mod port;
pub mod postgres;
pub mod programs;
pub mod residents;
pub mod roles;
pub mod signing;
#[cfg(feature = "testing")]
pub mod testing;
mod unprivileged;
