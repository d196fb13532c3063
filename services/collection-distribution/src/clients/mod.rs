//! Calls to servers that are not of this system.

mod call;
mod content;
mod faults;
pub mod inbox;
mod line;
mod lines;
mod wire;

#[cfg(test)]
mod tests;
