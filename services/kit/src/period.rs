//! Reporting periods in SDMX notation: `2019-M03`, `2019-Q1`, `2019-S1`, `2019`. SDMX has a second notation for a month,
//! `2019-03`, and for a year, `2019-A1`; they are read too and written back in the first.

use std::{fmt, str::FromStr};

use jiff::{ToSpan, civil::Date};

/// The first year a period can lie in: further back than any statistics asked for.
pub const FIRST_YEAR: i16 = 1900;
/// The last year a period can lie in: further ahead than any calendar.
pub const LAST_YEAR: i16 = 2100;

/// What part of a year a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodKind {
    /// A month, `M01` to `M12`.
    Month,
    /// A quarter, `Q1` to `Q4`.
    Quarter,
    /// A half-year, `S1` or `S2`.
    HalfYear,
    /// The whole year.
    Year,
}

impl PeriodKind {
    /// How many months such a period has.
    pub const fn months(self) -> i8 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
        }
    }

    /// How many such periods a year has.
    pub const fn per_year(self) -> i8 {
        12 / self.months()
    }
}

/// A reporting period of the years 1900 to 2100. Ordered by year, kind and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportingPeriod {
    year: i16,
    kind: PeriodKind,
    number: i8,
}

/// A text or a number that is no reporting period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not in the notation.
    #[error("{0:?} is not a reporting period; write 2019-M03, 2019-Q1, 2019-S1 or 2019")]
    Notation(String),
    /// The year has no such period.
    #[error("{text:?}: a year has {letter}{first} to {letter}{last}")]
    Number {
        /// What was written.
        text: String,
        /// The letter of the kind.
        letter: char,
        /// The number of the year's first period of the kind, as it is written.
        first: &'static str,
        /// The number of the year's last period of the kind.
        last: i8,
    },
    /// Outside the years of the calendar.
    #[error("{0:?} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")]
    Year(String),
}

impl ReportingPeriod {
    /// The period of a kind with a number, from 1, in a year.
    ///
    /// # Errors
    /// A year outside 1900 to 2100, or a number that the year does not have.
    pub fn new(year: i16, kind: PeriodKind, number: i8) -> Result<Self, PeriodError> {
        let period = Self { year, kind, number };
        if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
            return Err(PeriodError::Year(period.to_string()));
        }
        let last = kind.per_year();
        if !(1..=last).contains(&number) {
            let letter = letter(kind).unwrap_or('A');
            let first = if kind == PeriodKind::Month { "01" } else { "1" };
            return Err(PeriodError::Number {
                text: period.to_string(),
                letter,
                first,
                last,
            });
        }
        Ok(period)
    }

    /// Reads the period in a resource name. A resource has one name only, so only the notation is read that is written.
    ///
    /// # Errors
    /// Another notation, or no period.
    pub fn in_name(text: &str) -> Result<Self, PeriodError> {
        let period: Self = text.parse()?;
        if period.to_string() == text {
            Ok(period)
        } else {
            Err(PeriodError::Notation(text.to_owned()))
        }
    }

    /// All periods of a kind in a year, in order.
    ///
    /// # Errors
    /// A year in which no period can lie.
    pub fn of_year(year: i16, kind: PeriodKind) -> Result<Vec<Self>, PeriodError> {
        (1..=kind.per_year())
            .map(|number| Self::new(year, kind, number))
            .collect()
    }

    /// The year it lies in.
    pub fn year(self) -> i16 {
        self.year
    }

    /// What part of the year it is.
    pub fn kind(self) -> PeriodKind {
        self.kind
    }

    /// Its number among the year's periods of its kind, from 1.
    pub fn number(self) -> i8 {
        self.number
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        let month = (self.number - 1) * self.kind.months() + 1;
        Date::new(self.year, month, 1).expect("the number was checked against the kind")
    }

    /// Its last day.
    pub fn last_day(self) -> Date {
        let last_month = self.number * self.kind.months();
        Date::new(self.year, last_month, 1)
            .expect("the number was checked against the kind")
            .last_of_month()
    }

    /// The first day of the month that follows it.
    pub fn following_month(self) -> Date {
        self.last_day().checked_add(1.day()).expect("the years end in 2100")
    }
}

