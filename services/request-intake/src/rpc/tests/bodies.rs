//! Bodies: who enters them, what is known of them on which day, and what they open.

use legalstat_local::testing::refusals::{pairs, refused, violations};
use legalstat_proto::{
    common::v1 as common,
    requests::v1::{
        self as proto, Body, BodyKind, CreateBodyRequest, GetBodyRequest, ListBodiesRequest, UpdateBodyRequest,
    },
};
use prost_types::FieldMask;
use tonic::{Code, Status};
use uuid::Uuid;

use super::stage::{Client, Stage, get, recorded, submission, submit};

pub(super) const BIN: &str = "160340014245";

pub(super) fn day(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

pub(super) fn body(id: &str, kind: BodyKind) -> Body {
    Body {
        name: format!("bodies/{id}"),
        title: Some(common::LocalizedText {
            en: format!("The body {id}"),
            ..Default::default()
        }),
        kind: kind.into(),
        legal_basis: Some(common::LegalBasis {
            act: "Order 1".into(),
            provision: "para 2".into(),
            ..Default::default()
        }),
        valid_from: day(2020, 1, 1),
        ..Default::default()
    }
}

/// A ministry with a certificate and a BIN.
pub(super) fn ministry(certificate_name: &str) -> Body {
    Body {
        certificate_name: certificate_name.into(),
        bin: BIN.into(),
        ..body("justice", BodyKind::StateBody)
    }
}

pub(super) fn creating(body: Body) -> CreateBodyRequest {
    CreateBodyRequest {
        body: Some(body),
        reason: "by order".into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

pub(super) fn updating(body: Body, paths: &[&str], from: Option<common::Date>) -> UpdateBodyRequest {
    UpdateBodyRequest {
        body: Some(body),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        effective_from: from,
        reason: "by order".into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

pub(super) async fn create(stage: &Stage, body: Body) -> Body {
    let created = stage.client("administrator").create_body(creating(body)).await;
    created.expect("it is entered").into_inner()
}

pub(super) async fn update(stage: &Stage, message: UpdateBodyRequest) -> Result<Body, Status> {
    let updated = stage.client("administrator").update_body(message).await;
    updated.map(tonic::Response::into_inner)
}

async fn on(client: &mut Client, as_of: Option<common::Date>) -> Body {
    let name = "bodies/justice".into();
    let found = client
        .get_body(GetBodyRequest {
            name,
            as_of,
            languages: Vec::new(),
        })
        .await;
    found.expect("it is known").into_inner()
}

#[tokio::test]
async fn a_body_is_entered_once_and_shown_without_its_certificate_to_who_is_no_official() {
    let stage = Stage::set().await;
    let message = creating(ministry("justice"));
    let mut administrator = stage.client("administrator");
    let created = administrator.create_body(message.clone()).await;
    let created = created.expect("it is entered").into_inner();
    assert_eq!(created.certificate_name, "justice");
    let again = administrator.create_body(message).await.expect("it is a repetition");
    assert_eq!(again.into_inner(), created);
    let second = administrator.create_body(creating(ministry("other"))).await;
    refused(second, Code::AlreadyExists, "ALREADY_EXISTS");
    assert_eq!(on(&mut stage.client("auditor"), None).await, created);
    let hidden = on(&mut stage.client("edms"), None).await;
    assert_eq!((hidden.certificate_name.as_str(), hidden.bin.as_str()), ("", BIN));
    for caller in ["operator", "edms", "justice"] {
        let refusal = stage.client(caller).create_body(creating(ministry("x"))).await;
        assert_eq!(
            refusal.expect_err("only an administrator enters bodies").code(),
            Code::PermissionDenied
        );
    }
    let told = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'body.created' AND resource = 'bodies/justice'";
    assert_eq!(stage.count(told).await, 1);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_body_is_told_at_once() {
    let stage = Stage::set().await;
    let wrong = Body {
        name: "bodies/Justice".into(),
        title: None,
        certificate_name: "a b".into(),
        bin: "160340014246".into(),
        kind: BodyKind::TerritorialBody.into(),
        territory: "75".into(),
        legal_basis: None,
        valid_from: day(2026, 2, 30),
        valid_to: day(2026, 13, 1),
        recorded_at: Some(prost_types::Timestamp::default()),
        etag: "7".into(),
    };
    let message = CreateBodyRequest {
        reason: String::new(),
        request_id: "x".into(),
        ..creating(wrong)
    };
    let mut found = violations(stage.client("administrator").create_body(message).await);
    found.sort();
    assert_eq!(
        found,
        pairs(&[
            ("body.bin", "BIN"),
            ("body.certificate_name", "INVALID_CHARACTER"),
            ("body.etag", "SET_BY_SERVICE"),
            ("body.legal_basis", "REQUIRED"),
            ("body.name", "RESOURCE_NAME"),
            ("body.recorded_at", "SET_BY_SERVICE"),
            ("body.territory", "TERRITORY"),
            ("body.title", "REQUIRED"),
            ("body.valid_from", "DATE"),
            ("body.valid_to", "DATE"),
            ("reason", "REQUIRED"),
            ("request_id", "REQUEST_ID"),
        ])
    );
}

#[tokio::test]
async fn what_is_otherwise_from_a_day_on_leaves_the_days_before_as_they_were_and_a_correction_does_not() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    let renamed = Body {
        title: Some(common::LocalizedText {
            en: "Ministry".into(),
            ..Default::default()
        }),
        ..body("justice", BodyKind::StateBody)
    };
    let from = updating(renamed.clone(), &["title.en"], day(2026, 3, 10));
    update(&stage, from).await.expect("it is otherwise then");
    let mut client = stage.client("auditor");
    let title = |body: Body| body.title.expect("it has one").en;
    assert_eq!(title(on(&mut client, day(2026, 3, 9)).await), "The body justice");
    assert_eq!(title(on(&mut client, day(2026, 3, 10)).await), "Ministry");
    assert_eq!(
        title(on(&mut client, None).await),
        "The body justice",
        "today is the second"
    );
    let list = ListBodiesRequest::default();
    assert_eq!(
        client
            .list_bodies(list)
            .await
            .expect("it lists")
            .into_inner()
            .bodies
            .len(),
        2
    );

    let corrected = update(&stage, updating(renamed.clone(), &["title"], None)).await;
    let corrected = corrected.expect("it was recorded wrong");
    assert_eq!(title(on(&mut client, day(2021, 1, 1)).await), "Ministry");
    let stale = Body {
        etag: "1".into(),
        ..renamed.clone()
    };
    let refusal = update(&stage, updating(stale, &["bin"], None)).await;
    refused(refusal, Code::Aborted, "ETAG_MISMATCH");
    let known = Body {
        etag: corrected.etag,
        ..renamed.clone()
    };
    let same = update(&stage, updating(known, &["title"], None)).await;
    same.expect("it is so already");
    let told = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'body.updated'";
    assert_eq!(stage.count(told).await, 2);
    let kept = "SELECT count(*) FROM requests.body WHERE superseded_at IS NOT NULL";
    assert_eq!(stage.count(kept).await, 2, "what was recorded before stays on record");

    let nowhere = update(&stage, updating(renamed.clone(), &["bin"], day(2019, 1, 1))).await;
    assert_eq!(violations(nowhere), pairs(&[("effective_from", "OUT_OF_RANGE")]));
    let unknown = update(&stage, updating(renamed.clone(), &["name", "recorded_at"], None)).await;
    assert_eq!(
        violations(unknown),
        pairs(&[("update_mask", "UNKNOWN"), ("update_mask", "UNKNOWN")])
    );
    let missing = Body {
        name: "bodies/none".into(),
        ..renamed
    };
    refused(
        update(&stage, updating(missing, &["title"], None)).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
}

#[tokio::test]
async fn a_certificate_names_one_body_at_a_time() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    let second = Body {
        certificate_name: "justice".into(),
        ..body("finance", BodyKind::StateBody)
    };
    let refusal = stage
        .client("administrator")
        .create_body(creating(second.clone()))
        .await;
    assert_eq!(violations(refusal), pairs(&[("body.certificate_name", "DUPLICATE")]));
    let ended = Body {
        valid_to: day(2026, 5, 31),
        ..body("justice", BodyKind::StateBody)
    };
    update(&stage, updating(ended, &["valid_to"], None))
        .await
        .expect("it ends");
    let later = Body {
        valid_from: day(2026, 6, 1),
        ..second
    };
    create(&stage, later).await;
}

#[tokio::test]
async fn bodies_are_listed_by_name_in_pages_and_by_kind_day_and_bin() {
    let stage = Stage::set().await;
    for (id, kind) in [
        ("committee", BodyKind::Committee),
        ("b-1", BodyKind::StateBody),
        ("a-1", BodyKind::StateBody),
    ] {
        create(&stage, body(id, kind)).await;
    }
    create(&stage, ministry("justice")).await;
    let mut client = stage.client("operator");
    let mut names = Vec::new();
    let mut message = ListBodiesRequest {
        page_size: 3,
        ..Default::default()
    };
    loop {
        let page = client
            .list_bodies(message.clone())
            .await
            .expect("it lists")
            .into_inner();
        names.extend(page.bodies.into_iter().map(|body| body.name));
        if page.next_page_token.is_empty() {
            break;
        }
        message.page_token = page.next_page_token;
    }
    assert_eq!(
        names,
        ["bodies/a-1", "bodies/b-1", "bodies/committee", "bodies/justice"]
    );
    message.bin = BIN.into();
    refused(
        client.list_bodies(message).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
    for (filter, expected) in [
        (
            ListBodiesRequest {
                kind: BodyKind::Committee.into(),
                ..Default::default()
            },
            "bodies/committee",
        ),
        (
            ListBodiesRequest {
                bin: BIN.into(),
                as_of: day(2026, 3, 2),
                ..Default::default()
            },
            "bodies/justice",
        ),
    ] {
        let found = client.list_bodies(filter).await.expect("it lists").into_inner().bodies;
        assert_eq!(found.iter().map(|body| &*body.name).collect::<Vec<_>>(), [expected]);
    }
    let before = ListBodiesRequest {
        as_of: day(2019, 12, 31),
        ..Default::default()
    };
    assert!(
        client
            .list_bodies(before)
            .await
            .expect("it lists")
            .into_inner()
            .bodies
            .is_empty()
    );
}

#[tokio::test]
async fn a_request_names_a_body_of_legal_statistics_in_force_on_its_day_of_receipt() {
    let stage = Stage::set().await;
    create(&stage, ministry("justice")).await;
    let territorial = Body {
        territory: "750000000".into(),
        valid_to: day(2026, 3, 2),
        ..body("almaty", BodyKind::TerritorialBody)
    };
    create(&stage, territorial).await;
    let mut operator = stage.client("operator");
    let addressed = |name: &str| proto::Request {
        receiving_body: name.into(),
        ..recorded(proto::Channel::Paper)
    };
    let accepted = submit(&mut operator, submission(addressed("bodies/almaty"))).await;
    let accepted = accepted.expect("it is in force to the end of that day");
    assert_eq!(accepted.receiving_body, "bodies/almaty");
    let read = get(&mut operator, &accepted.name).await.expect("it is there");
    assert_eq!(read.receiving_body, "bodies/almaty");
    for (name, reason) in [
        ("bodies/justice", "UNKNOWN"),
        ("bodies/none", "UNKNOWN"),
        ("almaty", "RESOURCE_NAME"),
    ] {
        let refusal = submit(&mut operator, submission(addressed(name))).await;
        assert_eq!(
            violations(refusal),
            pairs(&[("request.receiving_body", reason)]),
            "{name}"
        );
    }
    let ended = Body {
        territory: "750000000".into(),
        valid_to: day(2026, 3, 1),
        ..body("almaty", BodyKind::TerritorialBody)
    };
    update(&stage, updating(ended, &["valid_to"], None))
        .await
        .expect("it ends");
    let late = submit(&mut operator, submission(addressed("bodies/almaty"))).await;
    assert_eq!(violations(late), pairs(&[("request.receiving_body", "UNKNOWN")]));
}
