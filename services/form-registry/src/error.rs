//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{Refusal, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::edition::{EditionKey, Obstacle};

/// A refusal of the form registry.
#[derive(Clone, Debug)]
pub enum FormsError {
    /// There is no such form or edition.
    NotFound(String),
    /// Something keeps an edition from what was asked.
    Obstacle(EditionKey, Obstacle),
}

impl From<FormsError> for Refusal {
    fn from(error: FormsError) -> Self {
        match error {
            FormsError::NotFound(name) => Refusal::not_found(&name),
            FormsError::Obstacle(edition, obstacle) => {
                let (reason, message, provision) = match obstacle {
                    Obstacle::AlreadyPlaced => (
                        ErrorReason::WrongState,
                        "the edition is placed; its file stays as it is",
                        "para 14",
                    ),
                    Obstacle::PeriodNotEnded => (
                        ErrorReason::PeriodNotEnded,
                        "the reporting period has not ended; an edition follows its period",
                        "Appendix 2",
                    ),
                    Obstacle::ContentMissing => (ErrorReason::ContentMissing, "the edition has no file", "para 14"),
                    Obstacle::NotPlaced => (
                        ErrorReason::EditionNotPlaced,
                        "the edition is not placed yet",
                        "para 14",
                    ),
                    Obstacle::NotOnOpenDataList => (
                        ErrorReason::NotOnOpenDataList,
                        "the form is not on the approved list of open data",
                        "para 9",
                    ),
                };
                Refusal::new(Code::FailedPrecondition, reason, format!("{edition}: {message}"))
                    .resource(&edition.to_string())
                    .legal_basis(LegalBasis::instruction(provision))
            }
        }
    }
}

impl From<FormsError> for legalstat_kit::Error {
    fn from(error: FormsError) -> Self {
        Refusal::from(error).into()
    }
}
