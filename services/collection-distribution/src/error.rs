//! What this service refuses, and how each refusal reaches the caller.

use std::collections::BTreeSet;

use jiff::Timestamp;
use legalstat_kit::{FieldReason, Refusal, Violations, door::word::Word, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;

use crate::domain::{
    content::NoRoom,
    copy::{self, NotTaken},
    distribution::Unresolved,
    distribution_list::Undecidable,
    edition::Obstacle,
    issuing::Unissuable,
    key::{self, CopyKey, EditionKey},
    receipt::NotTrue,
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
            Self::NotSealed => (ErrorReason::EditionNotSealed, "the edition is not sealed"),
            Self::AlreadySealed => (
                ErrorReason::WrongState,
                "the edition is sealed; its content stays as it is",
            ),
            Self::AlreadyReleased => (ErrorReason::WrongState, "the edition is released"),
            Self::NotReleased => (ErrorReason::WrongState, "the edition is not released"),
            Self::Recalled => (
                ErrorReason::EditionRecalled,
                "the edition was recalled; upload its replacement first",
            ),
            Self::SamePerson => (
                ErrorReason::SamePerson,
                "another person must release it than the one who uploaded or sealed it",
            ),
            Self::OnlyFile => (
                ErrorReason::WrongState,
                "the file is the only one of the edition; upload another first",
            ),
            Self::NoRoom(no_room) => return no_room.refusal().about(edition),
            Self::NoSuchFile => {
                return violation(
                    "filename",
                    FieldReason::Unknown,
                    "the edition has no file of this name",
                    edition,
                );
            }
            Self::EmbargoPassed => {
                return violation(
                    "until",
                    FieldReason::OutOfRange,
                    "an embargo ends in the future",
                    edition,
                );
            }
            Self::EmbargoMakesLate => return late_embargo(edition),
            Self::Embargoed(until) => return embargoed(edition, until),
            Self::MarkedCopies { marked, total } => return marked_copies(edition, marked, total),
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

fn violation(field: &str, reason: FieldReason, description: &str, edition: &EditionKey) -> Refusal {
    Violations::one(field, reason, description).about(edition)
}

fn late_embargo(edition: &EditionKey) -> Refusal {
    let basis = LegalBasis::instruction("paras 12 and 13");
    let description = format!("the embargo must end before the due date does, or the edition would be late [{basis}]");
    violation("until", FieldReason::OutOfRange, &description, edition)
}

fn embargoed(edition: &EditionKey, until: Timestamp) -> Refusal {
    let message = format!("{edition} is under an embargo until {until}; release it then");
    let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::ReleaseEmbargoed, message);
    refusal.with("embargo_until", &until.to_string()).about(edition)
}

fn marked_copies(edition: &EditionKey, marked: i32, total: i32) -> Refusal {
    let message = format!(
        "{edition} is marked for official use in {marked} copies, and the distribution list has {total}; recall or mark it anew"
    );
    Refusal::new(Code::FailedPrecondition, ErrorReason::MarkedCopiesDiffer, message)
        .with("marked_copies", &marked.to_string())
        .with("copies_total", &total.to_string())
        .about(edition)
}

impl NoRoom {
    fn refusal(self) -> Refusal {
        let reason = match self {
            Self::TooMany => FieldReason::TooMany,
            Self::LikeAnother => FieldReason::Duplicate,
            Self::TooLarge(most) => {
                let refusal = Refusal::new(Code::InvalidArgument, ErrorReason::FileTooLarge, self.to_string());
                return refusal.with("limit_bytes", &most.to_string());
            }
        };
        Violations::one("header.filename", reason, &self.to_string())
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

impl NotTaken {
    /// The refusal of what a recipient says of its copy.
    pub fn refusal(self, copy: &CopyKey) -> Refusal {
        let refusal = match self {
            Self::OtherContent => {
                let message = format!("what arrived is not the content of {copy}; download it again");
                Refusal::new(Code::InvalidArgument, ErrorReason::DigestMismatch, message)
            }
            Self::Settled(state) => {
                let message = format!("{copy} is {}: nothing more is said of it so", state.word());
                Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message)
            }
        };
        refusal.about(copy)
    }
}

impl NotTrue {
    /// The refusal of a receipt.
    pub fn refusal(self, copy: &CopyKey) -> Refusal {
        let problem = match self {
            Self::NotSigned => {
                let message = format!("the recipient of {copy} has a signing key: its receipt must be signed");
                let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::SignatureRequired, message);
                return refusal.about(copy);
            }
            Self::KeyUnknown => "KEY_UNKNOWN",
            Self::KeyNotValid => "KEY_NOT_VALID",
            Self::Signature => "SIGNATURE",
        };
        let message = format!("this is no receipt of {copy}: {self}");
        let refusal = Refusal::new(Code::InvalidArgument, ErrorReason::ReceiptNotTrue, message);
        refusal.with("problem", problem).about(copy)
    }
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

impl Unissuable {
    /// The refusal to issue copies of an edition.
    pub fn refusal(self, edition: &EditionKey) -> Refusal {
        let message = format!("{edition} cannot be released: {self}");
        let changed = ErrorReason::DistributionChanged;
        let refusal = match self {
            Self::Unresolved(unresolved) => return unresolved.refusal(edition),
            Self::Total { list, .. } => {
                Refusal::new(Code::FailedPrecondition, changed, message).with("copies_total", &list.to_string())
            }
            Self::Fewer(recipients) => {
                let names: Vec<_> = recipients.iter().map(|id| key::recipient(id)).collect();
                Refusal::new(Code::FailedPrecondition, changed, message).with("recipients", &names.join(", "))
            }
            Self::NothingCertain => Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message),
            Self::Ended(recipients) => ended(&recipients, message),
        };
        refusal
            .about(&edition)
            .legal_basis(LegalBasis::instruction("Appendix 1"))
    }
}

/// The refusal to give copies to recipients that have ended and that nothing in force follows.
pub fn ended(recipients: &BTreeSet<String>, message: String) -> Refusal {
    let names: Vec<_> = recipients.iter().map(|id| key::recipient(id)).collect();
    let reason = ErrorReason::RecipientEnded;
    Refusal::new(Code::FailedPrecondition, reason, message).with("recipients", &names.join(", "))
}

impl copy::Obstacle {
    /// The refusal of what was asked of a copy.
    pub fn refusal(self, copy: &CopyKey) -> Refusal {
        let (code, reason, message) = match self {
            Self::Recalled => (
                Code::FailedPrecondition,
                ErrorReason::WrongState,
                format!("{copy} was recalled with its edition"),
            ),
            Self::NotRecalled => (
                Code::FailedPrecondition,
                ErrorReason::WrongState,
                format!("{copy} was not recalled"),
            ),
        };
        Refusal::new(code, reason, message).about(&copy)
    }
}

/// The refusal to a recipient who asks for the copies of another.
pub fn copies_of_another(recipient: &str) -> Refusal {
    let message = format!("a recipient sees its own copies, not those of {recipient}");
    Refusal::new(Code::PermissionDenied, ErrorReason::RoleMissing, message)
        .about(recipient)
        .legal_basis(LegalBasis::instruction("Appendix 1"))
}

/// The refusal to who sees no copies at all.
pub fn copies_of_others() -> Refusal {
    let message = "copies are counted for officials, and for recipients their own";
    Refusal::new(Code::PermissionDenied, ErrorReason::RoleMissing, message)
        .legal_basis(LegalBasis::instruction("Appendix 1"))
}

/// The refusal to deliver a copy to a recipient that has no server.
pub fn no_endpoint(copy: &CopyKey, recipient: &str) -> Refusal {
    let recipient = key::recipient(recipient);
    let message = format!("{recipient} has no endpoint, or no certificate name by which its server could be known");
    Refusal::new(Code::FailedPrecondition, ErrorReason::NoEndpoint, message).about(copy)
}
