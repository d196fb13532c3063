//! What collections, recipients, editions and copies are, and what may be done with them.

pub mod collection;
pub mod copy;
pub mod distribution;
pub mod edition;
pub mod issuing;
pub mod key;
pub mod recipient;
pub mod register;
pub mod statement;

#[cfg(test)]
mod words;
