//! What UpdateForm and RetireForm share: recordings that follow those there are, and a schedule that follows the terms.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    Error, Refusal,
    due::{
        plan::{Plan, Source},
        scheduled,
    },
    write::{self, Change, Mutation, Outcome},
    zone,
};
use legalstat_proto::forms::v1::Form;

use super::{FormRegistry, convert};
use crate::{
    db,
    domain::{
        history::{History, Recording},
        key,
        revised::Recorded,
    },
};

/// What is asked of a form.
pub(super) struct Revision<D> {
    pub number: i32,
    /// The etag to check; empty for none.
    pub etag: String,
    pub reason: String,
    /// The day whose version is answered; the day of the call when there is none.
    pub shown: Option<Date>,
    /// The event, and that of a call that changes nothing.
    pub events: (&'static str, &'static str),
    /// What is to be recorded after the history; today is the day of the call.
    pub decide: D,
}

/// Records what is decided, unless the form is another than the caller has seen, and has the schedule follow.
pub(super) async fn revise<D>(registry: &FormRegistry, mutation: Mutation, revision: Revision<D>) -> Result<Form, Error>
where
    D: Fn(&History, Date, &Recorded) -> Result<Vec<Recording>, Refusal> + Send + Sync + 'static,
{
    // Decided and asked of the calendar before the transaction begins, and decided again within. A call that was answered
    // before is answered again, whatever would be said of it now.
    let planned = plan(registry, &mutation, &revision).await;
    let (schedule, call) = (registry.schedule.clone(), mutation.call.clone());
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, name) = (write.now(), key::form(revision.number));
            let history = require(db::form::history(write.connection(), revision.number).await?, &name)?;
            if !revision.etag.is_empty() && revision.etag != convert::etag(&history) {
                return Err(Refusal::changed(&name).into());
            }
            let recorded = Recorded {
                reason: revision.reason.clone(),
                done: call.done(now),
            };
            let today = zone::civil_day(now);
            let recordings = (revision.decide)(&history, today, &recorded)?;
            let shown = revision.shown.unwrap_or(today);
            if recordings.is_empty() {
                let answer = convert::to_form(&history, history.shown_on(shown));
                return Ok(Outcome::repeated(&name, revision.events.1, answer));
            }
            let planned = planned?;
            if planned.number != history.last().number {
                return Err(Refusal::changed(&name).into());
            }
            for recording in &recordings {
                if !db::form::record(write.connection(), recording).await? {
                    return Err(Refusal::changed(&name).into());
                }
            }
            let after = history.with(&recordings);
            let source = Source {
                version: key::form_version(revision.number, after.last().number),
                reason: revision.reason,
            };
            // Whoever begins an edition meanwhile is waited for, or waits.
            scheduled::lock_all(write.connection(), &name).await?;
            let kept = db::edition::periods_begun(write.connection(), revision.number).await?;
            let followed = planned
                .plan
                .carry_out(write, &name, &after.terms(), &source, &kept)
                .await?;
            let answer = convert::to_form(&after, after.shown_on(shown));
            let changes = std::iter::once(Change::of(&name, revision.events.0)).chain(followed);
            Ok(Outcome::each(changes.collect(), answer))
        })
    })
    .await
}

/// What the calendar says of the terms that would follow the recording of this number.
struct Planned {
    number: i32,
    plan: Plan,
}

async fn plan<D>(registry: &FormRegistry, mutation: &Mutation, revision: &Revision<D>) -> Result<Planned, Error>
where
    D: Fn(&History, Date, &Recorded) -> Result<Vec<Recording>, Refusal>,
{
    let now: Timestamp = registry.context.now();
    let name = key::form(revision.number);
    let found = db::form::history(&mut *registry.context.db.connection().await?, revision.number).await?;
    let history = require(found, &name)?;
    let recorded = Recorded {
        reason: revision.reason.clone(),
        done: mutation.call.done(now),
    };
    let recordings = (revision.decide)(&history, zone::civil_day(now), &recorded)?;
    let after = history.with(&recordings);
    Ok(Planned {
        number: history.last().number,
        plan: registry.schedule.plan(&history.terms(), &after.terms()).await?,
    })
}

fn require(found: Option<History>, name: &str) -> Result<History, Refusal> {
    found.ok_or_else(|| Refusal::not_found(name))
}
