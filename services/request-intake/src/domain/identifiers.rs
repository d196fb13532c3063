//! The individual identification number (IIN) of a person and the business identification number (BIN) of an
//! organisation: 12 digits, the fifth of which tells the two apart, the last being a control digit.

/// A text that is no IIN or BIN. The number itself is not repeated: it is personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Not 12 digits.
    #[error("must be 12 digits")]
    NotTwelveDigits,
    /// The fifth digit is not one of an IIN.
    #[error("is not an IIN: its fifth digit must be 0 to 3")]
    NotAnIin,
    /// The fifth digit is not one of a BIN.
    #[error("is not a BIN: its fifth digit must be 4 to 6")]
    NotABin,
    /// The twelfth digit does not follow from the others, or no number begins with these eleven.
    #[error("has a wrong control digit")]
    ControlDigit,
}

const FIRST_WEIGHTS: [u32; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const SECOND_WEIGHTS: [u32; 11] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2];

/// Checks an IIN.
///
/// # Errors
/// What is wrong with it.
pub fn check_iin(text: &str) -> Result<(), IdentifierError> {
    let digits = digits(text)?;
    if digits[4] > 3 {
        return Err(IdentifierError::NotAnIin);
    }
    check_control_digit(&digits)
}

/// Checks a BIN.
///
/// # Errors
/// What is wrong with it.
pub fn check_bin(text: &str) -> Result<(), IdentifierError> {
    let digits = digits(text)?;
    if !(4..=6).contains(&digits[4]) {
        return Err(IdentifierError::NotABin);
    }
    check_control_digit(&digits)
}

fn digits(text: &str) -> Result<[u32; 12], IdentifierError> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(10)).collect();
    digits
        .and_then(|digits| digits.try_into().ok())
        .ok_or(IdentifierError::NotTwelveDigits)
}

fn check_control_digit(digits: &[u32; 12]) -> Result<(), IdentifierError> {
    if control_digit(&digits[..11]) == Some(digits[11]) {
        Ok(())
    } else {
        Err(IdentifierError::ControlDigit)
    }
}

/// The control digit of eleven digits; none when no number with them is ever issued.
fn control_digit(eleven: &[u32]) -> Option<u32> {
    let sum = |weights: &[u32; 11]| {
        eleven
            .iter()
            .zip(weights)
            .map(|(digit, weight)| digit * weight)
            .sum::<u32>()
            % 11
    };
    match sum(&FIRST_WEIGHTS) {
        10 => Some(sum(&SECOND_WEIGHTS)).filter(|&digit| digit != 10),
        digit => Some(digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn issued_numbers_are_accepted_each_as_what_it_is() {
        assert_eq!(
            check_bin("160340014245"),
            Ok(()),
            "its control digit comes from the second weights"
        );
        assert_eq!(check_iin("911003342906"), Ok(()));
        assert_eq!(check_iin("160340014245"), Err(IdentifierError::NotAnIin));
        assert_eq!(check_bin("911003342906"), Err(IdentifierError::NotABin));
    }

    #[test]
    fn the_fifth_digit_tells_a_person_from_an_organisation() {
        for fifth in 0..=9_u32 {
            let mut digits = [1, 6, 0, 3, fifth, 0, 0, 1, 4, 2, 4];
            let control = loop {
                match control_digit(&digits) {
                    Some(control) => break control,
                    None => digits[10] += 1,
                }
            };
            let text: String = digits.iter().map(u32::to_string).collect();
            let text = format!("{text}{control}");
            let (iin, bin) = (check_iin(&text), check_bin(&text));
            assert_eq!(
                iin,
                if fifth <= 3 {
                    Ok(())
                } else {
                    Err(IdentifierError::NotAnIin)
                },
                "{text}"
            );
            let is_bin = (4..=6).contains(&fifth);
            assert_eq!(
                bin,
                if is_bin { Ok(()) } else { Err(IdentifierError::NotABin) },
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_that_cannot_have_been_issued_are_refused() {
        for text in [
            "",
            "16034001424",
            "1603400142455",
            "16034001424x",
            " 160340014245",
            "１６０３４００１４２４５",
        ] {
            assert_eq!(check_bin(text), Err(IdentifierError::NotTwelveDigits), "{text:?}");
        }
        assert_eq!(check_bin("160940004325"), Err(IdentifierError::ControlDigit));
        assert_eq!(check_bin("160340014246"), Err(IdentifierError::ControlDigit));
        assert_eq!(check_iin("911003342907"), Err(IdentifierError::ControlDigit));
    }

    proptest! {
        #[test]
        fn at_most_one_control_digit_is_right(eleven in "[0-9]{11}") {
            let right = (0..10).filter(|last| {
                let text = format!("{eleven}{last}");
                check_iin(&text).is_ok() || check_bin(&text).is_ok()
            });
            prop_assert!(right.count() <= 1);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = (check_iin(&text), check_bin(&text));
        }
    }
}
