//! Request intake, with a calendar and a form registry that nobody cuts.

use jiff::Timestamp;
use legalstat_local::testing::harness::{Ground, Running};
use legalstat_proto::{
    common::v1 as common,
    journal::v1::ListEntriesRequest,
    requests::v1::{
        self as proto, Answer, AssignRequestRequest, Attachment, AttachmentKind, BatchSubmitRequestsRequest, Body,
        DownloadAttachmentRequest, GetAttachmentUploadRequest, GetRequestRequest, GetRequestStatisticsRequest,
        GetRequestStatusRequest, ListRequestsRequest, ListRequestsResponse, ListSigningKeysRequest,
        LookupRequestRequest, Request, RequestState, SubmitRequestRequest, UploadAttachmentHeader,
        UploadAttachmentRequest, WatchRequestsRequest, WithdrawRequestRequest, upload_attachment_request::Part,
    },
};
use prost::Message;
use tempfile::TempDir;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use super::{
    House,
    around_requests::{bodies, creation, preview},
    decisions::Officials,
    erasing::Administrators,
    forms,
    storm::Stormy,
    watched::{Watched, clock},
};
use crate::{call::Call, submission::submission};

macro_rules! path {
    ($method:literal) => {
        concat!("/legalstat.requests.v1.RequestIntakeService/", $method)
    };
}

mod answers;

pub struct Requests {
    watched: Watched,
    edms: Channel,
    operator: Channel,
    approver: Channel,
    administrator: Channel,
    officials: Officials,
    administrators: Administrators,
    /// A request that was there from the beginning, with the number and the secret of its coupon.
    first: String,
    coupon: (String, String),
    /// Those of one that is answered.
    answered: (String, String),
    /// One that verbs act on.
    decided: String,
    /// A file that belongs to the first request.
    attached: String,
    /// An upload that broke off.
    upload_id: String,
    _files: TempDir,
    /// One whose answer is drafted.
    drafted: String,
    _around: (Running, Running, TempDir),
}

/// A submission that no other is like.
fn new() -> SubmitRequestRequest {
    submission(&format!("cut-{}", Uuid::new_v4().simple()))
}

/// One that the caller may not make.
fn on_paper() -> SubmitRequestRequest {
    let mut message = new();
    message.request.as_mut().expect("it has one").channel = proto::Channel::Paper.into();
    message
}

impl Requests {
    /// The withdrawal of a request of its own.
    async fn withdrawal(&self) -> Result<Call, String> {
        let submitted: Request = self.watched.prepared(&self.submit(&new())).await?;
        let message = WithdrawRequestRequest {
            name: submitted.name,
            reason: "by letter".into(),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        Ok(Call::new(&self.edms, path!("WithdrawRequest"), &message))
    }

    fn submit(&self, message: &SubmitRequestRequest) -> Call {
        Call::new(&self.edms, path!("SubmitRequest"), message)
    }

    /// A call that uploads a file, to a request unless that is empty.
    fn upload(&self, request: &str) -> Call {
        let header = Part::Header(UploadAttachmentHeader {
            kind: AttachmentKind::Attachment.into(),
            filename: "figures.csv".into(),
            request: request.into(),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        });
        let parts = [header, Part::Chunk(b"a;b".to_vec())];
        let messages = parts.map(|part| UploadAttachmentRequest { part: Some(part) }.encode_to_vec());
        Call::streamed(&self.edms, path!("UploadAttachment"), messages.to_vec())
    }

    /// An upload that stays without its rest.
    fn broken_off(&self) -> Call {
        let header = Part::Header(UploadAttachmentHeader {
            kind: AttachmentKind::Attachment.into(),
            filename: "figures.csv".into(),
            request_id: self.upload_id.clone(),
            sha256: "0".repeat(64),
            resumable: true,
            size_bytes: 100,
            ..Default::default()
        });
        let parts = [header, Part::Chunk(b"a;b".to_vec())];
        let messages = parts.map(|part| UploadAttachmentRequest { part: Some(part) }.encode_to_vec());
        Call::streamed(&self.edms, path!("UploadAttachment"), messages.to_vec())
    }

    fn get(&self, name: &str) -> Call {
        Call::new(
            &self.edms,
            path!("GetRequest"),
            &GetRequestRequest {
                name: name.into(),
                ..Default::default()
            },
        )
    }

    fn list(&self, external_number: &str) -> Call {
        let message = ListRequestsRequest {
            external_number: external_number.into(),
            ..Default::default()
        };
        Call::new(&self.edms, path!("ListRequests"), &message)
    }
}

impl House for Requests {
    const NAME: &'static str = "request-intake";
    const CONTRACT: &'static str = "legalstat.requests.v1.RequestIntakeService";
    const METHODS: &'static [&'static str] = &[
        "SubmitRequest",
        "GetRequest",
        "ListRequests",
        "UploadAttachment",
        "GetAttachmentUpload",
        "DownloadAttachment",
        "GetRequestStatus",
        "ListSigningKeys",
        "AssignRequest",
        "WithdrawRequest",
        "DraftAnswer",
        "UpdateAnswer",
        "ApproveAnswer",
        "RecordDispatch",
        "GetAnswer",
        "DownloadAnswer",
        "GetAnswerByCoupon",
        "DownloadAnswerByCoupon",
        "ReviewDecision",
        "CorrectRequest",
        "AskClarification",
        "ProvideClarification",
        "ExtendRequest",
        "ForwardRequest",
        "RecordNotice",
        "LeaveWithoutConsideration",
        "ReturnRequest",
        "TerminateRequest",
        "LookupRequest",
        "BatchSubmitRequests",
        "WatchRequests",
        "GetRequestStatistics",
        "CreateBody",
        "UpdateBody",
        "GetBody",
        "ListBodies",
        "CreateRetentionRule",
        "ApproveRetentionRule",
        "EndRetentionRule",
        "GetRetentionRule",
        "ListRetentionRules",
        "EraseRequest",
        "PreviewRecompute",
        "ListEntries",
    ];

