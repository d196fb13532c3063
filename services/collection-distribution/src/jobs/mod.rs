//! What runs without being called.

pub mod recompute;
pub mod schedule;
