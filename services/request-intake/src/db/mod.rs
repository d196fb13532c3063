//! All SQL of the service, over its own schema `requests`.

pub mod due_date;
pub mod explanation;
pub mod parts;
pub mod reading;
pub mod reference;
pub mod registration;
pub mod rules;
pub mod storing;

/// Reads a stored word or number as what it stands for.
///
/// # Errors
/// A value that this release does not know.
fn known<T>(value: Option<T>, column: &'static str) -> Result<T, sqlx::Error> {
    value.ok_or_else(|| sqlx::Error::Decode(format!("{column} holds a value unknown to this release").into()))
}
