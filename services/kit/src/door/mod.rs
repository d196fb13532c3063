//! How messages and embedded registers are read ("the door"): every violation at once, words, names, pages, uploads, and the
//! conversions between the contracts and Rust.

pub(crate) mod fields;
pub mod folded;
pub mod languages;
pub mod names;
pub mod page;
pub mod register;
pub(crate) mod set_by_service;
pub mod text;
pub mod violations;
pub mod wire;
pub mod word;
