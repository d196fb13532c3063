//! The calendar's errors, as a caller sees them.

use legalstat_kit::{Error, Refusal};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::DeadlineError;

/// What a caller is told when there is no deadline.
pub fn refusal(error: DeadlineError) -> Refusal {
    let message = error.to_string();
    match error {
        DeadlineError::OutsideCalendar => Refusal::new(Code::OutOfRange, ErrorReason::YearOutOfRange, message),
        DeadlineError::TermUnknown(id) => Refusal::not_found(&format!("terms/{id}")),
        DeadlineError::NoTermApplies { .. } => Refusal::new(Code::OutOfRange, ErrorReason::NoTermApplies, message),
    }
}

impl From<DeadlineError> for Error {
    fn from(error: DeadlineError) -> Self {
        refusal(error).into()
    }
}
