//! GetAnsweringDay.

use legalstat_kit::{Call, Caller, Error, due::answering};
use legalstat_proto::forms::v1::{AnsweringDay, GetAnsweringDayRequest};

use super::{FormRegistry, convert};

/// How many days set before are told.
pub(super) const TOLD: i64 = 100;

pub(super) async fn get_answering_day(
    registry: &FormRegistry,
    call: Call,
    _: GetAnsweringDayRequest,
) -> Result<AnsweringDay, Error> {
    registry.schedule.require_whole()?;
    let mut connection = registry.context.db.connection().await?;
    shown(answering::history(&mut connection, TOLD + 1).await?, &call.caller)
}

/// The days as a caller sees them, the last one set first.
pub(super) fn shown(history: Vec<answering::AnsweringDay>, caller: &Caller) -> Result<AnsweringDay, Error> {
    let mut days = history.into_iter().map(|day| convert::to_answering_day(day, caller));
    let last = days.next();
    let last = last.ok_or_else(|| anyhow::anyhow!("the schedule is whole, and no day says from when it is kept"))?;
    Ok(AnsweringDay {
        previous: days.collect(),
        ..last
    })
}
