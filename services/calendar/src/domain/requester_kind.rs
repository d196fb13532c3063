//! Who asks for statistical information.

use legalstat_kit::door::word::Word;

/// Who asks, as far as the term depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequesterKind {
    /// A state body.
    StateBody,
    /// A body of the prosecutor's office.
    ProsecutorBody,
    /// A person.
    Individual,
    /// A legal entity.
    LegalEntity,
}

impl Word for RequesterKind {
    const ALL: &'static [Self] = &[
        Self::StateBody,
        Self::ProsecutorBody,
        Self::Individual,
        Self::LegalEntity,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::StateBody => "STATE_BODY",
            Self::ProsecutorBody => "PROSECUTOR_BODY",
            Self::Individual => "INDIVIDUAL",
            Self::LegalEntity => "LEGAL_ENTITY",
        }
    }
}
