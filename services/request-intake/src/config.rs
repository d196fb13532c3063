//! The settings of this service alone.

use std::{num::NonZero, path::PathBuf, str::FromStr, time::Duration};

use crate::rates::Daily;
use legalstat_kit::{
    bucket,
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

/// How much one caller submits in a day unless set otherwise: 58 requests a second, day and night, and 64 GiB.
const SUBMISSIONS: Daily = Daily {
    calls: 5_000_000,
    bytes: 64 * 1024 * 1024 * 1024,
};
/// How much one caller uploads in a day unless set otherwise: 200,000 files, and 256 GiB.
const UPLOADS: Daily = Daily {
    calls: 200_000,
    bytes: 256 * 1024 * 1024 * 1024,
};

/// The settings about files.
#[derive(Clone, Debug)]
pub struct Files {
    /// The folder for them.
    pub folder: PathBuf,
    /// Where they are kept in place of the folder.
    pub bucket: Option<bucket::Settings>,
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
    /// How many days before a due date it is warned of.
    pub warning_days: WarningDays,
    /// Whether answers that need no judgement are drafted without anyone asking for it.
    pub automatic_drafts: Switch,
    /// The folder of the keys that coupons are signed with.
    pub signing_keys: PathBuf,
    /// How often a coupon's secret may be tried wrongly.
    pub tries: Tries,
    /// How long a document waits to be rendered.
    pub rendering_turn: Duration,
    /// How much one caller submits in a day.
    pub submissions: Daily,
    /// How much one caller uploads in a day.
    pub uploads: Daily,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Switch {
    /// Whether it is done.
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err("write on or off"),
        }
    }
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

/// How often secrets may be tried wrongly within a time.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// That of one coupon.
    pub by_coupon: u32,
    /// Those that come from one address; an IPv6 address counts by its first 64 bits.
    pub by_address: u32,
    /// The time, from the first wrong try on.
    pub time: Duration,
}

/// Reads them.
///
/// # Errors
/// Names the setting that is missing.
pub fn read(environment: &mut Environment) -> Result<Config, SettingError> {
    let calendar_url = environment.required("LEGALSTAT_CALENDAR_URL");
    let form_registry_url = environment.required("LEGALSTAT_FORM_REGISTRY_URL");
    let files = files(environment);
    let warning_days = environment.parsed("LEGALSTAT_WARNING_DAYS", WarningDays::default());
    let automatic_drafts = environment.parsed("LEGALSTAT_AUTOMATIC_DRAFTS", Switch::On);
    let signing_keys = environment.required("LEGALSTAT_SIGNING_KEYS");
    let by_coupon = positive(environment, "LEGALSTAT_SECRET_TRIES", 10);
    let by_address = positive(environment, "LEGALSTAT_SECRET_TRIES_BY_ADDRESS", 30);
    let seconds = positive(environment, "LEGALSTAT_SECRET_TRIES_SECONDS", 3600);
    let rendering = positive(environment, "LEGALSTAT_RENDERING_SECONDS", 10);
    let submissions = daily(
        environment,
        ("LEGALSTAT_SUBMISSIONS_A_DAY", "LEGALSTAT_SUBMISSION_BYTES_A_DAY"),
        SUBMISSIONS,
    );
    let uploads = daily(
        environment,
        ("LEGALSTAT_UPLOADS_A_DAY", "LEGALSTAT_UPLOAD_BYTES_A_DAY"),
        UPLOADS,
    );
    Ok(Config {
        calendar_url: calendar_url?,
        form_registry_url: form_registry_url?,
        warning_days: warning_days?,
        automatic_drafts: automatic_drafts?,
        signing_keys: PathBuf::from(signing_keys?),
        tries: Tries {
            by_coupon: by_coupon?,
            by_address: by_address?,
            time: Duration::from_secs(seconds?.into()),
        },
        rendering_turn: Duration::from_secs(rendering?.into()),
        submissions: submissions?,
        uploads: uploads?,
        files: files?,
    })
}

/// Reads how many calls and how many bytes; no limit can be switched off.
fn daily(
    environment: &mut Environment,
    (calls, bytes): (&'static str, &'static str),
    default: Daily,
) -> Result<Daily, SettingError> {
    let mut read = |name, default| {
        let default = NonZero::new(default).expect("no default is zero");
        environment.parsed(name, default).map(NonZero::<u64>::get)
    };
    let (calls, bytes) = (read(calls, default.calls), read(bytes, default.bytes));
    Ok(Daily {
        calls: calls?,
        bytes: bytes?,
    })
}

