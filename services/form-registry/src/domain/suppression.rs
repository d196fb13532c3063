//! Suppression of small counts: what would tell of single persons is not shown where it is not placed openly anyway. Off unless
//! it is set.

use bigdecimal::{BigDecimal, Zero as _};
use legalstat_kit::law::LocalizedText;

/// How much is suppressed; 0 is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suppression {
    /// A figure other than nought that lies below this is.
    pub threshold: u32,
    /// A total is, of which one part makes more than this many per cent.
    pub dominance: u32,
}

/// Why a figure is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Small,
    /// With the other parts known, the total would tell the one that is suppressed.
    TellsAPart,
    Dominated,
}

/// What a total is made of.
#[derive(Clone, Debug)]
pub struct Made {
    pub sum: BigDecimal,
    pub parts: i64,
    /// How many parts are small.
    pub small: i64,
    /// The largest part by size.
    pub largest: BigDecimal,
}

impl Suppression {
    /// Whether a single figure is suppressed, and why.
    pub fn of_figure(self, value: &BigDecimal) -> Option<Why> {
        let threshold = BigDecimal::from(self.threshold);
        (!value.is_zero() && value.abs() < threshold).then_some(Why::Small)
    }

    /// Whether a total is suppressed, and why.
    pub fn of_total(self, made: &Made) -> Option<Why> {
        let dominates = || &made.largest * 100 > made.sum.abs() * BigDecimal::from(self.dominance);
        if let Some(why) = self.of_figure(&made.sum) {
            return Some(why);
        }
        if self.threshold > 0 && made.small == 1 {
            return Some(Why::TellsAPart);
        }
        (self.dominance > 0 && made.parts > 1 && dominates()).then_some(Why::Dominated)
    }
}

impl Why {
    /// What the answer says of it.
    pub fn text(self) -> LocalizedText {
        match self {
            Self::Small => LocalizedText::new(
                "Мән көрсетілмейді: ол баптауда берілген шектен аз.",
                "Значение скрыто: оно меньше порога, заданного настройкой.",
                "The value is suppressed: it lies below the threshold that is set.",
            ),
            Self::TellsAPart => LocalizedText::new(
                "Жиынтық көрсетілмейді: ол бойынша жасырылған бөлікті есептеп шығаруға болады.",
                "Итог скрыт: по нему можно вычислить скрытую часть.",
                "The total is suppressed: the one part that is suppressed could be computed from it.",
            ),
            Self::Dominated => LocalizedText::new(
                "Жиынтық көрсетілмейді: бір бөлік онда баптауда берілген үлестен артық.",
                "Итог скрыт: одна часть составляет в нём больше доли, заданной настройкой.",
                "The total is suppressed: one part makes more of it than the share that is set.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SET: Suppression = Suppression {
        threshold: 5,
        dominance: 80,
    };

    fn made(sum: i64, parts: i64, small: i64, largest: i64) -> Made {
        Made {
            sum: sum.into(),
            parts,
            small,
            largest: largest.into(),
        }
    }

    #[test]
    fn a_figure_below_the_threshold_is_suppressed_and_nought_tells_of_nobody() {
        for (value, why) in [(0, None), (1, Some(Why::Small)), (-4, Some(Why::Small)), (5, None)] {
            assert_eq!(SET.of_figure(&value.into()), why, "{value}");
        }
    }

    #[test]
    fn a_total_is_suppressed_when_it_is_small_tells_a_part_or_has_one_that_dominates() {
        for (total, why) in [
            (made(3, 2, 2, 2), Some(Why::Small)),
            (made(50, 3, 1, 30), Some(Why::TellsAPart)),
            (made(50, 3, 2, 30), None),
            (made(100, 3, 0, 81), Some(Why::Dominated)),
            (made(100, 3, 0, 80), None),
            (made(100, 1, 0, 100), None),
        ] {
            assert_eq!(SET.of_total(&total), why, "{total:?}");
        }
    }

    #[test]
    fn a_total_of_many_digits_is_compared_as_any_other() {
        let number = |text: &str| -> BigDecimal { text.parse().expect("a number") };
        for (sum, largest, why) in [
            (
                "9999999999999999999999999999",
                "9999999999999999999999999999",
                Some(Why::Dominated),
            ),
            ("99999999999999999999999999990", "9999999999999999999999999999", None),
            (
                "-12499999999999999999999999998.75",
                "9999999999999999999999999999",
                None,
            ),
            (
                "-12499999999999999999999999998.7",
                "9999999999999999999999999999",
                Some(Why::Dominated),
            ),
        ] {
            let total = Made {
                sum: number(sum),
                largest: number(largest),
                ..made(0, 2, 0, 0)
            };
            assert_eq!(SET.of_total(&total), why, "{sum}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_suppressed_unless_it_is_set(sum in -1000..1000_i64, parts in 1..9_i64, small in 0..9_i64, largest in 0..1000_i64) {
            let off = Suppression::default();
            prop_assert_eq!(off.of_figure(&sum.into()), None);
            prop_assert_eq!(off.of_total(&made(sum, parts, small, largest)), None);
        }
    }
}
