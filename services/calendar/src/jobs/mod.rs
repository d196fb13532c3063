//! What runs without being called.

pub mod follow_acts;
