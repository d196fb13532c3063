//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{Refusal, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::{
    copy::OtherContent,
    distribution::Unresolved,
    distribution_list::Undecidable,
    edition::Obstacle,
    key::{CopyKey, EditionKey},
};

impl Obstacle {
    /// The refusal of what was asked of an edition.
    pub fn refusal(self, edition: &EditionKey) -> Refusal {
        let (reason, message) = match self {
            Self::PeriodNotEnded => (
                ErrorReason::PeriodNotEnded,
                "the reporting period has not ended; a collection follows its period",
            ),
            Self::ContentMissing => (ErrorReason::ContentMissing, "the edition has no content"),
            Self::OtherContent => (
                ErrorReason::DigestMismatch,
                "the content has another digest than the one given",
            ),
            Self::NotSealed => (ErrorReason::WrongState, "the edition is not sealed"),
            Self::AlreadySealed => (
                ErrorReason::WrongState,
                "the edition is sealed; its content stays as it is",
            ),
            Self::AlreadyReleased => (ErrorReason::WrongState, "the edition is released"),
            Self::SamePerson => (
                ErrorReason::SamePerson,
                "another person must release it than the one who uploaded or sealed it",
            ),
        };
        let code = match self {
            Self::OtherContent => Code::InvalidArgument,
            _ => Code::FailedPrecondition,
        };
        let refusal = Refusal::new(code, reason, format!("{edition}: {message}")).about(&edition);
        match self {
            Self::PeriodNotEnded => refusal.legal_basis(LegalBasis::instruction("paras 12 and 13")),
            _ => refusal,
        }
    }
}

impl Unresolved {
    /// The refusal to release an edition of which nobody can tell who gets the copies.
    pub fn refusal(self, edition: &EditionKey) -> Refusal {
        let message = format!("{edition} cannot be released: {self}");
        Refusal::new(Code::FailedPrecondition, ErrorReason::DistributionUnresolved, message)
            .with("columns", &self.columns())
            .about(&edition)
            .legal_basis(LegalBasis::instruction("Appendix 1"))
    }
}

impl OtherContent {
    /// The refusal of a receipt.
    pub fn refusal(self, copy: &CopyKey) -> Refusal {
        let message = format!("what arrived is not the content of {copy}; download it again");
        Refusal::new(Code::InvalidArgument, ErrorReason::DigestMismatch, message).about(&copy)
    }
}

/// What was decided on is not what is recorded any more.
pub fn changed(name: &str) -> Refusal {
    let message = format!("{name} was changed meanwhile: read it again, and decide again");
    Refusal::new(Code::Aborted, ErrorReason::EtagMismatch, message).about(name)
}

impl Undecidable {
    /// The refusal to approve or to reject a version of a distribution list.
    pub fn refusal(self, list: &str) -> Refusal {
        let reason = match self {
            Self::NotProposed | Self::OtherBase => ErrorReason::WrongState,
            Self::SamePerson => ErrorReason::SamePerson,
        };
        Refusal::new(Code::FailedPrecondition, reason, format!("{list}: {self}")).about(list)
    }
}

/// The refusal to a recipient who asks for the copies of another.
pub fn copies_of_another(recipient: &str) -> Refusal {
    let message = format!("a recipient sees its own copies, not those of {recipient}");
    Refusal::new(Code::PermissionDenied, ErrorReason::RoleMissing, message)
        .about(recipient)
        .legal_basis(LegalBasis::instruction("Appendix 1"))
}
