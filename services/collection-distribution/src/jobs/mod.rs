//! The loops of the service.

pub mod overdue;
