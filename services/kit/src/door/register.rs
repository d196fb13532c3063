//! Reads the registers that a service embeds as CSV. A line that cannot be read stops the start, and the error says where it
//! is: a service must not start with half a register.

use std::collections::HashMap;

use anyhow::Context as _;
use jiff::civil::Date;
use serde::de::DeserializeOwned;

use super::word::Word;

/// Reads every line of a register. `file` is its name, for errors.
///
/// # Errors
/// The first line that cannot be read, with its file and number.
pub fn lines<L: DeserializeOwned, T>(
    file: &str,
    text: &str,
    read: impl Fn(L) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().with_context(|| file.to_owned())?.clone();
    let line = |record: csv::Result<csv::StringRecord>| {
        // An error of the reader itself names the line.
        let record = record.with_context(|| file.to_owned())?;
        let number = record.position().map(csv::Position::line).unwrap_or_default();
        let line = record.deserialize(Some(&headers)).map_err(anyhow::Error::new);
        line.and_then(&read).with_context(|| format!("{file}, line {number}"))
    };
    reader.records().map(line).collect()
}

/// Reads `yes` or `no`.
///
/// # Errors
/// Another text.
pub fn yes_or_no(text: &str) -> anyhow::Result<bool> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => anyhow::bail!("{other:?} is neither yes nor no"),
    }
}

/// Reads a word of an enumeration. The registers may write `half-year-and-year` for `HALF_YEAR_AND_YEAR`.
///
/// # Errors
/// A word that the enumeration does not have.
pub fn word<T: Word>(text: &str) -> anyhow::Result<T> {
    T::read(&text.to_uppercase().replace('-', "_")).with_context(|| format!("unknown word {text:?}"))
}

/// Reads a day such as `2019-04-15`.
///
/// # Errors
/// Another notation, or a day that does not exist.
pub fn day(text: &str) -> anyhow::Result<Date> {
    text.parse().with_context(|| format!("{text:?} is no day"))
}

/// Reads a day where a register may leave it out.
///
/// # Errors
/// As [`day`].
pub fn optional_day(text: &str) -> anyhow::Result<Option<Date>> {
    Some(text).filter(|text| !text.is_empty()).map(day).transpose()
}

/// Reads the first day on which a line holds, and the last where it has one.
///
/// # Errors
/// A day that cannot be read, or a last day before the first.
pub fn validity(from: &str, to: &str) -> anyhow::Result<(Date, Option<Date>)> {
    let from = day(from).context("valid_from")?;
    let to = optional_day(to).context("valid_to")?;
    anyhow::ensure!(to.is_none_or(|to| from <= to), "valid_to is before valid_from");
    Ok((from, to))
}

/// The rows of a release that are stored otherwise under the same key, each by its key.
pub fn edited<T: PartialEq>(released: &[T], stored: &[T], key: impl Fn(&T) -> String) -> Vec<String> {
    let stored: HashMap<String, &T> = stored.iter().map(|row| (key(row), row)).collect();
    let differs = |row: &&T| stored.get(&key(row)).is_some_and(|stored| *stored != *row);
    released.iter().filter(differs).map(&key).collect()
}

/// Tells at the start which rows of a register the release brings otherwise than they are stored. What is stored stays: an
/// operator may have entered it, and what rests on it was computed from it.
pub fn tell_edited(register: &str, rows: &[String]) {
    if !rows.is_empty() {
        tracing::warn!(
            register,
            ?rows,
            "this release brings these rows otherwise than they are stored; what is stored stays"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Line {
        name: String,
        allowed: String,
    }

    fn read(text: &str) -> anyhow::Result<Vec<(String, bool)>> {
        lines("rules.csv", text, |line: Line| {
            Ok((line.name, yes_or_no(&line.allowed)?))
        })
    }

    #[test]
    fn every_line_of_a_register_is_read() {
        let register = read("name,allowed\na,yes\n\"b\nc\",no\n").expect("it is readable");
        assert_eq!(register, [("a".to_owned(), true), ("b\nc".to_owned(), false)]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_with_its_file() {
        for (text, problem) in [
            (
                "name,allowed\n\"a\nb\",yes\nc,maybe\n",
                "rules.csv, line 4: \"maybe\" is neither yes nor no",
            ),
            ("name\na\n", "rules.csv, line 2"),
            ("name,allowed\na,yes\nb\n", "rules.csv: CSV error: record 2 (line: 3"),
        ] {
            let error = format!("{:#}", read(text).expect_err("a line cannot be read"));
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn only_a_row_stored_otherwise_under_its_key_is_edited() {
        let released = [("a", 1), ("b", 2), ("c", 3)];
        let stored = [("b", 5), ("a", 1), ("d", 4)];
        assert_eq!(edited(&released, &stored, |row| row.0.to_owned()), ["b"]);
    }

    #[test]
    fn days_and_validity_are_read() {
        assert_eq!(optional_day("").expect("none"), None);
        assert!(optional_day("2019-02-30").is_err());
        let (from, to) = validity("2019-04-15", "").expect("it is readable");
        assert_eq!((from, to), (date(2019, 4, 15), None));
        for (from, to, problem) in [
            ("", "", "valid_from: \"\" is no day"),
            ("2019-04-15", "x", "valid_to: \"x\" is no day"),
            ("2019-04-15", "2019-04-14", "valid_to is before valid_from"),
        ] {
            let error = validity(from, to).expect_err("it is unreadable");
            assert!(format!("{error:#}").contains(problem), "{error:#}");
        }
    }

    #[test]
    fn a_word_is_read_in_the_notation_of_the_registers_and_of_the_tables() {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        struct HalfYearAndYear;

        impl Word for HalfYearAndYear {
            const ALL: &'static [Self] = &[Self];

            fn word(self) -> &'static str {
                "HALF_YEAR_AND_YEAR"
            }
        }

        for text in ["half-year-and-year", "HALF_YEAR_AND_YEAR"] {
            assert_eq!(word::<HalfYearAndYear>(text).expect("it is known"), HalfYearAndYear);
        }
        assert!(word::<HalfYearAndYear>("monthly").is_err());
    }
}
