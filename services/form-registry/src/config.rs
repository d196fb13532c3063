//! The settings of this service alone.

use std::{path::PathBuf, time::Duration};

use legalstat_kit::{
    bucket,
    partial::Bounds,
    run::environment::{Environment, SettingError},
};

use crate::domain::{package::Contact, suppression::Suppression};

/// How many bytes a file may have unless set otherwise: 2 GiB.
const FILE_LIMIT: u64 = 2 * 1024 * 1024 * 1024;
/// How many seconds an upload that broke off waits for its rest unless set otherwise: a day.
const PARTIAL_SECONDS: u64 = 86_400;
/// How many bytes such uploads may come to unless set otherwise: 8 GiB.
const PARTIAL_BYTES: u64 = 8 * 1024 * 1024 * 1024;

/// Where the data sets of the open data portal stand unless set otherwise.
const PORTAL: &str = "https://data.egov.kz";

/// What open data packages say of where they are and whom to ask.
#[derive(Clone, Debug)]
pub struct Portal {
    /// The address that the portal's data sets stand under.
    pub url: String,
    /// Whom to ask about the data; empty while nobody is named.
    pub contact: Contact,
}

/// How many rows an import may have unless set otherwise: each takes about 40 bytes of memory until all are checked.
const IMPORT_ROWS: u32 = 1_000_000;
/// How many rows all imports hold together: beside the largest there is room for those of a few thousand.
const IMPORT_ROWS_HELD: u32 = 1_250_000;

/// The settings about figures.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// How many rows an import may have.
    pub import_rows: u32,
    /// How many rows all imports under way may hold together.
    pub import_rows_held: u32,
    /// What is suppressed of figures that are not placed openly.
    pub suppression: Suppression,
}

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the calendar answers, for example `https://localhost:8443`.
    pub calendar_url: String,
    /// The folder for the files of editions.
    pub files: PathBuf,
    /// Where they are kept in place of the folder.
    pub bucket: Option<bucket::Settings>,
    /// How many bytes a file may have.
    pub file_limit: u64,
    /// About figures.
    pub figures: Figures,
    /// How long and how much of uploads that broke off is kept.
    pub partials: Bounds,
    /// What open data packages say of the portal.
    pub portal: Portal,
}

/// Reads them.
///
/// # Errors
/// Names the setting that is missing or unusable.
pub fn read(environment: &mut Environment) -> Result<Config, SettingError> {
    let calendar_url = environment.required("LEGALSTAT_CALENDAR_URL");
    let files = environment.required("LEGALSTAT_FILES");
    let bucket = bucket::Settings::read(environment);
    let file_limit = environment.parsed("LEGALSTAT_FILE_LIMIT", FILE_LIMIT);
    let import_rows = environment.parsed("LEGALSTAT_IMPORT_ROWS", IMPORT_ROWS);
    let import_rows_held = environment.parsed("LEGALSTAT_IMPORT_ROWS_HELD", IMPORT_ROWS_HELD);
    let threshold = environment.parsed("LEGALSTAT_SUPPRESSION_THRESHOLD", 0);
    let dominance = environment.parsed("LEGALSTAT_SUPPRESSION_DOMINANCE", 0);
    let partial_seconds = environment.parsed("LEGALSTAT_PARTIAL_SECONDS", PARTIAL_SECONDS);
    let partial_bytes = environment.parsed("LEGALSTAT_PARTIAL_BYTES", PARTIAL_BYTES);
    let portal_url = environment.parsed("LEGALSTAT_OPEN_DATA_URL", PORTAL.to_owned());
    let mut contact = |name| environment.optional(name).unwrap_or_default();
    let contact = Contact {
        name: contact("LEGALSTAT_OPEN_DATA_CONTACT"),
        email: contact("LEGALSTAT_OPEN_DATA_EMAIL"),
        phone: contact("LEGALSTAT_OPEN_DATA_PHONE"),
    };
    let import_rows = import_rows?;
    Ok(Config {
        calendar_url: calendar_url?,
        files: PathBuf::from(files?),
        bucket: bucket?,
        file_limit: file_limit?,
        figures: Figures {
            import_rows,
            // One import as large as it may be has room.
            import_rows_held: import_rows_held?.max(import_rows),
            suppression: Suppression {
                threshold: threshold?,
                dominance: dominance?,
            },
        },
        partials: Bounds {
            kept: Duration::from_secs(partial_seconds?),
            bytes: partial_bytes?,
        },
        portal: Portal {
            url: portal_url?,
            contact,
        },
    })
}
