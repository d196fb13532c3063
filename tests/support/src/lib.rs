//! What the suites share: a whole system as its users have it, and many open requests in it.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read the time of the processes that they watch, and choose ids"
)]

pub mod calls;
pub mod inbox;
pub mod open_requests;
mod prepared;
pub mod system;
