//! GetAnswer.

use legalstat_kit::{Call, Error, FieldReason, Violations};
use legalstat_proto::requests::v1::{self as proto, GetAnswerRequest};
use uuid::Uuid;

use super::{RequestIntake, answering};
use crate::domain::names;

pub(super) async fn get_answer(
    service: &RequestIntake,
    call: &Call,
    message: GetAnswerRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let id = name(&mut violations, &message.name);
    let id = violations.sound(id)?;
    answering::to_answer(answering::standing(service, call, id).await?)
}

/// Reads the name of a request.
pub(super) fn name(violations: &mut Violations, name: &str) -> Option<Uuid> {
    let id = names::parse_request(name);
    if id.is_none() {
        let description = "write requests/ and the UUID in lower case";
        violations.add("name", FieldReason::ResourceName, description);
    }
    id
}
