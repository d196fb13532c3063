//! The loops of the service.

pub mod examination;
pub mod recompute;
pub mod warning;
