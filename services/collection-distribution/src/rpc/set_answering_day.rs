//! SetAnsweringDay.

use jiff::civil::{Date, date};
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::wire,
    due::answering,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{AnsweringDay, SetAnsweringDayRequest};

use super::{
    CollectionDistribution,
    get_answering_day::{TOLD, shown},
    recipients::REASON,
};

/// What refusals, the journal and events name.
const NAME: &str = "answeringDay";
/// The Instruction's first day, and the last one that can be set.
const DAYS: (Date, Date) = (date(2019, 4, 15), date(2099, 12, 31));

pub(super) async fn set_answering_day(
    service: &CollectionDistribution,
    call: Call,
    request: SetAnsweringDayRequest,
) -> Result<AnsweringDay, Error> {
    let mut violations = Violations::new();
    let day = wire::required_date(&mut violations, "day", request.day.as_ref());
    if day.is_some_and(|day| !(DAYS.0..=DAYS.1).contains(&day)) {
        violations.add("day", FieldReason::OutOfRange, format!("{} to {}", DAYS.0, DAYS.1));
    }
    let reason = violations.text("reason", &request.reason, REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let day = violations.sound(day)?;

    let mutation = Mutation::of(&call, &NAME, request_id, request.validate_only, &request);
    let schedule = service.schedule.clone();
    write::carry_out(&service.context, mutation, move |write| {
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
