//! The services that this one calls, answering in its own types.

pub mod calendar;
