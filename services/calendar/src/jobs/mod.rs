//! What runs without being called.

pub mod follow_acts;

#[cfg(test)]
mod tests;
