//! RetireForm.

use jiff::civil::Date;
use legalstat_kit::{Call, Error, FieldReason, Violations, write::Mutation};
use legalstat_proto::forms::v1::{Form, RetireFormRequest};

use super::{FormRegistry, door, read_form, revising};
use crate::domain::{history::History, key, revised::Recorded};

pub(super) async fn retire_form(
    registry: &FormRegistry,
    call: Call,
    request: RetireFormRequest,
) -> Result<Form, Error> {
    let mut violations = Violations::new();
    let number = door::form(&mut violations, "name", &request.name);
    let last = read_form::day(&mut violations, "last_day", request.last_day.as_ref());
    let basis = read_form::legal_basis(&mut violations, "legal_basis", request.legal_basis.as_ref());
    let reason = violations.text("reason", &request.reason, read_form::REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let read = number.zip(last).zip(basis);
    let ((number, last), basis) = violations.sound(read)?;

    let mutation = Mutation::of(&call, &key::form(number), request_id, request.validate_only, &request);
    let revision = revising::Revision {
        number,
        etag: request.etag,
        reason,
        shown: Some(last),
        events: ("form.retired", "form.retirement_repeated"),
        decide: move |history: &History, _: Date, recorded: &Recorded| {
            let decided = history.retire(last, &basis, recorded);
            decided.map_err(|unfit| Violations::one("last_day", FieldReason::OutOfRange, &unfit.to_string()))
        },
    };
    revising::revise(registry, mutation, revision).await
}
