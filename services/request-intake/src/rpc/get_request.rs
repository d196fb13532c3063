//! GetRequest.

use legalstat_kit::{Call, Error, FieldReason, Violations, door::word, due::moves};
use legalstat_proto::requests::v1::{self as proto, GetRequestRequest};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    RequestIntake,
    convert::{self, VIEWS, View},
    sees_only_own,
};
use crate::{
    db::{self, request::Stored},
    domain::{names, request::Request},
    error,
};

pub(super) async fn get_request(
    service: &RequestIntake,
    call: &Call,
    message: GetRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let id = names::parse_request(&message.name);
    if id.is_none() {
        let description = "write requests/ and the UUID in lower case";
        violations.add("name", FieldReason::ResourceName, description);
    }
    let view = word::optional(&mut violations, "view", message.view, &VIEWS, convert::view).unwrap_or(View::Full);
    let id = violations.sound(id)?;
    let stored = visible(call, id, service.lookup.get(id).await?)?;
    if stored.moved || (stored.standing.version > 0 && view == View::Full) {
        return changed(service, call, id, view).await;
    }
    let explained = view == View::Full;
    let request = match service.texts.known(&stored, explained) {
        Some(texts) => texts.complete(stored),
        None => {
            let mut connection = service.context.db.connection().await?;
            complete(service, &mut connection, stored, view).await?
        }
    };
    let request = convert::request_in(view, request);
    Ok(convert::as_of(request, service.context.now()))
}

/// A request that has changed since it was accepted: it is told with the moves of its due date and what was done with it as
/// of one moment.
async fn changed(service: &RequestIntake, call: &Call, id: Uuid, view: View) -> Result<proto::Request, Error> {
    let mut snapshot = service.context.db.snapshot().await?;
    let stored = db::request::get(&mut snapshot, &[id]).await?.remove(&id);
    let stored = visible(call, id, stored.transpose()?)?;
    let moves = moves::of(&mut *snapshot, &names::request(id)).await?;
    let request = complete(service, &mut snapshot, stored, view).await?;
    let mut request = convert::request_in(view, request);
    request.due_date_changes = moves;
    if view == View::Full {
        let decisions = db::decision::of_each(&mut snapshot, &[id]).await?.remove(&id);
        request.decisions = decisions
            .unwrap_or_default()
            .into_iter()
            .map(convert::decision)
            .collect();
    }
    Ok(convert::as_of(request, service.context.now()))
}

pub(super) fn visible(call: &Call, id: Uuid, found: Option<Stored>) -> Result<Stored, Error> {
    let may_see = |stored: &Stored| sees_only_own(&call.caller).is_none_or(|own| own == stored.receipt.accepted_by);
    Ok(found.filter(may_see).ok_or_else(|| error::not_found(id))?)
}

async fn complete(
    service: &RequestIntake,
    connection: &mut PgConnection,
    stored: Stored,
    view: View,
) -> Result<Request, Error> {
    let explained = view == View::Full;
    let request = service.texts.complete(connection, vec![stored], explained).await?.pop();
    Ok(request.ok_or_else(|| anyhow::anyhow!("one request is completed to one"))?)
}
