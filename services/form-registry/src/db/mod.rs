//! The schema `forms`: all its SQL, one file per aggregate.

pub mod edition;
pub mod form;
pub mod placement;
pub mod reference;
pub mod schedule;

/// A stored word or period that this release does not know: a row of another release, or a broken one.
fn unreadable(what: &str, stored: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("a stored {what} is {stored:?}").into())
}
