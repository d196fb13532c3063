//! WatchCopies.

use std::sync::Arc;

use futures::stream::BoxStream;
use legalstat_kit::{
    Call, Context, Error, Violations,
    door::wire,
    feed::{Event, Telling},
};
use legalstat_proto::{
    collections::v1::{WatchCopiesRequest, WatchCopiesResponse},
    common::v1::ChangeEvent,
};
use tonic::Status;

use super::{CollectionDistribution, door};
use crate::{
    db::{self, copy::About},
    domain::{key::CopyKey, telling},
};

const TOKEN: &str = "resume_token";

pub(super) type Feed = BoxStream<'static, Result<WatchCopiesResponse, Status>>;

pub(super) async fn watch_copies(
    service: &CollectionDistribution,
    call: Call,
    request: WatchCopiesRequest,
) -> Result<Feed, Error> {
    let (mut violations, outbox) = (Violations::new(), &service.outbox);
    let start = outbox.begin(&mut violations, TOKEN, &request.resume_token, request.only_new);
    let start = violations.sound(start)?;
    let teller = Teller {
        context: service.context.clone(),
        call,
    };
    outbox.watch(TOKEN, start, teller).await
}

/// Tells one watcher.
struct Teller {
    context: Context,
    call: Call,
}

impl Telling for Teller {
    type Message = WatchCopiesResponse;

    async fn retain_visible(&self, events: &mut Vec<Arc<Event>>) -> Result<(), Error> {
        if self.call.caller.is_official() {
            return Ok(());
        }
        events.retain(|event| about(event).is_some());
        if events.is_empty() {
            return Ok(());
        }
        let asked: Vec<About> = events.iter().filter_map(|event| about(event)).collect();
        let held = {
            let mut connection = self.context.db.connection().await?;
            let recipients = door::spoken_for(&mut connection, &self.call, self.context.now()).await?;
            db::copy::held(&mut connection, &recipients, &asked).await?
        };
        let mut held = held.into_iter();
        events.retain(|_| held.next() == Some(true));
        Ok(())
    }

    fn message(&self, resume_token: String, event: Option<&Event>, caught_up: bool) -> WatchCopiesResponse {
        let event = event.map(|event| ChangeEvent {
            kind: event.kind.clone(),
            resource: event.resource.clone(),
            occurred_at: Some(wire::to_timestamp(event.occurred_at)),
        });
        WatchCopiesResponse {
            resume_token,
            event,
            caught_up,
        }
    }
}

/// What an event is about that concerns who holds copies; `None` of every other.
fn about(event: &Event) -> Option<About> {
    if let Ok(CopyKey { edition, number }) = event.resource.parse() {
        return Some(About {
            edition,
            number: Some(number),
        });
    }
    let edition = event.resource.parse().ok()?;
    telling::concerns_holders(&event.kind).then_some(About { edition, number: None })
}
