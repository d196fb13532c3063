//! The schema `collections`: all its SQL, one file per aggregate.

pub mod collection;
pub mod copy;
pub mod distribution;
pub mod due_date;
pub mod edition;
pub mod recipient;
pub mod reference;

use legalstat_kit::period::ReportingPeriod;

use crate::domain::edition::EditionKey;

/// A stored word or period that this release does not know: a row of another release, or a broken one.
fn unreadable(what: &str, stored: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("a stored {what} is {stored:?}").into())
}

fn edition_key(collection: String, period: &str) -> Result<EditionKey, sqlx::Error> {
    let period: ReportingPeriod = period.parse().map_err(|_| unreadable("period", period))?;
    Ok(EditionKey { collection, period })
}
