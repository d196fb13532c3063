//! GetAnswer.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::{self as proto, GetAnswerRequest};

use super::{RequestIntake, answering, parse};

pub(super) async fn get_answer(
    service: &RequestIntake,
    call: &Call,
    message: GetAnswerRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let id = parse::request(&mut violations, &message.name);
    let id = violations.sound(id)?;
    answering::to_answer(answering::standing(service, call, id).await?)
}
