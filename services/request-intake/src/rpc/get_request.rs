//! GetRequest.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, word},
    zone,
};
use legalstat_proto::requests::v1::{self as proto, GetRequestRequest};
use uuid::Uuid;

use super::{
    RequestIntake,
    convert::{self, VIEWS, View},
    earlier, owed, parse, seeing,
    showing::Showing,
};
use crate::{
    db::{self, request::Stored},
    earlier_requests,
};

pub(super) async fn get_request(
    service: &RequestIntake,
    call: &Call,
    message: GetRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let id = parse::request(&mut violations, &message.name);
    let view = word::optional(&mut violations, "view", message.view, &VIEWS, convert::view).unwrap_or(View::Full);
    let languages = Languages::read(&mut violations, &message.languages);
    let id = violations.sound(id)?;
    let found = service.lookup.get(id).await?;
    let stored = seeing::visible(&service.rules, &service.context, call, id, found).await?;
    let owed = owed::owed(service, &stored, view).await?;
    // Of an open request nothing is erased.
    let may_be_ordered = call.caller.is_official() && view == View::Full && !stored.standing.state.is_open();
    let mut request = shown(service, call, stored, view).await?;
    if let Some(owed) = owed {
        owed.tell(&mut request, view, zone::civil_day(service.context.now()));
    }
    if may_be_ordered && request.erased.is_none() {
        let mut connection = service.context.db.connection().await?;
        let ordered = db::erasure::ordered(&mut connection, id).await?;
        request.erasure_order = ordered.map(convert::erasure_order);
    }
    Ok(languages.keep(request))
}

async fn shown(service: &RequestIntake, call: &Call, stored: Stored, view: View) -> Result<proto::Request, Error> {
    let id = stored.receipt.id;
    if stored.moved || (stored.standing.version > 0 && view == View::Full) {
        return changed(service, call, id, view).await;
    }
    let explained = view == View::Full;
    let ids = earlier_requests::ids([&stored]);
    let viewer = seeing::viewer(&service.rules, &service.context, call, stored.rules_revision).await?;
    let read = service.earlier.known(&ids, &viewer);
    if let (Some(texts), Some(read)) = (service.texts.known(&stored, explained), read) {
        let earlier = earlier::of(&stored, &read);
        let mut request = convert::request_in(view, texts.complete(stored));
        earlier::tell(&mut request, &viewer, &earlier);
        return Ok(convert::as_of(request, service.context.now()));
    }
    let mut connection = service.context.db.connection().await?;
    Showing::of(service)
        .request(&mut connection, stored, view, &viewer)
        .await
}

/// A request that has changed since it was accepted: it is told with the moves of its due date and what was done with it as
/// of one moment.
async fn changed(service: &RequestIntake, call: &Call, id: Uuid, view: View) -> Result<proto::Request, Error> {
    let mut snapshot = service.context.db.snapshot().await?;
    let stored = db::request::get(&mut snapshot, &[id]).await?.remove(&id);
    let stored = seeing::visible(&service.rules, &service.context, call, id, stored.transpose()?).await?;
    let viewer = seeing::viewer(&service.rules, &service.context, call, stored.rules_revision).await?;
    Showing::of(service).request(&mut snapshot, stored, view, &viewer).await
}
