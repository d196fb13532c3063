//! How far behind whoever watches requests is, while changes come at a steady rate.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use legalstat_proto::requests::v1::{
    RequestState, WatchRequestsRequest, WatchRequestsResponse,
    request_intake_service_client::RequestIntakeServiceClient,
};
use tokio::sync::oneshot;
use tonic::{Streaming, transport::Channel};

use crate::{report::Line, submissions::Submissions};

/// How many changes a second the feed is to carry; a submission that is registered at once is one.
const CHANGES: f64 = 1000.0;
/// Longer no more than one change of a hundred may be on its way.
const LAG: f64 = 0.200;
/// How many submissions may be under way.
const SUBMITTED: usize = 64;

/// When the watcher was told that a request is registered, by its name.
type Seen = HashMap<String, Instant>;

/// Watches while requests come at a steady rate: how long after a registration was answered the watcher is told of it.
pub(crate) async fn lag(channel: &Channel, submissions: &mut Submissions, length: Duration, when: &str) -> Line {
    let (end, ended) = oneshot::channel();
    let watching = tokio::spawn(watch(start(channel).await, ended));
    let began = Instant::now();
    let answered = submissions.steady(SUBMITTED, CHANGES, length).await;
    let took = began.elapsed().as_secs_f64();
    let names = answered.iter().map(|(name, _)| name.clone()).collect();
    end.send(names).expect("the watcher watches");
    let (seen, events) = watching.await.expect("the watcher ends");
    let mut lags: Vec<f64> = answered
        .iter()
        .map(|(name, at)| seen[name].saturating_duration_since(*at).as_secs_f64())
        .collect();
    lags.sort_by(f64::total_cmp);
    let slowest = lags[(lags.len() - 1) * 99 / 100];
    let what = format!(
        "(h) WatchRequests behind the answer, {:.0} changes/s{when}",
        events as f64 / took
    );
    let (value, target) = (format!("p99 {:.1} ms", slowest * 1e3), format!("< {:.0} ms", LAG * 1e3));
    Line::of_times(what, &lags, 1).judged(value, target, slowest < LAG)
}

/// The feed of what happens from now on.
async fn start(channel: &Channel) -> Streaming<WatchRequestsResponse> {
    let asked = WatchRequestsRequest {
        only_new: true,
        ..Default::default()
    };
    let mut client = RequestIntakeServiceClient::new(channel.clone());
    let mut feed = client
        .watch_requests(asked)
        .await
        .expect("an EDMS may watch")
        .into_inner();
    while !next(&mut feed).await.caught_up {}
    feed
}

async fn next(feed: &mut Streaming<WatchRequestsResponse>) -> WatchRequestsResponse {
    feed.message().await.expect("the feed goes on").expect("it has no end")
}

/// Watches until it was told of all the requests that it hears of in the end; also how many events there were.
async fn watch(mut feed: Streaming<WatchRequestsResponse>, mut ended: oneshot::Receiver<Vec<String>>) -> (Seen, usize) {
    let (mut seen, mut events, mut awaited) = (Seen::new(), 0, None);
    while awaited
        .as_ref()
        .is_none_or(|names: &Vec<String>| names.iter().any(|name| !seen.contains_key(name)))
    {
        tokio::select! {
            names = &mut ended, if awaited.is_none() => awaited = Some(names.expect("they are told")),
            told = next(&mut feed) => if let Some(event) = told.request_event {
                events += 1;
                if event.state() == RequestState::Registered {
                    seen.insert(event.request, Instant::now());
                }
            },
        }
    }
    (seen, events)
}
