//! What the registry knows and decides: no database, no network, no clock.

pub mod availability;
pub mod content;
pub mod dated;
pub mod edition;
pub mod embargo;
pub mod faults;
pub mod form;
pub mod history;
pub mod import;
pub mod indicator;
pub mod key;
pub mod media;
pub mod observation;
pub mod open_data;
pub mod package;
pub mod placement;
pub mod punctuality;
pub mod query;
pub mod register;
pub mod revised;
pub mod revision;
pub mod serving;
pub mod standing;
pub mod suppression;
pub mod telling;
pub mod totals;
pub mod visibility;
pub mod workbook;

#[cfg(test)]
mod words;
