//! The schema `forms`: all its SQL, one file per aggregate.

pub mod due_date;
pub mod edition;
pub mod form;
pub mod placement;
pub mod reference;
pub mod schedule;

use crate::domain::edition::EditionKey;

/// A stored word or period that this release does not know: a row of another release, or a broken one.
fn unreadable(what: &str, stored: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("a stored {what} is {stored:?}").into())
}

fn edition_key(form: i32, period: &str) -> Result<EditionKey, sqlx::Error> {
    Ok(EditionKey {
        form,
        period: period.parse().map_err(|_| unreadable("period", period))?,
    })
}
