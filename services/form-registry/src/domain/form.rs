//! A report form of Appendix 2 to the Instruction.

use jiff::civil::Date;
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    period::{PeriodKind, ReportingPeriod},
};

/// How often a form is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Periodicity {
    /// Every month.
    Monthly,
    /// Every quarter.
    Quarterly,
}

impl Periodicity {
    /// The kind of its reporting periods.
    pub fn period_kind(self) -> PeriodKind {
        match self {
            Self::Monthly => PeriodKind::Month,
            Self::Quarterly => PeriodKind::Quarter,
        }
    }

    /// The word it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monthly => "MONTHLY",
            Self::Quarterly => "QUARTERLY",
        }
    }

    /// Reads the word it is stored as.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Monthly, Self::Quarterly]
            .into_iter()
            .find(|periodicity| periodicity.as_str() == word)
    }
}

/// A report form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its number in the list of Appendix 2: what identifies it.
    pub list_number: i32,
    /// The code as printed; two forms share one, and one form has none.
    pub code: Option<String>,
    /// Its title; languages not entered yet are empty.
    pub title: LocalizedText,
    /// How often it is placed.
    pub periodicity: Periodicity,
    /// The day of the month after the period by which it is placed, 1 to 28, that day included.
    pub due_day: i32,
    /// Whether a due day that is off moves to the next working day.
    pub roll_forward: bool,
    /// The law for moving or not.
    pub roll_forward_basis: LegalBasis,
    /// The law that orders the form.
    pub legal_basis: LegalBasis,
    /// The first day on which the duty holds.
    pub valid_from: Date,
    /// The last such day; `None` while it goes on.
    pub valid_to: Option<Date>,
}

/// A period that a form is not placed for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{period} does not fit forms/{form}: it is placed every {unit}, for periods like {example}")]
pub struct WrongPeriodKind {
    form: i32,
    period: ReportingPeriod,
    unit: &'static str,
    example: &'static str,
}

impl Form {
    /// Whether the form is placed for periods of this kind.
    ///
    /// # Errors
    /// Says which periods it is placed for.
    pub fn require_kind_of(&self, period: ReportingPeriod) -> Result<(), WrongPeriodKind> {
        if period.kind() == self.periodicity.period_kind() {
            return Ok(());
        }
        let (unit, example) = match self.periodicity {
            Periodicity::Monthly => ("month", "2019-M03"),
            Periodicity::Quarterly => ("quarter", "2019-Q1"),
        };
        Err(WrongPeriodKind {
            form: self.list_number,
            period,
            unit,
            example,
        })
    }

    /// Whether the duty holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|last| day <= last)
    }
}
