//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{Refusal, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::{
    copy::CopyKey,
    distribution::Unresolved,
    edition::{EditionKey, Obstacle},
};

/// A refusal of collection distribution.
#[derive(Clone, Debug)]
pub enum CollectionsError {
    /// There is no such resource, or not for this caller.
    NotFound(String),
    /// Something keeps an edition from what was asked.
    Obstacle(EditionKey, Obstacle),
    /// Nobody can tell who gets the copies of an edition.
    Unresolved(EditionKey, Unresolved),
    /// What arrived at a recipient is not the copy's content.
    WrongReceipt(CopyKey),
    /// A recipient asks for the copies of another.
    CopiesOfAnother(String),
}

impl From<CollectionsError> for Refusal {
    fn from(error: CollectionsError) -> Self {
        match error {
            CollectionsError::NotFound(name) => Refusal::not_found(&name),
            CollectionsError::WrongReceipt(copy) => {
                let message = format!("what arrived is not the content of {copy}; download it again");
                Refusal::new(Code::InvalidArgument, ErrorReason::DigestMismatch, message).resource(&copy.to_string())
            }
            CollectionsError::CopiesOfAnother(recipient) => {
                let message = format!("a recipient sees its own copies, not those of {recipient}");
                Refusal::new(Code::PermissionDenied, ErrorReason::RoleMissing, message)
                    .resource(&recipient)
                    .legal_basis(LegalBasis::instruction("Appendix 1"))
            }
            CollectionsError::Unresolved(edition, unresolved) => {
                let message = format!("{edition} cannot be released: {unresolved}");
                Refusal::new(Code::FailedPrecondition, ErrorReason::DistributionUnresolved, message)
                    .with("columns", &unresolved.columns())
                    .resource(&edition.to_string())
                    .legal_basis(LegalBasis::instruction("Appendix 1"))
            }
            CollectionsError::Obstacle(edition, obstacle) => obstacle_refusal(&edition, obstacle),
        }
    }
}

fn obstacle_refusal(edition: &EditionKey, obstacle: Obstacle) -> Refusal {
    let (reason, message) = match obstacle {
        Obstacle::PeriodNotEnded => (
            ErrorReason::PeriodNotEnded,
            "the reporting period has not ended; a collection follows its period",
        ),
        Obstacle::ContentMissing => (ErrorReason::ContentMissing, "the edition has no content"),
        Obstacle::OtherContent => (
            ErrorReason::DigestMismatch,
            "the content has another digest than the one given",
        ),
        Obstacle::NotSealed => (ErrorReason::WrongState, "the edition is not sealed"),
        Obstacle::AlreadySealed => (
            ErrorReason::WrongState,
            "the edition is sealed; its content stays as it is",
        ),
        Obstacle::AlreadyReleased => (ErrorReason::WrongState, "the edition is released"),
        Obstacle::SamePerson => (
            ErrorReason::SamePerson,
            "another person must release it than the one who uploaded or sealed it",
        ),
    };
    let code = match obstacle {
        Obstacle::OtherContent => Code::InvalidArgument,
        _ => Code::FailedPrecondition,
    };
    let refusal = Refusal::new(code, reason, format!("{edition}: {message}")).resource(&edition.to_string());
    match obstacle {
        Obstacle::PeriodNotEnded => refusal.legal_basis(LegalBasis::instruction("paras 12 and 13")),
        _ => refusal,
    }
}

impl From<CollectionsError> for legalstat_kit::Error {
    fn from(error: CollectionsError) -> Self {
        Refusal::from(error).into()
    }
}
