//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{FieldReason, Refusal, Violations, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::{edition::Obstacle, key::EditionKey};

impl Obstacle {
    /// The refusal of what was asked of an edition.
    pub fn refusal(self, edition: &EditionKey) -> Refusal {
        use ErrorReason::{
            ChannelNotOrdered, ContentMissing, EditionNotPlaced, EditionNotSealed, EditionWithdrawn, NotOnOpenDataList,
            PeriodNotEnded, RestrictedInformation, WrongState,
        };
        let (reason, message, provision) = match self {
            Self::NoSuchRevision(number) => return missing(edition, &format!("revision {number}")),
            Self::NoSuchFile(filename) if filename.is_empty() => return missing(edition, "such file"),
            Self::NoSuchFile(filename) => return missing(edition, &format!("file {filename}")),
            Self::NoFigures => return missing(edition, "figures in preparation"),
            Self::SeveralFiles => {
                let description = "the revision has several files: name one";
                return Violations::one("filename", FieldReason::Required, description).about(edition);
            }
            Self::Embargoed => return embargoed(edition),
            Self::PeriodNotEnded => (
                PeriodNotEnded,
                "the reporting period has not ended; an edition follows its period",
                "Appendix 2",
            ),
            Self::Sealed => (
                WrongState,
                "what is sealed stays as it is; begin a correction to change it",
                "para 14",
            ),
            Self::NothingSealed => (
                WrongState,
                "nothing of the edition is sealed yet; its files can be changed as they are",
                "para 14",
            ),
            Self::CorrectionBegun => (WrongState, "a correction is in preparation already", "para 14"),
            Self::ContentMissing => (ContentMissing, "the edition has no file", "para 14"),
            Self::NotEmpty => (
                WrongState,
                "the revision has files or figures; what is declared nil has none",
                "para 14",
            ),
            Self::NotSealed => (EditionNotSealed, "the revision is not sealed; seal it first", "para 14"),
            Self::Withdrawn => (EditionWithdrawn, "the edition was withdrawn", "para 14"),
            Self::Nil => (
                WrongState,
                "it was declared that there is nothing to report for this period",
                "para 14",
            ),
            Self::Restricted => (
                RestrictedInformation,
                "the revision holds restricted information, which is never placed openly",
                "para 2(10)",
            ),
            Self::Superseded => (WrongState, "a later revision corrects this one", "para 14"),
            Self::NotPlaced => (EditionNotPlaced, "the edition is not placed yet", "para 14"),
            Self::AlreadyOut => (
                WrongState,
                "the edition was placed, declared nil or withdrawn; an embargo comes before that",
                "para 14",
            ),
            Self::ChannelNotOrdered => (
                ChannelNotOrdered,
                "its form does not name the information service, where the forms of the list are placed",
                "para 14 and Appendix 2",
            ),
            Self::NotOnOpenDataList => (
                NotOnOpenDataList,
                "the form is not on the approved list of open data",
                "para 9",
            ),
        };
        Refusal::new(Code::FailedPrecondition, reason, format!("{edition}: {message}"))
            .about(&edition)
            .legal_basis(LegalBasis::instruction(provision))
    }
}

fn missing(edition: &EditionKey, what: &str) -> Refusal {
    let message = format!("{edition} has no {what}");
    Refusal::new(Code::NotFound, ErrorReason::ResourceNotFound, message).about(edition)
}

/// Nothing in it depends on what the edition holds. No act orders embargoes: that one holds is assumed from the placement by a day.
fn embargoed(edition: &EditionKey) -> Refusal {
    let message = format!("{edition} is under an embargo; nothing of it is shown yet");
    Refusal::new(Code::PermissionDenied, ErrorReason::EditionEmbargoed, message)
        .about(edition)
        .legal_basis(LegalBasis::instruction("para 14").assumed())
}
