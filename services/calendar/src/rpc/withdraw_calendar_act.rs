//! WithdrawCalendarAct.

use std::sync::Arc;

use legalstat_kit::{
    Call, Error, Refusal, Violations,
    write::{self, Mutation, Outcome, Write},
};
use legalstat_proto::calendar::v1::{CalendarActEffect, WithdrawCalendarActRequest};
use tonic::Request;

use super::{
    CalendarRpc, act,
    create_calendar_act::{effect, lock},
};
use crate::{db, domain::Calendars};

impl CalendarRpc {
    pub(super) async fn withdraw_act(
        &self,
        request: Request<WithdrawCalendarActRequest>,
    ) -> Result<CalendarActEffect, Error> {
        let call = Call::of(&request);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = act::id(&mut violations, "name", &request.name);
        let request_id = violations.request_id("request_id", &request.request_id);
        violations.refuse().map_err(|refusal| refusal.about(&request.name))?;
        let id = id.ok_or_else(|| anyhow::anyhow!("a name without violations has an id"))?;

        let mutation = Mutation::of(&call, &request.name, request_id, request.validate_only, &request);
        let calendars = Arc::clone(&self.calendars);
        write::carry_out(&self.context, mutation, |write| {
            Box::pin(async move {
                let (after, effect) = withdraw(write, &id).await?;
                let outcome = Outcome::of(&act::name(&id), "calendar-act.withdrawn", effect);
                Ok(outcome.once_committed(move || calendars.install(after)))
            })
        })
        .await
    }
}

async fn withdraw(write: &mut Write, id: &str) -> Result<(Calendars, CalendarActEffect), Error> {
    let before = lock(write).await?;
    let now = write.now();
    if before.rules().act(id).is_err() {
        return Err(Refusal::not_found(&act::name(id)).into());
    }
    let after = Calendars::new(before.rules().withdrawn(id, now)?);
    db::act::withdraw(write.connection(), id, now).await?;
    let effect = effect(&*before.as_known_at(now)?, &*after.as_known_at(now)?, after.rules(), id)?;
    Ok((after, effect))
}
