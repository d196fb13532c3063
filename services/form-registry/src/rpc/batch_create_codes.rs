//! BatchCreateCodes.

use std::collections::HashMap;

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{BatchCreateCodesRequest, RegisterChange};

use super::{FormRegistry, faults, registering};
use crate::{
    db::code_list,
    domain::{
        dated::{self, Dated},
        faults::{Fault, Faults, Kind},
        indicator::{self, Code, CodeFacts},
    },
};

/// How many codes one call enters.
const MOST: usize = 20_000;

pub(super) async fn batch_create_codes(
    registry: &FormRegistry,
    call: Call,
    mut request: BatchCreateCodesRequest,
) -> Result<RegisterChange, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &request);
    let list = registering::list(&mut violations, "parent", &request.parent);
    violations.count("codes", request.codes.len(), MOST);
    let request_id = violations.request_id("request_id", &request.request_id);
    let list = violations.sound(list)?;
    let parent = request.parent.clone();
    let mutation = Mutation::of(&call, &parent, request_id, request.validate_only, &request);
    let mut found = Faults::default();
    let codes = registering::codes(&mut found, std::mem::take(&mut request.codes));
    faults::refuse("codes", found)?;
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            let (by, connection) = (call.done(write.now()), write.connection());
            let number = registering::list_number(connection, &list).await?;
            code_list::lock(connection, number).await?;
            let last = code_list::last(connection, number).await?;
            let mut found = Faults::default();
            require_parents(&codes, &last, &mut found);
            let batch = dated::enter(codes, &last, &mut found);
            faults::refuse("codes", found)?;
            let change = registering::change(&batch);
            if batch.add.is_empty() {
                return Ok(Outcome::repeated(&parent, "codes.entering_repeated", change));
            }
            code_list::end(connection, number, &batch.ends).await?;
            code_list::add(connection, number, &batch.add, &by).await?;
            Ok(Outcome::of(&parent, "codes.entered", change))
        })
    })
    .await
}

/// A parent is a code of the list or of the batch, and no code is a part of itself.
fn require_parents(codes: &[Code], last: &HashMap<String, Dated<CodeFacts>>, found: &mut Faults) {
    let mut parents: HashMap<&str, &str> = HashMap::new();
    for (code, version) in last {
        if let Some(parent) = &version.facts.parent {
            parents.insert(code, parent);
        }
    }
    for (code, version) in codes {
        match &version.facts.parent {
            Some(parent) => parents.insert(code, parent),
            None => parents.remove(code.as_str()),
        };
    }
    let given: HashMap<&str, i64> = codes.iter().map(|(code, _)| code.as_str()).zip(1..).collect();
    for (row, (_, version)) in (1..).zip(codes) {
        let parent = version.facts.parent.as_ref();
        if let Some(parent) =
            parent.filter(|parent| !last.contains_key(*parent) && !given.contains_key(parent.as_str()))
        {
            found.add(|| Fault::new(row, "parent", Kind::Unknown, parent));
        }
    }
    if let Some(code) = indicator::circle(&parents) {
        let row = given.get(code).copied().unwrap_or(1);
        found.add(|| Fault::new(row, "parent", Kind::Contradiction, code));
    }
}
