//! What is wrong with the rows that a call brought: the first hundred faults, and how many there are.

use legalstat_kit::law::LegalBasis;

/// How many faults are told.
pub const TOLD: usize = 100;
/// How many bytes of what was given a fault shows.
const SHOWN: usize = 20;

/// Which rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Required,
    Unknown,
    Conflict,
    Decimal,
    Enum,
    Status,
    Duplicate,
    Total,
    OutOfRange,
    TooMany,
    Date,
    Period,
    TooLong,
    InvalidCharacter,
    Direction,
    Key,
    Range,
    Contradiction,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub row: i64,
    pub column: String,
    pub kind: Kind,
    pub value: String,
}

impl Fault {
    pub fn new(row: i64, column: &str, kind: Kind, value: &str) -> Self {
        let mut end = value.len().min(SHOWN);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            row,
            column: column.into(),
            kind,
            value: value[..end].into(),
        }
    }
}

/// Faults in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub count: i64,
    pub first: Vec<Fault>,
}

impl Faults {
    /// Counts a fault, and keeps it while a hundred are not full.
    pub fn add(&mut self, fault: impl FnOnce() -> Fault) {
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(fault());
        }
    }

    /// Requires the law behind a row of a register.
    pub fn require_basis(&mut self, row: i64, basis: &LegalBasis) {
        if basis.act.trim().is_empty() {
            self.add(|| Fault::new(row, "legal_basis", Kind::Required, ""));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_faults_are_told_and_all_are_counted() {
        let mut faults = Faults::default();
        for row in 1..=10_000 {
            faults.add(|| Fault::new(row, "value", Kind::Decimal, "x"));
        }
        assert_eq!((faults.count, faults.first.len()), (10_000, 100));
        assert_eq!(faults.first.last().map(|fault| fault.row), Some(100));
    }

    #[test]
    fn what_was_given_is_cut_between_two_letters() {
        for (given, shown) in [
            ("abc", "abc"),
            ("ж".repeat(11).as_str(), "ж".repeat(10).as_str()),
            ("aжжжжжжжжжж", "aжжжжжжжжж"),
        ] {
            assert_eq!(Fault::new(1, "value", Kind::Decimal, given).value, shown);
        }
    }
}
