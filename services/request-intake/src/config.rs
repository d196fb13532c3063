//! The settings of this service alone.

use std::{path::PathBuf, time::Duration};

use legalstat_kit::{
    partial::Bounds,
    run::environment::{Environment, SettingError},
};

/// How many bytes a file may have unless set otherwise: 50 MiB.
const FILE_LIMIT: u64 = 50 * 1024 * 1024;
/// How many seconds an upload that broke off waits for its rest unless set otherwise: a day.
const PARTIAL_SECONDS: u64 = 86_400;
/// How many bytes such uploads may come to unless set otherwise: 1 GiB.
const PARTIAL_BYTES: u64 = 1024 * 1024 * 1024;
/// How many seconds a file waits for its request unless set otherwise: a day.
const UNBOUND_SECONDS: u64 = 86_400;
/// How many bytes of one caller may wait so unless set otherwise: 4 GiB.
const UNBOUND_BYTES: i64 = 4 * 1024 * 1024 * 1024;

/// The settings about files.
#[derive(Clone, Debug)]
pub struct Files {
    /// The folder for them.
    pub folder: PathBuf,
    /// How many bytes one may have.
    pub limit: u64,
    /// How long and how much of uploads that broke off is kept.
    pub partials: Bounds,
    /// How long a file waits for its request.
    pub unbound_for: Duration,
    /// How many bytes of one caller may wait so.
    pub unbound_bytes: i64,
    /// The folder of the certificates that signatures are verified by; without it nobody is trusted.
    pub signature_trust: Option<PathBuf>,
}

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the calendar answers, for example `https://localhost:8443`.
    pub calendar_url: String,
    /// Where the form registry answers.
    pub form_registry_url: String,
    /// About files.
    pub files: Files,
}

/// Reads them.
///
/// # Errors
/// Names the setting that is missing.
pub fn read(environment: &mut Environment) -> Result<Config, SettingError> {
    let calendar_url = environment.required("LEGALSTAT_CALENDAR_URL");
    let form_registry_url = environment.required("LEGALSTAT_FORM_REGISTRY_URL");
    let files = files(environment);
    Ok(Config {
        calendar_url: calendar_url?,
        form_registry_url: form_registry_url?,
        files: files?,
    })
}

fn files(environment: &mut Environment) -> Result<Files, SettingError> {
    let folder = environment.required("LEGALSTAT_FILES");
    let limit = environment.parsed("LEGALSTAT_FILE_LIMIT", FILE_LIMIT);
    let partial_seconds = environment.parsed("LEGALSTAT_PARTIAL_SECONDS", PARTIAL_SECONDS);
    let partial_bytes = environment.parsed("LEGALSTAT_PARTIAL_BYTES", PARTIAL_BYTES);
    let unbound_seconds = environment.parsed("LEGALSTAT_UNBOUND_SECONDS", UNBOUND_SECONDS);
    let unbound_bytes = environment.parsed("LEGALSTAT_UNBOUND_BYTES", UNBOUND_BYTES);
    let signature_trust = environment.optional("LEGALSTAT_SIGNATURE_TRUST");
    Ok(Files {
        folder: PathBuf::from(folder?),
        limit: limit?,
        partials: Bounds {
            kept: Duration::from_secs(partial_seconds?),
            bytes: partial_bytes?,
        },
        unbound_for: Duration::from_secs(unbound_seconds?),
        unbound_bytes: unbound_bytes?,
        signature_trust: signature_trust.map(PathBuf::from),
    })
}