    async fn start(connections: u32) -> Self {
        let clock = clock();
        let (calendar, registry, files) = registry(clock.clone()).await;
        let attached = tempfile::tempdir().expect("a folder");
        let settings = [
            ("LEGALSTAT_FILES", attached.path().display().to_string()),
            ("LEGALSTAT_CALENDAR_URL", calendar.url().to_owned()),
            ("LEGALSTAT_FORM_REGISTRY_URL", registry.url().to_owned()),
            ("LEGALSTAT_SIGNING_KEYS", Ground::shared().await.signing_keys()),
        ];
        let watched = Watched::start(connections, &legalstat_request_intake::SERVICE, &settings, clock).await;
        let mut requests = Self {
            edms: watched.running.channel(Some("edms")),
            operator: watched.running.channel(Some("operator")),
            approver: watched.running.channel(Some("approver")),
            administrator: watched.running.channel(Some("administrator")),
            officials: Officials::of(&watched),
            administrators: Administrators::of(&watched),
            watched,
            first: String::new(),
            coupon: Default::default(),
            answered: Default::default(),
            decided: String::new(),
            attached: String::new(),
            upload_id: Uuid::new_v4().to_string(),
            _files: attached,
            drafted: String::new(),
            _around: (calendar, registry, files),
        };
        let first: Request = requests
            .submit(&new())
            .read()
            .await
            .expect("the first request is taken");
        requests.first = first.name;
        let coupon = first.coupon.expect("it has one");
        requests.coupon = (coupon.number, coupon.secret);
        let decided: Request = requests.submit(&new()).read().await.expect("it is taken");
        requests.decided = decided.name;
        let attached: Attachment = requests.upload(&requests.first).read().await.expect("it is taken");
        requests.attached = attached.name;
        let broken_off = requests.broken_off().make(None).await;
        broken_off.expect_err("its rest is missing");
        let drafted: Request = requests.submit(&new()).read().await.expect("it is taken");
        let _: Answer = requests.draft(&drafted.name).read().await.expect("it is drafted");
        requests.drafted = drafted.name;
        requests.answered = requests.answer().await;
        let entered = creation(&requests.administrator, "justice");
        let _: Body = entered.read().await.expect("the body is entered");
        requests
    }

    fn watched(&self) -> &Watched {
        &self.watched
    }

    async fn call(&self, method: &str) -> Result<Option<Call>, String> {
        Ok(Some(match method {
            "SubmitRequest" => self.submit(&new()),
            "GetRequest" => self.get(&self.first),
            "ListRequests" => self.list(""),
            "UploadAttachment" => self.upload(""),
            "GetAttachmentUpload" => {
                let upload_id = self.upload_id.clone();
                let message = GetAttachmentUploadRequest { upload_id };
                Call::new(&self.edms, path!("GetAttachmentUpload"), &message)
            }
            "DownloadAttachment" => {
                let message = DownloadAttachmentRequest {
                    name: self.attached.clone(),
                    ..Default::default()
                };
                Call::new(&self.edms, path!("DownloadAttachment"), &message)
            }
            "GetRequestStatus" => {
                let (coupon_number, secret) = self.coupon.clone();
                let message = GetRequestStatusRequest {
                    coupon_number,
                    secret,
                    languages: Vec::new(),
                };
                Call::new(&self.edms, path!("GetRequestStatus"), &message)
            }
            "ListSigningKeys" => Call::new(&self.edms, path!("ListSigningKeys"), &ListSigningKeysRequest::default()),
            "AssignRequest" => {
                let message = AssignRequestRequest {
                    name: self.decided.clone(),
                    assignee: Uuid::new_v4().to_string(),
                    request_id: Uuid::new_v4().to_string(),
                    ..Default::default()
                };
                Call::new(&self.operator, path!("AssignRequest"), &message)
            }
            "WithdrawRequest" => self.withdrawal().await?,
            "DraftAnswer"
            | "UpdateAnswer"
            | "ApproveAnswer"
            | "RecordDispatch"
            | "GetAnswer"
            | "DownloadAnswer"
            | "GetAnswerByCoupon"
            | "DownloadAnswerByCoupon" => self.of_answers(method).await?,
            "LookupRequest" => {
                let message = LookupRequestRequest {
                    number: "cut-0".into(),
                    ..Default::default()
                };
                Call::new(&self.edms, path!("LookupRequest"), &message)
            }
            "BatchSubmitRequests" => {
                let requests = vec![new()];
                let message = BatchSubmitRequestsRequest { requests };
                Call::new(&self.edms, path!("BatchSubmitRequests"), &message)
            }
            "WatchRequests" => Call::feed(&self.edms, path!("WatchRequests"), &WatchRequestsRequest::default()),
            "GetRequestStatistics" => {
                let day = |year| common::Date { year, month: 3, day: 2 };
                let message = GetRequestStatisticsRequest {
                    include_forms: true,
                    received_from: Some(day(2026)),
                    received_to: Some(day(2027)),
                };
                Call::new(&self.operator, path!("GetRequestStatistics"), &message)
            }
            "CreateBody" | "UpdateBody" | "GetBody" | "ListBodies" => {
                bodies(&self.administrator, method).ok_or("no method of bodies")?
            }
            "PreviewRecompute" => Call::new(&self.operator, path!("PreviewRecompute"), &preview()),
            "ListEntries" => Call::new(
                &self.administrator,
                "/legalstat.journal.v1.JournalService/ListEntries",
                &ListEntriesRequest::default(),
            ),
            method => {
                let ended = async || self.watched.prepared(&self.withdrawal().await?).await;
                let erasing = self.administrators.call(&self.watched, method, ended).await?;
                return match erasing {
                    Some(call) => Ok(Some(call)),
                    None => self.officials.call(&self.watched, method).await,
                };
            }
        }))
    }

