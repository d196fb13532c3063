//! Messages about who gets copies.

use std::sync::atomic::{AtomicI32, Ordering};

use legalstat_proto::{
    collections::v1::{
        AddRecipientKeyRequest, ApproveDistributionRequest, Collection, Copy, CreateRecipientRequest, DistributionCell,
        DistributionList, GetAnsweringDayRequest, GetPunctualityRequest, GetRecipientRequest,
        ListDeliveryAttemptsRequest, ListDistributionListsRequest, ListRecipientKeysRequest, PunctualityLines,
        Recipient, RedeliverCopyRequest, RejectDistributionRequest, ResolveDistributionRequest,
        RetireRecipientKeyRequest, SetAnsweringDayRequest, UpdateCollectionRequest, UpdateRecipientRequest,
    },
    common::v1 as common,
};
use tonic::transport::Channel;
use uuid::Uuid;

use super::watched::Watched;
use crate::call::Call;

/// The full name of a method of the service.
macro_rules! rpc {
    ($method:literal) => {
        concat!("/legalstat.collections.v1.CollectionDistributionService/", $method)
    };
}
pub(super) use rpc;

/// Who calls.
pub(super) struct Callers<'a> {
    pub(super) anyone: &'a Channel,
    pub(super) operator: &'a Channel,
    pub(super) approver: &'a Channel,
    pub(super) administrator: &'a Channel,
}

pub(super) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn law() -> Option<common::LegalBasis> {
    Some(common::LegalBasis {
        act: "Order 1".into(),
        ..Default::default()
    })
}

fn day() -> Option<common::Date> {
    Some(common::Date {
        year: 2025,
        month: 1,
        day: 1,
    })
}

