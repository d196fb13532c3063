//! A report form of Appendix 2 to the Instruction.

use jiff::civil::Date;
use legalstat_kit::{
    door::word::Word,
    due::Duty,
    law::LocalizedText,
    period::{PeriodKind, ReportingPeriod},
};

use super::edition::Channel;

/// How often a form is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Periodicity {
    Monthly,
    Quarterly,
}

impl Periodicity {
    /// Its periods of a year.
    pub fn periods(self) -> &'static [(PeriodKind, i8)] {
        use PeriodKind::{Month, Quarter};
        match self {
            Self::Monthly => &[
                (Month, 1),
                (Month, 2),
                (Month, 3),
                (Month, 4),
                (Month, 5),
                (Month, 6),
                (Month, 7),
                (Month, 8),
                (Month, 9),
                (Month, 10),
                (Month, 11),
                (Month, 12),
            ],
            Self::Quarterly => &[(Quarter, 1), (Quarter, 2), (Quarter, 3), (Quarter, 4)],
        }
    }
}

impl Word for Periodicity {
    const ALL: &'static [Self] = &[Self::Monthly, Self::Quarterly];

    fn word(self) -> &'static str {
        match self {
            Self::Monthly => "MONTHLY",
            Self::Quarterly => "QUARTERLY",
        }
    }
}

/// A body of legal statistics (Instruction, paras 2(6) and 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Committee,
    /// A territorial body of the Committee.
    Territorial,
}

impl Word for Body {
    const ALL: &'static [Self] = &[Self::Committee, Self::Territorial];

    fn word(self) -> &'static str {
        match self {
            Self::Committee => "COMMITTEE",
            Self::Territorial => "TERRITORIAL",
        }
    }
}

/// Who answers for a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responsible {
    pub body: Body,
    /// The KATO code of a territorial body; empty for the Committee.
    pub territory: String,
    /// The unit within the body; empty while it is not entered.
    pub unit: String,
}

/// A report form, in one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its number in the list of Appendix 2: what identifies it.
    pub list_number: i32,
    /// The code as printed; two forms share one, and one form has none.
    pub code: Option<String>,
    /// Its title; languages not entered yet are empty.
    pub title: LocalizedText,
    pub periodicity: Periodicity,
    /// To place it by its day, from the first day of this version to its last.
    pub duty: Duty,
    /// Where its editions are to be placed.
    pub channels: Vec<Channel>,
    pub responsible: Responsible,
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
    /// The channels on which an edition must stand so that its due day is met: those that the form names. The open data portal is
    /// one of them only where it is the only one, for paragraph 9 has a list of its own and sets no day.
    pub fn channels_of_duty(&self) -> Vec<Channel> {
        let portal = Channel::OpenDataPortal;
        let others = self.channels.iter().copied().filter(|channel| *channel != portal);
        let others: Vec<Channel> = others.collect();
        if others.is_empty() {
            self.channels.clone()
        } else {
            others
        }
    }

    /// The languages in which its title is not entered yet.
    pub fn missing_languages(&self) -> Vec<&'static str> {
        let LocalizedText { kk, ru, en } = &self.title;
        let each = [("kk", kk), ("ru", ru), ("en", en)].into_iter();
        each.filter(|(_, text)| text.is_empty()).map(|(name, _)| name).collect()
    }

    /// The form in a version with these days.
    #[must_use]
    pub fn within(mut self, from: Date, to: Option<Date>) -> Self {
        (self.duty.valid_from, self.duty.valid_to) = (from, to);
        self
    }

    /// Whether the form is placed for periods of this kind.
    ///
    /// # Errors
    /// Says which periods it is placed for.
    pub fn require_kind_of(&self, period: ReportingPeriod) -> Result<(), WrongPeriodKind> {
        if self.duty.has(period) {
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
}

#[cfg(test)]
mod tests {
    use crate::domain::{edition::Channel, register};

    #[test]
    fn the_portal_has_no_day_unless_it_is_all_that_a_form_names() {
        use Channel::{InformationService, OfficialWebsite, OpenDataPortal};
        let form = register::appendix_2().expect("the register is readable").swap_remove(0);
        assert_eq!(
            form.channels_of_duty(),
            [InformationService],
            "as the Instruction orders it"
        );
        for (named, of_duty) in [
            (
                &[InformationService, OfficialWebsite][..],
                &[InformationService, OfficialWebsite][..],
            ),
            (&[OpenDataPortal, OfficialWebsite], &[OfficialWebsite]),
            (&[OpenDataPortal], &[OpenDataPortal]),
        ] {
            let mut form = form.clone();
            form.channels = named.to_vec();
            assert_eq!(form.channels_of_duty(), of_duty);
        }
    }

    #[test]
    fn a_form_has_periods_of_its_own_kind_only_and_says_which() {
        let forms = register::appendix_2().expect("the register is readable");
        let refused = |form: usize, period: &str| {
            let period = period.parse().expect("a period");
            let wrong = forms[form - 1].require_kind_of(period).err();
            wrong.map(|wrong| wrong.to_string())
        };
        let monthly = "2019-Q1 does not fit forms/1: it is placed every month, for periods like 2019-M03";
        let quarterly = "2019-M03 does not fit forms/2: it is placed every quarter, for periods like 2019-Q1";
        assert_eq!(refused(1, "2019-Q1").as_deref(), Some(monthly));
        assert_eq!(refused(2, "2019-M03").as_deref(), Some(quarterly));
        for (form, period) in [(1, "2019-M01"), (1, "2019-M12"), (2, "2019-Q1"), (2, "2019-Q4")] {
            assert_eq!(refused(form, period), None, "{form} {period}");
        }
    }
}
