//! CreateCalendarAct.

use std::sync::Arc;

use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    write::{self, Mutation, Outcome, Write},
};
use legalstat_proto::{
    calendar::v1::{CalendarActEffect, CreateCalendarActRequest},
    common::v1::ErrorReason,
};
use tonic::{Code, Request};

use super::{CalendarRpc, act, read_act};
use crate::{
    current::CurrentCalendars,
    db,
    domain::{Amendment, Calendar, Calendars, RuleSet, changed_days},
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
            violations.add(FIELD, FieldReason::Required, "required");
        }
        let given = request.calendar_act.clone().unwrap_or_default();
        let amendment = match &request.calendar_act {
            Some(given) => read_act::read_named(&mut violations, FIELD, given, self.calendars.load().rules()),
            None => None,
        };
        let request_id = violations.request_id("request_id", &request.request_id);
        violations.set_by_service(call.method, &request);
        violations.refuse().map_err(|refusal| refusal.about(&given.name))?;
        let amendment = amendment.ok_or_else(|| anyhow::anyhow!("an act without violations can be read"))?;

        let mutation = Mutation::of(&call, &given.name, request_id, request.validate_only, &request);
        let calendars = Arc::clone(&self.calendars);
        write::carry_out(&self.context, mutation, |write| {
            Box::pin(async move { create(write, amendment, given.name, calendars).await })
        })
        .await
    }
}

async fn create(
    write: &mut Write,
    amendment: Amendment,
    name: String,
    calendars: Arc<CurrentCalendars>,
) -> Result<Outcome<CalendarActEffect>, Error> {
    let id = amendment.act().id.clone();
    let known = lock(write).await?;
    if stands(&amendment, known.rules(), write.now()) {
        let now = known.as_known_at(write.now())?;
        let effect = effect(&now, &now, known.rules(), &id)?;
        return Ok(Outcome::repeated(&name, "calendar-act.repeated", effect));
    }
    let after = record(write, amendment, known.rules()).await?;
    let now = write.now();
    let effect = effect(&*known.as_known_at(now)?, &*after.as_known_at(now)?, after.rules(), &id)?;
    Ok(Outcome::of(&name, "calendar-act.created", effect).once_committed(move || calendars.install(after)))
}

/// Makes other recordings wait, reads all that is recorded, and moves the write behind it: whatever clock recorded what is
/// known, an act becomes known after it.
pub(super) async fn lock(write: &mut Write) -> Result<Calendars, Error> {
    let connection = write.connection();
    db::act::lock(connection).await?;
    let calendars = Calendars::new(db::rule_set::all(connection).await?);
    write.not_before(calendars.rules().next_change(write.now()));
    Ok(calendars)
}

/// Whether the act is recorded already, word for word, and stood at an instant: then recording it changes nothing.
pub(super) fn stands(amendment: &Amendment, rules: &RuleSet, at: Timestamp) -> bool {
    let Ok(recorded) = rules.act(&amendment.act().id) else {
        return false;
    };
    let written = act::write(rules, recorded);
    let mut given = act::write(&amendment.clone().recorded(rules, at), amendment.act());
    given.known_from = written.known_from;
    given.recorded_at = written.recorded_at;
    given.sequence = written.sequence;
    given == written && recorded.known_from.is_none_or(|known| known <= at)
}

/// Records the act, and gives the calendars that follow from it.
async fn record(write: &mut Write, amendment: Amendment, rules: &RuleSet) -> Result<Calendars, Error> {
    let now = write.now();
    check(&amendment, rules, now, FIELD)?;
    let addition = amendment.recorded(rules, now);
    let connection = write.connection();
    for act in &addition.acts {
        db::act::insert(connection, act, now).await?;
    }
    db::rule_set::insert(connection, &addition).await?;
    Ok(Calendars::new(rules.with(addition)))
}

/// What the change from one state of the calendar to another does to days and to one of the acts.
pub(super) fn effect(
    before: &Calendar,
    after: &Calendar,
    rules: &RuleSet,
    id: &str,
) -> Result<CalendarActEffect, Error> {
    let changed = changed_days(before, after)?;
    Ok(CalendarActEffect {
        calendar_act: Some(act::write(rules, rules.act(id)?)),
        changed_days: changed.iter().map(act::changed_day).collect(),
        calendar_version: after.version().to_string(),
    })
}

/// Refuses an act whose name is taken, or that contradicts itself or what is known at an instant; `field` holds the act.
pub(super) fn check(amendment: &Amendment, rules: &RuleSet, at: Timestamp, field: &str) -> Result<(), Error> {
    let name = act::name(&amendment.act().id);
    if let Ok(earlier) = rules.act(&amendment.act().id) {
        let fate = if earlier.withdrawn_at.is_some() {
            ", which was withdrawn; record it under another name"
        } else {
            ""
        };
        let message = format!("there is already an act {name}{fate}");
        return Err(Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message)
            .about(&name)
            .into());
    }
    let mut violations = Violations::new();
    for (place, contradiction) in amendment.contradictions(rules, at)? {
        violations.add(
            act::path(field, place),
            FieldReason::Contradiction,
            contradiction.to_string(),
        );
    }
    let contradicts = |mut refusal: Refusal| {
        refusal.reason = ErrorReason::ActContradicts;
        refusal.about(&name)
    };
    Ok(violations.refuse().map_err(contradicts)?)
}
