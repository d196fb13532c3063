//! The loops of the service.

pub mod attachments;
pub mod drafting;
pub mod examination;
pub mod recompute;
pub mod warning;
