//! GetAnswer.

use legalstat_kit::{Call, Error, Violations, door::languages::Languages};
use legalstat_proto::requests::v1::{self as proto, GetAnswerRequest};

use super::{RequestIntake, answering, parse};

pub(super) async fn get_answer(
    service: &RequestIntake,
    call: &Call,
    message: GetAnswerRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let id = parse::request(&mut violations, &message.name);
    let languages = Languages::read(&mut violations, &message.languages);
    let id = violations.sound(id)?;
    let answer = answering::to_answer(answering::standing(service, call, id).await?)?;
    Ok(languages.keep(answer))
}
