//! What collections, recipients, editions and copies are, and what may be done with them.

pub mod breaker;
pub mod collection;
pub mod content;
pub mod copy;
pub mod delivery;
pub mod distribution;
pub mod distribution_list;
pub mod edition;
pub mod issuing;
pub mod key;
pub mod marking;
pub mod punctuality;
pub mod receipt;
pub mod recipient;
pub mod register;
pub mod statement;
pub mod telling;

#[cfg(test)]
mod words;
