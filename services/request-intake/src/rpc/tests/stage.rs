//! The service as it runs, on a database of its own, with a calendar and a form registry made up by the test.

use jiff::Timestamp;
use legalstat_local::testing::harness::{Ground, Running};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    common::v1 as common,
    requests::v1::{
        self as proto, CheckOutcome, CheckRule, GetRequestRequest, SubmitRequestRequest,
        request_intake_service_client::RequestIntakeServiceClient,
    },
};
use tempfile::TempDir;
use tonic::{Status, transport::Channel};
use uuid::Uuid;

use super::fakes::Fakes;
use crate::SERVICE;

pub(super) const NOW: &str = "2026-03-02T10:00:00.123456+05:00";

pub(super) struct Stage {
    pub(super) fakes: Fakes,
    pub(super) running: Running,
    pub(super) files: TempDir,
}

pub(super) type Client = RequestIntakeServiceClient<Channel>;

impl Stage {
    pub(super) async fn set() -> Self {
        Self::set_with(&[]).await
    }

    /// The same with more settings.
    pub(super) async fn set_with(more: &[(&'static str, &str)]) -> Self {
        Self::set_on(more, async |settings| {
            let now: Timestamp = NOW.parse().expect("an instant");
            Running::start(&SERVICE, settings, move || now).await
        })
        .await
    }

    /// The same, however the service starts.
    pub(super) async fn set_on(
        more: &[(&'static str, &str)],
        start: impl AsyncFnOnce(&[(&'static str, String)]) -> Running,
    ) -> Self {
        let fakes = Fakes::start().await;
        let files = tempfile::tempdir().expect("a folder");
        let mut settings = vec![
            ("LEGALSTAT_FILES", files.path().display().to_string()),
            ("LEGALSTAT_CALENDAR_URL", fakes.url.clone()),
            ("LEGALSTAT_FORM_REGISTRY_URL", fakes.url.clone()),
            // What is drafted, a test drafts, unless it is about just that.
            ("LEGALSTAT_AUTOMATIC_DRAFTS", "off".to_owned()),
            ("LEGALSTAT_SIGNING_KEYS", Ground::shared().await.signing_keys()),
        ];
        settings.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let running = start(&settings).await;
        Self { fakes, running, files }
    }

    pub(super) fn client(&self, caller: &str) -> Client {
        RequestIntakeServiceClient::new(self.running.channel(Some(caller)))
    }

    /// Without a certificate.
    pub(super) fn stranger(&self) -> Client {
        RequestIntakeServiceClient::new(self.running.channel(None))
    }

    /// Carries out one statement as the superuser.
    pub(super) async fn execute(&self, sql: &'static str) {
        sqlx::query(sql)
            .execute(&mut self.running.superuser().await)
            .await
            .expect("the statement is right");
    }

    pub(super) async fn count(&self, sql: &'static str) -> i64 {
        let mut connection = self.running.superuser().await;
        sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .expect("the statement counts")
    }
}

pub(super) fn request() -> proto::Request {
    proto::Request {
        requester: Some(proto::Requester {
            kind: RequesterKind::StateBody.into(),
            full_name: "Ministry of Justice".into(),
            bin: "160340014245".into(),
            ..Default::default()
        }),
        signatory: Some(proto::Signatory {
            full_name: "The head".into(),
            capacity: proto::SignatoryCapacity::Head.into(),
        }),
        channel: proto::Channel::UnifiedEdms.into(),
        external_number: "12-3/45".into(),
        external_date: Some(common::Date {
            year: 2026,
            month: 2,
            day: 27,
        }),
        essence: "crimes of a quarter".into(),
        language: proto::Language::Ru.into(),
        items: vec![proto::Item {
            kind: proto::ItemKind::Statistics.into(),
            description: "registered crimes".into(),
            unit: proto::Unit::Crime.into(),
            period: "2025-Q1".into(),
            until_period: "2025-Q4".into(),
            form: "forms/2".into(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// The same, recorded by an official.
pub(super) fn recorded(channel: proto::Channel) -> proto::Request {
    proto::Request {
        channel: channel.into(),
        external_number: String::new(),
        external_date: None,
        ..request()
    }
}

pub(super) fn submission(request: proto::Request) -> SubmitRequestRequest {
    SubmitRequestRequest {
        request: Some(request),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

/// Submits a request and gives it as it is read afterwards: without the secret of its coupon.
pub(super) async fn submit(client: &mut Client, message: SubmitRequestRequest) -> Result<proto::Request, Status> {
    let mut answer = submit_for_secret(client, message).await?;
    if let Some(coupon) = &mut answer.coupon {
        coupon.secret.clear();
    }
    Ok(answer)
}

/// Submits a request and gives the answer as it came.
pub(super) async fn submit_for_secret(
    client: &mut Client,
    message: SubmitRequestRequest,
) -> Result<proto::Request, Status> {
    client.submit_request(message).await.map(tonic::Response::into_inner)
}

pub(super) async fn get(client: &mut Client, name: &str) -> Result<proto::Request, Status> {
    client
        .get_request(GetRequestRequest {
            name: name.into(),
            ..Default::default()
        })
        .await
        .map(tonic::Response::into_inner)
}

/// A request as a method other than GetRequest answers with it: by when it is given back is told only of one that is asked for.
pub(super) fn as_answered(read: proto::Request) -> proto::Request {
    proto::Request {
        return_by: None,
        return_deadline: None,
        return_overdue: false,
        ..read
    }
}

pub(super) fn outcome(request: &proto::Request, rule: CheckRule) -> CheckOutcome {
    let examination = request.examination.as_ref().expect("it was examined");
    examination
        .checks
        .iter()
        .find(|check| check.rule() == rule)
        .expect("every rule has a check")
        .outcome()
}
