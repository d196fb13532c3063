//! `legalstat signing-keys`, and the keys of a system on this machine.

use std::path::Path;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use legalstat_local::signing;

use crate::{failure::Failure, output, place::ServiceName};

/// The services that sign.
const SIGNING: [ServiceName; 2] = [ServiceName::RequestIntake, ServiceName::CollectionDistribution];

/// The keys that the services sign with, in the folder
///
/// `up` makes the first ones by itself. A key is a file `signing-keys/SERVICE/ID.pem`: a line `Signs-From:` with an instant, and a
/// private key of Ed25519 in PEM (PKCS#8), which its owner alone may read. Services take up new files by themselves.
#[derive(clap::Args, Debug)]
pub(crate) struct SigningKeys {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Make each service its next key, which takes over from the one in use
    ///
    /// It is listed at once, so that who verifies knows it before it signs. The one before stays, to verify what it signed; once its
    /// private part is not needed any more, `openssl pkey -in ID.pem -pubout` gives what must be left in its place, below its line
    /// `Signs-From:`.
    #[command(after_help = "Examples:
  legalstat signing-keys add
  legalstat signing-keys add --signs-from 2027-01-01T00:00:00+05:00")]
    Add {
        /// From when on it signs, as 2027-01-01T00:00:00+05:00 [default: in a week]
        #[arg(long, value_name = "INSTANT")]
        signs_from: Option<Timestamp>,
    },
}

/// How long a key is announced unless another time is given.
const ANNOUNCED: SignedDuration = SignedDuration::from_hours(7 * 24);

impl SigningKeys {
    /// Makes the keys.
    pub(crate) fn run(self, folder: &Path) -> Result<(), Failure> {
        let Action::Add { signs_from } = self.action;
        let signs_from = signs_from.unwrap_or_else(|| Timestamp::now() + ANNOUNCED);
        for service in SIGNING {
            let made = signing::add(folder, service.as_str(), signs_from)
                .with_context(|| format!("the keys of {}", service.as_str()))?;
            output::tell(&format!("{} signs from {signs_from} on", made.display()));
        }
        Ok(())
    }
}

/// Makes the first keys of a system where they are missing; they sign from an instant on.
pub(crate) fn ensure(folder: &Path, signs_from: Timestamp) -> anyhow::Result<()> {
    for service in SIGNING {
        signing::ensure(folder, service.as_str(), signs_from)?;
    }
    Ok(())
}