fn named(id: &str) -> Recipient {
    Recipient {
        name: format!("recipients/{id}"),
        display_name: Some(common::LocalizedText {
            en: new_id(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn adding() -> AddRecipientKeyRequest {
    AddRecipientKeyRequest {
        parent: "recipients/senate".into(),
        key_id: new_id(),
        public_key: [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat(),
        reason: "a system".into(),
        request_id: new_id(),
        ..Default::default()
    }
}

/// A list that an act changes, every time to another number.
fn resolving() -> ResolveDistributionRequest {
    static COPIES: AtomicI32 = AtomicI32::new(100);
    let copies = COPIES.fetch_add(1, Ordering::SeqCst);
    ResolveDistributionRequest {
        parent: "collections/prosecution-bodies".into(),
        cells: vec![DistributionCell {
            recipient: "recipients/senate".into(),
            copies,
            ..Default::default()
        }],
        legal_basis: law(),
        valid_from: day(),
        act_changes: true,
        copies_total: 28 + copies,
        reason: "by order".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

/// A version that was proposed for this call alone.
async fn proposed(watched: &Watched, callers: &Callers<'_>) -> Result<DistributionList, String> {
    let call = Call::new(callers.operator, rpc!("ResolveDistribution"), &resolving());
    watched.prepared(&call).await
}

/// That a copy is delivered anew whose delivery failed, for its recipient's server is away.
pub(super) async fn redelivery(watched: &Watched, operator: &Channel, copy: &Copy) -> Call {
    let id = copy.recipient.trim_start_matches("recipients/");
    let mut superuser = watched.running.superuser().await;
    let failed = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "BEGIN;
         SELECT FROM collections.copy WHERE 'collections/' || collection || '/editions/' || period || '/copies/' || number = '{name}' FOR UPDATE;
         UPDATE collections.copy SET state = 'FAILED', status_reason = 'away', status_at = now()
         WHERE 'collections/' || collection || '/editions/' || period || '/copies/' || number = '{name}';
         UPDATE collections.delivery SET next_attempt_at = NULL, fence = NULL, started_at = NULL, endpoint = NULL, claimed_until = NULL
         WHERE 'collections/' || collection || '/editions/' || period || '/copies/' || copy_number = '{name}';
         UPDATE collections.recipient_detail SET endpoint = 'https://localhost:1' WHERE recipient = '{id}' AND superseded_at IS NULL;
         INSERT INTO collections.recipient_detail
             (recipient, name_kk, name_ru, name_en, certificate_name, endpoint, legal_basis_act, legal_basis_provision,
              legal_basis_uri, legal_basis_assumed, valid_from, reason, recorded_at, recorded_by)
         SELECT '{id}', '', '', '{id}', '{id}', 'https://localhost:1', 'Order 1', '', '', false, '2019-04-15', 'its server', now(),
             'administrator'
         WHERE NOT EXISTS (SELECT FROM collections.recipient_detail WHERE recipient = '{id}' AND superseded_at IS NULL);
         COMMIT",
        name = copy.name,
    )));
    failed.execute(&mut superuser).await.expect("the statements are right");
    let message = RedeliverCopyRequest {
        name: copy.name.clone(),
        reason: "the server is mended".into(),
        request_id: new_id(),
        validate_only: false,
    };
    Call::new(operator, rpc!("RedeliverCopy"), &message)
}

/// The reading of a copy's attempts.
pub(super) fn attempts(operator: &Channel, parent: String) -> Call {
    let message = ListDeliveryAttemptsRequest {
        parent,
        ..Default::default()
    };
    Call::new(operator, rpc!("ListDeliveryAttempts"), &message)
}

/// The call of a method about who gets copies; none for another method.
pub(super) async fn call(watched: &Watched, callers: &Callers<'_>, method: &str) -> Result<Option<Call>, String> {
    let administrator = callers.administrator;
    Ok(Some(match method {
        "UpdateCollection" => {
            let message = UpdateCollectionRequest {
                collection: Some(Collection {
                    name: "collections/courts".into(),
                    title: named("courts").display_name,
                    ..Default::default()
                }),
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["title.en".into()],
                }),
                reason: "by order".into(),
                request_id: new_id(),
                ..Default::default()
            };
            Call::new(administrator, rpc!("UpdateCollection"), &message)
        }
        "GetRecipient" => {
            let message = GetRecipientRequest {
                name: "recipients/senate".into(),
                as_of: None,
                languages: Vec::new(),
            };
            Call::new(callers.anyone, rpc!("GetRecipient"), &message)
        }
        "CreateRecipient" => {
            let message = CreateRecipientRequest {
                recipient: Some(Recipient {
                    legal_basis: law(),
                    valid_from: day(),
                    ..named(&format!("r{}", Uuid::new_v4().simple()))
                }),
                reason: "by order".into(),
                request_id: new_id(),
                validate_only: false,
            };
            Call::new(administrator, rpc!("CreateRecipient"), &message)
        }
        "UpdateRecipient" => {
            let message = UpdateRecipientRequest {
                recipient: Some(named("majilis")),
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["display_name".into()],
                }),
                reason: "by order".into(),
                request_id: new_id(),
                ..Default::default()
            };
            Call::new(administrator, rpc!("UpdateRecipient"), &message)
        }
        "ListRecipientKeys" => {
            let message = ListRecipientKeysRequest {
                parent: "recipients/senate".into(),
                ..Default::default()
            };
            Call::new(callers.operator, rpc!("ListRecipientKeys"), &message)
        }
        "AddRecipientKey" => Call::new(administrator, rpc!("AddRecipientKey"), &adding()),
        "RetireRecipientKey" => {
            let added = adding();
            watched
                .done(&Call::new(administrator, rpc!("AddRecipientKey"), &added))
                .await?;
            let message = RetireRecipientKeyRequest {
                name: format!("{}/signingKeys/{}", added.parent, added.key_id),
                reason: "another takes over".into(),
                request_id: new_id(),
                ..Default::default()
            };
            Call::new(administrator, rpc!("RetireRecipientKey"), &message)
        }
        "ListDistributionLists" => {
            let message = ListDistributionListsRequest {
                parent: "collections/crime".into(),
                ..Default::default()
            };
            Call::new(callers.anyone, rpc!("ListDistributionLists"), &message)
        }
        "ResolveDistribution" => Call::new(callers.operator, rpc!("ResolveDistribution"), &resolving()),
        "ApproveDistribution" => {
            let message = ApproveDistributionRequest {
                name: proposed(watched, callers).await?.name,
                request_id: new_id(),
                ..Default::default()
            };
            Call::new(callers.approver, rpc!("ApproveDistribution"), &message)
        }
        "RejectDistribution" => {
            let message = RejectDistributionRequest {
                name: proposed(watched, callers).await?.name,
                reason: "another is right".into(),
                request_id: new_id(),
                validate_only: false,
            };
            Call::new(callers.approver, rpc!("RejectDistribution"), &message)
        }
        "GetPunctuality" => {
            let message = GetPunctualityRequest {
                year: 2025,
                lines: PunctualityLines::ByRecipient.into(),
                ..Default::default()
            };
            Call::new(callers.operator, rpc!("GetPunctuality"), &message)
        }
        "GetAnsweringDay" => Call::new(callers.anyone, rpc!("GetAnsweringDay"), &GetAnsweringDayRequest {}),
        "SetAnsweringDay" => {
            let message = SetAnsweringDayRequest {
                day: day(),
                reason: new_id(),
                request_id: new_id(),
                ..Default::default()
            };
            Call::new(administrator, rpc!("SetAnsweringDay"), &message)
        }
        _ => return Ok(None),
    }))
}
