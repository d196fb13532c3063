//! BatchCreateIndicators.

use std::collections::HashMap;

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome, Write},
};
use legalstat_proto::forms::v1::{BatchCreateIndicatorsRequest, RegisterChange};
use sqlx::PgConnection;

use super::{FormRegistry, door, faults, registering};
use crate::{
    db::{
        code_list,
        indicator::{self, Filter, Owner},
    },
    domain::{
        dated,
        faults::{Fault, Faults, Kind},
        indicator::{Dimension, Indicator, UNIT},
        key,
    },
};

/// How many indicators or details one call enters.
pub(super) const MOST: usize = 5000;

pub(super) async fn batch_create_indicators(
    registry: &FormRegistry,
    call: Call,
    mut request: BatchCreateIndicatorsRequest,
) -> Result<RegisterChange, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &request);
    let form = door::form(&mut violations, "parent", &request.parent);
    violations.count("indicators", request.indicators.len(), MOST);
    let request_id = violations.request_id("request_id", &request.request_id);
    let form = violations.sound(form)?;
    let mutation = Mutation::of(&call, &request.parent, request_id, request.validate_only, &request);
    let mut found = Faults::default();
    let given = registering::indicators(&mut found, std::mem::take(&mut request.indicators));
    faults::refuse("indicators", found)?;
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            door::require_registered(write.connection(), Some(form)).await?;
            let (owner, parent) = (Owner::Form(form), key::form(form));
            let change = enter(write, &call, owner, "indicators", given).await?;
            if change.created + change.replaced == 0 {
                return Ok(Outcome::repeated(&parent, "indicators.entering_repeated", change));
            }
            Ok(Outcome::of(&parent, "indicators.entered", change))
        })
    })
    .await
}

/// Enters indicators or details.
///
/// # Errors
/// The faults of all that cannot be entered.
pub(super) async fn enter(
    write: &mut Write,
    call: &Call,
    owner: Owner,
    field: &str,
    given: Vec<Indicator>,
) -> Result<RegisterChange, Error> {
    let (by, connection) = (call.done(write.now()), write.connection());
    indicator::lock(connection, owner).await?;
    let last_only = Filter {
        last: true,
        ..Filter::default()
    };
    let last: HashMap<_, _> = indicator::list(connection, owner, &last_only, None)
        .await?
        .into_iter()
        .collect();
    let mut found = Faults::default();
    require_known(connection, &given, &mut found).await?;
    require_one_list_for_each(&given, &last, &mut found);
    let batch = dated::enter(given, &last, &mut found);
    faults::refuse(field, found)?;
    indicator::end(connection, owner, &batch.ends).await?;
    indicator::add(connection, owner, &batch.add, &by).await?;
    Ok(registering::change(&batch))
}

/// Units hold on the first day, and the lists of dimensions are there.
async fn require_known(connection: &mut PgConnection, given: &[Indicator], found: &mut Faults) -> Result<(), Error> {
    let lists = code_list::numbers(connection).await?;
    let units = code_list::validities(connection, UNIT).await?;
    for (row, (_, version)) in (1..).zip(given) {
        let unit = &version.facts.unit;
        let holds = |unit: &dated::Validity| unit.holds_on(version.validity.from);
        if !units.get(unit).is_some_and(|versions| versions.iter().any(holds)) {
            found.add(|| Fault::new(row, "unit", Kind::Unknown, unit));
        }
        for dimension in version
            .facts
            .dimensions
            .iter()
            .filter(|dimension| !lists.contains_key(&dimension.code_list))
        {
            found.add(|| Fault::new(row, "dimensions", Kind::Unknown, &dimension.code_list));
        }
    }
    Ok(())
}

/// A dimension has the same codes in all indicators of a form, so that a table of them has one column for it.
fn require_one_list_for_each(
    given: &[Indicator],
    last: &HashMap<String, dated::Dated<crate::domain::indicator::IndicatorFacts>>,
    found: &mut Faults,
) {
    let mut lists: HashMap<&str, &str> = HashMap::new();
    let replaced: Vec<&str> = given.iter().map(|(code, _)| code.as_str()).collect();
    let kept = last.iter().filter(|(code, _)| !replaced.contains(&code.as_str()));
    for Dimension { id, code_list } in kept.flat_map(|(_, version)| &version.facts.dimensions) {
        lists.insert(id, code_list);
    }
    for (row, (_, version)) in (1..).zip(given) {
        for Dimension { id, code_list } in &version.facts.dimensions {
            if *lists.entry(id).or_insert(code_list) != code_list.as_str() {
                found.add(|| Fault::new(row, "dimensions", Kind::Contradiction, id));
            }
        }
    }
}
