//! ResolveDistribution.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::wire,
    law::LegalBasis,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::{
    collections::v1::{self as proto, DistributionList, ResolveDistributionRequest},
    common::v1::{RowFault, RowFaults},
};
use sqlx::PgConnection;

use super::{
    CollectionDistribution, distribution_lists, door,
    recipients::{self, REASON},
};
use crate::{
    db,
    domain::{
        collection::Collection,
        distribution::{Cell, Distribution, Inconsistent},
        distribution_list::{self, Disagreement, Given, GivenCell, ListState, Version},
        key,
    },
};

/// How many cells one call says.
const CELLS: usize = 200;
/// The last column that a list may have.
const COLUMNS: i32 = 1000;
/// How many copies of an edition one recipient, or all together, may get.
const COPIES: i32 = 10_000;

/// What is asked for, and where each of its cells stood in the message.
struct Asked {
    places: Vec<usize>,
    given: Given,
}

pub(super) async fn resolve_distribution(
    service: &CollectionDistribution,
    call: Call,
    message: ResolveDistributionRequest,
) -> Result<DistributionList, Error> {
    let mut violations = Violations::new();
    let id = door::resource(&mut violations, "parent", &message.parent, key::parse_collection);
    let legal_basis = recipients::legal_basis(&mut violations, "legal_basis", message.legal_basis.as_ref());
    violations.count("cells", message.cells.len(), CELLS);
    let law = legal_basis.clone().unwrap_or_default();
    let cells = message.cells.iter().take(CELLS).enumerate();
    let (places, cells): (Vec<usize>, Vec<GivenCell>) = cells
        .filter_map(|(index, given)| Some((index, cell(&mut violations, index, given, &law)?)))
        .unzip();
    let valid_from = wire::required_date(&mut violations, "valid_from", message.valid_from.as_ref());
    let copies_total = total(&mut violations, &message);
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let given = Asked {
        places,
        given: Given {
            cells,
            act_changes: message.act_changes,
            copies_total,
        },
    };
    // What disagrees is told together with what cannot be read: all of it at once.
    if let Some((id, valid_from)) = id.clone().zip(valid_from).filter(|_| !violations.is_empty()) {
        let mut connection = service.context.db.connection().await?;
        if let Some(collection) = db::collection::get(&mut connection, &id).await? {
            proposed(&mut violations, &mut connection, &collection, valid_from, &given).await?;
        }
    }
    let read = violations.sound(id.zip(valid_from).zip(legal_basis));
    let ((id, valid_from), legal_basis) = read.map_err(told_by_row)?;
    let mutation = Mutation::of(
        &call,
        &key::collection(&id),
        request_id,
        message.validate_only,
        &message,
    );
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let proposer = call.done(write.now());
            let connection = write.connection();
            let collection = door::find_collection(connection, &id).await?;
            db::distribution_list::lock(connection, &id).await?;
            let mut violations = Violations::new();
            let made = proposed(&mut violations, connection, &collection, valid_from, &given).await?;
            let (base_version, distribution) = violations.sound(made).map_err(told_by_row)?;
            let version = Version {
                version: db::distribution_list::next(connection, &id).await?,
                collection: id,
                base_version,
                valid_from,
                state: ListState::Proposed,
                copies_total: distribution.copies_total(),
                act_changes: given.given.act_changes,
                legal_basis,
                reason,
                proposed: proposer,
                decided: None,
            };
            db::distribution_list::insert(connection, &version, &distribution).await?;
            let name = key::distribution_list_version(&version.collection, version.version);
            let answer = distribution_lists::shown(name.clone(), &version, &distribution, &call);
            Ok(Outcome::of(&name, "distribution-list.proposed", answer))
        })
    })
    .await
}

/// The refusal with what is wrong with cells by row too: cells come from tables, and there are more of them than an error tells in words.
fn told_by_row(error: Error) -> Error {
    let Error::Refusal(mut refusal) = error else {
        return error;
    };
    let faults = refusal.violations.iter().filter_map(|violation| {
        let (place, column) = violation.field.strip_prefix("cells[")?.split_once("].")?;
        Some(RowFault {
            row: place.parse::<i64>().ok()? + 1,
            column: column.to_owned(),
            reason: violation.reason.into(),
            value: String::new(),
        })
    });
    let mut faults: Vec<RowFault> = faults.collect();
    faults.sort_by_key(|fault| fault.row);
    if !faults.is_empty() {
        refusal.row_faults = Some(Box::new(RowFaults {
            count: i64::try_from(faults.len()).unwrap_or(i64::MAX),
            faults,
        }));
    }
    Error::Refusal(refusal)
}

