//! The settings of this service alone.

use std::{
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
    time::Duration,
};

use legalstat_kit::{
    bucket,
    partial::Bounds,
    run::environment::{Environment, SettingError},
};

use crate::{domain::delivery::Places, jobs::delivery::Limits};

/// How many bytes a file of an edition may have unless set otherwise: 32 MiB.
const FILE_LIMIT: u64 = 32 * 1024 * 1024;
/// How many seconds an upload that broke off waits for its rest unless set otherwise: a day.
const PARTIAL_SECONDS: u64 = 86_400;
/// How many bytes such uploads may come to unless set otherwise: 1 GiB.
const PARTIAL_BYTES: u64 = 1024 * 1024 * 1024;

/// How long an attempt to deliver a copy may take unless set otherwise, in seconds.
const ATTEMPT: NonZeroU32 = NonZeroU32::new(300).expect("it is not zero");
/// How many copies a replica delivers at a time unless set otherwise.
const PLACES: NonZeroU16 = NonZeroU16::new(64).expect("it is not zero");

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the calendar answers, for example `https://localhost:8443`.
    pub calendar_url: String,
    /// The folder for the content of editions.
    pub files: PathBuf,
    /// Where it is kept in place of the folder.
    pub bucket: Option<bucket::Settings>,
    /// How many bytes a file of an edition may have.
    pub file_limit: u64,
    /// How long and how much of uploads that broke off is kept.
    pub partials: Bounds,
    /// The folder of the keys that the statements of copies are signed with.
    pub signing_keys: PathBuf,
    /// How copies are delivered.
    pub delivery: Limits,
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
    let partial_seconds = environment.parsed("LEGALSTAT_PARTIAL_SECONDS", PARTIAL_SECONDS);
    let partial_bytes = environment.parsed("LEGALSTAT_PARTIAL_BYTES", PARTIAL_BYTES);
    let signing_keys = environment.required("LEGALSTAT_SIGNING_KEYS");
    let attempt = environment.parsed("LEGALSTAT_DELIVERY_SECONDS", ATTEMPT);
    let places = environment.parsed("LEGALSTAT_DELIVERY_PLACES", PLACES);
    Ok(Config {
        calendar_url: calendar_url?,
        files: PathBuf::from(files?),
        bucket: bucket?,
        file_limit: file_limit?,
        partials: Bounds {
            kept: Duration::from_secs(partial_seconds?),
            bytes: partial_bytes?,
        },
        signing_keys: PathBuf::from(signing_keys?),
        delivery: Limits {
            attempt: Duration::from_secs(attempt?.get().into()),
            places: Places::of(places?.get().into()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 3] = [
        ("LEGALSTAT_CALENDAR_URL", "https://localhost:8443"),
        ("LEGALSTAT_FILES", "files"),
        ("LEGALSTAT_SIGNING_KEYS", "keys"),
    ];

    fn delivery(own: &[(&'static str, &'static str)]) -> Result<Limits, SettingError> {
        let given = REQUIRED.iter().chain(own).copied();
        read(&mut Environment::given(given)).map(|config| config.delivery)
    }

    #[test]
    fn an_attempt_takes_five_minutes_and_sixty_four_copies_go_at_a_time_unless_that_is_set_otherwise() {
        let limits = |seconds, places| Limits {
            attempt: Duration::from_secs(seconds),
            places: Places::of(places),
        };
        assert_eq!(delivery(&[]).expect("nothing is wrong"), limits(300, 64));
        let own = [("LEGALSTAT_DELIVERY_SECONDS", "20"), ("LEGALSTAT_DELIVERY_PLACES", "5")];
        assert_eq!(delivery(&own).expect("nothing is wrong"), limits(20, 5));
    }

    #[test]
    fn a_time_or_a_number_of_places_that_delivers_nothing_is_refused_by_its_name() {
        for (name, value) in [
            ("LEGALSTAT_DELIVERY_SECONDS", "0"),
            ("LEGALSTAT_DELIVERY_SECONDS", "4294967296"),
            ("LEGALSTAT_DELIVERY_SECONDS", "5 min"),
            ("LEGALSTAT_DELIVERY_PLACES", "0"),
            ("LEGALSTAT_DELIVERY_PLACES", "65536"),
        ] {
            let refused = delivery(&[(name, value)]).expect_err("it delivers nothing");
            assert!(refused.to_string().contains(name), "{value}: {refused}");
        }
    }
}
