//! Callers without a certificate who send every public method its dearest message, while a document system submits.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_proto::{
    forms::v1::{UploadEditionFileHeader, UploadEditionFileRequest, upload_edition_file_request::Part},
    requests::v1::{
        AnswerFigure, ApproveAnswerRequest, DispatchMeans, DraftAnswerRequest, GetRequestRequest, OfficialCapacity,
        RecordDispatchRequest, UpdateAnswerRequest, request_intake_service_client::RequestIntakeServiceClient,
    },
};
use legalstat_test_support::system::System;
use prost::Message;
use prost_reflect::{DynamicMessage, Value};
use serde_json::json;
use tokio::task::JoinSet;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use crate::{call::Call, submission::submission};

/// How many strangers call at once. More would only tell how fast a build that is not optimized is: the dearest message is
/// what this is about.
const STRANGERS: usize = 16;
/// Over how many connections.
const CONNECTIONS: usize = 4;
/// How long a stranger waits before he calls again: the clients are on the same machine.
const PAUSE: Duration = Duration::from_millis(10);
/// How many submissions are timed under each flood.
const SUBMISSIONS: usize = 11;
/// What the one in the middle may take: so long, or where the machine is busy so many times as long as without a flood.
const MEDIAN: Duration = Duration::from_millis(300);
const TIMES: u32 = 4;
/// How often a flood is made before it counts as one that keeps submissions waiting: a neighbour of this machine does so once, a method each
/// time.
const FLOODS: usize = 5;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A signature of which the service can say nothing, whatever it stands for: so it is kept.
const SIGNATURE: &[u8] = include_bytes!("../../services/request-intake/src/signature/fixtures/without_attributes.p7s");
/// An edition with as large a file as is taken.
const EDITION: &str = "forms/1/editions/2025-M12";

