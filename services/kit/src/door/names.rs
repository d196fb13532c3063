//! Parts of resource names. A resource has one name only, so each part is read in one notation only.

/// Reads the number in a resource name, `27` in `copies/27`: positive, at most nine digits, without leading zeros.
pub fn number(digits: &str) -> Option<i32> {
    let canonical = (1..=9).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    if canonical { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_notation_of_a_positive_number_is_read() {
        assert_eq!(number("1"), Some(1));
        assert_eq!(number("999999999"), Some(999_999_999));
        for digits in ["", "0", "01", "-1", "+1", " 1", "1 ", "x", "1234567890", "\u{0661}"] {
            assert_eq!(number(digits), None, "{digits:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(digits in ".{0,12}") {
            if let Some(number) = number(&digits) {
                prop_assert_eq!(number.to_string(), digits);
            }
        }
    }
}
