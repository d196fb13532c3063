//! Faults of rows as an error tells them.

use legalstat_kit::{Error, FieldReason, Refusal, error::Violation};
use legalstat_proto::common::v1::{ErrorReason, RowFault, RowFaults};
use tonic::Code;

use crate::domain::faults::{Fault, Faults, Kind};

/// How many faults an error tells in words too.
const IN_WORDS: usize = 3;

fn reason(kind: Kind) -> FieldReason {
    match kind {
        Kind::Required => FieldReason::Required,
        Kind::Unknown => FieldReason::Unknown,
        Kind::Conflict => FieldReason::Conflict,
        Kind::Decimal => FieldReason::Decimal,
        Kind::Enum => FieldReason::Enum,
        Kind::Status => FieldReason::Status,
        Kind::Duplicate => FieldReason::Duplicate,
        Kind::Total => FieldReason::Total,
        Kind::OutOfRange => FieldReason::OutOfRange,
        Kind::TooMany => FieldReason::TooMany,
        Kind::Date => FieldReason::Date,
        Kind::InvalidCharacter => FieldReason::InvalidCharacter,
        Kind::Direction => FieldReason::Direction,
        Kind::Period => FieldReason::Period,
        Kind::TooLong => FieldReason::TooLong,
        Kind::Key => FieldReason::Key,
        Kind::Range => FieldReason::Range,
        Kind::Contradiction => FieldReason::Contradiction,
    }
}

fn rule(kind: Kind) -> &'static str {
    match kind {
        Kind::Required => "required",
        Kind::Unknown => "not registered, or not for this period",
        Kind::Conflict => "not broken down so",
        Kind::Decimal => "not a decimal number",
        Kind::Enum => "no observation status",
        Kind::Status => "status and value do not fit",
        Kind::Duplicate => "stands there twice",
        Kind::Total => "not the sum of its parts",
        Kind::OutOfRange => "another number of elements",
        Kind::TooMany => "too many elements",
        Kind::Date => "there is no such day",
        Kind::InvalidCharacter => "holds a control character",
        Kind::Direction => "holds a character that turns the direction of writing",
        Kind::Period => "another period",
        Kind::TooLong => "too long",
        Kind::Key => "not a code",
        Kind::Range => "ends before it begins",
        Kind::Contradiction => "a version of that day or later is there",
    }
}

fn wire(fault: Fault) -> RowFault {
    RowFault {
        row: fault.row,
        column: fault.column,
        reason: reason(fault.kind).into(),
        value: fault.value,
    }
}

/// Refuses when there are faults in the rows of this field.
///
/// # Errors
/// INVALID_ARGUMENT with the first hundred faults and their count.
pub(super) fn refuse(field: &str, faults: Faults) -> Result<(), Error> {
    if faults.count == 0 {
        return Ok(());
    }
    let noun = if faults.count == 1 { "fault" } else { "faults" };
    let message = format!("{} {noun} in the rows; nothing was changed", faults.count);
    let mut refusal = Refusal::new(Code::InvalidArgument, ErrorReason::InvalidFields, message);
    let in_words = faults.first.iter().take(IN_WORDS).map(|fault| Violation {
        field: format!("{field}[{}].{}", fault.row - 1, fault.column),
        reason: reason(fault.kind),
        description: rule(fault.kind).into(),
    });
    refusal.violations = in_words.collect();
    refusal.row_faults = Some(Box::new(RowFaults {
        count: faults.count,
        faults: faults.first.into_iter().map(wire).collect(),
    }));
    Err(refusal.into())
}
