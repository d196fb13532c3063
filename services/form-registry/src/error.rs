//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{Refusal, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::{edition::Obstacle, key::EditionKey};

impl Obstacle {
    /// The refusal of what was asked of an edition.
    pub fn refusal(self, edition: &EditionKey) -> Refusal {
        let (reason, message, provision) = match self {
            Self::AlreadyPlaced => (
                ErrorReason::WrongState,
                "the edition is placed; its file stays as it is",
                "para 14",
            ),
            Self::PeriodNotEnded => (
                ErrorReason::PeriodNotEnded,
                "the reporting period has not ended; an edition follows its period",
                "Appendix 2",
            ),
            Self::ContentMissing => (ErrorReason::ContentMissing, "the edition has no file", "para 14"),
            Self::NotPlaced => (
                ErrorReason::EditionNotPlaced,
                "the edition is not placed yet",
                "para 14",
            ),
            Self::NotOnOpenDataList => (
                ErrorReason::NotOnOpenDataList,
                "the form is not on the approved list of open data",
                "para 9",
            ),
        };
        Refusal::new(Code::FailedPrecondition, reason, format!("{edition}: {message}"))
            .about(&edition)
            .legal_basis(LegalBasis::instruction(provision))
    }
}