/// Every public method with the dearest message that it takes: what it computes anew, the longest range, the largest page. Of a
/// request's status and answer it is what the holder of a coupon asks: after a few wrong secrets nothing is looked up any more.
fn dearest((coupon, secret): &(String, String)) -> Vec<(&'static str, &'static str, serde_json::Value)> {
    let (calendar, forms, collections) = ("calendar", "form-registry", "collection-distribution");
    let intake = "request-intake";
    // On a hundred days of the year, so that every year has other days.
    let holidays: Vec<_> = (0..100)
        .map(|number| {
            json!({ "key": format!("day-{number}"), "title": { "en": "A day" }, "kind": "DAY_KIND_HOLIDAY",
                    "month": number % 12 + 1, "day": number / 12 * 3 + 1, "firstYear": 2016, "rollsForward": true })
        })
        .collect();
    let trial = json!({
        "termStart": { "term": "terms/application-2026", "receivedAt": "2026-01-30T14:00:00Z" },
        "hypotheticalAct": { "kind": "CALENDAR_ACT_KIND_ORDER", "citation": "An order", "grade": "GRADE_STATE_BODY",
                             "holidays": holidays },
    });
    let from_to = json!({ "from": { "year": 2016, "month": 1, "day": 1 }, "to": { "year": 2035, "month": 12, "day": 31 }, "pageSize": 1000 });
    let page = json!({ "pageSize": 1000 });
    let year = json!({ "year": 2026, "pageSize": 1000 });
    vec![
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/GetDay",
            json!({ "name": "days/2026-11-26" }),
        ),
        (calendar, "/legalstat.calendar.v1.CalendarService/ListDays", from_to),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ComputeDeadline",
            trial,
        ),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ListTerms",
            page.clone(),
        ),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ListReportingPeriods",
            json!({ "firstYear": 2016, "lastYear": 2035, "periodicity": "PERIODICITY_MONTHLY", "pageSize": 1000 }),
        ),
        (
            calendar,
            "/legalstat.calendar.v1.CalendarService/ListCalendarActs",
            json!({ "pageSize": 1000, "showWithdrawn": true }),
        ),
        (forms, "/legalstat.forms.v1.FormRegistryService/ListForms", page.clone()),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetForm",
            json!({ "name": "forms/1" }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListSchedule",
            year.clone(),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListEditions",
            json!({ "parent": "forms/-", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetEdition",
            json!({ "name": EDITION }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/DownloadEditionFile",
            json!({ "name": EDITION, "filename": "form.csv" }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetPunctuality",
            json!({ "year": 2026 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListPlacements",
            json!({ "parent": "forms/-/editions/-", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetAnsweringDay",
            json!({}),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListOpenDataEntries",
            json!({ "parent": "forms/-", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListCodeLists",
            json!({ "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListCodes",
            json!({ "parent": "codeLists/UNIT", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListIndicators",
            json!({ "parent": "forms/1", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListDetails",
            json!({ "parent": "accountingDocuments/CARD", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/ListTotalRules",
            json!({ "parent": "forms/1", "pageSize": 1000 }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/QueryObservations",
            json!({ "parent": "forms/1", "pageSize": 1000, "growth": true }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/GetOpenDataPackage",
            json!({ "name": EDITION }),
        ),
        (
            forms,
            "/legalstat.forms.v1.FormRegistryService/DownloadOpenDataFile",
            json!({ "name": format!("{EDITION}/openDataPackages/v1"), "path": "datapackage.json" }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/GetRequestStatus",
            json!({ "couponNumber": coupon, "secret": secret }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/GetAnswerByCoupon",
            json!({ "couponNumber": coupon, "secret": secret }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/DownloadAnswerByCoupon",
            json!({ "couponNumber": coupon, "secret": secret, "format": "ANSWER_FORMAT_PDF" }),
        ),
        (
            intake,
            "/legalstat.requests.v1.RequestIntakeService/ListSigningKeys",
            json!({ "pageSize": 1000 }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListSigningKeys",
            json!({ "pageSize": 1000 }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListCollections",
            page.clone(),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetCollection",
            json!({ "name": "collections/crime" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListRecipients",
            page,
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetRecipient",
            json!({ "name": "recipients/senate" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetDistributionList",
            json!({ "name": "collections/crime/distributionList" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListDistributionLists",
            json!({ "parent": "collections/crime" }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/ListSchedule",
            year,
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetPunctuality",
            json!({ "year": 2026 }),
        ),
        (
            collections,
            "/legalstat.collections.v1.CollectionDistributionService/GetAnsweringDay",
            json!({}),
        ),
    ]
}

/// The full names of all methods that anyone may call.
fn public() -> BTreeSet<String> {
    let access = legalstat_proto::descriptors().get_extension_by_name("legalstat.common.v1.access");
    let access = access.expect("it is in the contracts");
    let services = legalstat_proto::descriptors().services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let public = methods.filter(|method| {
        let options = method.options();
        let option = options.get_extension(&access);
        let roles = option
            .as_message()
            .and_then(|option| option.get_field_by_name("roles").map(|roles| roles.into_owned()));
        roles.is_some_and(|roles| roles.as_list() == Some(&[Value::EnumNumber(1)]))
    });
    public
        .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
        .collect()
}

fn call(channel: &Channel, path: &'static str, message: &serde_json::Value) -> Call {
    let mut parts = path.trim_start_matches('/').split('/');
    let (service, method) = (parts.next().expect("a service"), parts.next().expect("a method"));
    let service = legalstat_proto::descriptors().get_service_by_name(service);
    let method = service.and_then(|service| service.methods().find(|found| found.name() == method));
    let input = method.expect("it is in the contracts").input();
    let message = DynamicMessage::deserialize(input, message).unwrap_or_else(|error| panic!("{path}: {error}"));
    Call::new(channel, path, &message)
}

async fn upload(operator: &Channel, filename: &str, content: impl Iterator<Item = Vec<u8>>) {
    let header = UploadEditionFileHeader {
        name: EDITION.into(),
        filename: filename.into(),
        content_type: "text/csv".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let parts = std::iter::once(Part::Header(header)).chain(content.map(Part::Chunk));
    let messages = parts.map(|part| UploadEditionFileRequest { part: Some(part) }.encode_to_vec());
    let path = "/legalstat.forms.v1.FormRegistryService/UploadEditionFile";
    let uploaded = Call::streamed(operator, path, messages.collect()).make(None).await;
    uploaded.expect("it is taken");
}

/// Places an edition with a large file on the information service, and with its open data package on the portal.
async fn place(system: &System) {
    let operator = system.channel("form-registry", Some("operator"));
    let administrator = system.channel("form-registry", Some("administrator"));
    upload(
        &operator,
        "form.csv",
        (0..31).map(|number| vec![number + 1; 1024 * 1024]),
    )
    .await;
    upload(&operator, "short.csv", std::iter::once(b"a,b\n1,2\n".to_vec())).await;
    let (act, from) = (
        json!({ "act": "Order No. 22" }),
        json!({ "year": 2019, "month": 4, "day": 15 }),
    );
    let card = json!({ "code": "CARD", "title": { "en": "A card" }, "validFrom": from, "legalBasis": act });
    for (channel, path, mut message) in [
        (
            &administrator,
            "/legalstat.forms.v1.FormRegistryService/UpdateForm",
            json!({ "form": { "name": "forms/1", "title": { "kk": "атауы", "ru": "название" } },
                    "updateMask": "title.kk,title.ru", "reason": "they were missing" }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/CreateOpenDataEntry",
            json!({ "parent": "forms/1", "validFrom": from, "legalBasis": act }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/BatchCreateCodes",
            json!({ "parent": "codeLists/ACCOUNTING_DOCUMENT", "codes": [card] }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/SealEdition",
            json!({ "name": EDITION }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/PlaceEdition",
            json!({ "name": EDITION, "channel": "CHANNEL_INFORMATION_SERVICE" }),
        ),
        (
            &operator,
            "/legalstat.forms.v1.FormRegistryService/PlaceEdition",
            json!({ "name": EDITION, "channel": "CHANNEL_OPEN_DATA_PORTAL" }),
        ),
    ] {
        message["requestId"] = json!(Uuid::new_v4().to_string());
        let made = call(channel, path, &message).make(None).await;
        made.unwrap_or_else(|status| panic!("{path}: {status:?}"));
    }
}

/// Answers a request with as many figures as an answer has.
async fn answer(system: &System, name: &str) {
    let intake = |caller| RequestIntakeServiceClient::new(system.channel("request-intake", Some(caller)));
    let (mut operator, mut approver, request_id) =
        (intake("operator"), intake("approver"), || Uuid::new_v4().to_string());
    let drafting = DraftAnswerRequest {
        name: name.into(),
        request_id: request_id(),
        ..Default::default()
    };
    let mut draft = operator
        .draft_answer(drafting)
        .await
        .expect("it is drafted")
        .into_inner();
    let figure = |number: usize| AnswerFigure {
        period: "2025-Q4".into(),
        value: number.to_string(),
        ..Default::default()
    };
    draft.items[0].figures = (0..1000).map(figure).collect();
    let editing = UpdateAnswerRequest {
        etag: draft.etag.clone(),
        answer: Some(draft),
        request_id: request_id(),
        ..Default::default()
    };
    let edited = operator
        .update_answer(editing)
        .await
        .expect("it is edited")
        .into_inner();
    let approval = ApproveAnswerRequest {
        name: name.into(),
        sha256: edited.sha256.clone(),
        capacity: OfficialCapacity::Head.into(),
        signature: SIGNATURE.to_vec(),
        request_id: request_id(),
        ..Default::default()
    };
    approver.approve_answer(approval).await.expect("it is approved");
    let dispatch = RecordDispatchRequest {
        name: name.into(),
        means: DispatchMeans::Post.into(),
        proof: "7".into(),
        sha256: edited.sha256,
        request_id: request_id(),
        ..Default::default()
    };
    operator.record_dispatch(dispatch).await.expect("it is dispatched");
}

/// Strangers who call again and again until they are dropped.
struct Flood {
    _strangers: JoinSet<()>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Flood {
    fn begin(calls: &[Call]) -> Self {
        let mut flood = Self {
            _strangers: JoinSet::new(),
            stop: Arc::default(),
            answered: Arc::default(),
            refused: Arc::default(),
        };
        for stranger in 0..STRANGERS {
            let (call, stop) = (calls[stranger % calls.len()].clone(), Arc::clone(&flood.stop));
            let (answered, refused) = (Arc::clone(&flood.answered), Arc::clone(&flood.refused));
            flood._strangers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    match call.make(Some(Duration::from_secs(10))).await {
                        Ok(_) => answered.fetch_add(1, Ordering::Relaxed),
                        Err(status) => {
                            // The client's own clock may end a call before the service does.
                            let codes = [
                                Code::ResourceExhausted,
                                Code::Unavailable,
                                Code::DeadlineExceeded,
                                Code::Cancelled,
                            ];
                            assert!(codes.contains(&status.code()), "{}: {status:?}", call.method());
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                    tokio::time::sleep(PAUSE).await;
                }
            });
        }
        flood
    }

    async fn end(mut self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self._strangers.join_next().await {
            ended.expect("a stranger is told to try again, if anything");
        }
        (
            self.answered.load(Ordering::Relaxed),
            self.refused.load(Ordering::Relaxed),
        )
    }
}

#[test]
fn the_dearest_message_of_every_public_method_is_known() {
    let known: BTreeSet<String> = dearest(&Default::default())
        .into_iter()
        .map(|(_, path, _)| path.to_owned())
        .collect();
    assert_eq!(known, public());
}

/// Makes a call until it is answered: what a flood has left at the service may still be there for a moment.
async fn alone(call: &Call) {
    let began = Instant::now();
    while let Err(status) = call.make(None).await {
        let passing = [Code::ResourceExhausted, Code::Unavailable];
        let is_late = began.elapsed() > PATIENCE;
        assert!(
            passing.contains(&status.code()) && !is_late,
            "{}: {status:?}",
            call.method()
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// How long submissions take, the longest last; of one that is not taken, or is examined later only, more than anything.
async fn submissions(edms: &mut RequestIntakeServiceClient<Channel>) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..SUBMISSIONS {
        let (message, began) = (submission(&format!("flood-{}", Uuid::new_v4())), Instant::now());
        took.push(match edms.submit_request(message).await {
            Ok(answer) if !answer.get_ref().registration_number.is_empty() => began.elapsed(),
            Ok(_) => Duration::MAX,
            Err(status) => {
                let passing = [Code::ResourceExhausted, Code::Unavailable, Code::DeadlineExceeded];
                assert!(passing.contains(&status.code()), "{status:?}");
                Duration::MAX
            }
        });
    }
    took.sort_unstable();
    took
}

/// Floods a service with these calls while others submit. What submissions took, if the one in the middle took too long.
async fn kept_waiting(calls: &[Call], edms: &mut RequestIntakeServiceClient<Channel>) -> Option<Vec<Duration>> {
    let flood = Flood::begin(calls);
    let took = submissions(edms).await;
    let (answered, refused) = flood.end().await;
    let median = took[SUBMISSIONS / 2];
    eprintln!(
        "{}: {answered} answered, {refused} refused, a submission took {median:?}, at most {:?}",
        calls[0].path,
        took[SUBMISSIONS - 1]
    );
    if median < MEDIAN {
        return None;
    }
    let calm = submissions(edms).await[SUBMISSIONS / 2];
    eprintln!("{}: without a flood {calm:?}", calls[0].path);
    (median > calm.saturating_mul(TIMES)).then_some(took)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stranger_keeps_a_submission_waiting_whatever_he_asks() {
    let system = tokio::task::block_in_place(System::start);
    place(&system).await;
    let mut edms = RequestIntakeServiceClient::new(system.channel("request-intake", Some("edms")));
    let held = edms.submit_request(submission("held")).await.expect("it is accepted");
    let held = held.into_inner();
    let asked = GetRequestRequest {
        name: held.name.clone(),
        ..Default::default()
    };
    // On a busy machine it is examined by a job, after the call that brought it.
    let began = Instant::now();
    while !edms
        .get_request(asked.clone())
        .await
        .is_ok_and(|read| !read.get_ref().registration_number.is_empty())
    {
        assert!(began.elapsed() < PATIENCE, "it is registered in time");
        tokio::time::sleep(PAUSE).await;
    }
    answer(&system, &held.name).await;
    let coupon = held.coupon.expect("it has one");
    let mut slow = Vec::new();
    for (service, path, message) in dearest(&(coupon.number, coupon.secret)) {
        let channels: Vec<Channel> = (0..CONNECTIONS).map(|_| system.channel(service, None)).collect();
        let calls: Vec<Call> = channels.iter().map(|channel| call(channel, path, &message)).collect();
        let mut floods = Vec::new();
        for _ in 0..FLOODS {
            // Alone, it is answered: what floods is what the method takes.
            alone(&calls[0]).await;
            let Some(took) = kept_waiting(&calls, &mut edms).await else {
                floods.clear();
                break;
            };
            floods.push(took);
        }
        if !floods.is_empty() {
            slow.push((path, floods));
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
    tokio::task::block_in_place(|| drop(system));
}
