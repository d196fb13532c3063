//! WatchForms.

use std::{collections::HashSet, sync::Arc};

use legalstat_kit::{
    Call, Context, Error, FieldReason, Violations,
    door::wire,
    feed::{Event, Telling},
};
use legalstat_proto::{
    common::v1::ChangeEvent,
    forms::v1::{WatchFormsRequest, WatchFormsResponse, form_registry_service_server::FormRegistryService},
};

use super::FormRegistry;
use crate::{
    db,
    domain::{
        key::EditionKey,
        telling::{Openness, openness},
    },
};

const TOKEN: &str = "resume_token";

type Feed = <FormRegistry as FormRegistryService>::WatchFormsStream;

pub(super) async fn watch_forms(
    registry: &FormRegistry,
    call: Call,
    request: WatchFormsRequest,
) -> Result<Feed, Error> {
    let (mut violations, outbox) = (Violations::new(), &registry.outbox);
    if request.only_new && !request.resume_token.is_empty() {
        let problem = "a token says where to begin; leave out one of the two";
        violations.add("only_new", FieldReason::Contradiction, problem);
    }
    let start = outbox.begin(&mut violations, TOKEN, &request.resume_token, request.only_new);
    let start = violations.sound(start)?;
    let telling = Teller {
        context: registry.context.clone(),
        official: call.caller.is_official(),
    };
    outbox.watch(TOKEN, start, telling).await
}

/// Tells one watcher.
struct Teller {
    context: Context,
    official: bool,
}

impl Telling for Teller {
    type Message = WatchFormsResponse;

    async fn retain_visible(&self, events: &mut Vec<Arc<Event>>) -> Result<(), Error> {
        if self.official {
            return Ok(());
        }
        events.retain(|event| openness(&event.kind) != Openness::OfficialsOnly);
        let asked = events
            .iter()
            .filter(|event| openness(&event.kind) == Openness::OnceServed);
        let keys: HashSet<EditionKey> = asked.filter_map(|event| event.resource.parse().ok()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let keys: Vec<EditionKey> = keys.into_iter().collect();
        let served = db::edition::placed(&mut *self.context.db.connection().await?, &keys).await?;
        events.retain(|event| match openness(&event.kind) {
            Openness::Everyone => true,
            Openness::OnceServed => event.resource.parse().is_ok_and(|key| served.contains(&key)),
            Openness::OfficialsOnly => false,
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
