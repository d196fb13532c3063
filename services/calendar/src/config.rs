//! The calendar's own settings.

use jiff::civil::Time;
use legalstat_kit::run::environment::{Environment, SettingError};

use crate::domain::WorkingHours;

/// Reads when the working day begins and ends: `LEGALSTAT_WORKING_HOURS`, by default `09:00-18:30`, which is assumed.
///
/// # Errors
/// A value that is not two times in order.
pub fn working_hours(environment: &mut Environment) -> Result<WorkingHours, SettingError> {
    const NAME: &str = "LEGALSTAT_WORKING_HOURS";
    let Some(text) = environment.optional(NAME) else {
        return Ok(WorkingHours::default());
    };
    let time = |text: &str| Time::strptime("%H:%M", text).ok();
    let hours = text.split_once('-').and_then(|(opens, closes)| {
        Some(WorkingHours {
            opens: time(opens)?,
            closes: time(closes)?,
            assumed: false,
        })
    });
    let hours = hours.filter(|hours| hours.opens < hours.closes);
    hours.ok_or_else(|| SettingError::Unusable {
        name: NAME,
        problem: "write them as 09:00-18:30".into(),
    })
}
