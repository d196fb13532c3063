//! What a request asks for (Instruction, paras 5, 7 and 8).

use legalstat_kit::{door::word::Word, period::ReportingPeriod};

/// What kind of thing an item asks for, as its requester declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// Numbers by indicators of reports or details of information accounting documents.
    Statistics,
    /// A copy or screenshot of an information accounting document.
    AccountingDocumentCopy,
    /// A document or form of primary accounting.
    PrimaryAccountingForm,
}

impl Word for ItemKind {
    const ALL: &'static [Self] = &[
        Self::Statistics,
        Self::AccountingDocumentCopy,
        Self::PrimaryAccountingForm,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Statistics => "STATISTICS",
            Self::AccountingDocumentCopy => "ACCOUNTING_DOCUMENT_COPY",
            Self::PrimaryAccountingForm => "PRIMARY_ACCOUNTING_FORM",
        }
    }
}

/// The unit of the information (Instruction, para 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Crimes.
    Crime,
    /// Offences.
    Offence,
    /// Criminal cases.
    CriminalCase,
    /// Persons.
    Person,
}

impl Word for Unit {
    const ALL: &'static [Self] = &[Self::Crime, Self::Offence, Self::CriminalCase, Self::Person];

    fn word(self) -> &'static str {
        match self {
            Self::Crime => "CRIME",
            Self::Offence => "OFFENCE",
            Self::CriminalCase => "CRIMINAL_CASE",
            Self::Person => "PERSON",
        }
    }
}

/// One thing asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What kind of thing.
    pub kind: ItemKind,
    /// The information asked for, in words.
    pub description: String,
    /// Its unit, unless it is missing.
    pub unit: Option<Unit>,
    /// The period, or the first of several, unless it is missing.
    pub period: Option<ReportingPeriod>,
    /// The last of several periods, of the same kind and not before `period`.
    pub until_period: Option<ReportingPeriod>,
    /// The name of the form the information stands in.
    pub form: Option<String>,
    /// The name of the indicator.
    pub indicator: Option<String>,
    /// The name of the detail of an accounting document; not beside an indicator.
    pub detail: Option<String>,
    /// The codes of the territories; none for the whole country.
    pub territories: Vec<String>,
}
