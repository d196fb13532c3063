//! CreateForm.

use std::collections::HashSet;

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    due::{Terms, plan::Source},
    write::{self, Change, Mutation, Outcome},
    zone,
};
use legalstat_proto::{
    common::v1::ErrorReason,
    forms::v1::{CreateFormRequest, Form as Shown},
};
use tonic::Code;

use super::{FormRegistry, convert, read_form};
use crate::{
    db,
    domain::{
        form::Form,
        history::{History, Kind, Recording},
        key,
    },
};

pub(super) async fn create_form(
    registry: &FormRegistry,
    call: Call,
    request: CreateFormRequest,
) -> Result<Shown, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let form = match &request.form {
        Some(given) => read_form::new(&mut violations, given),
        None => {
            violations.add("form", FieldReason::Required, "required");
            None
        }
    };
    let reason = violations.text("reason", &request.reason, read_form::REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let form = violations.sound(form)?;

    let name = key::form(form.list_number);
    let mutation = Mutation::of(&call, &name, request_id, request.validate_only, &request);
    let (schedule, terms) = (registry.schedule.clone(), Terms::new(vec![form.duty.clone()]));
    // Asked before the transaction begins. A call that was answered before is answered again all the same.
    let planned = schedule.plan(&Terms::default(), &terms).await;
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            if !db::form::register(write.connection(), &form).await? {
                return Err(taken(&form).into());
            }
            let plan = planned?;
            let first = Recording {
                number: 1,
                kind: Kind::Created,
                form,
                reason,
                recorded: call.done(write.now()),
            };
            if !db::form::record(write.connection(), &first).await? {
                return Err(Refusal::changed(&name).into());
            }
            let source = Source {
                version: key::form_version(first.form.list_number, first.number),
                reason: first.reason.clone(),
            };
            let followed = plan.carry_out(write, &name, &terms, &source, &HashSet::new()).await?;
            let today = zone::civil_day(write.now());
            let history = History::new(vec![first]).ok_or_else(|| anyhow::anyhow!("one recording is none"))?;
            let answer = convert::to_form(&history, history.shown_on(today));
            let changes = std::iter::once(Change::of(&name, "form.created")).chain(followed);
            Ok(Outcome::each(changes.collect(), answer))
        })
    })
    .await
}

fn taken(form: &Form) -> Refusal {
    let name = key::form(form.list_number);
    let message = format!("there is already a {name}; a number is never given to another form");
    Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message).about(&name)
}
