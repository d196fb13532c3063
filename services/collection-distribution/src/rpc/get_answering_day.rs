//! GetAnsweringDay.

use legalstat_kit::{Call, Caller, Error, door::wire, due::answering};
use legalstat_proto::collections::v1::{AnsweringDay, GetAnsweringDayRequest};

use super::CollectionDistribution;

/// How many days set before are told.
pub(super) const TOLD: i64 = 100;

pub(super) async fn get_answering_day(
    service: &CollectionDistribution,
    call: Call,
    _: GetAnsweringDayRequest,
) -> Result<AnsweringDay, Error> {
    service.schedule.require_whole()?;
    let mut connection = service.context.db.connection().await?;
    shown(answering::history(&mut connection, TOLD + 1).await?, &call.caller)
}

/// The days as a caller sees them, the last one set first.
pub(super) fn shown(history: Vec<answering::AnsweringDay>, caller: &Caller) -> Result<AnsweringDay, Error> {
    let mut days = history.into_iter().map(|day| AnsweringDay {
        day: Some(wire::to_date(day.day)),
        reason: day.reason,
        set_at: Some(wire::to_timestamp(day.set.at)),
        set_by: Some(day.set.by).filter(|_| caller.is_official()).unwrap_or_default(),
        etag: day.number.to_string(),
        previous: Vec::new(),
    });
    let last = days.next();
    let last = last.ok_or_else(|| anyhow::anyhow!("the schedule is whole, and no day says from when it is kept"))?;
    Ok(AnsweringDay {
        previous: days.collect(),
        ..last
    })
}
