//! CreateCodeList.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::{
    common::v1::ErrorReason,
    forms::v1::{CodeList as Shown, CreateCodeListRequest},
};
use tonic::Code;

use super::{FormRegistry, convert_registers::to_list, faults, registering};
use crate::{
    db,
    domain::{faults::Faults, indicator::CodeList},
};

pub(super) async fn create_code_list(
    registry: &FormRegistry,
    call: Call,
    request: CreateCodeListRequest,
) -> Result<Shown, Error> {
    let mut violations = Violations::new();
    let given = request.code_list.clone();
    if given.is_none() {
        violations.add("code_list", FieldReason::Required, "required");
    }
    let given = given.unwrap_or_default();
    let id = registering::list(&mut violations, "code_list.name", &given.name);
    let request_id = violations.request_id("request_id", &request.request_id);
    let id = violations.sound(id)?;
    let mut found = Faults::default();
    let list = CodeList {
        title: registering::title(&mut found, 1, given.title),
        legal_basis: registering::basis(&mut found, 1, given.legal_basis),
        id,
    };
    faults::refuse("code_list", found)?;
    let mutation = Mutation::of(&call, &given.name, request_id, request.validate_only, &request);
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            let name = format!("codeLists/{}", list.id);
            if !db::code_list::insert(write.connection(), &list).await? {
                let message = format!("there is a list {name} already");
                return Err(Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message).into());
            }
            Ok(Outcome::of(&name, "code-list.created", to_list(list)))
        })
    })
    .await
}
