//! How messages are read: every violation at once, pages, uploads, and the conversions between the contracts and Rust.

pub mod names;
pub mod page;
pub mod register;
pub mod violations;
pub mod wire;
pub mod word;
