//! Which figures are asked for, in which order, and what a figure is by numbers.

use std::{fmt, str::FromStr};

use bigdecimal::BigDecimal;
use legalstat_kit::period::ReportingPeriod;

use super::observation::Status;

/// A figure by the numbers of what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub set: i32,
    pub indicator: i32,
    /// 0 is the whole country.
    pub territory: i32,
    /// 0 is none.
    pub breakdown: i32,
    pub status: Status,
    /// A total has as many digits as it needs.
    pub value: Option<BigDecimal>,
}

/// Which figures: of these sets in this order, and of these only where there is a list.
#[derive(Clone, Debug, Default)]
pub struct Narrowing {
    pub sets: Vec<i32>,
    pub indicators: Option<Vec<i32>>,
    /// None of these indicators.
    pub hidden: Vec<i32>,
    pub territories: Option<Vec<i32>>,
    pub breakdowns: Option<Vec<i32>>,
    /// The letters.
    pub statuses: Option<Vec<i8>>,
    /// How many of each set at most.
    pub of_each: Option<i64>,
}

/// After which figure a page begins: the place of its set among the sets, from 1, and its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub set: i64,
    pub indicator: i32,
    pub territory: i32,
    pub breakdown: i32,
}

/// The last figure of a page, as its token has it: sets may come and go before the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub period: ReportingPeriod,
    pub indicator: i32,
    pub territory: i32,
    pub breakdown: i32,
}

impl Mark {
    /// Its place among the periods of the sets. Where its own is gone, the page begins with the next one.
    pub fn place(self, periods: &[ReportingPeriod], descending: bool) -> Place {
        let comes_before = |period: &&ReportingPeriod| {
            let (its, mine) = (period.first_day(), self.period.first_day());
            if descending { its > mine } else { its < mine }
        };
        let before = periods.iter().filter(comes_before).count();
        let set = i64::try_from(before).unwrap_or(i64::MAX);
        if periods.get(before) != Some(&self.period) {
            return Place {
                set,
                indicator: i32::MAX,
                territory: i32::MAX,
                breakdown: i32::MAX,
            };
        }
        Place {
            set: set + 1,
            indicator: self.indicator,
            territory: self.territory,
            breakdown: self.breakdown,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {}",
            self.period, self.indicator, self.territory, self.breakdown
        )
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(' ');
        let mut next = || parts.next().ok_or(());
        let period = next()?.parse().map_err(|_| ())?;
        let mut number = || next()?.parse().map_err(|_| ());
        let mark = Self {
            period,
            indicator: number()?,
            territory: number()?,
            breakdown: number()?,
        };
        if parts.next().is_some() { Err(()) } else { Ok(mark) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn periods(texts: &[&str]) -> Vec<ReportingPeriod> {
        texts.iter().map(|text| text.parse().expect("a period")).collect()
    }

    #[test]
    fn a_mark_is_read_as_it_is_written_and_finds_its_place_in_either_order() {
        let mark: Mark = "2026-M02 5 0 7".parse().expect("a mark");
        assert_eq!(mark.to_string(), "2026-M02 5 0 7");
        for wrong in ["", "2026-M02", "2026-M02 5 0", "2026-M02 5 0 7 8", "x 5 0 7"] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
        let up = periods(&["2026-M01", "2026-M02", "2026-M03"]);
        let down: Vec<_> = up.iter().rev().copied().collect();
        let here = Place {
            set: 2,
            indicator: 5,
            territory: 0,
            breakdown: 7,
        };
        assert_eq!((mark.place(&up, false), mark.place(&down, true)), (here, here));
        let gone = periods(&["2026-M01", "2026-M03"]);
        assert_eq!(
            mark.place(&gone, false).set,
            1,
            "after the last figure of the first period"
        );
        assert_eq!(mark.place(&gone, false).indicator, i32::MAX);
    }
}
