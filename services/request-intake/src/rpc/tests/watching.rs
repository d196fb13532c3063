//! The feed of requests: in order, none left out, and with the state of the event.

use std::{collections::BTreeMap, time::Duration};

use legalstat_local::testing::refusals::violations;
use legalstat_proto::requests::v1::{
    self as proto, AssignRequestRequest, Notice, RequestState, WatchRequestsRequest, WatchRequestsResponse,
    WithdrawRequestRequest,
};
use tonic::Streaming;
use uuid::Uuid;

use super::{
    bodies::{BIN, create, ministry},
    stage::{Stage, get, recorded, request, submission, submit},
    verbs,
};

pub(super) type Feed = Streaming<WatchRequestsResponse>;

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn watch(stage: &Stage, caller: &str, message: WatchRequestsRequest) -> Feed {
    let watched = stage.client(caller).watch_requests(message).await;
    watched.expect("it is watched").into_inner()
}

pub(super) async fn message(feed: &mut Feed) -> WatchRequestsResponse {
    let next = tokio::time::timeout(PATIENCE, feed.message()).await;
    let next = next.expect("a feed says something within its time");
    next.expect("no failure").expect("the feed goes on")
}

/// Reads until everything is told; gives the messages and the last token.
pub(super) async fn all(feed: &mut Feed) -> (Vec<WatchRequestsResponse>, String) {
    let mut told = Vec::new();
    loop {
        let message = message(feed).await;
        match message.event {
            Some(_) => told.push(message),
            None if message.caught_up => return (told, message.resume_token),
            None => {}
        }
    }
}

async fn event(feed: &mut Feed) -> WatchRequestsResponse {
    loop {
        let message = message(feed).await;
        if message.event.is_some() {
            return message;
        }
    }
}

fn kind(message: &WatchRequestsResponse) -> &str {
    &message.event.as_ref().expect("it is an event").kind
}

fn after(token: &str) -> WatchRequestsRequest {
    WatchRequestsRequest {
        resume_token: token.into(),
        only_new: false,
    }
}

