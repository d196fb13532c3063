//! Retention rules, each of a day of its own that nobody lives to see; and the erasure of requests by an order.

use legalstat_proto::{
    calendar::v1::RequesterKind,
    common::v1 as common,
    requests::v1::{
        ApproveRetentionRuleRequest, CreateRetentionRuleRequest, EndRetentionRuleRequest, EraseRequestRequest,
        GetRetentionRuleRequest, ListRetentionRulesRequest, Request, RetentionPeriod, RetentionRule,
    },
};
use tonic::transport::Channel;
use uuid::Uuid;

use super::watched::Watched;
use crate::call::Call;

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.requests.v1.RequestIntakeService/", $method)
    };
}

/// Who erases.
pub struct Administrators {
    administrator: Channel,
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

fn law() -> Option<common::LegalBasis> {
    Some(common::LegalBasis {
        act: "Order 7".into(),
        provision: "para 2".into(),
        ..Default::default()
    })
}

fn rule() -> CreateRetentionRuleRequest {
    let random = Uuid::new_v4().into_bytes();
    let day = Some(common::Date {
        year: 2100 + i32::from(random[0]) * 25 + i32::from(random[1]) % 25,
        month: 1 + i32::from(random[2]) % 12,
        day: 1 + i32::from(random[3]) % 28,
    });
    CreateRetentionRuleRequest {
        retention_rule: Some(RetentionRule {
            requester_kinds: vec![RequesterKind::Individual.into()],
            period: Some(RetentionPeriod {
                years: 3,
                ..Default::default()
            }),
            legal_basis: law(),
            valid_from: day,
            valid_to: day,
            ..Default::default()
        }),
        reason: "the storage periods".into(),
        request_id: id(),
        validate_only: false,
    }
}

impl Administrators {
    pub fn of(watched: &Watched) -> Self {
        Self {
            administrator: watched.running.channel(Some("administrator")),
        }
    }

    /// The call of a method of retention and erasure; none for another method. `ended` is a request that has ended and is its own.
    pub async fn call(
        &self,
        watched: &Watched,
        method: &str,
        ended: impl AsyncFnOnce() -> Result<Request, String>,
    ) -> Result<Option<Call>, String> {
        let to = &self.administrator;
        Ok(Some(match method {
            "CreateRetentionRule" => Call::new(to, path!("CreateRetentionRule"), &rule()),
            "ListRetentionRules" => Call::new(to, path!("ListRetentionRules"), &ListRetentionRulesRequest::default()),
            "GetRetentionRule" => {
                let name = self.entered(watched).await?;
                Call::new(
                    to,
                    path!("GetRetentionRule"),
                    &GetRetentionRuleRequest {
                        name,
                        languages: Vec::new(),
                    },
                )
            }
            "ApproveRetentionRule" => {
                let message = ApproveRetentionRuleRequest {
                    name: self.entered(watched).await?,
                    request_id: id(),
                    validate_only: false,
                };
                let another = "UPDATE requests.retention_rule SET entered_by = 'another' WHERE approved_by IS NULL";
                let entered = sqlx::query(another)
                    .execute(&mut watched.running.superuser().await)
                    .await;
                entered.map_err(|error| error.to_string())?;
                Call::new(to, path!("ApproveRetentionRule"), &message)
            }
            "EndRetentionRule" => {
                let message = EndRetentionRuleRequest {
                    name: self.entered(watched).await?,
                    reason: "entered wrong".into(),
                    request_id: id(),
                    validate_only: false,
                };
                Call::new(to, path!("EndRetentionRule"), &message)
            }
            "EraseRequest" => {
                let ended = ended().await?;
                // Another has ordered it before.
                let another = "INSERT INTO requests.erasure_order
                    SELECT id, 'Order 7', 'para 2', '', false, 'by order', now(), 'another' FROM requests.request
                    WHERE 'requests/' || id = $1";
                let ordered = sqlx::query(another)
                    .bind(&ended.name)
                    .execute(&mut watched.running.superuser().await)
                    .await;
                ordered.map_err(|error| error.to_string())?;
                let message = EraseRequestRequest {
                    name: ended.name,
                    legal_basis: law(),
                    reason: "by order".into(),
                    etag: ended.etag,
                    request_id: id(),
                    validate_only: false,
                };
                Call::new(to, path!("EraseRequest"), &message)
            }
            _ => return Ok(None),
        }))
    }

    async fn entered(&self, watched: &Watched) -> Result<String, String> {
        let entering = Call::new(&self.administrator, path!("CreateRetentionRule"), &rule());
        let entered: RetentionRule = watched.prepared(&entering).await?;
        Ok(entered.name)
    }
}
