//! GetBody.

use legalstat_kit::{Call, Error, Refusal, Violations, door::languages::Languages, zone};
use legalstat_proto::requests::v1::{self as proto, GetBodyRequest};

use super::{RequestIntake, bodies};
use crate::{
    db,
    domain::{body, names},
};

pub(super) async fn get_body(
    service: &RequestIntake,
    call: &Call,
    message: GetBodyRequest,
) -> Result<proto::Body, Error> {
    let mut violations = Violations::new();
    let id = bodies::name(&mut violations, "name", &message.name);
    let as_of = bodies::day(&mut violations, "as_of", message.as_of.as_ref());
    let languages = Languages::read(&mut violations, &message.languages);
    let id = violations.sound(id)?;
    let as_of = as_of.unwrap_or_else(|| zone::civil_day(service.context.now()));
    let rows = db::body::of(&mut *service.context.db.connection().await?, &id).await?;
    let body = body::as_of(&rows, as_of).ok_or_else(|| Refusal::not_found(&names::body(&id)))?;
    Ok(languages.keep(bodies::shown(body, call)))
}