fn letter(kind: PeriodKind) -> Option<char> {
    match kind {
        PeriodKind::Month => Some('M'),
        PeriodKind::Quarter => Some('Q'),
        PeriodKind::HalfYear => Some('S'),
        PeriodKind::Year => None,
    }
}

impl fmt::Display for ReportingPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PeriodKind::Month => write!(f, "{}-M{:02}", self.year, self.number),
            PeriodKind::Quarter => write!(f, "{}-Q{}", self.year, self.number),
            PeriodKind::HalfYear => write!(f, "{}-S{}", self.year, self.number),
            PeriodKind::Year => write!(f, "{}", self.year),
        }
    }
}

impl FromStr for ReportingPeriod {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let notation = || PeriodError::Notation(text.to_owned());
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (year, part) = text.split_once('-').unwrap_or((text, ""));
        if year.len() != 4 || !digits(year) || text.ends_with('-') {
            return Err(notation());
        }
        let year = year.parse().map_err(|_| notation())?;
        let Some(letter) = part.chars().next() else {
            return Self::new(year, PeriodKind::Year, 1);
        };
        let (kind, width) = match letter {
            // Gregorian, `2019-03`.
            '0' | '1' if part.len() == 2 && digits(part) => {
                return Self::new(year, PeriodKind::Month, part.parse().map_err(|_| notation())?);
            }
            'A' => (PeriodKind::Year, 1),
            'M' => (PeriodKind::Month, 2),
            'Q' => (PeriodKind::Quarter, 1),
            'S' => (PeriodKind::HalfYear, 1),
            _ => return Err(notation()),
        };
        let number = &part[1..];
        if number.len() != width || !digits(number) {
            return Err(notation());
        }
        Self::new(year, kind, number.parse().map_err(|_| notation())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn period(text: &str) -> ReportingPeriod {
        text.parse().expect("it exists")
    }

    #[test]
    fn periods_begin_and_end_with_their_months() {
        let days = |text: &str| {
            (
                period(text).first_day().to_string(),
                period(text).last_day().to_string(),
            )
        };
        let expected = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(days("2024-M02"), expected("2024-02-01", "2024-02-29"));
        assert_eq!(days("2019-Q2"), expected("2019-04-01", "2019-06-30"));
        assert_eq!(days("2019-S1"), expected("2019-01-01", "2019-06-30"));
        assert_eq!(days("2019"), expected("2019-01-01", "2019-12-31"));
        assert_eq!(period("2036").following_month().to_string(), "2037-01-01");
    }

    #[test]
    fn a_year_has_its_periods_in_order() {
        let quarters = ReportingPeriod::of_year(2026, PeriodKind::Quarter).expect("a year of the calendar");
        let notations: Vec<_> = quarters.iter().map(ToString::to_string).collect();
        assert_eq!(notations, ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]);
        assert!(ReportingPeriod::of_year(2101, PeriodKind::Year).is_err());
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "2019-",
            "2019-Q5",
            "2019-Q0",
            "2019-M13",
            "2019-M00",
            "2019-m03",
            "2019-M3",
            "2019-S3",
            "19-Q1",
            "2019-Q1 ",
            "2019-Q11",
            "1899",
            "2101-M01",
            "-2019",
            "2019-Ж1",
            "+019-Q1",
            "2019-13",
            "2019-00",
            "2019-3",
            "2019-A2",
            "2019-A",
            "2019-A01",
            "2019-a1",
            "2019M03",
            "2019-03-01",
            "2019-21",
            "2019-T1",
            "2019-W01",
        ] {
            assert!(text.parse::<ReportingPeriod>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_notations_of_one_period_are_read_and_written_back_in_one() {
        for (given, written) in [
            ("2019-A1", "2019"),
            ("2019", "2019"),
            ("2019-03", "2019-M03"),
            ("2019-M12", "2019-M12"),
            ("2019-12", "2019-M12"),
            ("2019-S1", "2019-S1"),
        ] {
            assert_eq!(period(given).to_string(), written);
            assert_eq!(ReportingPeriod::in_name(given).is_ok(), given == written, "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_in_its_one_notation(text in "[0-9]{4}(-[MQSAX]?[0-9]{0,2})?") {
            if let Ok(period) = text.parse::<ReportingPeriod>() {
                prop_assert_eq!(ReportingPeriod::in_name(&period.to_string()), Ok(period));
            }
        }
    }
}
