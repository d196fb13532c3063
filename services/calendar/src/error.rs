//! The calendar's errors, as a caller sees them.

use legalstat_kit::{Error, Refusal};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::CalendarError;

impl From<CalendarError> for Error {
    fn from(error: CalendarError) -> Self {
        use CalendarError::*;
        let message = error.to_string();
        match error {
            YearOutOfRange { .. } | InstantBefore2016 { .. } => {
                Refusal::new(Code::OutOfRange, ErrorReason::YearOutOfRange, message).into()
            }
            TermUnknown { name } => Refusal::not_found(&format!("terms/{name}")).into(),
            TermNotInForce { .. } | NoTermApplies { .. } | NoSuchPart { .. } => {
                Refusal::new(Code::OutOfRange, ErrorReason::NoTermApplies, message).into()
            }
            ExtensionTooLong { latest, .. } => Refusal::new(Code::OutOfRange, ErrorReason::ExtensionTooLong, message)
                .with("latest", &latest.to_string())
                .into(),
            RangeReversed { .. }
            | DueDayOutOfRange { .. }
            | LengthOutOfRange { .. }
            | RegisteredBeforeReceipt { .. } => {
                Refusal::new(Code::InvalidArgument, ErrorReason::InvalidFields, message).into()
            }
            SuspensionNotAllowed { term } => {
                let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::SuspensionNotAllowed, message);
                refusal.about(&format!("terms/{term}")).into()
            }
            AlreadyWithdrawn { act } | Indispensable { act } => {
                let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message);
                refusal.about(&format!("calendarActs/{act}")).into()
            }
            ProvisionUnknown { .. } | ActUnknown { .. } | ReferenceFault { .. } => anyhow::Error::new(error).into(),
        }
    }
}

/// The error with one more fact for machines, if it is one that the caller learns about.
pub fn with(error: CalendarError, key: &str, value: &str) -> Error {
    match Error::from(error) {
        Error::Refusal(refusal) => refusal.with(key, value).into(),
        unknown => unknown,
    }
}
