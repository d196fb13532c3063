//! What the suites share: a whole system as its users have it, and many open requests in it.

pub mod open_requests;
pub mod system;
