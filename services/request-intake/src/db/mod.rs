//! All SQL of the service, over its own schema `requests`; one file per noun.

pub mod acceptance;
pub mod amendment;
pub mod answer;
pub mod answer_rule;
pub mod attachment;
pub mod body;
mod changed_field;
pub mod clarification;
pub mod clock_stop;
pub mod coupon_try;
pub mod decision;
pub mod draft;
pub mod due_date;
pub mod due_warning;
pub mod earlier;
pub mod erasure;
pub mod examination;
pub mod explanation;
pub mod finding;
pub mod listing;
mod listing_statement;
pub mod notice;
pub mod owed_day;
pub mod registration;
pub mod request;
pub mod retention_rule;
pub mod review;
pub mod rule;
mod rule_load;
pub mod statistics;
pub mod watching;

#[cfg(test)]
pub use rule_load::edited as edited_rules;
pub use rule_load::load as load_rules;

use legalstat_kit::law::{LegalBasis, LocalizedText};
use sha2::{Digest, Sha256};

/// Takes texts and their law into the digest by which they are found, each with its length, so that no two of them run
/// together into the same bytes.
fn take_in(digest: &mut Sha256, texts: &[&str], text: &LocalizedText, basis: &LegalBasis) {
    let shared = [&text.kk, &text.ru, &text.en, &basis.act, &basis.provision, &basis.uri];
    for part in texts.iter().copied().chain(shared.map(String::as_str)) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update([u8::from(basis.assumed)]);
}

/// One column of the rows to insert.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
