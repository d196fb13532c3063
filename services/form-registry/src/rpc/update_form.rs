//! UpdateForm.

use jiff::civil::Date;
use legalstat_kit::{Call, Error, FieldReason, Refusal, Violations, write::Mutation};
use legalstat_proto::forms::v1::{Form, UpdateFormRequest};

use super::{FormRegistry, door, read_form, revising};
use crate::domain::{
    history::{History, Recording},
    key,
    revised::{Edit, Recorded, Unfit},
};

pub(super) async fn update_form(
    registry: &FormRegistry,
    call: Call,
    request: UpdateFormRequest,
) -> Result<Form, Error> {
    let mut violations = Violations::new();
    let given = request.form.clone().unwrap_or_default();
    let number = door::form(&mut violations, "form.name", &given.name);
    let mask = request
        .update_mask
        .as_ref()
        .map(|mask| &mask.paths[..])
        .unwrap_or_default();
    let edit = read_form::edit(&mut violations, &given, mask);
    let from = read_form::optional_day(&mut violations, "effective_from", request.effective_from.as_ref());
    if request.effective_from.is_none() && edit.changes_terms() {
        let description = "required: only texts are corrected without a day, other terms hold from one on";
        violations.add("effective_from", FieldReason::Required, description);
    }
    let reason = violations.text("reason", &request.reason, read_form::REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let number = violations.sound(number)?;

    let mutation = Mutation::of(&call, &key::form(number), request_id, request.validate_only, &request);
    let revision = revising::Revision {
        number,
        etag: given.etag,
        reason,
        shown: from,
        events: match from {
            Some(_) => ("form.updated", "form.update_repeated"),
            None => ("form.corrected", "form.correction_repeated"),
        },
        decide: move |history: &History, today: Date, recorded: &Recorded| {
            decide(history, &edit, from, today, recorded)
        },
    };
    revising::revise(registry, mutation, revision).await
}

fn decide(
    history: &History,
    edit: &Edit,
    from: Option<Date>,
    today: Date,
    recorded: &Recorded,
) -> Result<Vec<Recording>, Refusal> {
    let decided = match from {
        Some(from) => history.update(edit, from, recorded),
        None => history.correct(edit, today, recorded),
    };
    decided.map_err(|unfit| match unfit {
        Unfit::NotInForce { .. } => Violations::one("effective_from", FieldReason::OutOfRange, &unfit.to_string()),
        Unfit::NoTitle => Violations::one("form.title", FieldReason::Required, &unfit.to_string()),
    })
}
