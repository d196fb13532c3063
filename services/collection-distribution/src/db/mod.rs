//! The schema `collections`: all its SQL, one file per aggregate.

pub mod breaker;
pub mod collection;
pub mod collection_title;
pub mod copy;
pub mod delivery;
pub mod distribution;
pub mod distribution_list;
pub mod edition;
pub mod overdue;
pub mod receipt;
pub mod recipient;
pub mod recipient_detail;
pub mod recipient_key;
pub mod reference;
pub mod revision;
pub mod sending_body;

use legalstat_kit::door::word::unreadable;

use crate::domain::key::EditionKey;

fn edition_key(parent: &str, period: &str) -> Result<EditionKey, sqlx::Error> {
    EditionKey::of(parent, period).map_err(|_| unreadable("period", period))
}
