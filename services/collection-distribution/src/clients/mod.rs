//! Calls to servers that are not of this system.

mod call;
mod content;
mod faults;
pub mod inbox;
mod line;
mod lines;
mod recall;
mod wire;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the system clock is the clock of these tests")]
mod tests;
