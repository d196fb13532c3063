//! All SQL of the calendar.

pub mod reference;
pub mod rules;
pub mod terms;