fn positive(environment: &mut Environment, name: &'static str, default: u32) -> Result<u32, SettingError> {
    let default = NonZero::new(default).expect("no default is zero");
    Ok(environment.parsed(name, default)?.get())
}

fn files(environment: &mut Environment) -> Result<Files, SettingError> {
    let folder = environment.required("LEGALSTAT_FILES");
    let bucket = bucket::Settings::read(environment);
    let limit = environment.parsed("LEGALSTAT_FILE_LIMIT", FILE_LIMIT);
    let partial_seconds = environment.parsed("LEGALSTAT_PARTIAL_SECONDS", PARTIAL_SECONDS);
    let partial_bytes = environment.parsed("LEGALSTAT_PARTIAL_BYTES", PARTIAL_BYTES);
    let unbound_seconds = environment.parsed("LEGALSTAT_UNBOUND_SECONDS", UNBOUND_SECONDS);
    let unbound_bytes = environment.parsed("LEGALSTAT_UNBOUND_BYTES", UNBOUND_BYTES);
    let signature_trust = environment.optional("LEGALSTAT_SIGNATURE_TRUST");
    Ok(Files {
        folder: PathBuf::from(folder?),
        bucket: bucket?,
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

    #[test]
    fn a_switch_is_on_or_off_and_nothing_else() {
        assert_eq!(("on".parse(), "off".parse()), (Ok(Switch::On), Ok(Switch::Off)));
        for text in ["ON", "true", "0", " on"] {
            assert!(text.parse::<Switch>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_check_reads_the_signing_keys_and_the_authorities_of_signatures() {
        let folder = tempfile::tempdir().expect("a folder");
        let trust = folder.path().join("trust");
        std::fs::create_dir(&trust).expect("the folder is ours");
        let keys = legalstat_local::signing::folder_of(folder.path(), "request-intake");
        let given = [
            ("LEGALSTAT_CALENDAR_URL", "a"),
            ("LEGALSTAT_FORM_REGISTRY_URL", "b"),
            ("LEGALSTAT_FILES", "no-such-folder"),
            ("LEGALSTAT_SIGNING_KEYS", keys.to_str().expect("a plain path")),
            ("LEGALSTAT_SIGNATURE_TRUST", trust.to_str().expect("a plain path")),
        ];
        let config = read(&mut Environment::given(given)).expect("all are set");
        let check = || (crate::SERVICE.check)(&config).map_err(|error| format!("{error:#}"));
        let missing = check().expect_err("there are no keys");
        assert!(missing.contains("signing-keys"), "{missing}");
        legalstat_local::signing::ensure(folder.path(), "request-intake", jiff::Timestamp::UNIX_EPOCH)
            .expect("one is made");
        assert_eq!(check(), Ok(()));
        std::fs::write(trust.join("authority.pem"), "nothing").expect("the folder is ours");
        let unusable = check().expect_err("it is no certificate");
        assert!(unusable.contains("LEGALSTAT_SIGNATURE_TRUST"), "{unusable}");
    }

    #[test]
    fn no_limit_of_tries_can_be_switched_off_and_the_folder_of_keys_must_be_named() {
        let urls = [("LEGALSTAT_CALENDAR_URL", "a"), ("LEGALSTAT_FORM_REGISTRY_URL", "b")];
        let missing = read(&mut Environment::given(urls)).expect_err("it has no default");
        assert_eq!(missing.to_string(), "LEGALSTAT_SIGNING_KEYS is not set");
        for name in [
            "LEGALSTAT_SECRET_TRIES",
            "LEGALSTAT_SECRET_TRIES_BY_ADDRESS",
            "LEGALSTAT_SECRET_TRIES_SECONDS",
            "LEGALSTAT_SUBMISSIONS_A_DAY",
            "LEGALSTAT_SUBMISSION_BYTES_A_DAY",
            "LEGALSTAT_UPLOADS_A_DAY",
            "LEGALSTAT_UPLOAD_BYTES_A_DAY",
        ] {
            let keys = [("LEGALSTAT_SIGNING_KEYS", "c"), (name, "0")];
            let mut environment = Environment::given(urls.into_iter().chain(keys));
            let refusal = read(&mut environment).expect_err("zero would be no limit").to_string();
            assert!(refusal.contains(name), "{refusal}");
            environment.refuse_unknown().expect("all were read");
        }
    }
}
