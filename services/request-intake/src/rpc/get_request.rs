//! GetRequest.

use legalstat_kit::{Call, Error, FieldReason, Violations, door::word, due::moves};
use legalstat_proto::{
    calendar::v1::DueDateChange,
    requests::v1::{self as proto, GetRequestRequest},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    RequestIntake,
    convert::{self, VIEWS, View},
    sees_only_own,
};
use crate::{
    db::{self, request::Stored},
    domain::names,
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
    let db = &service.context.db;
    let mut connection = db.connection().await?;
    let stored = find(&mut connection, call, id).await?;
    if !stored.moved {
        return tell(service, &mut connection, stored, view, Vec::new()).await;
    }
    // Whoever held one connection while waiting for another could wait for ever.
    drop(connection);
    // Its moves and its due date are told as of one moment.
    let mut snapshot = db.snapshot().await?;
    let stored = find(&mut snapshot, call, id).await?;
    let moves = moves::of(&mut *snapshot, &names::request(id)).await?;
    tell(service, &mut snapshot, stored, view, moves).await
}

async fn find(connection: &mut PgConnection, call: &Call, id: Uuid) -> Result<Stored, Error> {
    let found = db::request::get(connection, id).await?;
    let may_see = |stored: &Stored| sees_only_own(&call.caller).is_none_or(|own| own == stored.receipt.accepted_by);
    Ok(found.filter(may_see).ok_or_else(|| error::not_found(id))?)
}

async fn tell(
    service: &RequestIntake,
    connection: &mut PgConnection,
    stored: Stored,
    view: View,
    moves: Vec<DueDateChange>,
) -> Result<proto::Request, Error> {
    let explained = view == View::Full;
    let request = service.texts.complete(connection, vec![stored], explained).await?.pop();
    let request = request.ok_or_else(|| anyhow::anyhow!("one request is completed to one"))?;
    let mut request = convert::request_in(view, request);
    request.due_date_changes = moves;
    Ok(request)
}
