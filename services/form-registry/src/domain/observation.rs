//! A figure: its value and status, how it is spelled, and how the figures of a revision become one digest.

use bigdecimal::{BigDecimal, Signed as _, num_bigint::BigInt};
use legalstat_kit::{door::word::Word, period::ReportingPeriod};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

/// The observation status of SDMX, code list CL_OBS_STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(u8);

/// The codes of CL_OBS_STATUS, in the order of the contract.
const CODES: &[u8; 19] = b"ABDEFGIJKLMNOPQSUVW";

impl Status {
    pub const NORMAL: Self = Self(b'A');
    pub const ESTIMATED: Self = Self(b'E');
    pub const PROVISIONAL: Self = Self(b'P');
    pub const SUPPRESSED: Self = Self(b'Q');

    /// The status of a place in the contract's enumeration, from 1.
    pub fn at(place: i32) -> Option<Self> {
        let place = usize::try_from(place).ok()?.checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    /// Its place in the contract's enumeration.
    pub fn place(self) -> i32 {
        let place = CODES.iter().position(|code| *code == self.0).unwrap_or_default();
        i32::try_from(place + 1).unwrap_or_default()
    }

    /// The status of its letter.
    pub fn of_letter(letter: u8) -> Option<Self> {
        CODES.contains(&letter).then_some(Self(letter))
    }

    pub fn letter(self) -> char {
        self.0.into()
    }

    /// Whether a figure of this status may stand with or without a value.
    pub fn fits(self, has_value: bool) -> bool {
        match self.0 {
            b'L' | b'M' | b'O' | b'Q' => !has_value,
            b'K' | b'N' => true,
            _ => has_value,
        }
    }
}

/// How many digits a value may have: as many as are kept exactly.
const DIGITS: usize = 28;

/// Reads a value as the contract writes it, `-?[0-9]+(\.[0-9]+)?`. The same value has one form: without zeros at the end of its
/// fraction, and without a sign when it is nought.
pub fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) || digits.len() > DIGITS + 1 {
        return None;
    }
    let value = Decimal::from_str_exact(text).ok()?.normalize();
    let many = value.mantissa().unsigned_abs() >= 10_u128.pow(28);
    (!many).then_some(value)
}

/// A value as it is written.
pub fn spelled(value: Decimal) -> String {
    value.normalize().to_string()
}

/// A value to reckon with: sums and shares of values have more digits than one value may.
pub fn exact(value: Decimal) -> BigDecimal {
    BigDecimal::new(value.mantissa().into(), value.scale().into())
}

/// What was reckoned, as it is written: every digit, and no exponent.
pub fn plain(value: &BigDecimal) -> String {
    value.normalized().to_plain_string()
}

/// By how many per cent a value grew since another, rounded to two places, halves away from nought; `None` where that says nothing.
pub fn growth(value: &BigDecimal, before: &BigDecimal) -> Option<BigDecimal> {
    if !before.is_positive() {
        return None;
    }
    let scale = value.fractional_digit_count().max(before.fractional_digit_count());
    let whole = |value: &BigDecimal| value.with_scale(scale).into_bigint_and_scale().0;
    let (value, before) = (whole(value), whole(before));
    let hundredths: BigInt = (value - &before) * 10_000;
    let rounded = (hundredths.abs() * 2 + &before) / (before * 2);
    let sign = hundredths.signum();
    Some(BigDecimal::new(sign * rounded, 2).normalized())
}

/// The same period of the year before.
pub fn year_before(period: ReportingPeriod) -> Option<ReportingPeriod> {
    ReportingPeriod::new(period.year() - 1, period.kind(), period.number()).ok()
}

/// The status of a total of parts with these.
pub fn of_total(parts: &[Status]) -> Status {
    match parts {
        [] => Status::NORMAL,
        [first, rest @ ..] if rest.iter().all(|part| part == first) => *first,
        parts if parts.contains(&Status::PROVISIONAL) => Status::PROVISIONAL,
        _ => Status::ESTIMATED,
    }
}

/// The texts of one figure, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spelled<'a> {
    pub indicator: &'a str,
    /// Empty for the whole country.
    pub territory: &'a str,
    /// Dimensions and codes, by dimension: `AGE=Y_LT18;SEX=F`; empty for no breakdown.
    pub breakdown: &'a str,
}

/// The digest of the figures of a revision: SHA-256 over one line for each, in the order of their texts by bytes. A line is
/// indicator, territory, breakdown, status and value with a tab between them, and a line feed after it.
#[derive(Clone, Default)]
pub struct FiguresDigest(Sha256);

impl FiguresDigest {
    /// Adds the next figure; its value is empty where it has none.
    pub fn add(&mut self, key: &Spelled<'_>, status: Status, value: &str) {
        for text in [key.indicator, "\t", key.territory, "\t", key.breakdown, "\t"] {
            self.0.update(text);
        }
        self.0.update([status.0, b'\t']);
        self.0.update(value);
        self.0.update(b"\n");
    }

