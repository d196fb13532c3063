//! The settings of this service alone.

use legalstat_kit::run::environment::{Environment, SettingError};

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the calendar answers, for example `https://localhost:8443`.
    pub calendar_url: String,
    /// Where the form registry answers.
    pub form_registry_url: String,
}

/// Reads them.
///
/// # Errors
/// Names the setting that is missing.
pub fn read(environment: &mut Environment) -> Result<Config, SettingError> {
    let calendar_url = environment.required("LEGALSTAT_CALENDAR_URL");
    let form_registry_url = environment.required("LEGALSTAT_FORM_REGISTRY_URL");
    Ok(Config {
        calendar_url: calendar_url?,
        form_registry_url: form_registry_url?,
    })
}
