//! WatchForms.

use std::{collections::HashMap, sync::Arc};

use legalstat_kit::{
    Call, Context, Error, Violations,
    door::wire,
    feed::{Event, Telling},
};
use legalstat_proto::{
    common::v1::ChangeEvent,
    forms::v1::{WatchFormsRequest, WatchFormsResponse, form_registry_service_server::FormRegistryService},
};
use tonic::Response;

use super::{FormRegistry, showing::Showing};
use crate::{
    db,
    domain::{
        edition::EditionState,
        embargo::Embargo,
        key::EditionKey,
        telling::{About, is_told},
    },
};

const TOKEN: &str = "resume_token";

type Feed = <FormRegistry as FormRegistryService>::WatchFormsStream;

pub(super) async fn watch_forms(
    registry: &FormRegistry,
    call: Call,
    request: WatchFormsRequest,
) -> Result<Response<Feed>, Error> {
    let (mut violations, context, outbox) = (Violations::new(), &registry.context, &registry.outbox);
    let start = outbox.begin(&mut violations, TOKEN, &request.resume_token, request.only_new);
    let start = violations.sound(start)?;
    // Who watches asks for everything: what an embargo withholds is an attempt, as it is of a list.
    let embargoed = Standing::of_embargoed(context).await?;
    let mut showing = Showing::to(&call, context.now());
    for (key, (state, embargo)) in &embargoed.0 {
        showing.view(*key, embargo.as_ref(), *state != EditionState::Scheduled);
    }
    let telling = Teller {
        context: context.clone(),
        call: call.clone(),
    };
    let feed = outbox.watch(TOKEN, start, telling).await?;
    Ok(showing.answer(feed))
}

/// Tells one watcher.
struct Teller {
    context: Context,
    call: Call,
}

impl Telling for Teller {
    type Message = WatchFormsResponse;

    async fn retain_visible(&self, events: &mut Vec<Arc<Event>>) -> Result<(), Error> {
        let standing = Standing::of(&self.context, events).await?;
        let mut showing = Showing::to(&self.call, self.context.now());
        let official = self.call.caller.is_official();
        events.retain(|event| {
            let about = match edition(event).and_then(|key| Some((key, standing.0.get(&key)?))) {
                Some((key, (state, embargo))) => About::Edition(*state, showing.view(key, embargo.as_ref(), false)),
                None => About::Other { official },
            };
            is_told(&event.kind, about)
        });
        Ok(())
    }

    fn message(&self, resume_token: String, event: Option<&Event>, caught_up: bool) -> WatchFormsResponse {
        let event = event.map(|event| ChangeEvent {
            kind: event.kind.clone(),
            resource: event.resource.clone(),
            occurred_at: Some(wire::to_timestamp(event.occurred_at)),
        });
        WatchFormsResponse {
            resume_token,
            event,
            caught_up,
        }
    }
}

/// The edition that an event is about, by the name of it or of something below it.
fn edition(event: &Event) -> Option<EditionKey> {
    let mut parts = event.resource.splitn(5, '/');
    let name: Vec<&str> = parts.by_ref().take(4).collect();
    name.join("/").parse().ok()
}

/// Where editions stand, and under which embargo.
struct Standing(HashMap<EditionKey, (EditionState, Option<Embargo>)>);

impl Standing {
    /// Of the editions that these events are about.
    async fn of(context: &Context, events: &[Arc<Event>]) -> Result<Self, Error> {
        let mut keys: Vec<EditionKey> = events.iter().filter_map(|event| edition(event)).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let mut connection = context.db.connection().await?;
        let mut embargoes = db::embargo::holding(&mut connection, None, context.now()).await?;
        let states = db::edition::states_of(&mut connection, &keys).await?;
        let of_each = keys.into_iter().zip(states);
        Ok(Self(
            of_each
                .map(|(key, state)| (key, (state, embargoes.remove(&key))))
                .collect(),
        ))
    }

    /// Of the editions that are under an embargo now.
    async fn of_embargoed(context: &Context) -> Result<Self, Error> {
        let mut connection = context.db.connection().await?;
        let embargoes = db::embargo::holding(&mut connection, None, context.now()).await?;
        let (keys, embargoes): (Vec<EditionKey>, Vec<Embargo>) = embargoes.into_iter().unzip();
        let states = db::edition::states_of(&mut connection, &keys).await?;
        let standing = states.into_iter().zip(embargoes.into_iter().map(Some));
        Ok(Self(keys.into_iter().zip(standing).collect()))
    }
}
