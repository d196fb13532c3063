//! A private PostgreSQL, its roles, and a private certificate authority: for `legalstat up` and for tests.

pub mod authority;
pub mod folder;
pub mod gate;
pub mod harness;
pub mod postgres;
pub mod programs;
pub mod refusals;
pub mod roles;
