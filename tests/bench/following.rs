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
/// The least part of that rate at which a lag says anything: a machine that brings fewer changes has not shown it.
const REACHED: f64 = 0.95;
/// How long after the last submission the watcher waits for what it was not told yet.
const PATIENCE: Duration = Duration::from_secs(30);
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
    let untold = answered.iter().filter(|(name, _)| !seen.contains_key(name)).count();
    let told = answered.iter().filter_map(|(name, at)| Some((seen.get(name)?, at)));
    let mut lags: Vec<f64> = told
        .map(|(seen, at)| seen.saturating_duration_since(*at).as_secs_f64())
        .collect();
    lags.sort_by(f64::total_cmp);
    let rate = events as f64 / took;
    let what = format!("(h) WatchRequests behind the answer, {rate:.0} changes/s{when}");
    let target = format!("< {:.0} ms at {:.0}/s", LAG * 1e3, CHANGES * REACHED);
    let Some(slowest) = lags.get(lags.len().saturating_sub(1) * 99 / 100).copied() else {
        return Line::plain(what).judged("nothing was told".into(), target, false);
    };
    let mut value = format!("p99 {:.1} ms at {rate:.0}/s", slowest * 1e3);
    if untold > 0 {
        value += &format!(", {untold} never told");
    }
    let is_met = slowest < LAG && rate >= CHANGES * REACHED && untold == 0;
    Line::of_times(what, &lags, 1).judged(value, target, is_met)
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

/// Watches until it was told of all the requests that it hears of in the end, or has waited for them in vain; also how many events
/// there were until it heard of them.
async fn watch(mut feed: Streaming<WatchRequestsResponse>, mut ended: oneshot::Receiver<Vec<String>>) -> (Seen, usize) {
    let (mut seen, mut events, mut awaited) = (Seen::new(), 0, None);
    let mut until = Instant::now();
    while awaited
        .as_ref()
        .is_none_or(|names: &Vec<String>| names.iter().any(|name| !seen.contains_key(name)))
    {
        tokio::select! {
            names = &mut ended, if awaited.is_none() => {
                awaited = Some(names.expect("they are told"));
                until = Instant::now() + PATIENCE;
            }
            told = next(&mut feed) => if let Some(event) = told.request_event {
                events += usize::from(awaited.is_none());
                if event.state() == RequestState::Registered {
                    seen.entry(event.request).or_insert_with(Instant::now);
                }
            },
            () = tokio::time::sleep_until(until.into()), if awaited.is_some() => break,
        }
    }
    (seen, events)
}
