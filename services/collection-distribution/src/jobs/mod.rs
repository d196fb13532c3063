//! What runs without being called.

pub mod schedule;
