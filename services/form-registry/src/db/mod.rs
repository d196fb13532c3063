//! The schema `forms`: all its SQL, one file per aggregate.

pub mod availability;
pub mod canonical;
pub mod code_list;
pub mod edition;
pub mod embargo;
pub mod figure_set;
pub mod form;
pub mod indicator;
pub mod observation;
pub mod open_data;
pub mod package;
pub mod placement;
pub mod punctuality;
pub mod reference;
pub mod revision;
pub mod total_rule;

use legalstat_kit::door::word::unreadable;

use crate::domain::key::EditionKey;

fn edition_key(parent: &str, period: &str) -> Result<EditionKey, sqlx::Error> {
    EditionKey::of(parent, period).map_err(|_| unreadable("period", period))
}
