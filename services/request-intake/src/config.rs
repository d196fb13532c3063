//! The settings of this service alone.

use std::str::FromStr;

use legalstat_kit::run::environment::{Environment, SettingError};

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the calendar answers, for example `https://localhost:8443`.
    pub calendar_url: String,
    /// Where the form registry answers.
    pub form_registry_url: String,
    /// How many days before a due date it is warned of.
    pub warning_days: WarningDays,
}

/// How many days before a due date it is warned of: one to ten numbers, each of 0 to 366.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarningDays(pub Vec<i32>);

impl Default for WarningDays {
    fn default() -> Self {
        Self(vec![5, 1])
    }
}

impl WarningDays {
    /// The most days before a due date.
    pub fn farthest(&self) -> i32 {
        self.0.iter().max().copied().unwrap_or_default()
    }
}

impl FromStr for WarningDays {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = text.split(',').map(|days| days.trim().parse::<i32>().ok());
        let days: Option<Vec<i32>> = days.map(|days| days.filter(|days| (0..=366).contains(days))).collect();
        match days {
            Some(days) if days.len() <= 10 => Ok(Self(days)),
            _ => Err("write up to ten numbers of days, each of 0 to 366, as 5,1"),
        }
    }
}

/// Reads them.
///
/// # Errors
/// Names the setting that is missing.
pub fn read(environment: &mut Environment) -> Result<Config, SettingError> {
    let calendar_url = environment.required("LEGALSTAT_CALENDAR_URL");
    let form_registry_url = environment.required("LEGALSTAT_FORM_REGISTRY_URL");
    let warning_days = environment.parsed("LEGALSTAT_WARNING_DAYS", WarningDays::default());
    Ok(Config {
        calendar_url: calendar_url?,
        form_registry_url: form_registry_url?,
        warning_days: warning_days?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written_and_nothing_else_is_taken() {
        assert_eq!("5, 1".parse(), Ok(WarningDays::default()));
        assert_eq!("366,0".parse::<WarningDays>().map(|days| days.farthest()), Ok(366));
        for text in ["", "5,", "-1", "367", "five", "1,2,3,4,5,6,7,8,9,10,11"] {
            assert!(text.parse::<WarningDays>().is_err(), "{text:?}");
        }
    }
}
