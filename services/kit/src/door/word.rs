//! Enumerations as words: one word for a value in the tables and the registers, one number for it on the wire.

use super::violations::Violations;
use crate::FieldReason;

/// An enumeration as the database and the registers write it. The tables' constraints list the same words.
pub trait Word: Copy + 'static {
    /// Every value, in the order of the contract.
    const ALL: &'static [Self];

    /// The word for a value.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }

    /// The value of a word in a column of the service's own tables.
    ///
    /// # Errors
    /// A word that this release does not know: another release wrote the row, or it is broken.
    fn read_stored(word: &str, column: &'static str) -> Result<Self, sqlx::Error> {
        Self::read(word).ok_or_else(|| unreadable(column, word))
    }
}

/// The error for a stored text that this release cannot read.
pub fn unreadable(column: &'static str, stored: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{column} holds {stored:?}, which this release does not know").into())
}

/// Reads the number of an enumeration in a message. `None` when the number is 0 (unspecified) or unknown.
pub fn known<T: Copy>(value: i32, all: &[T], wire: fn(T) -> i32) -> Option<T> {
    all.iter().copied().find(|word| wire(*word) == value)
}

/// Reads an optional enumeration of a message, 0 meaning none. A number that the contract does not list is a violation.
pub fn optional<T: Copy>(
    violations: &mut Violations,
    field: &str,
    value: i32,
    all: &[T],
    wire: fn(T) -> i32,
) -> Option<T> {
    let word = known(value, all, wire);
    if word.is_none() && value != 0 {
        violations.add(
            field,
            FieldReason::Enum,
            format!("{value} is not a value of this enumeration"),
        );
    }
    word
}

/// Reads a required enumeration of a message: 0 is a violation too.
pub fn required<T: Copy>(
    violations: &mut Violations,
    field: &str,
    value: i32,
    all: &[T],
    wire: fn(T) -> i32,
) -> Option<T> {
    if value == 0 {
        violations.add(field, FieldReason::Required, "required");
    }
    optional(violations, field, value, all, wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Grade {
        A,
        B,
    }

    impl Word for Grade {
        const ALL: &'static [Self] = &[Self::A, Self::B];

        fn word(self) -> &'static str {
            match self {
                Self::A => "A",
                Self::B => "B",
            }
        }
    }

    fn wire(grade: Grade) -> i32 {
        match grade {
            Grade::A => 1,
            Grade::B => 2,
        }
    }

    #[test]
    fn every_word_is_read_as_the_value_that_writes_it() {
        for grade in Grade::ALL {
            assert_eq!(Grade::read(grade.word()), Some(*grade));
        }
        assert_eq!(Grade::read("a"), None);
    }

    #[test]
    fn a_stored_word_of_another_release_is_an_error_that_names_column_and_word() {
        assert_eq!(Grade::read_stored("B", "grade").ok(), Some(Grade::B));
        let error = Grade::read_stored("E", "grade").expect_err("no such grade");
        assert!(error.to_string().contains("grade holds \"E\""), "{error}");
    }

    #[test]
    fn an_unspecified_value_is_a_violation_only_where_one_is_required() {
        let mut violations = Violations::new();
        assert_eq!(optional(&mut violations, "grade", 2, Grade::ALL, wire), Some(Grade::B));
        assert_eq!(optional(&mut violations, "grade", 0, Grade::ALL, wire), None);
        assert!(violations.is_empty());
        assert_eq!(required(&mut violations, "grade", 0, Grade::ALL, wire), None);
        let refusal = violations.refuse().expect_err("the grade is required");
        assert_eq!(refusal.violations.len(), 1);
        assert_eq!(refusal.violations[0].reason, FieldReason::Required);
    }

    #[test]
    fn a_number_outside_the_contract_is_a_violation_everywhere() {
        for read in [optional::<Grade>, required::<Grade>] {
            let mut violations = Violations::new();
            assert_eq!(read(&mut violations, "grade", 7, Grade::ALL, wire), None);
            let refusal = violations.refuse().expect_err("7 is no grade");
            assert_eq!(refusal.violations.len(), 1);
            assert_eq!(refusal.violations[0].reason, FieldReason::Enum);
        }
    }
}