    pub fn done(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

impl Word for Status {
    const ALL: &'static [Self] = &[
        Self(b'A'),
        Self(b'B'),
        Self(b'D'),
        Self(b'E'),
        Self(b'F'),
        Self(b'G'),
        Self(b'I'),
        Self(b'J'),
        Self(b'K'),
        Self(b'L'),
        Self(b'M'),
        Self(b'N'),
        Self(b'O'),
        Self(b'P'),
        Self(b'Q'),
        Self(b'S'),
        Self(b'U'),
        Self(b'V'),
        Self(b'W'),
    ];

    fn word(self) -> &'static str {
        const WORDS: [&str; 19] = [
            "A", "B", "D", "E", "F", "G", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "S", "U", "V", "W",
        ];
        WORDS[CODES.iter().position(|code| *code == self.0).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Decimal {
        decimal(text).expect("a decimal")
    }

    #[test]
    fn a_value_is_read_exactly_and_in_one_notation_only() {
        for (given, kept) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("12.50", "12.5"),
            ("007", "7"),
            ("-3", "-3"),
            ("0.1", "0.1"),
            ("9999999999999999999999999999", "9999999999999999999999999999"),
            ("0.000000000000000000000000001", "0.000000000000000000000000001"),
        ] {
            assert_eq!(value(given).to_string(), kept, "{given}");
        }
        for wrong in [
            "",
            "-",
            ".5",
            "5.",
            "1,5",
            "1 000",
            "1e3",
            "+1",
            " 1",
            "NaN",
            "١",
            "--1",
            "1.2.3",
            "99999999999999999999999999999",
            "0.00000000000000000000000000000001",
        ] {
            assert_eq!(decimal(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_status_says_whether_there_is_a_value() {
        for (letter, without, with) in [
            (b'A', false, true),
            (b'P', false, true),
            (b'M', true, false),
            (b'Q', true, false),
            (b'N', true, true),
        ] {
            let status = Status::of_letter(letter).expect("it is listed");
            assert_eq!(
                (status.fits(false), status.fits(true)),
                (without, with),
                "{}",
                status.letter()
            );
        }
        assert_eq!(Status::of_letter(b'C'), None);
        assert_eq!(Status::at(0), None);
        assert_eq!(Status::at(20), None);
    }

    #[test]
    fn every_status_has_its_place_and_its_word() {
        for (place, &status) in (1..).zip(Status::ALL) {
            assert_eq!((Status::at(place), status.place()), (Some(status), place));
            assert_eq!(Status::read(status.word()), Some(status));
            assert_eq!(Status::of_letter(status.0), Some(status));
            assert_eq!(status.word(), status.letter().to_string());
        }
    }

    #[test]
    fn growth_is_exact_and_said_only_where_it_says_something() {
        for (now, before, grown) in [
            ("110", "100", Some("10")),
            ("2", "3", Some("-33.33")),
            ("1", "0", None),
            ("1", "-1", None),
            ("1.005", "1", Some("0.5")),
            ("5", "5", Some("0")),
            ("1.00005", "1", Some("0.01")),
            ("0.99995", "1", Some("-0.01")),
            ("1.000049", "1", Some("0")),
            ("0", "3", Some("-100")),
            (
                "1000000000000000000000000000000",
                "0.001",
                Some("99999999999999999999999999999999900"),
            ),
        ] {
            let told = |text: &str| -> BigDecimal { text.parse().expect("a decimal") };
            let found = growth(&told(now), &told(before)).map(|grown| plain(&grown));
            assert_eq!(found.as_deref(), grown, "{now} after {before}");
        }
        let before = |period: &str| year_before(period.parse().expect("a period")).map(|period| period.to_string());
        assert_eq!(before("2026-Q1").as_deref(), Some("2025-Q1"));
        assert_eq!(before("1900"), None);
    }

    #[test]
    fn what_is_reckoned_is_written_with_every_digit_and_no_exponent() {
        for (given, written) in [
            ("0", "0"),
            ("100", "100"),
            ("-12.50", "-12.5"),
            ("0.000000000000000000000000001", "0.000000000000000000000000001"),
        ] {
            assert_eq!(plain(&exact(value(given))), written);
            assert_eq!(spelled(value(given)), written);
        }
        let large = exact(value("9999999999999999999999999999"));
        let sum = &large + &large + exact(value("0.1"));
        assert_eq!(plain(&sum), "19999999999999999999999999998.1");
        assert_eq!(
            plain(&(&large * BigDecimal::new(1.into(), -5))),
            "999999999999999999999999999900000"
        );
    }

    #[test]
    fn a_total_is_as_sure_as_its_parts() {
        let [a, e, p] = [Status::NORMAL, Status::ESTIMATED, Status::PROVISIONAL];
        for (parts, total) in [(&[a, a][..], a), (&[e, e], e), (&[a, p], p), (&[a, e], e), (&[], a)] {
            assert_eq!(of_total(parts), total, "{parts:?}");
        }
    }

    proptest! {
        #[test]
        fn every_decimal_of_28_digits_is_kept_as_it_is(whole in "-?[1-9][0-9]{0,13}", fraction in "[0-9]{0,12}[1-9]") {
            let text = format!("{whole}.{fraction}");
            prop_assert_eq!(decimal(&text).map(|value| value.to_string()), Some(text));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = decimal(&text);
        }
    }
}
