//! What the registry knows and decides: no database, no network, no clock.

pub mod availability;
pub mod dated;
pub mod edition;
pub mod faults;
pub mod form;
pub mod import;
pub mod indicator;
pub mod key;
pub mod observation;
pub mod query;
pub mod register;
pub mod serving;
pub mod suppression;

#[cfg(test)]
mod words;
