//! What the registry knows and decides: no database, no network, no clock.

pub mod availability;
pub mod edition;
pub mod form;
pub mod history;
pub mod key;
pub mod open_data;
pub mod punctuality;
pub mod register;
pub mod revised;

#[cfg(test)]
mod words;
