//! The schema `forms`: all its SQL, one file per aggregate.

pub mod edition;
pub mod embargo;
pub mod form;
pub mod open_data;
pub mod placement;
pub mod punctuality;
pub mod reference;
pub mod revision;

use legalstat_kit::door::word::unreadable;

use crate::domain::key::EditionKey;

fn edition_key(parent: &str, period: &str) -> Result<EditionKey, sqlx::Error> {
    EditionKey::of(parent, period).map_err(|_| unreadable("period", period))
}