async fn assign(stage: &Stage, name: &str) -> proto::Request {
    let message = AssignRequestRequest {
        name: name.into(),
        assignee: "aliya".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let assigned = stage.client("operator").assign_request(message).await;
    assigned.expect("it is assigned").into_inner()
}

async fn withdraw(stage: &Stage, name: &str) {
    let message = WithdrawRequestRequest {
        name: name.into(),
        reason: "by letter".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    stage
        .client("edms")
        .withdraw_request(message)
        .await
        .expect("it is taken back");
}

#[tokio::test]
async fn each_event_tells_numbers_state_and_notices_as_they_were_then() {
    let stage = Stage::set().await;
    let accepted = submit(&mut stage.client("edms"), submission(request())).await;
    let accepted = accepted.expect("it is accepted");
    assign(&stage, &accepted.name).await;
    withdraw(&stage, &accepted.name).await;
    let (told, _) = all(&mut watch(&stage, "edms", WatchRequestsRequest::default()).await).await;
    assert_eq!(
        told.iter().map(kind).collect::<Vec<_>>(),
        ["request.accepted", "request.assigned", "request.withdrawn"]
    );
    let events: Vec<_> = told
        .iter()
        .filter_map(|message| message.request_event.as_ref())
        .collect();
    for event in &events {
        assert_eq!(event.request, accepted.name);
        assert_eq!(event.registration_number, accepted.registration_number);
        assert_eq!(event.external_number, "12-3/45");
        assert_eq!(event.due_date, accepted.due_date);
        assert!(!event.as_of_now);
    }
    let states: Vec<_> = events.iter().map(|event| event.state()).collect();
    assert_eq!(
        states,
        [
            RequestState::Registered,
            RequestState::InPreparation,
            RequestState::Withdrawn
        ],
        "not what became of it later"
    );
    let executors: Vec<_> = events.iter().map(|event| event.executor.as_str()).collect();
    assert_eq!(executors, ["", "aliya", "aliya"]);
    let notices: Vec<Vec<Notice>> = events.iter().map(|event| event.notices().collect()).collect();
    assert_eq!(
        notices,
        [
            vec![Notice::Delivered, Notice::Registered, Notice::NewControl],
            vec![Notice::Execution],
            vec![Notice::TakenOffControl],
        ]
    );
}

#[tokio::test]
async fn who_applies_the_feed_from_the_start_ends_with_the_states_that_requests_have() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let mut names = Vec::new();
    for place in 0..6 {
        stage.fakes.set_away(place == 3);
        let accepted = submit(&mut edms, submission(request())).await.expect("it is accepted");
        names.push(accepted.name);
    }
    let oral = submit(
        &mut stage.client("operator"),
        submission(recorded(proto::Channel::Oral)),
    )
    .await;
    names.push(oral.expect("it is accepted").name);
    assign(&stage, &names[0]).await;
    withdraw(&stage, &names[1]).await;
    let mut feed = watch(&stage, "operator", WatchRequestsRequest::default()).await;
    let mut states: BTreeMap<String, (RequestState, String)> = BTreeMap::new();
    // The job examines what waited once the services are back; that is told too.
    while states
        .get(&names[3])
        .is_none_or(|(state, _)| *state != RequestState::Registered)
    {
        let Some(event) = event(&mut feed).await.request_event else {
            continue;
        };
        let entry = states
            .entry(event.request.clone())
            .or_insert((RequestState::Unspecified, String::new()));
        if event.state() != RequestState::Unspecified {
            entry.0 = event.state();
        }
        if !event.registration_number.is_empty() {
            entry.1 = event.registration_number;
        }
    }
    let mut operator = stage.client("operator");
    for name in &names {
        let request = get(&mut operator, name).await.expect("it is there");
        assert_eq!(states[name], (request.state(), request.registration_number), "{name}");
    }
}

#[tokio::test]
async fn a_watch_goes_on_behind_its_token_and_tells_nothing_twice_and_skips_nothing() {
    let stage = Stage::set().await;
    let mut edms = stage.client("edms");
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(
            submit(&mut edms, submission(request()))
                .await
                .expect("it is accepted")
                .name,
        );
    }
    let mut feed = watch(&stage, "edms", WatchRequestsRequest::default()).await;
    let first = event(&mut feed).await;
    drop(feed);
    let mut feed = watch(&stage, "edms", after(&first.resume_token)).await;
    let (rest, last) = all(&mut feed).await;
    let told = std::iter::once(first).chain(rest);
    let told: Vec<String> = told
        .filter_map(|message| Some(message.request_event?.request))
        .collect();
    assert_eq!(told, names);
    names.push(
        submit(&mut edms, submission(request()))
            .await
            .expect("it is accepted")
            .name,
    );
    let new = event(&mut feed).await;
    assert_eq!(new.request_event.expect("it is of a request").request, names[3]);
    let mut again = watch(&stage, "edms", after(&last)).await;
    let (told, _) = all(&mut again).await;
    assert_eq!(told.len(), 1, "what came after the token, and no more");

    let both = WatchRequestsRequest {
        resume_token: last,
        only_new: true,
    };
    let refusal = stage.client("edms").watch_requests(both).await;
    assert_eq!(violations(refusal), [("only_new".to_owned(), "CONFLICT".to_owned())]);
    let forged = stage.client("edms").watch_requests(after("00")).await;
    assert_eq!(violations(forged), [("resume_token".to_owned(), "TOKEN".to_owned())]);
}

