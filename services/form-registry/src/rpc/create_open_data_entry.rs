//! CreateOpenDataEntry.

use legalstat_kit::{
    Call, Error, Refusal, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::{
    common::v1::ErrorReason,
    forms::v1::{CreateOpenDataEntryRequest, OpenDataEntry},
};
use tonic::Code;

use super::{FormRegistry, convert, door, read_form};
use crate::{
    db,
    domain::open_data::{Entry, EntryKey},
};

pub(super) async fn create_open_data_entry(
    registry: &FormRegistry,
    call: Call,
    request: CreateOpenDataEntryRequest,
) -> Result<OpenDataEntry, Error> {
    let mut violations = Violations::new();
    let form = door::form(&mut violations, "parent", &request.parent);
    let valid_from = read_form::day(&mut violations, "valid_from", request.valid_from.as_ref());
    let legal_basis = read_form::legal_basis(&mut violations, "legal_basis", request.legal_basis.as_ref());
    let request_id = violations.request_id("request_id", &request.request_id);
    let read = form.zip(valid_from).zip(legal_basis);
    let ((form, valid_from), legal_basis) = violations.sound(read)?;

    let key = EntryKey { form, valid_from };
    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            door::require_registered(write.connection(), Some(form)).await?;
            let entry = Entry {
                key,
                valid_to: None,
                legal_basis,
                end_reason: String::new(),
            };
            if !db::open_data::insert(write.connection(), &entry).await? {
                let message =
                    format!("forms/{form} is on the approved list of open data already, on {valid_from} or later");
                return Err(Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message).into());
            }
            let answer = convert::to_open_data_entry(entry);
            Ok(Outcome::of(&key, "open-data-entry.created", answer))
        })
    })
    .await
}
