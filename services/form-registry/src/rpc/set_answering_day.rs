//! SetAnsweringDay.

use legalstat_kit::{
    Call, Error, Violations,
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
            let new = answering::NewDay {
                day,
                reason,
                set: call.done(write.now()),
                etag: request.etag,
            };
            let (is_repeat, history) = answering::set(write.connection(), NAME, new, TOLD + 1).await?;
            let answer = shown(history, &call.caller)?;
            if is_repeat {
                return Ok(Outcome::repeated(&NAME, "answering-day.repeated", answer));
            }
            Ok(Outcome::of(&NAME, "answering-day.set", answer))
        })
    })
    .await
}
