//! The loops of the service.

pub mod delivery;
pub mod overdue;
pub mod punctuality;
