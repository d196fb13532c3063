//! An entry of the approved list of open data (Instruction, para 9): `forms/1/openDataEntries/2026-01-01`.

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use legalstat_kit::{door::names::number, law::LegalBasis};

use super::key;

/// What stands between the form and the first day.
const ENTRIES: &str = "/openDataEntries/";

/// Which entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryKey {
    pub form: i32,
    pub valid_from: Date,
}

/// A text that names no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write forms/, the number in the list, /openDataEntries/ and the first day, for example forms/1/openDataEntries/2026-01-01"
)]
pub struct NotAnEntry;

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{ENTRIES}{}", key::form(self.form), self.valid_from)
    }
}

impl FromStr for EntryKey {
    type Err = NotAnEntry;

    fn from_str(name: &str) -> Result<Self, NotAnEntry> {
        let rest = name.strip_prefix("forms/").ok_or(NotAnEntry)?;
        let (form, day) = rest.split_once(ENTRIES).ok_or(NotAnEntry)?;
        let valid_from: Date = day.parse().map_err(|_| NotAnEntry)?;
        // One name only: `20260101` is read as a day too.
        if valid_from.to_string() != day {
            return Err(NotAnEntry);
        }
        let form = number(form).ok_or(NotAnEntry)?;
        Ok(Self { form, valid_from })
    }
}

/// That a form is on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: EntryKey,
    /// The last day; `None` while it goes on.
    pub valid_to: Option<Date>,
    /// The act that approved it.
    pub legal_basis: LegalBasis,
    /// Why it ended; empty while it goes on.
    pub end_reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_one_name() {
        let name = "forms/1/openDataEntries/2026-01-01";
        assert_eq!(name.parse::<EntryKey>().map(|key| key.to_string()).as_deref(), Ok(name));
        for other in [
            "",
            "forms/1",
            "forms/01/openDataEntries/2026-01-01",
            "forms/1/openDataEntries/20260101",
            "forms/1/openDataEntries/2026-02-30",
            "forms/1/openDataEntries/2026-01-01 ",
        ] {
            assert_eq!(other.parse::<EntryKey>(), Err(NotAnEntry), "{other:?}");
        }
    }
}
