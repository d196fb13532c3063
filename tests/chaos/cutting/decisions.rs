//! The verbs that act on requests, each on one of its own that is ready for it.

use legalstat_proto::{
    calendar::v1::{RequesterKind, TermPart},
    common::v1 as common,
    requests::v1::{
        self as proto, AskClarificationRequest, CorrectRequestRequest, ExtendRequestRequest, ForwardRequestRequest,
        LeaveWithoutConsiderationRequest, NoticeMeans, OfficialCapacity, ProvideClarificationRequest,
        RecordNoticeRequest, Request, ReturnRequestRequest, ReviewDecisionRequest, SubmitRequestRequest,
        TerminateRequestRequest,
    },
};
use prost_types::FieldMask;
use tonic::transport::Channel;
use uuid::Uuid;

use super::watched::Watched;
use crate::{call::Call, submission::submission};

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.requests.v1.RequestIntakeService/", $method)
    };
}

/// Who decides.
pub struct Officials {
    operator: Channel,
    approver: Channel,
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

/// A person's request on paper that no other is like.
fn person() -> proto::Request {
    let request = submission(&format!("cut-{}", Uuid::new_v4().simple())).request;
    let mut request = request.expect("it has one");
    request.channel = proto::Channel::Paper.into();
    request.requester = Some(proto::Requester {
        kind: RequesterKind::Individual.into(),
        full_name: "Akhmetov Daniyar".into(),
        postal_address: "Astana, Mangilik El 8".into(),
        ..Default::default()
    });
    if let Some(signatory) = &mut request.signatory {
        signatory.capacity = proto::SignatoryCapacity::Applicant.into();
    }
    request
}

impl Officials {
    pub fn of(watched: &Watched) -> Self {
        Self {
            operator: watched.running.channel(Some("operator")),
            approver: watched.running.channel(Some("approver")),
        }
    }

    /// The call of a verb; none for another method.
    pub async fn call(&self, watched: &Watched, method: &str) -> Result<Option<Call>, String> {
        Ok(Some(match method {
            "ReviewDecision" => self.review(watched).await?,
            "CorrectRequest" => self.correction(watched).await?,
            "AskClarification" => self.question(&self.recorded(watched, person()).await?),
            "ProvideClarification" => self.clarification(&self.asked(watched).await?),
            "ReturnRequest" => self.returning(watched).await?,
            "ExtendRequest" | "TerminateRequest" => self.by_approver(watched, method).await?,
            "RecordNotice" => self.notice(watched).await?,
            "ForwardRequest" | "LeaveWithoutConsideration" => self.by_operator(watched, method).await?,
            _ => return Ok(None),
        }))
    }

    async fn recorded(&self, watched: &Watched, request: proto::Request) -> Result<String, String> {
        let message = SubmitRequestRequest {
            request: Some(request),
            request_id: id(),
            validate_only: false,
        };
        let submission = Call::new(&self.operator, path!("SubmitRequest"), &message);
        let recorded: Request = watched.prepared(&submission).await?;
        Ok(recorded.name)
    }

    async fn asked(&self, watched: &Watched) -> Result<String, String> {
        let name = self.recorded(watched, person()).await?;
        let _: Request = watched.prepared(&self.question(&name)).await?;
        Ok(name)
    }

    /// Confirms that an oral request is left without consideration.
    async fn review(&self, watched: &Watched) -> Result<Call, String> {
        let oral = proto::Request {
            channel: proto::Channel::Oral.into(),
            signatory: None,
            ..person()
        };
        let message = ReviewDecisionRequest {
            name: self.recorded(watched, oral).await?,
            reviews: vec![proto::CheckReview {
                rule: proto::CheckRule::Written.into(),
                field: "channel".into(),
                verdict: proto::Verdict::Broken.into(),
            }],
            reason: "it was said".into(),
            request_id: id(),
            ..Default::default()
        };
        Ok(Call::new(&self.operator, path!("ReviewDecision"), &message))
    }

