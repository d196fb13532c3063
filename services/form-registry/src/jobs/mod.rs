//! What runs without being called.

pub mod embargo_ends;
pub mod punctuality;
