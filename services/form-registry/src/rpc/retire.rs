//! RetireCodes, RetireIndicators and RetireDetails: one act on three registers.

use std::collections::HashMap;

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{RegisterChange, RetireCodesRequest, RetireDetailsRequest, RetireIndicatorsRequest};
use sqlx::PgConnection;

use super::{FormRegistry, door, registering, registering::Retiring};
use crate::db::{
    code_list,
    indicator::{self, Filter, Owner},
};

/// Where codes end.
enum Register {
    CodeList(String),
    Form(i32),
    Document(String),
}

pub(super) async fn retire_codes(
    registry: &FormRegistry,
    call: Call,
    request: RetireCodesRequest,
) -> Result<RegisterChange, Error> {
    let mut violations = Violations::new();
    let register = registering::list(&mut violations, "parent", &request.parent).map(Register::CodeList);
    let (last_day, basis) = (request.last_day.as_ref(), request.legal_basis.clone());
    let retiring = Retiring::read(&mut violations, &request.codes, last_day, basis);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (register, retiring) = violations.sound(register.zip(retiring))?;
    let mutation = Mutation::of(&call, &request.parent, request_id, request.validate_only, &request);
    retire(registry, mutation, request.parent, register, retiring).await
}

pub(super) async fn retire_indicators(
    registry: &FormRegistry,
    call: Call,
    request: RetireIndicatorsRequest,
) -> Result<RegisterChange, Error> {
    let mut violations = Violations::new();
    let register = door::form(&mut violations, "parent", &request.parent).map(Register::Form);
    let (last_day, basis) = (request.last_day.as_ref(), request.legal_basis.clone());
    let retiring = Retiring::read(&mut violations, &request.codes, last_day, basis);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (register, retiring) = violations.sound(register.zip(retiring))?;
    let mutation = Mutation::of(&call, &request.parent, request_id, request.validate_only, &request);
    retire(registry, mutation, request.parent, register, retiring).await
}

pub(super) async fn retire_details(
    registry: &FormRegistry,
    call: Call,
    request: RetireDetailsRequest,
) -> Result<RegisterChange, Error> {
    let mut violations = Violations::new();
    let register = registering::document(&mut violations, "parent", &request.parent).map(Register::Document);
    let (last_day, basis) = (request.last_day.as_ref(), request.legal_basis.clone());
    let retiring = Retiring::read(&mut violations, &request.codes, last_day, basis);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (register, retiring) = violations.sound(register.zip(retiring))?;
    let mutation = Mutation::of(&call, &request.parent, request_id, request.validate_only, &request);
    retire(registry, mutation, request.parent, register, retiring).await
}

async fn retire(
    registry: &FormRegistry,
    mutation: Mutation,
    parent: String,
    register: Register,
    retiring: Retiring,
) -> Result<RegisterChange, Error> {
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            let change = match &register {
                Register::CodeList(list) => end_codes(write.connection(), list, &retiring).await?,
                Register::Form(form) => {
                    door::require_registered(write.connection(), Some(*form)).await?;
                    end_indicators(write.connection(), Owner::Form(*form), &retiring).await?
                }
                Register::Document(document) => {
                    let owner = registering::owner_of_details(write.connection(), document).await?;
                    end_indicators(write.connection(), owner, &retiring).await?
                }
            };
            let kinds = match register {
                Register::CodeList(_) => ["codes.retired", "codes.retiring_repeated"],
                Register::Form(_) => ["indicators.retired", "indicators.retiring_repeated"],
                Register::Document(_) => ["details.retired", "details.retiring_repeated"],
            };
            if change.retired == 0 {
                return Ok(Outcome::repeated(&parent, kinds[1], change));
            }
            Ok(Outcome::of(&parent, kinds[0], change))
        })
    })
    .await
}

async fn end_codes(connection: &mut PgConnection, list: &str, retiring: &Retiring) -> Result<RegisterChange, Error> {
    let number = registering::list_number(connection, list).await?;
    code_list::lock(connection, number).await?;
    let last = code_list::last(connection, number).await?;
    let last: HashMap<_, _> = last
        .into_iter()
        .map(|(code, version)| (code, version.validity))
        .collect();
    let (ends, change) = retiring.ends(&last)?;
    code_list::end(connection, number, &ends).await?;
    Ok(change)
}

async fn end_indicators(
    connection: &mut PgConnection,
    owner: Owner,
    retiring: &Retiring,
) -> Result<RegisterChange, Error> {
    indicator::lock(connection, owner).await?;
    let last_only = Filter {
        last: true,
        ..Filter::default()
    };
    let last = indicator::list(connection, owner, &last_only, None).await?;
    let last: HashMap<_, _> = last
        .into_iter()
        .map(|(code, version)| (code, version.validity))
        .collect();
    let (ends, change) = retiring.ends(&last)?;
    indicator::end(connection, owner, &ends).await?;
    Ok(change)
}
