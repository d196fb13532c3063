//! What the registry knows and decides: no database, no network, no clock.

pub mod availability;
pub mod edition;
pub mod form;
pub mod key;
pub mod register;
pub mod telling;

#[cfg(test)]
mod words;
