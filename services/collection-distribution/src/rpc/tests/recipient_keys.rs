//! The keys with which recipients sign receipts.

use legalstat_proto::{
    collections::v1::{AddRecipientKeyRequest, ListRecipientKeysRequest, RecipientKey, RetireRecipientKeyRequest},
    common::v1::SigningKeyState,
};

use super::*;

fn adding(key_id: &str, byte: u8) -> AddRecipientKeyRequest {
    AddRecipientKeyRequest {
        parent: "recipients/senate".into(),
        key_id: key_id.into(),
        public_key: vec![byte; 32],
        reason: "its system is connected".into(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn retiring(key: &str, valid_to: Option<&str>) -> RetireRecipientKeyRequest {
    RetireRecipientKeyRequest {
        name: format!("recipients/senate/signingKeys/{key}"),
        valid_to: valid_to.map(at),
        reason: "another takes over".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

fn at(text: &str) -> prost_types::Timestamp {
    legalstat_kit::door::wire::to_timestamp(instant(text))
}

async fn keys(distribution: &Distribution) -> Vec<RecipientKey> {
    let request = ListRecipientKeysRequest {
        parent: "recipients/senate".into(),
        ..Default::default()
    };
    let listed = distribution
        .client(Some("supreme-court"))
        .list_recipient_keys(request)
        .await;
    listed.expect("it is listed").into_inner().keys
}

#[tokio::test]
async fn a_key_takes_over_from_another_while_both_count() {
    let distribution = Distribution::without_calendar().await;
    let mut administrator = distribution.administrator();
    let first = administrator
        .add_recipient_key(adding("2025", 1))
        .await
        .expect("it is added")
        .into_inner();
    assert_eq!(
        (first.state(), first.valid_from),
        (SigningKeyState::InUse, Some(at(NOW)))
    );
    let next = AddRecipientKeyRequest {
        valid_from: Some(at("2025-05-01T00:00:00Z")),
        ..adding("2025-b", 2)
    };
    administrator.add_recipient_key(next).await.expect("it is announced");
    let to = Some("2025-06-01T00:00:00Z");
    let retired = administrator
        .retire_recipient_key(retiring("2025", to))
        .await
        .expect("it stops then");
    assert_eq!(retired.into_inner().valid_to, Some(at("2025-06-01T00:00:00Z")));
    let states: Vec<_> = keys(&distribution).await.iter().map(RecipientKey::state).collect();
    assert_eq!(states, [SigningKeyState::InUse, SigningKeyState::Announced]);
    administrator
        .retire_recipient_key(retiring("2025", to))
        .await
        .expect("it is so already");
    let later = administrator
        .retire_recipient_key(retiring("2025", Some("2025-07-01T00:00:00Z")))
        .await;
    assert_eq!(violations(later), pairs(&[("valid_to", "RANGE")]));
    let now = administrator
        .retire_recipient_key(retiring("2025", None))
        .await
        .expect("it stops sooner");
    assert_eq!(now.into_inner().state(), SigningKeyState::Retired);
    let cancelled = administrator
        .retire_recipient_key(retiring("2025-b", None))
        .await
        .expect("it never begins");
    assert_eq!(cancelled.into_inner().valid_to, Some(at("2025-05-01T00:00:00Z")));
    let kinds = "SELECT count(DISTINCT kind) FROM collections.outbox_event WHERE kind LIKE 'recipient-key.%'";
    assert_eq!(distribution.count(kinds).await, 3);
}

#[tokio::test]
async fn a_key_is_one_recipients_and_is_entered_once() {
    let distribution = Distribution::without_calendar().await;
    let mut administrator = distribution.administrator();
    administrator
        .add_recipient_key(adding("2025", 1))
        .await
        .expect("it is added");
    let again = administrator.add_recipient_key(adding("2025", 3)).await;
    refused(again, Code::AlreadyExists, "ALREADY_EXISTS");
    let of_another = AddRecipientKeyRequest {
        parent: "recipients/majilis".into(),
        ..adding("2025", 1)
    };
    let of_another = administrator.add_recipient_key(of_another).await;
    assert_eq!(violations(of_another), pairs(&[("public_key", "DUPLICATE")]));
    let nobody = AddRecipientKeyRequest {
        parent: "recipients/nobody".into(),
        ..adding("2025", 4)
    };
    refused(
        administrator.add_recipient_key(nobody).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    refused(
        administrator.retire_recipient_key(retiring("2024", None)).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let wrong = AddRecipientKeyRequest {
        parent: "senate".into(),
        key_id: "A".into(),
        public_key: vec![1; 31],
        reason: String::new(),
        request_id: String::new(),
        ..Default::default()
    };
    let mut found = violations(administrator.add_recipient_key(wrong).await);
    found.sort();
    let expected = [
        ("key_id", "RESOURCE_NAME"),
        ("parent", "RESOURCE_NAME"),
        ("public_key", "KEY"),
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(found, pairs(&expected));
    let past = AddRecipientKeyRequest {
        valid_from: Some(at("2025-01-01T00:00:00Z")),
        valid_to: Some(at("2024-01-01T00:00:00Z")),
        ..adding("2024", 5)
    };
    let past = violations(administrator.add_recipient_key(past).await);
    assert_eq!(past, pairs(&[("valid_from", "OUT_OF_RANGE"), ("valid_to", "RANGE")]));
    for caller in ["operator", "senate"] {
        let refusal = distribution
            .client(Some(caller))
            .add_recipient_key(adding("x", 9))
            .await;
        refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
    }
}
