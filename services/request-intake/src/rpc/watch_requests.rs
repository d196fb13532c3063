//! WatchRequests.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::stream::BoxStream;
use legalstat_kit::{
    Call, Context, Error, Violations,
    door::wire,
    feed::{Event, Telling},
    zone,
};
use legalstat_proto::{
    common::v1::ChangeEvent,
    requests::v1::{self as proto, RequestEvent, WatchRequestsRequest, WatchRequestsResponse},
};
use tokio::time::Instant;
use tonic::Status;
use uuid::Uuid;

use super::{RequestIntake, convert};
use crate::{
    current_rules::CurrentRules,
    domain::{
        names,
        notice::{self, Notice},
        request::State,
        told::Told,
        viewer::Viewer,
    },
    watched::{Asked, Known, Watched},
};

const TOKEN: &str = "resume_token";
/// For how long it is not asked again what a watcher sees.
const SEEN_AGAIN: Duration = Duration::from_secs(1);

pub(super) type Feed = BoxStream<'static, Result<WatchRequestsResponse, Status>>;

pub(super) async fn watch_requests(
    service: &RequestIntake,
    call: Call,
    message: WatchRequestsRequest,
) -> Result<Feed, Error> {
    let mut violations = Violations::new();
    let outbox = &service.outbox;
    let start = outbox.begin(&mut violations, TOKEN, &message.resume_token, message.only_new);
    let start = violations.sound(start)?;
    let teller = Teller {
        context: service.context.clone(),
        rules: Arc::clone(&service.rules),
        watched: Arc::clone(&service.watched),
        call,
        viewer: Mutex::default(),
        page: Mutex::default(),
    };
    outbox.watch(TOKEN, start, teller).await
}

/// Tells one watcher.
struct Teller {
    context: Context,
    rules: Arc<CurrentRules>,
    watched: Arc<Watched>,
    call: Call,
    /// What it sees, and since when that is known.
    viewer: Mutex<Option<(Instant, Viewer)>>,
    /// What is known of the requests of the page that it is told.
    page: Mutex<Known>,
}

impl Teller {
    /// What the watcher sees: asked again every second, however many events there are.
    async fn viewer(&self) -> Result<Viewer, Error> {
        if self.call.caller.is_official() {
            return Ok(Viewer::Official);
        }
        let known = held(&self.viewer).clone();
        if let Some((_, viewer)) = known.filter(|(since, _)| since.elapsed() < SEEN_AGAIN) {
            return Ok(viewer);
        }
        let since = Instant::now();
        let rules = self.rules.get(&self.context.db).await?;
        let today = zone::civil_day(self.context.now());
        let viewer = Viewer::of(&self.call.caller.name, false, &rules.bodies, today);
        *held(&self.viewer) = Some((since, viewer.clone()));
        Ok(viewer)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Telling for Teller {
    type Message = WatchRequestsResponse;

    async fn retain_visible(&self, events: &mut Vec<Arc<Event>>) -> Result<(), Error> {
        let viewer = self.viewer().await?;
        let asked: Vec<Asked> = events.iter().filter_map(|event| asked(event)).collect();
        let known = self.watched.of(&asked).await?;
        events.retain(|event| match request(event) {
            None => viewer == Viewer::Official,
            Some(_) if notice::is_for_the_inside(&event.kind) => viewer == Viewer::Official,
            Some(id) => known.facts.get(&id).map_or(viewer == Viewer::Official, |facts| {
                viewer.sees(&facts.accepted_by, facts.requester_bin.as_deref())
            }),
        });
        *held(&self.page) = known;
        Ok(())
    }

    fn message(&self, resume_token: String, event: Option<&Event>, caught_up: bool) -> WatchRequestsResponse {
        let page = held(&self.page);
        let request_event = event.and_then(|event| Some(happened(event, request(event)?, &page)));
        let event = event.map(|event| ChangeEvent {
            kind: event.kind.clone(),
            resource: event.resource.clone(),
            occurred_at: Some(wire::to_timestamp(event.occurred_at)),
        });
        WatchRequestsResponse {
            resume_token,
            event,
            caught_up,
            request_event,
        }
    }
}

/// The request that an event is about, by the name of it or of something below it.
fn request(event: &Event) -> Option<Uuid> {
    let mut parts = event.resource.splitn(3, '/');
    let name: Vec<&str> = parts.by_ref().take(2).collect();
    names::parse_request(&name.join("/"))
}

/// What must be known of the request of an event.
fn asked(event: &Event) -> Option<Asked> {
    Some(Asked {
        id: request(event)?,
        event: event.number(),
        now: told(event).is_none(),
    })
}

/// What the event tells; none when it was recorded without, or in the notation of a later release.
fn told(event: &Event) -> Option<Told> {
    event.told.as_deref()?.parse().ok()
}

/// What happened to a request.
fn happened(event: &Event, id: Uuid, known: &Known) -> RequestEvent {
    let told = told(event);
    let as_of_now = told.is_none();
    let told = told.unwrap_or_else(|| {
        let now = known.now.get(&id).cloned().unwrap_or_default();
        let state = now.state.filter(|_| !notice::leaves_state(&event.kind));
        Told { state, ..now }
    });
    let facts = known.facts.get(&id);
    let text = |of: fn(&crate::db::watching::Facts) -> &Option<String>| {
        facts.and_then(|facts| of(facts).clone()).unwrap_or_default()
    };
    // Who was told that it arrived has no number to look for yet.
    let has_number = told.due_date.is_some() || !matches!(told.state, Some(State::Received));
    RequestEvent {
        request: names::request(id),
        registration_number: Some(text(|facts| &facts.registration_number))
            .filter(|_| has_number)
            .unwrap_or_default(),
        external_number: text(|facts| &facts.external_number),
        state: told.state.map(convert::state).unwrap_or_default(),
        due_date: told.due_date.map(wire::to_date),
        notices: notice::notices(&event.kind, &told).into_iter().map(notice).collect(),
        executor: told.executor.unwrap_or_default(),
        as_of_now,
    }
}

fn notice(notice: Notice) -> i32 {
    match notice {
        Notice::Delivered => proto::Notice::Delivered,
        Notice::Registered => proto::Notice::Registered,
        Notice::Refused => proto::Notice::Refused,
        Notice::Execution => proto::Notice::Execution,
        Notice::Prolonged => proto::Notice::Prolonged,
        Notice::NewDate => proto::Notice::NewDate,
        Notice::NewControl => proto::Notice::NewControl,
        Notice::TakenOffControl => proto::Notice::TakenOffControl,
        Notice::Finished => proto::Notice::Finished,
        Notice::NotValid => proto::Notice::NotValid,
    }
    .into()
}
