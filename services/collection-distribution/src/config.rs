//! The settings of this service alone.

use std::{path::PathBuf, time::Duration};

use legalstat_kit::{
    partial::Bounds,
    run::environment::{Environment, SettingError},
};

/// How many bytes a file of an edition may have unless set otherwise: 32 MiB.
const FILE_LIMIT: u64 = 32 * 1024 * 1024;
/// How many seconds an upload that broke off waits for its rest unless set otherwise: a day.
const PARTIAL_SECONDS: u64 = 86_400;
/// How many bytes such uploads may come to unless set otherwise: 1 GiB.
const PARTIAL_BYTES: u64 = 1024 * 1024 * 1024;

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the calendar answers, for example `https://localhost:8443`.
    pub calendar_url: String,
    /// The folder for the content of editions.
    pub files: PathBuf,
    /// How many bytes a file of an edition may have.
    pub file_limit: u64,
    /// How long and how much of uploads that broke off is kept.
    pub partials: Bounds,
    /// The folder of the keys that the statements of copies are signed with.
    pub signing_keys: PathBuf,
}

/// Reads them.
///
/// # Errors
/// Names the setting that is missing or unusable.
pub fn read(environment: &mut Environment) -> Result<Config, SettingError> {
    let calendar_url = environment.required("LEGALSTAT_CALENDAR_URL");
    let files = environment.required("LEGALSTAT_FILES");
    let file_limit = environment.parsed("LEGALSTAT_FILE_LIMIT", FILE_LIMIT);
    let partial_seconds = environment.parsed("LEGALSTAT_PARTIAL_SECONDS", PARTIAL_SECONDS);
    let partial_bytes = environment.parsed("LEGALSTAT_PARTIAL_BYTES", PARTIAL_BYTES);
    let signing_keys = environment.required("LEGALSTAT_SIGNING_KEYS");
    Ok(Config {
        calendar_url: calendar_url?,
        files: PathBuf::from(files?),
        file_limit: file_limit?,
        partials: Bounds {
            kept: Duration::from_secs(partial_seconds?),
            bytes: partial_bytes?,
        },
        signing_keys: PathBuf::from(signing_keys?),
    })
}