    async fn each_kind(&self, _place: usize) -> Result<(), String> {
        let refused = self.submit(&on_paper());
        self.watched.refused(&refused, Code::PermissionDenied).await?;
        let message = new();
        let answer = self.watched.done(&self.submit(&message)).await?;
        let answered = answer.into_iter().next().unwrap_or_default();
        let submitted = Request::decode(answered).map_err(|error| error.to_string())?;
        if submitted.coupon.is_none() || submitted.name.is_empty() {
            return Err(format!("a submission was answered with {submitted:?}"));
        }
        let read: Request = self.get(&submitted.name).read().await?;
        let told = submitted.coupon.map(|coupon| proto::Coupon {
            secret: String::new(),
            ..coupon
        });
        if read.coupon != told {
            return Err(format!("{} reads otherwise than it was answered", submitted.name));
        }
        let number = message.request.unwrap_or_default().external_number;
        let listed: ListRequestsResponse = self.list(&number).read().await?;
        let names: Vec<&str> = listed.requests.iter().map(|request| request.name.as_str()).collect();
        if names != [submitted.name.as_str()] {
            return Err(format!("{} is there once, and {names:?} are listed", submitted.name));
        }
        let first: Request = self.get(&self.first).read().await?;
        if first.state() != RequestState::Registered {
            return Err(format!(
                "{} was registered, and reads as {:?}",
                self.first,
                first.state()
            ));
        }
        Ok(())
    }

    async fn stored(&self) -> Result<(), String> {
        let unlike = "SELECT count(*) FROM requests.request AS request
                      WHERE (SELECT count(*) FROM requests.journal_entry
                             WHERE resource = 'requests/' || request.id AND method LIKE '%/SubmitRequest') <> 1";
        let gaps = "SELECT coalesce(max(right(registration_number, 6)::bigint), 0) - count(registration_number)
                    FROM requests.request";
        match (self.watched.count(unlike).await, self.watched.count(gaps).await) {
            (0, 0) => Ok(()),
            (unlike, gaps) => Err(format!(
                "{unlike} requests have no or several entries, {gaps} numbers are missing"
            )),
        }
    }
}

impl Stormy for Requests {
    fn hung_up(&self) -> Call {
        // Each caller on a line of its own.
        let channel = self.watched.running.channel(Some("edms"));
        Call::new(
            &channel,
            path!("GetRequest"),
            &GetRequestRequest {
                name: self.first.clone(),
                ..Default::default()
            },
        )
    }

    fn work(&self, _place: usize) -> Call {
        self.submit(&new())
    }

    fn refused(&self) -> (Call, Code) {
        (self.submit(&on_paper()), Code::PermissionDenied)
    }
}

/// A calendar, and a form registry whose schedule is whole.
async fn registry(clock: impl Fn() -> Timestamp + Clone + Send + Sync + 'static) -> (Running, Running, TempDir) {
    let files = tempfile::tempdir().expect("a folder");
    let calendar = Running::start(&legalstat_calendar::SERVICE, &[], clock.clone()).await;
    let settings = [
        ("LEGALSTAT_CALENDAR_URL", calendar.url().to_owned()),
        ("LEGALSTAT_FILES", files.path().display().to_string()),
    ];
    let registry = Running::start(&legalstat_form_registry::SERVICE, &settings, clock).await;
    forms::until_whole(&registry).await;
    (calendar, registry, files)
}
