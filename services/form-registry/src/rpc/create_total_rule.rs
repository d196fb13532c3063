//! CreateTotalRule.

use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{CreateTotalRuleRequest, TotalRule as Shown};
use sqlx::PgConnection;

use super::{FormRegistry, convert_registers::to_rule, door, faults, registering};
use crate::{
    db::{
        code_list,
        indicator::{self, Filter, Owner},
        total_rule::{self, TotalRule},
    },
    domain::{
        faults::Faults,
        indicator::{KATO, TERRITORY},
        key,
    },
};

pub(super) async fn create_total_rule(
    registry: &FormRegistry,
    call: Call,
    request: CreateTotalRuleRequest,
) -> Result<Shown, Error> {
    let mut violations = Violations::new();
    let form = door::form(&mut violations, "parent", &request.parent);
    if request.total_rule.is_none() {
        violations.add("total_rule", FieldReason::Required, "required");
    }
    let given = request.total_rule.clone().unwrap_or_default();
    let request_id = violations.request_id("request_id", &request.request_id);
    let dimension = violations.name("total_rule.dimension", &given.dimension, 40);
    let total = violations.name("total_rule.total", &given.total, 40);
    let form = violations.sound(form)?;
    let mut found = Faults::default();
    let rule = TotalRule {
        dimension,
        total,
        validity: registering::validity(&mut found, 1, given.valid_from.as_ref(), given.valid_to.as_ref()),
        legal_basis: registering::basis(&mut found, 1, given.legal_basis),
    };
    faults::refuse("total_rule", found)?;
    let mutation = Mutation::of(&call, &request.parent, request_id, request.validate_only, &request);
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            let (by, connection) = (call.done(write.now()), write.connection());
            door::require_registered(connection, Some(form)).await?;
            let total = number_of_total(connection, form, &rule).await?;
            let parent = key::form(form);
            let stored = total_rule::insert(connection, form, &rule, total, &by).await?;
            let answer = to_rule(rule);
            Ok(match stored {
                true => Outcome::of(&parent, "total-rule.created", answer),
                false => Outcome::repeated(&parent, "total-rule.creation_repeated", answer),
            })
        })
    })
    .await
}

/// The number of a rule's total, which has parts on the rule's first day.
async fn number_of_total(connection: &mut PgConnection, form: i32, rule: &TotalRule) -> Result<i32, Error> {
    let mut violations = Violations::new();
    let list = if rule.dimension == TERRITORY {
        Some(KATO.to_owned())
    } else {
        list_of(connection, form, &rule.dimension).await?
    };
    let Some(list) = list else {
        let message = "no indicator of the form is broken down by it";
        violations.add("total_rule.dimension", FieldReason::Unknown, message);
        return violations.sound(None);
    };
    let number = code_list::number(connection, &list, &rule.total).await?;
    let parts = match number {
        Some(number) => code_list::parts(connection, &[number], rule.validity.from).await?,
        None => Default::default(),
    };
    if parts.is_empty() {
        let message = format!("codeLists/{list} has no such code with parts on that day");
        violations.add("total_rule.total", FieldReason::Unknown, message);
    }
    violations.sound(number)
}

async fn list_of(connection: &mut PgConnection, form: i32, dimension: &str) -> Result<Option<String>, Error> {
    let indicators = indicator::list(connection, Owner::Form(form), &Filter::default(), None).await?;
    let mut dimensions = indicators.into_iter().flat_map(|(_, version)| version.facts.dimensions);
    Ok(dimensions
        .find(|candidate| candidate.id == dimension)
        .map(|found| found.code_list))
}
