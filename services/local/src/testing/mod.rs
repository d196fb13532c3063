//! For tests: services as they run in production, and the faults put in their way.

pub mod gate;
pub mod harness;
pub mod refusals;
pub mod relay;
