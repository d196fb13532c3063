//! Messages about what is around requests.

use legalstat_proto::{
    calendar::v1::{PreviewRecomputeRequest, preview_recompute_request::Change},
    common::v1 as common,
    requests::v1::{Body, BodyKind, CreateBodyRequest, GetBodyRequest, ListBodiesRequest, UpdateBodyRequest},
};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::call::Call;

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.requests.v1.RequestIntakeService/", $method)
    };
}

fn titled(title: &str) -> Option<common::LocalizedText> {
    Some(common::LocalizedText {
        en: title.into(),
        ..Default::default()
    })
}

fn body(id: &str) -> Body {
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

/// The call that enters a body.
pub(super) fn creation(administrator: &Channel, id: &str) -> Call {
    let message = CreateBodyRequest {
        body: Some(body(id)),
        reason: "by order".into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    Call::new(administrator, path!("CreateBody"), &message)
}

/// The call of a method of bodies, one of which is there; none for another method.
pub(super) fn bodies(administrator: &Channel, method: &str) -> Option<Call> {
    Some(match method {
        "CreateBody" => creation(administrator, &format!("b{}", Uuid::new_v4().simple())),
        "UpdateBody" => {
            let message = UpdateBodyRequest {
                body: Some(Body {
                    title: titled(&Uuid::new_v4().to_string()),
                    ..body("justice")
                }),
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["title".into()],
                }),
                reason: "by order".into(),
                request_id: Uuid::new_v4().to_string(),
                ..Default::default()
            };
            Call::new(administrator, path!("UpdateBody"), &message)
        }
        "GetBody" => {
            let message = GetBodyRequest {
                name: "bodies/justice".into(),
                ..Default::default()
            };
            Call::new(administrator, path!("GetBody"), &message)
        }
        "ListBodies" => Call::new(administrator, path!("ListBodies"), &ListBodiesRequest::default()),
        _ => return None,
    })
}
