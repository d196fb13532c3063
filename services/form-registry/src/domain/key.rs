//! What identifies a form and an edition, and how that is written: `forms/1` and `forms/1/editions/2019-M03`.

use std::{fmt, str::FromStr};

use legalstat_kit::{
    door::names::number,
    period::{PeriodError, ReportingPeriod},
};

/// What stands for all forms in the name of a parent.
pub const ALL_FORMS: &str = "forms/-";

/// A text that names no resource of this service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("write forms/ and the number in the list, for example forms/1")]
    Form,
    #[error("write forms/, the number in the list, /editions/ and the period, for example forms/1/editions/2019-M03")]
    Edition,
    #[error(transparent)]
    Period(#[from] PeriodError),
}

pub fn form(list_number: i32) -> String {
    format!("forms/{list_number}")
}

/// The name of a recording about a form.
pub fn form_version(list_number: i32, number: i32) -> String {
    format!("{}/versions/{number}", form(list_number))
}

/// Reads the name of a form.
///
/// # Errors
/// Another notation, leading zeros included: a resource has one name only.
pub fn parse_form(name: &str) -> Result<i32, NameError> {
    name.strip_prefix("forms/").and_then(number).ok_or(NameError::Form)
}

/// Which edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditionKey {
    pub form: i32,
    pub period: ReportingPeriod,
}

impl EditionKey {
    /// The edition of a form, given by its name, for a period.
    pub fn of(form: &str, period: &str) -> Result<Self, NameError> {
        let form = form.strip_prefix("forms/").and_then(number).ok_or(NameError::Edition)?;
        let period = ReportingPeriod::in_name(period)?;
        Ok(Self { form, period })
    }

    /// Whose edition it is, as the schedule knows it.
    pub fn parent(self) -> String {
        form(self.form)
    }
}

impl fmt::Display for EditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/editions/{}", self.parent(), self.period)
    }
}

impl FromStr for EditionKey {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let (form, period) = name.split_once("/editions/").ok_or(NameError::Edition)?;
        Self::of(form, period)
    }
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
    fn names_are_written_as_they_are_read() {
        assert_eq!(form(26), "forms/26");
        let key = EditionKey::of("forms/1", "2019-M03").expect("a name");
        assert_eq!(
            (key.parent(), key.to_string()),
            ("forms/1".into(), "forms/1/editions/2019-M03".into())
        );
    }

    #[test]
    fn a_period_that_does_not_exist_is_told_apart_from_a_name_that_is_none() {
        assert!(matches!(
            "forms/1/editions/2019-Q5".parse::<EditionKey>(),
            Err(NameError::Period(_))
        ));
        assert!(matches!(
            "forms/1/editions/".parse::<EditionKey>(),
            Err(NameError::Period(_))
        ));
        for name in ["", "forms/1", "forms/x/editions/2019-M03", "forms//editions/2019-M03"] {
            assert_eq!(name.parse::<EditionKey>(), Err(NameError::Edition), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(name in "forms/[0-9]{0,3}/editions/[0-9]{4}(-[MQS][0-9]{1,2})?") {
            if let Ok(key) = name.parse::<EditionKey>() {
                prop_assert_eq!(key.to_string(), name);
            }
        }
    }
}
