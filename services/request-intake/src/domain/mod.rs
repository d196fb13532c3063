//! Pure types and decisions: no database, no network, no clock.

pub mod attachment;
pub mod decision;
pub mod evidence;
pub mod examination;
pub mod identifiers;
pub mod life;
pub mod media;
pub mod names;
pub mod register;
pub mod registration;
pub mod request;
pub mod rules;
pub mod signature_texts;
mod texts;

#[cfg(test)]
mod words;
