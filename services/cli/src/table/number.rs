//! Numbers as people write them, read when there is one way to read them, and written as the contracts want them.

/// Why a text is no number that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NoNumber,
    Ambiguous,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoNumber => "not a number",
            Self::Ambiguous => "it can be read in two ways; write the fraction with a point and no thousands separator",
        })
    }
}

/// Reads a number: `1234.5`, `1 234,5`, `1,234.5`, `1.234.567`. A lone comma before three digits could part thousands or a fraction
/// and is refused, unless what stands before it can be no group.
pub(crate) fn read(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => ("-", digits.trim_start()),
        None => ("", text),
    };
    let spaced = digits.contains(is_space);
    let plain = if spaced {
        without_spaces(digits)?
    } else {
        digits.to_owned()
    };
    let number = match (plain.matches(',').count(), plain.matches('.').count()) {
        (0, 0 | 1) => plain,
        (1, 0) => of_comma(&plain, spaced)?,
        (_, 0) if !spaced => grouped(&plain, ',')?,
        (0, _) if !spaced => grouped(&plain, '.')?,
        (_, 1) if !spaced && plain.rfind('.') > plain.rfind(',') => fraction(&plain, ',', '.')?,
        (1, _) if !spaced && plain.rfind(',') > plain.rfind('.') => fraction(&plain, '.', ',')?,
        _ => return Err(Fault::NoNumber),
    };
    let (whole, part) = number.split_once('.').unwrap_or((&number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(part) {
        Ok(format!("{sign}{number}"))
    } else {
        Err(Fault::NoNumber)
    }
}

/// The spaces that programs part thousands with, and the apostrophe.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '\u{2019}')
}

/// Joins groups of three digits; the fraction has no spaces.
fn without_spaces(text: &str) -> Result<String, Fault> {
    let end = text.find([',', '.']).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    if rest.contains(is_space) {
        return Err(Fault::NoNumber);
    }
    Ok(join(whole.split(is_space))? + rest)
}

/// Joins groups: one to three digits, then three each.
fn join<'a>(groups: impl Iterator<Item = &'a str>) -> Result<String, Fault> {
    let groups: Vec<&str> = groups.collect();
    let (first, rest) = groups.split_first().ok_or(Fault::NoNumber)?;
    let are_groups = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    if are_groups {
        Ok(groups.concat())
    } else {
        Err(Fault::NoNumber)
    }
}

fn of_comma(text: &str, spaced: bool) -> Result<String, Fault> {
    let (whole, rest) = text.split_once(',').ok_or(Fault::NoNumber)?;
    let could_be_a_group = !spaced && rest.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
    if could_be_a_group {
        Err(Fault::Ambiguous)
    } else {
        Ok(format!("{whole}.{rest}"))
    }
}

fn grouped(text: &str, separator: char) -> Result<String, Fault> {
    join(text.split(separator))
}

fn fraction(text: &str, group: char, point: char) -> Result<String, Fault> {
    let (whole, rest) = text.rsplit_once(point).ok_or(Fault::NoNumber)?;
    Ok(format!("{}.{rest}", join(whole.split(group))?))
}

/// A number of a workbook, which holds it as a binary fraction: with the 15 digits that such a fraction keeps of a decimal.
pub(crate) fn of_workbook(value: f64) -> Option<String> {
    if !value.is_finite() || value.abs() >= 1e15 {
        return None;
    }
    let scientific = format!("{value:.14e}");
    let (_, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let places = usize::try_from((14 - exponent).clamp(0, 28)).ok()?;
    let written = format!("{value:.places$}");
    let trimmed = if written.contains('.') {
        written.trim_end_matches('0').trim_end_matches('.')
    } else {
        &written
    };
    Some(if trimmed == "-0" {
        "0".into()
    } else {
        trimmed.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_when_there_is_one_way_to_read_it() {
        for (written, number) in [
            ("1234", "1234"),
            ("1234.5", "1234.5"),
            ("1 234,5", "1234.5"),
            ("1\u{a0}234\u{a0}567,25", "1234567.25"),
            ("12,5", "12.5"),
            ("1234,567", "1234.567"),
            ("0,125", "0.125"),
            ("1 234,567", "1234.567"),
            ("1,234.5", "1234.5"),
            ("1.234,5", "1234.5"),
            ("1,234,567", "1234567"),
            ("1.234.567", "1234567"),
            ("-3", "-3"),
            ("\u{2212}3,5", "-3.5"),
            ("1.234", "1.234"),
            (" 7 ", "7"),
            ("1'234.5", "1234.5"),
            ("1 234.5", "1234.5"),
        ] {
            assert_eq!(read(written).as_deref(), Ok(number), "{written:?}");
        }
        for written in ["1,234", "12,345", "999,999"] {
            assert_eq!(read(written), Err(Fault::Ambiguous), "{written:?}");
        }
        for written in [
            "",
            "-",
            "many",
            "1 23",
            "12 34,5",
            "1 2345",
            "1e3",
            "+5",
            "5%",
            "1,5,5",
            "1,23,456",
            "1.5.5",
            "1,234.5.6",
            "1 234,5 6",
            "(5)",
            "1,",
            ",5",
            "٣",
            "1 234,567,8",
            "0x1",
        ] {
            assert_eq!(read(written), Err(Fault::NoNumber), "{written:?}");
        }
    }

    #[test]
    fn a_number_of_a_workbook_keeps_the_digits_that_a_binary_fraction_keeps() {
        for (value, written) in [
            (0.1 + 0.2, Some("0.3")),
            (1234.5, Some("1234.5")),
            (-7.0, Some("-7")),
            (0.0, Some("0")),
            (-0.0, Some("0")),
            (123_456_789_012_345.0, Some("123456789012345")),
            (1e-7, Some("0.0000001")),
            (1e15, None),
            (f64::NAN, None),
            (33.33, Some("33.33")),
            (100.0, Some("100")),
        ] {
            assert_eq!(of_workbook(value).as_deref(), written, "{value}");
        }
    }
}
