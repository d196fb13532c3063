//! SetAnsweringDay.

use legalstat_kit::{
    Call, Error, Refusal, Violations,
    due::answering,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{AnsweringDay, SetAnsweringDayRequest};

use super::{
    FormRegistry,
    get_answering_day::{TOLD, shown},
    read_form,
};

/// What refusals, the journal and events name.
const NAME: &str = "answeringDay";

pub(super) async fn set_answering_day(
    registry: &FormRegistry,
    call: Call,
    request: SetAnsweringDayRequest,
) -> Result<AnsweringDay, Error> {
    let mut violations = Violations::new();
    let day = read_form::day(&mut violations, "day", request.day.as_ref());
    let reason = violations.text("reason", &request.reason, read_form::REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let day = violations.sound(day)?;

    let mutation = Mutation::of(&call, &NAME, request_id, request.validate_only, &request);
    let schedule = registry.schedule.clone();
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let mut history = answering::history(write.connection(), TOLD + 1).await?;
            let number = history.first().map_or(0, |last| last.number);
            if !request.etag.is_empty() && request.etag != number.to_string() {
                return Err(Refusal::changed(NAME).into());
            }
            if history
                .first()
                .is_some_and(|last| last.day == day && last.reason == reason)
            {
                let answer = shown(history, &call.caller)?;
                return Ok(Outcome::repeated(&NAME, "answering-day.repeated", answer));
            }
            let set = answering::AnsweringDay {
                number: number + 1,
                day,
                reason,
                set: call.done(write.now()),
            };
            if !answering::insert(write.connection(), &set).await? {
                return Err(Refusal::changed(NAME).into());
            }
            history.insert(0, set);
            history.truncate(TOLD.unsigned_abs() as usize + 1);
            let answer = shown(history, &call.caller)?;
            Ok(Outcome::of(&NAME, "answering-day.set", answer))
        })
    })
    .await
}
