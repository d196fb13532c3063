//! What the registry knows and decides: no database, no network, no clock.

pub mod availability;
pub mod content;
pub mod edition;
pub mod embargo;
pub mod form;
pub mod history;
pub mod key;
pub mod media;
pub mod open_data;
pub mod placement;
pub mod punctuality;
pub mod register;
pub mod revised;
pub mod revision;
pub mod standing;
pub mod visibility;
pub mod workbook;

#[cfg(test)]
mod words;
