//! What the verbs are called with, and a clock that the test moves.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_local::testing::harness::Running;
use legalstat_proto::{
    calendar::v1::{RequesterKind, TermPart},
    common::v1 as common,
    requests::v1::{
        self as proto, AskClarificationRequest, Channel, Defect, ExtendRequestRequest, ForwardRequestRequest,
        LeaveWithoutConsiderationRequest, OfficialCapacity, ProvideClarificationRequest, RequestState,
        ReturnRequestRequest, ReviewDecisionRequest, TerminateRequestRequest,
    },
};
use uuid::Uuid;

use super::stage::{Client, NOW, Stage, get, recorded, request, submission, submit};
use crate::SERVICE;

/// How long a job is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A stage whose clock stands where the test sets it.
pub(super) struct Desk {
    pub(super) stage: Stage,
    clock: Arc<Mutex<Timestamp>>,
}

impl Desk {
    pub(super) async fn open() -> Self {
        let clock: Arc<Mutex<Timestamp>> = Arc::new(Mutex::new(NOW.parse().expect("an instant")));
        let told = Arc::clone(&clock);
        let stage = Stage::set_on(&[], async move |settings| {
            let tell = move || *told.lock().expect("no test panics here");
            Running::start(&SERVICE, settings, tell).await
        });
        Self {
            stage: stage.await,
            clock,
        }
    }

    pub(super) fn set_clock(&self, now: &str) {
        *self.clock.lock().expect("no test panics here") = now.parse().expect("an instant");
    }

    pub(super) fn operator(&self) -> Client {
        self.stage.client("operator")
    }

    pub(super) fn approver(&self) -> Client {
        self.stage.client("approver")
    }

    /// A registered request of a state body.
    pub(super) async fn of_body(&self) -> proto::Request {
        submit(&mut self.stage.client("edms"), submission(request()))
            .await
            .expect("it is accepted")
    }

    /// A registered request of a person, on paper.
    pub(super) async fn of_person(&self) -> proto::Request {
        self.recorded(person()).await
    }

    pub(super) async fn recorded(&self, request: proto::Request) -> proto::Request {
        submit(&mut self.operator(), submission(request))
            .await
            .expect("it is accepted")
    }

    pub(super) async fn get(&self, request: &proto::Request) -> proto::Request {
        get(&mut self.operator(), &request.name).await.expect("it is there")
    }

    /// Waits until the job has examined the request.
    pub(super) async fn until(&self, request: &proto::Request, is: impl Fn(&proto::Request) -> bool) -> proto::Request {
        let reached = async {
            loop {
                let now = self.get(request).await;
                if is(&now) {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("it is reached")
    }

    pub(super) async fn until_state(&self, request: &proto::Request, state: RequestState) -> proto::Request {
        self.until(request, |now| now.state() == state).await
    }
}

/// A request of a person, on paper.
pub(super) fn person() -> proto::Request {
    proto::Request {
        requester: Some(proto::Requester {
            kind: RequesterKind::Individual.into(),
            full_name: "Akhmetov Daniyar".into(),
            postal_address: "Astana, Mangilik El 8".into(),
            ..Default::default()
        }),
        signatory: Some(proto::Signatory {
            full_name: "Akhmetov Daniyar".into(),
            capacity: proto::SignatoryCapacity::Applicant.into(),
        }),
        external_date: day(2020, 1, 15),
        ..recorded(Channel::Paper)
    }
}

pub(super) fn day(year: i32, month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year, month, day })
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

pub(super) fn leaving(request: &proto::Request, ground: &str) -> LeaveWithoutConsiderationRequest {
    LeaveWithoutConsiderationRequest {
        name: request.name.clone(),
        ground: ground.into(),
        reason: "the collection of 2025 has it".into(),
        request_id: id(),
        ..Default::default()
    }
}

pub(super) fn termination(request: &proto::Request, ground: &str) -> TerminateRequestRequest {
    TerminateRequestRequest {
        name: request.name.clone(),
        ground: ground.into(),
        reason: "nothing new since 2026-000001".into(),
        capacity: OfficialCapacity::Deputy.into(),
        request_id: id(),
        ..Default::default()
    }
}

pub(super) fn returning(request: &proto::Request) -> ReturnRequestRequest {
    ReturnRequestRequest {
        name: request.name.clone(),
        reason: "the period was not named".into(),
        request_id: id(),
        ..Default::default()
    }
}

pub(super) fn forwarding(request: &proto::Request, items: &[i32]) -> ForwardRequestRequest {
    ForwardRequestRequest {
        name: request.name.clone(),
        to_body: "Bureau of National Statistics".into(),
        items: items.to_vec(),
        ground: "NOT_COMPETENT".into(),
        reason: "it keeps the population figures".into(),
        request_id: id(),
        ..Default::default()
    }
}

pub(super) fn question(request: &proto::Request, fields: &[&str]) -> AskClarificationRequest {
    let defect = |field: &&str| Defect {
        field: (*field).into(),
        text: Some(common::LocalizedText {
            ru: format!("Уточните {field}"),
            ..Default::default()
        }),
    };
    AskClarificationRequest {
        name: request.name.clone(),
        defects: fields.iter().map(defect).collect(),
        request_id: id(),
        ..Default::default()
    }
}

/// An answer that supplies items.
pub(super) fn clarification(request: &proto::Request, items: Option<Vec<proto::Item>>) -> ProvideClarificationRequest {
    let paths = if items.is_some() {
        vec!["items".to_owned()]
    } else {
        vec![]
    };
    ProvideClarificationRequest {
        name: request.name.clone(),
        clarification: "by letter 8 of 3 March 2026".into(),
        update_mask: Some(prost_types::FieldMask { paths }),
        request: items.map(|items| proto::Request {
            items,
            ..Default::default()
        }),
        request_id: id(),
        ..Default::default()
    }
}

pub(super) fn extension(request: &proto::Request) -> ExtendRequestRequest {
    ExtendRequestRequest {
        name: request.name.clone(),
        part: TermPart::Extension.into(),
        reason: "the figures of two regions are awaited".into(),
        capacity: OfficialCapacity::HeadOfApparatus.into(),
        request_id: id(),
        ..Default::default()
    }
}

pub(super) fn review(request: &proto::Request, reviews: Vec<proto::CheckReview>) -> ReviewDecisionRequest {
    ReviewDecisionRequest {
        name: request.name.clone(),
        reviews,
        reason: "the paper bears the stamp of the registry".into(),
        request_id: id(),
        ..Default::default()
    }
}
