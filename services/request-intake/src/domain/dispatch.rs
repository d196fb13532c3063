//! The dispatch of an answer, which meets the term, and what became of the approver's signature.

use jiff::Timestamp;
use legalstat_kit::door::word::Word;
use uuid::Uuid;

/// How an answer was dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By the Unified electronic document management system.
    UnifiedEdms,
    /// By "Kadagalau".
    Kadagalau,
    /// By the e-government portal.
    EGovernment,
    /// By post.
    Post,
    /// Handed over.
    InPerson,
    /// By e-mail.
    Email,
}

impl Word for Means {
    const ALL: &'static [Self] = &[
        Self::UnifiedEdms,
        Self::Kadagalau,
        Self::EGovernment,
        Self::Post,
        Self::InPerson,
        Self::Email,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::UnifiedEdms => "UNIFIED_EDMS",
            Self::Kadagalau => "KADAGALAU",
            Self::EGovernment => "E_GOVERNMENT",
            Self::Post => "POST",
            Self::InPerson => "IN_PERSON",
            Self::Email => "EMAIL",
        }
    }
}

/// Whether a signature is of who approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerComparison {
    /// Its certificate bears his name.
    SameName,
    /// It bears another.
    OtherName,
    /// It could not be verified.
    NotCompared,
}

impl SignerComparison {
    /// Compares whom the certificate of a signature names with the name of who approved.
    pub fn of(verdict: SignatureVerdict, signer: &str, approved_by: &str) -> Self {
        match verdict {
            SignatureVerdict::Valid if signer.to_lowercase() == approved_by.to_lowercase() => Self::SameName,
            SignatureVerdict::Valid => Self::OtherName,
            SignatureVerdict::NobodyTrusted | SignatureVerdict::Unsupported => Self::NotCompared,
        }
    }
}

/// A dispatch as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// How.
    pub means: Means,
    /// When.
    pub dispatched_at: Timestamp,
    /// What proves it.
    pub proof: String,
    /// Who recorded it.
    pub recorded_by: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The file that proves it besides.
    pub proof_file: Option<Uuid>,
}

/// What became of the verification of a signature that is kept. One that does not hold is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// It holds, and is trusted.
    Valid,
    /// It holds, and the operator trusts nobody.
    NobodyTrusted,
    /// It cannot be verified here.
    Unsupported,
}

impl Word for SignatureVerdict {
    const ALL: &'static [Self] = &[Self::Valid, Self::NobodyTrusted, Self::Unsupported];

    fn word(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::NobodyTrusted => "NOBODY_TRUSTED",
            Self::Unsupported => "UNSUPPORTED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_is_compared_with_the_approver_only_where_the_signature_is_valid() {
        use SignatureVerdict::{NobodyTrusted, Unsupported, Valid};
        for (verdict, signer, expected) in [
            (Valid, "Approver", SignerComparison::SameName),
            (Valid, "Есенова Айгүл", SignerComparison::OtherName),
            (Valid, "approver; another", SignerComparison::OtherName),
            (NobodyTrusted, "", SignerComparison::NotCompared),
            (Unsupported, "approver", SignerComparison::NotCompared),
        ] {
            assert_eq!(SignerComparison::of(verdict, signer, "approver"), expected, "{signer}");
        }
    }
}
