//! A request that is registered as soon as it is submitted.

use legalstat_proto::{
    calendar::v1::RequesterKind,
    common::v1::Date,
    requests::v1::{
        self as requests, Item, ItemKind, Language, Request, Requester, Signatory, SignatoryCapacity,
        SubmitRequestRequest, Unit,
    },
};
use uuid::Uuid;

/// A document system's submission under the sender's own number, which also makes its `request_id`.
pub fn submission(external_number: &str) -> SubmitRequestRequest {
    let request = Request {
        requester: Some(Requester {
            kind: RequesterKind::StateBody.into(),
            full_name: "Ministry of Justice".into(),
            ..Default::default()
        }),
        signatory: Some(Signatory {
            full_name: "The head".into(),
            capacity: SignatoryCapacity::Head.into(),
        }),
        channel: requests::Channel::UnifiedEdms.into(),
        external_number: external_number.into(),
        external_date: Some(Date {
            year: 2026,
            month: 2,
            day: 2,
        }),
        essence: "Crimes registered in the fourth quarter of 2025".into(),
        language: Language::Ru.into(),
        items: vec![Item {
            kind: ItemKind::Statistics.into(),
            description: "Registered crimes".into(),
            unit: Unit::Crime.into(),
            period: "2025-Q4".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    SubmitRequestRequest {
        request: Some(request),
        request_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, external_number.as_bytes()).to_string(),
        validate_only: false,
    }
}
