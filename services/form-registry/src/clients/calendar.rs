//! The calendar: what it is asked about an edition.

use legalstat_proto::calendar::v1::Obligation;

use crate::domain::{edition::EditionKey, form::Form};

/// The duty to place an edition of a form by its day.
pub fn obligation(form: &Form, key: EditionKey) -> Obligation {
    Obligation {
        period: key.period.to_string(),
        due_day: form.due_day,
        roll_forward: form.roll_forward,
        legal_basis: Some(form.legal_basis.clone().into()),
        roll_forward_basis: Some(form.roll_forward_basis.clone().into()),
    }
}
