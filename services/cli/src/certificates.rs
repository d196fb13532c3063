//! `legalstat certificates`, and the certificates of a system on this machine.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use legalstat_kit::job::Once;
use legalstat_local::{
    authority::{self, Authority, Usage},
    folder::write_whole,
};
use tokio_util::sync::CancellationToken;

use crate::{
    failure::Failure,
    output,
    place::{self, ServiceName},
    signing_keys,
};

/// Make the private certificate authority, every caller's and service's certificate, and first signing keys in the folder
///
/// For systems that run in containers; `up` does it by itself. What is there already stays, and what nears its end is renewed.
#[derive(clap::Args, Debug)]
pub(crate) struct Certificates {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Revoke the certificate that a caller or a service has now, and make it a new one
    ///
    /// The services take no calls under the old one any more, within ten seconds and on open connections too: those of a
    /// running `up` by themselves, others once their file LEGALSTAT_TLS_REVOKED is the new authority/revoked.pem.
    /// Example: legalstat certificates revoke edms
    Revoke {
        /// Whose certificate, for example edms
        name: String,
    },
}

impl Certificates {
    /// Makes or revokes them.
    pub(crate) fn run(self, folder: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        if let Some(Action::Revoke { name }) = self.action {
            // A running `up` holds the folder; each file is written whole, and `up` mends a key beside another's certificate.
            Authority::open_or_create(folder)?.revoke(&name)?;
            Identities::ensure(folder)?;
            eprintln!("the certificate of {name} is revoked, and a new one is made");
            return Ok(());
        }
        let _lock = place::lock(folder)?;
        Identities::ensure(folder)?;
        signing_keys::ensure(folder)?;
        output::tell(&format!(
            "certificates are in {}",
            folder.join("certificates").display()
        ));
        Ok(())
    }
}

/// How long between two looks at what nears its end.
const LOOK: Duration = Duration::from_secs(3600);

/// Renews what nears its end, until the shutdown. Services and their clients take up new files by themselves.
pub(crate) async fn keep(folder: PathBuf, shutdown: CancellationToken) {
    let mut once = Once::new("certificates");
    while tokio::time::timeout(LOOK, shutdown.cancelled()).await.is_err() {
        let folder = folder.clone();
        let renewed = tokio::task::spawn_blocking(move || Identities::ensure(&folder)).await;
        once.note(renewed.map_err(anyhow::Error::new).and_then(|renewed| renewed));
    }
}

/// The certificates of a system on this machine.
pub(crate) struct Identities {
    pub(crate) authority: PathBuf,
    pub(crate) revoked: PathBuf,
    pub(crate) services: BTreeMap<&'static str, authority::Identity>,
}

impl Identities {
    /// The certificates of every caller and service, made where they are missing.
    pub(crate) fn ensure(folder: &Path) -> anyhow::Result<Self> {
        let authority = Authority::open_or_create(folder)?;
        let own = std::fs::read(authority.certificate_path())?;
        write_whole(&folder.join("certificates/ca.pem"), &own, 0o644)?;
        let recipients = legalstat_collection_distribution::recipients_of_appendix_1()?;
        for caller in authority::callers(&recipients) {
            authority.ensure(&caller)?;
        }
        let services = ServiceName::ALL.map(|name| (name.as_str(), Usage::service(name.as_str())));
        let services = services
            .into_iter()
            .map(|(name, usage)| Ok((name, authority.ensure(&usage)?)));
        Ok(Self {
            authority: authority.certificate_path(),
            revoked: authority.revoked_path(),
            services: services.collect::<anyhow::Result<_>>()?,
        })
    }
}
