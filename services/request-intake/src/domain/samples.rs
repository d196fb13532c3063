//! What tests of the rules begin with.

use super::request::{Channel, Item, ItemKind, Language, Requester, RequesterKind, Submission};

/// An item of which nothing but its kind and words are said.
pub(super) fn item(kind: ItemKind) -> Item {
    Item {
        kind,
        description: "D".into(),
        unit: None,
        period: None,
        until_period: None,
        form: None,
        indicator: None,
        detail: None,
        territories: Vec::new(),
    }
}

/// A person's application on paper that asks for statistics and that nobody signed.
pub(super) fn submission() -> Submission {
    Submission {
        requester: Requester {
            kind: RequesterKind::Individual,
            full_name: "A".into(),
            bin: None,
            iin: None,
            postal_address: "B".into(),
        },
        signatory: None,
        channel: Channel::Paper,
        external: None,
        addressee: String::new(),
        receiving_body: None,
        essence: "C".into(),
        language: Language::Ru,
        items: vec![item(ItemKind::Statistics)],
        attachments: Vec::new(),
        reports_crime_or_threat: false,
        sent_at: None,
        received_at: "2026-03-02T10:00:00Z".parse().expect("an instant"),
    }
}
