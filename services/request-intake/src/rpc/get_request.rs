//! GetRequest.

use legalstat_kit::{Call, Error, FieldReason, Violations, due::follow};
use legalstat_proto::requests::v1::{self as proto, GetRequestRequest};

use super::{RequestIntake, convert, sees_only_own};
use crate::{
    db,
    domain::{names, request::Receipt},
    error::IntakeError,
};

pub(super) async fn get_request(
    service: &RequestIntake,
    call: &Call,
    message: GetRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let id = names::parse_request(&message.name);
    if id.is_none() {
        violations.add(
            "name",
            FieldReason::ResourceName,
            "write requests/ and the UUID in lower case",
        );
    }
    let id = violations.sound(id)?;
    let mut connection = service.context.db.snapshot().await?;
    let found = db::reading::read(&mut connection, &[id]).await?.pop();
    let may_see = |receipt: &Receipt| sees_only_own(&call.caller).is_none_or(|own| own == receipt.accepted_by);
    let visible = found.filter(|request| request.receipt.as_ref().is_some_and(may_see));
    let mut request = convert::request(visible.ok_or(IntakeError::NotFound(id))?);
    request.due_date_changes = follow::changes_of(&mut *connection, &request.name).await?;
    Ok(request)
}
