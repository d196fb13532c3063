//! CreateCalendarAct.

use legalstat_kit::{
    Call, Error, Refusal, Violations,
    write::{self, Begun, Mutation, Write},
};
use legalstat_proto::{
    calendar::v1::{CalendarActEffect, CreateCalendarActRequest},
    common::v1::ErrorReason,
};
use tonic::{Code, Request};

use super::{CalendarRpc, act, read_act};
use crate::{
    db,
    domain::{Amendment, Calendars, RuleSet, changed_days},
};

const FIELD: &str = "calendar_act";

impl CalendarRpc {
    pub(super) async fn create_act(
        &self,
        request: Request<CreateCalendarActRequest>,
    ) -> Result<CalendarActEffect, Error> {
        let call = Call::of(&request);
        let request = request.into_inner();
        let mut violations = Violations::new();
        if request.calendar_act.is_none() {
            violations.add(FIELD, "REQUIRED", "required");
        }
        let given = request.calendar_act.clone().unwrap_or_default();
        let amendment = match &request.calendar_act {
            Some(given) => read_act::read_named(&mut violations, FIELD, given, self.calendars.load().rules()),
            None => None,
        };
        let request_id = violations.request_id("request_id", &request.request_id);
        violations.refuse().map_err(|refusal| refusal.resource(&given.name))?;
        let amendment = amendment.ok_or_else(|| anyhow::anyhow!("an act without violations can be read"))?;

        let mutation = Mutation::of(&call, request_id, request.validate_only, &request);
        let mut write = match write::begin::<CalendarActEffect>(&self.context, &mutation).await? {
            Begun::Replayed(answer) => return Ok(answer),
            Begun::Claimed(write) => write,
        };
        let (after, effect) = record(&mut write, amendment).await?;
        let effect = write.commit(&given.name, "calendar-act.created", effect).await?;
        if !request.validate_only {
            self.calendars.install(after);
        }
        Ok(effect)
    }
}

/// Records the act, and gives the calendars that follow from it with what the caller is told.
async fn record(write: &mut Write, amendment: Amendment) -> Result<(Calendars, CalendarActEffect), Error> {
    let (now, id) = (write.now(), amendment.act().id.clone());
    let connection = write.connection();
    db::act::lock(connection).await?;
    let before = Calendars::new(db::rule_set::all(connection).await?);
    check(&amendment, before.rules(), now, FIELD)?;

    let addition = amendment.recorded(before.rules(), now);
    for act in &addition.acts {
        db::act::insert(connection, act, now).await?;
    }
    db::rule_set::insert(connection, &addition).await?;
    let after = Calendars::new(before.rules().with(addition));
    let effect = effect(&before, &after, now, &id)?;
    Ok((after, effect))
}

/// What the change from one state of the acts to another does to one of them and to the days as known at an instant.
pub(super) fn effect(
    before: &Calendars,
    after: &Calendars,
    at: jiff::Timestamp,
    id: &str,
) -> Result<CalendarActEffect, Error> {
    let (old, new) = (before.as_known_at(at)?, after.as_known_at(at)?);
    let changed = changed_days(&old, &new)?;
    Ok(CalendarActEffect {
        calendar_act: Some(act::write(after.rules(), after.rules().act(id)?)),
        changed_days: changed.iter().map(act::changed_day).collect(),
        calendar_version: new.version().to_string(),
    })
}

/// Refuses an act whose name is taken, or that contradicts itself or what is known at an instant; `field` holds the act.
pub(super) fn check(amendment: &Amendment, rules: &RuleSet, at: jiff::Timestamp, field: &str) -> Result<(), Error> {
    let name = act::name(&amendment.act().id);
    if rules.act(&amendment.act().id).is_ok() {
        let message = format!("there is already an act {name}");
        return Err(Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message)
            .resource(&name)
            .into());
    }
    let mut violations = Violations::new();
    for (place, contradiction) in amendment.contradictions(rules, at)? {
        violations.add(act::path(field, place), "CONTRADICTION", contradiction.to_string());
    }
    let contradicts = |mut refusal: Refusal| {
        refusal.reason = ErrorReason::ActContradicts;
        refusal.resource(&name)
    };
    Ok(violations.refuse().map_err(contradicts)?)
}