    async fn correction(&self, watched: &Watched) -> Result<Call, String> {
        let message = CorrectRequestRequest {
            name: self.recorded(watched, person()).await?,
            request: Some(proto::Request {
                addressee: "The Committee".into(),
                ..Default::default()
            }),
            update_mask: Some(FieldMask {
                paths: vec!["addressee".into()],
            }),
            reason: "mistyped".into(),
            request_id: id(),
            ..Default::default()
        };
        Ok(Call::new(&self.operator, path!("CorrectRequest"), &message))
    }

    fn question(&self, name: &str) -> Call {
        let text = common::LocalizedText {
            kk: "Анықтаңыз".into(),
            ru: "Уточните".into(),
            en: String::new(),
        };
        let message = AskClarificationRequest {
            name: name.into(),
            defects: vec![proto::Defect {
                field: "essence".into(),
                text: Some(text),
            }],
            request_id: id(),
            ..Default::default()
        };
        Call::new(&self.operator, path!("AskClarification"), &message)
    }

    fn clarification(&self, name: &str) -> Call {
        let message = ProvideClarificationRequest {
            name: name.into(),
            clarification: "all of the country".into(),
            request_id: id(),
            ..Default::default()
        };
        Call::new(&self.operator, path!("ProvideClarification"), &message)
    }

    /// Of one whose time for curing its defects has passed.
    async fn returning(&self, watched: &Watched) -> Result<Call, String> {
        let name = self.asked(watched).await?;
        let passed = "UPDATE requests.request SET cure_by = '2026-01-05' WHERE cure_by IS NOT NULL";
        let passed = sqlx::query(passed)
            .execute(&mut watched.running.superuser().await)
            .await;
        passed.map_err(|error| error.to_string())?;
        let message = ReturnRequestRequest {
            name,
            reason: "nothing came".into(),
            request_id: id(),
            ..Default::default()
        };
        Ok(Call::new(&self.operator, path!("ReturnRequest"), &message))
    }

    async fn by_approver(&self, watched: &Watched, method: &str) -> Result<Call, String> {
        let name = self.recorded(watched, person()).await?;
        if method == "ExtendRequest" {
            let message = ExtendRequestRequest {
                name,
                part: TermPart::Extension.into(),
                reason: "figures are awaited".into(),
                capacity: OfficialCapacity::Head.into(),
                request_id: id(),
                ..Default::default()
            };
            return Ok(Call::new(&self.approver, path!("ExtendRequest"), &message));
        }
        let message = TerminateRequestRequest {
            name,
            ground: "REPEATED".into(),
            reason: "nothing new".into(),
            capacity: OfficialCapacity::Head.into(),
            request_id: id(),
            ..Default::default()
        };
        Ok(Call::new(&self.approver, path!("TerminateRequest"), &message))
    }

    async fn notice(&self, watched: &Watched) -> Result<Call, String> {
        let forwarding = self.by_operator(watched, "ForwardRequest").await?;
        let forwarded: Request = watched.prepared(&forwarding).await?;
        let decided_at = forwarded.update_time.unwrap_or_default();
        let decided_at = jiff::Timestamp::from_second(decided_at.seconds).map_err(|error| error.to_string())?;
        let today = legalstat_kit::zone::civil_day(decided_at);
        let message = RecordNoticeRequest {
            name: forwarded.name,
            notified_on: Some(legalstat_kit::door::wire::to_date(today)),
            means: NoticeMeans::Post.into(),
            request_id: id(),
            ..Default::default()
        };
        Ok(Call::new(&self.operator, path!("RecordNotice"), &message))
    }

    async fn by_operator(&self, watched: &Watched, method: &str) -> Result<Call, String> {
        let name = self.recorded(watched, person()).await?;
        if method == "ForwardRequest" {
            let message = ForwardRequestRequest {
                name,
                to_body: "Bureau of National Statistics".into(),
                ground: "NOT_COMPETENT".into(),
                reason: "it keeps the figures".into(),
                request_id: id(),
                ..Default::default()
            };
            return Ok(Call::new(&self.operator, path!("ForwardRequest"), &message));
        }
        let message = LeaveWithoutConsiderationRequest {
            name,
            ground: "OPENLY_AVAILABLE".into(),
            reason: "the collection has it".into(),
            request_id: id(),
            ..Default::default()
        };
        Ok(Call::new(&self.operator, path!("LeaveWithoutConsideration"), &message))
    }
}