#[tokio::test]
async fn a_watcher_of_nothing_hears_heartbeats_whose_token_moves_on() {
    let stage = Stage::set_with(&[("LEGALSTAT_HEARTBEAT_SECONDS", "1")]).await;
    let new = WatchRequestsRequest {
        only_new: true,
        ..Default::default()
    };
    let mut feed = watch(&stage, "kadagalau", new).await;
    let first = message(&mut feed).await;
    assert!(first.caught_up && first.event.is_none());
    submit(&mut stage.client("edms"), submission(request()))
        .await
        .expect("it is accepted");
    loop {
        let heartbeat = message(&mut feed).await;
        assert!(heartbeat.event.is_none() && heartbeat.request_event.is_none());
        if heartbeat.resume_token != first.resume_token {
            break;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_entered_while_it_watches_is_told_within_moments() {
    let stage = Stage::set_with(&[("LEGALSTAT_HEARTBEAT_SECONDS", "1")]).await;
    let mut feed = watch(&stage, "justice", WatchRequestsRequest::default()).await;
    let (told, _) = all(&mut feed).await;
    assert!(told.is_empty());
    create(&stage, ministry("justice")).await;
    let mut edms = stage.client("edms");
    // What it may see is asked again each second: one of those that arrive is told.
    let heard = tokio::spawn(async move { event(&mut feed).await });
    while !heard.is_finished() {
        submit(&mut edms, submission(request())).await.expect("it is accepted");
        tokio::task::yield_now().await;
    }
    let heard = heard.await.expect("it hears");
    assert_eq!(kind(&heard), "request.accepted", "of bodies only officials are told");
    let (told, _) = all(&mut watch(&stage, "auditor", WatchRequestsRequest::default()).await).await;
    let bodies = told.iter().find(|message| kind(message) == "body.created");
    assert!(bodies.expect("officials are told").request_event.is_none());
}

#[tokio::test]
async fn an_event_of_the_release_before_is_told_with_what_is_so_now_and_says_so() {
    let stage = Stage::set().await;
    let accepted = submit(&mut stage.client("edms"), submission(request())).await;
    let accepted = accepted.expect("it is accepted");
    stage.execute("UPDATE requests.outbox_event SET told = NULL").await;
    withdraw(&stage, &accepted.name).await;
    let (told, _) = all(&mut watch(&stage, "edms", WatchRequestsRequest::default()).await).await;
    let events: Vec<_> = told.into_iter().filter_map(|message| message.request_event).collect();
    assert_eq!(events.len(), 2);
    assert!(events[0].as_of_now && !events[1].as_of_now);
    assert!(events.iter().all(|event| event.state() == RequestState::Withdrawn));
}

const OTHER_BIN: &str = "940740000911";

/// The request with another BIN, and the mask that names it.
fn with_other_bin() -> (Option<proto::Request>, Option<prost_types::FieldMask>) {
    let requester = proto::Requester {
        bin: OTHER_BIN.into(),
        ..Default::default()
    };
    let given = proto::Request {
        requester: Some(requester),
        ..Default::default()
    };
    let paths = vec!["requester.bin".to_owned()];
    (Some(given), Some(prost_types::FieldMask { paths }))
}

async fn correct_bin(stage: &Stage, name: &str) {
    let (request, update_mask) = with_other_bin();
    let message = proto::CorrectRequestRequest {
        name: name.into(),
        request,
        update_mask,
        reason: "the clerk mistyped it".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let corrected = stage.client("operator").correct_request(message).await;
    corrected.expect("it is corrected");
}

/// An official asks about the request, and the EDMS supplies the other BIN.
async fn supply_bin(stage: &Stage, request: &proto::Request) {
    let asking = verbs::question(request, &["requester.bin"]);
    let asked = stage.client("operator").ask_clarification(asking).await;
    asked.expect("it is asked about");
    let (supplied, update_mask) = with_other_bin();
    let message = proto::ProvideClarificationRequest {
        name: request.name.clone(),
        clarification: "of the ministry, and not of its committee".into(),
        request: supplied,
        update_mask,
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let provided = stage.client("edms").provide_clarification(message).await;
    provided.expect("it is supplied");
}

/// The kinds of the events of requests that a body is told from the start.
async fn told_of(stage: &Stage, body: &str) -> Vec<String> {
    let (told, _) = all(&mut watch(stage, body, WatchRequestsRequest::default()).await).await;
    told.iter().map(|message| kind(message).to_owned()).collect()
}

#[tokio::test]
async fn who_has_the_bin_since_it_was_corrected_or_supplied_is_told_and_who_had_it_is_not() {
    for is_supplied in [false, true] {
        let stage = Stage::set().await;
        create(&stage, ministry("justice")).await;
        let other = proto::Body {
            name: "bodies/other".into(),
            certificate_name: "auditor-body".into(),
            bin: OTHER_BIN.into(),
            ..ministry("")
        };
        create(&stage, other).await;
        let accepted = submit(&mut stage.client("edms"), submission(request())).await;
        let accepted = accepted.expect("it is accepted");
        assert_eq!(accepted.requester.as_ref().map(|one| one.bin.as_str()), Some(BIN));
        // The facts are in memory, and nobody watches while they change.
        assert_eq!(told_of(&stage, "justice").await, ["request.accepted"]);
        let new = WatchRequestsRequest {
            only_new: true,
            ..Default::default()
        };
        if is_supplied {
            supply_bin(&stage, &accepted).await;
        } else {
            correct_bin(&stage, &accepted.name).await;
        }
        let (mut before, mut since) = (
            watch(&stage, "justice", new.clone()).await,
            watch(&stage, "auditor-body", new).await,
        );
        for feed in [&mut before, &mut since] {
            assert!(message(feed).await.caught_up);
        }
        withdraw(&stage, &accepted.name).await;
        loop {
            let told = event(&mut since).await;
            assert_eq!(
                told.request_event.as_ref().map(|event| &event.request),
                Some(&accepted.name)
            );
            if kind(&told) == "request.withdrawn" {
                break;
            }
        }
        assert!(told_of(&stage, "justice").await.is_empty(), "supplied: {is_supplied}");
        let heard = tokio::time::timeout(Duration::from_millis(500), event(&mut before)).await;
        assert!(heard.is_err(), "who had the BIN hears no more of it");
    }
}
