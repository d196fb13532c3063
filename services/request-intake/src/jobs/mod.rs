//! The loops of the service.

pub mod attachments;
pub mod clock;
pub mod drafting;
pub mod erasure;
pub mod examination;
pub mod owed;
pub mod recompute;
pub mod warning;
