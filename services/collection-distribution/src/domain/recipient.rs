//! A state body, or part of one, that receives collections (Instruction, Appendix 1).

use jiff::civil::Date;
use legalstat_kit::law::{LegalBasis, LocalizedText};

/// A recipient, or a heading over several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// What identifies it, also in its certificate, for example `supreme-court`.
    pub id: String,
    /// The column of Appendix 1; `None` for a heading, which itself receives nothing.
    pub appendix_column: Option<i32>,
    /// Its name; languages not entered yet are empty.
    pub name: LocalizedText,
    /// The id of the body it belongs to.
    pub parent: Option<String>,
    /// The law that entitles it.
    pub legal_basis: LegalBasis,
    /// The first day on which it is entitled.
    pub valid_from: Date,
    /// The last such day; `None` while it goes on.
    pub valid_to: Option<Date>,
}
