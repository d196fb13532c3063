//! The calendar: what it is asked about an edition.

use legalstat_proto::calendar::v1::Obligation;

use crate::domain::{collection::Collection, edition::EditionKey};

/// The duty to send an edition of a collection by its day.
pub fn obligation(collection: &Collection, key: &EditionKey) -> Obligation {
    Obligation {
        period: key.period.to_string(),
        due_day: collection.due_day,
        roll_forward: collection.roll_forward,
        legal_basis: Some(collection.legal_basis.clone().into()),
        roll_forward_basis: Some(collection.roll_forward_basis.clone().into()),
    }
}
