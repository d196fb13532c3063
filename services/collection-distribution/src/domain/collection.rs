//! An electronic collection of legal statistical information (Instruction, paras 11-13).

use jiff::civil::Date;
use legalstat_kit::{
    door::word::Word,
    due::Duty,
    law::LocalizedText,
    period::{PeriodKind, ReportingPeriod},
};

/// How often a collection is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Periodicity {
    /// Every quarter (para 12).
    Quarterly,
    /// For the first half-year and for the year (para 13); the second half-year has no edition of its own.
    HalfYearAndYear,
}

impl Word for Periodicity {
    const ALL: &'static [Self] = &[Self::Quarterly, Self::HalfYearAndYear];

    fn word(self) -> &'static str {
        match self {
            Self::Quarterly => "QUARTERLY",
            Self::HalfYearAndYear => "HALF_YEAR_AND_YEAR",
        }
    }
}

impl Periodicity {
    /// Its periods of a year, as kind and number.
    pub fn periods(self) -> &'static [(PeriodKind, i8)] {
        match self {
            Self::Quarterly => &[
                (PeriodKind::Quarter, 1),
                (PeriodKind::Quarter, 2),
                (PeriodKind::Quarter, 3),
                (PeriodKind::Quarter, 4),
            ],
            Self::HalfYearAndYear => &[(PeriodKind::HalfYear, 1), (PeriodKind::Year, 1)],
        }
    }
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// What identifies it, for example `crime`.
    pub id: String,
    /// Its row in Appendix 1, from 1.
    pub appendix_row: i32,
    /// Its title; languages not entered yet are empty.
    pub title: LocalizedText,
    pub periodicity: Periodicity,
    /// How many copies an edition has in all.
    pub copies_total: i32,
    /// To send it by its day.
    pub duty: Duty,
}

/// What a collection is called from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// Which recording this is; 0 for that of the register.
    pub number: i64,
    /// The title; languages not entered yet are empty.
    pub text: LocalizedText,
    /// The first day.
    pub valid_from: Date,
}

/// What a collection is called on a day: by the title that began last, and of two of one day by what was recorded; before all of them by
/// the first. `None` without any.
pub fn title_on(titles: &[Title], day: Date) -> Option<&Title> {
    let begun = titles.iter().filter(|title| title.valid_from <= day);
    let last = begun.max_by_key(|title| (title.valid_from, title.number));
    let first = || titles.iter().min_by_key(|title| (title.valid_from, -title.number));
    last.or_else(first)
}

/// A period that a collection is not sent for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{collection} is sent {when}; {period} is no period of it")]
pub struct WrongPeriod {
    collection: String,
    period: ReportingPeriod,
    when: &'static str,
}

impl Collection {
    /// Whether the collection is sent for this period.
    ///
    /// # Errors
    /// Says which periods it is sent for.
    pub fn require_period(&self, period: ReportingPeriod) -> Result<(), WrongPeriod> {
        if self.duty.has(period) {
            return Ok(());
        }
        let when = match self.periodicity {
            Periodicity::Quarterly => "for each quarter, like 2019-Q1",
            Periodicity::HalfYearAndYear => "for the first half-year and for the year, like 2019-S1 and 2019",
        };
        Err(WrongPeriod {
            collection: self.duty.parent.clone(),
            period,
            when,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register;

    fn collection(id: &str) -> Collection {
        let register = register::appendix_1().expect("the register is readable");
        register
            .collections
            .into_iter()
            .find(|collection| collection.id == id)
            .expect("it is in the register")
    }

    fn accepted(id: &str, period: &str) -> Result<(), String> {
        let period = period.parse().expect("a period");
        collection(id).require_period(period).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn quarterly_collections_are_sent_for_quarters_only() {
        for period in ["2019-Q1", "2019-Q4", "2035-Q2"] {
            assert_eq!(accepted("crime", period), Ok(()), "{period}");
        }
        for period in ["2019-M03", "2019-S1", "2019"] {
            assert!(accepted("crime", period).is_err(), "{period}");
        }
    }

    #[test]
    fn the_half_year_and_year_collection_has_no_second_half_year() {
        for period in ["2019-S1", "2019"] {
            assert_eq!(accepted("prosecution-bodies", period), Ok(()), "{period}");
        }
        for period in ["2019-S2", "2019-Q2", "2019-M06"] {
            assert!(accepted("prosecution-bodies", period).is_err(), "{period}");
        }
        let told = accepted("prosecution-bodies", "2019-S2").expect_err("there is no such edition");
        assert!(told.contains("2019-S2") && told.contains("2019-S1 and 2019"), "{told}");
    }

    #[test]
    fn a_collection_is_called_by_the_title_that_began_last() {
        let title = |number: i64, from: &str, en: &str| Title {
            number,
            text: LocalizedText::new("", "", en),
            valid_from: from.parse().expect("a day"),
        };
        let titles = [
            title(0, "2019-04-15", "loaded"),
            title(3, "2019-04-15", "corrected"),
            title(2, "2023-01-01", "renamed"),
        ];
        for (day, expected) in [
            ("2019-04-14", "corrected"),
            ("2022-12-31", "corrected"),
            ("2023-01-01", "renamed"),
        ] {
            let on = title_on(&titles, day.parse().expect("a day")).map(|title| title.text.en.as_str());
            assert_eq!(on, Some(expected), "{day}");
        }
        assert_eq!(title_on(&[], "2023-01-01".parse().expect("a day")), None);
    }

    #[test]
    fn a_duty_holds_from_the_day_of_the_instruction() {
        let day = |text: &str| text.parse::<jiff::civil::Date>().expect("a day");
        let duty = collection("crime").duty;
        assert!(!duty.holds_on(day("2019-04-14")));
        assert!(duty.holds_on(day("2019-04-15")) && duty.holds_on(day("2035-01-14")));
    }
}
