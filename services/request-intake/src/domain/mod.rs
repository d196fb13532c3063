//! Pure types and decisions: no database, no network, no clock.

pub mod amendment;
pub mod decision;
pub mod evidence;
pub mod examination;
pub mod identifiers;
pub mod life;
pub mod names;
pub mod register;
pub mod registration;
pub mod request;
pub mod review;
pub mod rules;
mod texts;

#[cfg(test)]
mod words;