fn cell(
    violations: &mut Violations,
    index: usize,
    given: &proto::DistributionCell,
    law: &LegalBasis,
) -> Option<GivenCell> {
    let field = |name: &str| format!("cells[{index}].{name}");
    let recipient = door::resource(violations, &field("recipient"), &given.recipient, key::parse_recipient);
    let column = match given.column {
        0 => None,
        2..=COLUMNS => Some(given.column),
        _ => {
            violations.add(
                field("column"),
                FieldReason::OutOfRange,
                format!("0, or 2 to {COLUMNS}"),
            );
            None
        }
    };
    if !(0..=COPIES).contains(&given.copies) {
        violations.add(field("copies"), FieldReason::OutOfRange, format!("0 to {COPIES}"));
    }
    if given.unresolved {
        let description = "say how many copies; leave out the cells that stay open";
        violations.add(field("unresolved"), FieldReason::Conflict, description);
    }
    let own = given.legal_basis.as_ref();
    let own = own.and_then(|own| recipients::legal_basis(violations, &field("legal_basis"), Some(own)));
    Some(GivenCell {
        column,
        recipient: recipient?,
        copies: given.copies,
        legal_basis: own.unwrap_or_else(|| law.clone()),
    })
}

fn total(violations: &mut Violations, message: &ResolveDistributionRequest) -> Option<i32> {
    let total = message.copies_total;
    if total != 0 && !message.act_changes {
        let description = "only an act that changes the list changes how many copies there are";
        violations.add("copies_total", FieldReason::Conflict, description);
    } else if !(0..=COPIES).contains(&total) {
        violations.add(
            "copies_total",
            FieldReason::OutOfRange,
            format!("1 to {COPIES}, or 0 for as before"),
        );
    }
    Some(total).filter(|total| *total != 0)
}

/// The version on which the proposal stands, and what comes of it. `None` when a violation was found.
async fn proposed(
    violations: &mut Violations,
    connection: &mut PgConnection,
    collection: &Collection,
    valid_from: Date,
    asked: &Asked,
) -> Result<Option<(i32, Distribution)>, Error> {
    if !collection.duty.holds_on(valid_from) {
        let description = format!(
            "a day on which the collection is sent, from {} on",
            collection.duty.valid_from
        );
        violations.add_by_law(
            "valid_from",
            FieldReason::OutOfRange,
            description,
            &collection.duty.legal_basis,
        );
        return Ok(None);
    }
    let mut missing = Vec::new();
    for (index, cell) in asked.given.cells.iter().enumerate() {
        if !db::recipient::exists(&mut *connection, &cell.recipient).await? {
            missing.push(index);
            let description = "there is no such recipient";
            violations.add(
                format!("cells[{}].recipient", asked.places[index]),
                FieldReason::Unknown,
                description,
            );
        }
    }
    let (version, base) = db::distribution::in_force(connection, collection, valid_from).await?;
    match distribution_list::resolve(&base, &asked.given) {
        Ok(distribution) => {
            for (cell, day) in distribution_lists::unfollowed(connection, collection, valid_from, &distribution).await?
            {
                unfollowed(violations, &cell, day, asked, &missing);
            }
            if violations.is_empty() {
                return Ok(Some((version, distribution)));
            }
        }
        Err(found) => {
            let told = |one: &&Disagreement| matches!(one, Disagreement::NoCell(index) if missing.contains(index));
            let others = found.iter().filter(|one| !told(one));
            others.for_each(|one| disagrees(violations, one, &asked.places));
        }
    }
    Ok(None)
}

/// Says that nobody gets the copies of a cell on a day. That there is no such recipient was told before.
fn unfollowed(violations: &mut Violations, cell: &Cell, day: Date, asked: &Asked, missing: &[usize]) {
    let given = asked
        .given
        .cells
        .iter()
        .position(|given| given.recipient == cell.recipient);
    if given.is_some_and(|index| missing.contains(&index)) {
        return;
    }
    let field = given.map_or("cells".to_owned(), |index| {
        format!("cells[{}].recipient", asked.places[index])
    });
    let description = format!(
        "{} of column {} is not in force on {day}, a day on which the list would hold, and nothing that is follows it",
        key::recipient(&cell.recipient),
        cell.column,
    );
    violations.add(field, FieldReason::Conflict, description);
}

fn disagrees(violations: &mut Violations, found: &Disagreement, places: &[usize]) {
    let cell = |index: &usize, field: &str| format!("cells[{}].{field}", places[*index]);
    match found {
        Disagreement::NoCell(index) => {
            violations.add(cell(index, "recipient"), FieldReason::Unknown, found.to_string())
        }
        Disagreement::OtherColumn(index, _) => {
            violations.add(cell(index, "column"), FieldReason::Contradiction, found.to_string());
        }
        Disagreement::Twice(index) | Disagreement::TwoColumns(index, _) => {
            violations.add(cell(index, "recipient"), FieldReason::Duplicate, found.to_string());
        }
        Disagreement::Certain(index, _, basis) => {
            violations.add_by_law(cell(index, "copies"), FieldReason::Contradiction, found, basis);
        }
        Disagreement::NotZeroOrOne(index) => {
            violations.add(cell(index, "copies"), FieldReason::OutOfRange, found.to_string());
        }
        Disagreement::Sum { legal_basis, .. } => {
            violations.add_by_law("cells", FieldReason::Total, found, legal_basis);
        }
        Disagreement::Total { .. } | Disagreement::Inconsistent(Inconsistent::Total { .. }) => {
            violations.add("copies_total", FieldReason::Total, found.to_string());
        }
        Disagreement::Nothing => violations.add("cells", FieldReason::Conflict, found.to_string()),
        Disagreement::Inconsistent(_) => violations.add("cells", FieldReason::Contradiction, found.to_string()),
    }
}
