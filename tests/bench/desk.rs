//! The pages of an official's queue, one after another.

use std::time::Instant;

use bytes::Bytes;
use legalstat_proto::requests::v1::{ListRequestsRequest, RequestState};
use prost::Message;
use sqlx::PgConnection;
use tonic::transport::Channel;

use crate::{
    call::{self, call},
    database::run,
    report::Line,
};

const METHOD: &str = "/legalstat.requests.v1.RequestIntakeService/ListRequests";
/// How often each page is asked for.
const ASKED: usize = 100;
/// How many lines a page has.
const PAGE: i32 = 50;
/// Whose requests are asked for, and one of how many requests is his.
const OFFICIAL: &str = "operator";
const OF: usize = 500;

/// Gives an official some of the requests that are stored, so that there is a queue of his own.
pub(crate) async fn assign(database: &mut PgConnection) {
    run(
        database,
        format!(
            "UPDATE requests.request SET assignee = '{OFFICIAL}', state = 'IN_PREPARATION'
             WHERE number % {OF} = 0 AND state = 'REGISTERED'"
        ),
    )
    .await;
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
        let what = format!("(g) a page of the queue, {name}, {} KB{when}", bytes / 1024);
        lines.push(Line::of_times(what, &times, 1));
    }
    lines
}

fn queue() -> [(&'static str, ListRequestsRequest); 5] {
    let page = ListRequestsRequest {
        page_size: PAGE,
        ..Default::default()
    };
    let of = |states: &[RequestState]| states.iter().map(|state| i32::from(*state)).collect();
    let open = [RequestState::Registered, RequestState::InPreparation];
    [
        (
            "mine",
            ListRequestsRequest {
                assignee: OFFICIAL.into(),
                states: of(&open),
                order_by: "due_date".into(),
                ..page.clone()
            },
        ),
        (
            "due soonest",
            ListRequestsRequest {
                states: of(&open),
                order_by: "due_date".into(),
                ..page.clone()
            },
        ),
        (
            "in preparation",
            ListRequestsRequest {
                states: of(&open[1..]),
                order_by: "due_date".into(),
                ..page.clone()
            },
        ),
        (
            "overdue",
            ListRequestsRequest {
                overdue: true,
                order_by: "due_date".into(),
                ..page.clone()
            },
        ),
        ("received last", page),
    ]
}
