//! Resource names: `forms/1` and `forms/1/editions/2019-M03`.

use legalstat_kit::period::{PeriodError, ReportingPeriod};

use super::edition::EditionKey;

/// What stands for all forms in the name of a parent.
pub const ALL_FORMS: &str = "forms/-";

/// A text that names no resource of this service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not in the notation of a form's name.
    #[error("write forms/ and the number in the list, for example forms/1")]
    Form,
    /// Not in the notation of an edition's name.
    #[error("write forms/, the number in the list, /editions/ and the period, for example forms/1/editions/2019-M03")]
    Edition,
    /// The period in an edition's name does not exist.
    #[error(transparent)]
    Period(#[from] PeriodError),
}

/// The name of a form.
pub fn form(list_number: i32) -> String {
    format!("forms/{list_number}")
}

/// Reads the name of a form.
///
/// # Errors
/// Another notation, leading zeros included: a resource has one name only.
pub fn parse_form(name: &str) -> Result<i32, NameError> {
    name.strip_prefix("forms/").and_then(list_number).ok_or(NameError::Form)
}

/// Reads the name of an edition.
///
/// # Errors
/// Another notation, or a period that does not exist.
pub fn parse_edition(name: &str) -> Result<EditionKey, NameError> {
    let (form, period) = name
        .strip_prefix("forms/")
        .and_then(|rest| rest.split_once("/editions/"))
        .ok_or(NameError::Edition)?;
    let form = list_number(form).ok_or(NameError::Edition)?;
    let period: ReportingPeriod = period.parse()?;
    Ok(EditionKey { form, period })
}

fn list_number(digits: &str) -> Option<i32> {
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
    fn only_the_one_name_of_a_form_is_read() {
        assert_eq!(parse_form("forms/26"), Ok(26));
        for name in [
            "", "forms", "forms/", "forms/01", "forms/0", "forms/-1", "forms/-", "forms/1 ", "form/1", "forms/1/",
        ] {
            assert_eq!(parse_form(name), Err(NameError::Form), "{name:?}");
        }
        assert_eq!(parse_form("forms/99999999999"), Err(NameError::Form));
    }

    #[test]
    fn a_period_that_does_not_exist_is_told_apart_from_a_name_that_is_none() {
        assert!(matches!(
            parse_edition("forms/1/editions/2019-Q5"),
            Err(NameError::Period(_))
        ));
        assert!(matches!(parse_edition("forms/1/editions/"), Err(NameError::Period(_))));
        for name in ["", "forms/1", "forms/x/editions/2019-M03", "forms//editions/2019-M03"] {
            assert_eq!(parse_edition(name), Err(NameError::Edition), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(name in "forms/[0-9]{0,3}/editions/[0-9]{4}(-[MQS][0-9]{1,2})?") {
            if let Ok(key) = parse_edition(&name) {
                prop_assert_eq!(key.to_string(), name);
            }
        }
    }
}
