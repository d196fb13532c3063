//! The pages of an official's queue, one after another: the same lists that `legalstat requests queue` asks for.

use std::time::Instant;

use bytes::Bytes;
use jiff::{Timestamp, ToSpan};
use legalstat_kit::{door::wire, zone};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    requests::v1::{
        self as requests, AssignRequestRequest, DraftAnswerRequest, Item, ItemKind, Language, ListRequestsRequest,
        Request, RequestState, RequestView, Requester, Signatory, SignatoryCapacity, SubmitRequestRequest, Unit,
        request_intake_service_client::RequestIntakeServiceClient,
    },
};
use prost::Message;
use sqlx::PgConnection;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{
    call::{self, call},
    report::Line,
};

const METHOD: &str = "/legalstat.requests.v1.RequestIntakeService/ListRequests";
/// How often each page is asked for.
const ASKED: usize = 100;
/// How many lines a page of the queue has, and how many it looks through for what is to be confirmed.
const PAGES: [i32; 2] = [20, 100];
/// Whose requests are asked for.
const OFFICIAL: &str = "operator";
/// How many requests each section gets; copies of them come with the copies of all.
const EACH: i64 = 200;
/// No page of it may take longer, in seconds: a person waits for six of them.
const SLOWEST: f64 = 0.100;

/// Gives every section of the queue something, as officials do: requests that somebody has, drafts that wait for an approver, what is
/// overdue, and what the system left without consideration.
pub(crate) async fn fill(database: &mut PgConnection, channel: &Channel) {
    let mut client = RequestIntakeServiceClient::new(channel.clone());
    for number in 0..EACH {
        for request in [overdue(number), oral(number)] {
            let submitted = client.submit_request(SubmitRequestRequest {
                request: Some(request),
                request_id: Uuid::new_v4().to_string(),
                validate_only: false,
            });
            submitted.await.expect("an official records what came otherwise");
        }
    }
    let picked = "SELECT id::text FROM requests.request WHERE state = 'REGISTERED' AND accepted_by = 'edms'
                  ORDER BY number DESC LIMIT $1";
    let picked: Vec<String> = sqlx::query_scalar(picked)
        .bind(EACH)
        .fetch_all(database)
        .await
        .expect("requests are stored");
    for (place, id) in picked.iter().enumerate() {
        let name = format!("requests/{id}");
        let assigned = client.assign_request(AssignRequestRequest {
            name: name.clone(),
            assignee: OFFICIAL.into(),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        });
        assigned.await.expect("it is registered");
        if place % 2 == 0 {
            let drafted = client.draft_answer(DraftAnswerRequest {
                name,
                request_id: Uuid::new_v4().to_string(),
                ..Default::default()
            });
            drafted.await.expect("it is in preparation");
        }
    }
}

fn overdue(number: i64) -> Request {
    let received = Timestamp::now().in_tz("Asia/Almaty").expect("the zone is known") - 90.days();
    Request {
        channel: requests::Channel::Paper.into(),
        signatory: Some(Signatory {
            full_name: "A person".into(),
            capacity: SignatoryCapacity::Applicant.into(),
        }),
        received_at: Some(wire::to_timestamp(received.timestamp())),
        external_date: Some(wire::to_date(received.date())),
        items: vec![Item {
            kind: ItemKind::Statistics.into(),
            description: format!("Registered crimes {number}"),
            unit: Unit::Crime.into(),
            period: "2025-Q4".into(),
            ..Default::default()
        }],
        ..oral(number)
    }
}

fn oral(number: i64) -> Request {
    Request {
        requester: Some(Requester {
            kind: RequesterKind::Individual.into(),
            full_name: format!("Person {number}"),
            postal_address: "Astana".into(),
            ..Default::default()
        }),
        channel: requests::Channel::Oral.into(),
        essence: "Registered crimes".into(),
        language: Language::Ru.into(),
        ..Default::default()
    }
}

/// How long each page of the queue takes, decoded by nobody.
pub(crate) async fn pages(channel: &Channel, when: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, page) in queue() {
        let page: Bytes = page.encode_to_vec().into();
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..ASKED {
            let began = Instant::now();
            let answer = call(channel, METHOD, call::skip, page.clone()).await;
            times.push(began.elapsed().as_secs_f64());
            bytes = answer.expect("an official may list");
        }
        assert!(bytes > 100, "{name}: nothing is in the page that is measured");
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let what = format!("(g) a page of the queue, {name}, {} KB{when}", bytes / 1024);
        let value = format!("slowest {:.1} ms", slowest * 1e3);
        let target = format!("< {:.0} ms", SLOWEST * 1e3);
        lines.push(Line::of_times(what, &times, 1).judged(value, target, slowest < SLOWEST));
    }
    lines
}

/// The sections, as the command line asks for them.
fn queue() -> [(&'static str, ListRequestsRequest); 6] {
    let page = ListRequestsRequest {
        page_size: PAGES[0],
        view: RequestView::Full.into(),
        order_by: "due_date".into(),
        ..Default::default()
    };
    let of = |states: &[RequestState]| states.iter().map(|state| i32::from(*state)).collect();
    let open = [
        RequestState::Received,
        RequestState::AwaitingClarification,
        RequestState::Registered,
        RequestState::InPreparation,
    ];
    let oldest = ListRequestsRequest {
        states: of(&open),
        order_by: "number".into(),
        ..page.clone()
    };
    [
        (
            "mine",
            ListRequestsRequest {
                assignee: OFFICIAL.into(),
                ..oldest.clone()
            },
        ),
        (
            "unassigned",
            ListRequestsRequest {
                unassigned: true,
                ..oldest
            },
        ),
        (
            "due soonest",
            ListRequestsRequest {
                states: of(&open[1..]),
                due_from: Some(wire::to_date(zone::civil_day(Timestamp::now()))),
                ..page.clone()
            },
        ),
        (
            "overdue",
            ListRequestsRequest {
                overdue: true,
                ..page.clone()
            },
        ),
        (
            "waiting for approval",
            ListRequestsRequest {
                awaiting_approval: true,
                ..page.clone()
            },
        ),
        (
            "to confirm",
            ListRequestsRequest {
                page_size: PAGES[1],
                states: of(&[RequestState::LeftWithoutConsideration]),
                order_by: "number desc".into(),
                ..page
            },
        ),
    ]
}
