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
pub mod punctuality;
pub mod receipt;
pub mod recipient;
pub mod recipient_detail;
pub mod recipient_key;
pub mod reference;
pub mod revision;
pub mod revision_file;
pub mod sending_body;

use legalstat_kit::door::word::unreadable;

use crate::domain::{key::EditionKey, marking::OfficialUse};

fn edition_key(parent: &str, period: &str) -> Result<EditionKey, sqlx::Error> {
    EditionKey::of(parent, period).map_err(|_| unreadable("period", period))
}

/// The marking of a row: an open one has neither copies nor reason.
fn marking(copies: Option<i32>, reason: Option<String>, expires_on: Option<jiff_sqlx::Date>) -> Option<OfficialUse> {
    Some(OfficialUse {
        copies: copies?,
        reason: reason?,
        expires_on: expires_on.map(|day| day.to_jiff()),
    })
}

/// The word for how something is marked.
fn marking_word(official_use: Option<&OfficialUse>) -> &'static str {
    match official_use {
        None => "OPEN",
        Some(_) => "OFFICIAL_USE",
    }
}
