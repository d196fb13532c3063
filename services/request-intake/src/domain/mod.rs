//! Pure types and decisions: no database, no network, no clock.

pub mod amendment;
pub mod answer_register;
pub mod answering;
pub mod attachment;
pub mod body;
pub mod clock_stop;
pub mod contradiction;
pub mod decision;
mod description;
pub mod dispatch;
pub mod due_by_hand;
pub mod earlier;
pub mod evidence;
pub mod examination;
pub mod identifiers;
mod item;
pub mod life;
pub mod media;
pub mod names;
pub mod notice;
pub mod owed;
pub mod register;
pub mod registration;
pub mod request;
pub mod retention;
pub mod review;
pub mod rules;
pub mod secret;
pub mod signature_texts;
pub mod statistics;
pub mod status;
mod texts;
pub mod told;
pub mod verdict;
pub mod viewer;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod words;
