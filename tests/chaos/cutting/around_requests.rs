//! Messages about what is around requests.

use legalstat_proto::{
    calendar::v1::{PreviewRecomputeRequest, preview_recompute_request::Change},
    common::v1 as common,
    requests::v1::{Body, BodyKind},
};

pub(super) fn titled(title: &str) -> Option<common::LocalizedText> {
    Some(common::LocalizedText {
        en: title.into(),
        ..Default::default()
    })
}

pub(super) fn body(id: &str) -> Body {
    Body {
        name: format!("bodies/{id}"),
        title: titled("A body"),
        kind: BodyKind::StateBody.into(),
        legal_basis: Some(common::LegalBasis {
            act: "Order 1".into(),
            ..Default::default()
        }),
        valid_from: Some(common::Date {
            year: 2020,
            month: 1,
            day: 1,
        }),
        ..Default::default()
    }
}

pub(super) fn preview() -> PreviewRecomputeRequest {
    PreviewRecomputeRequest {
        change: Some(Change::CalendarAct(super::calendar::act(1))),
    }
}
