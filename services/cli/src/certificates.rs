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
    place::{self, ServiceName},
};

/// Make the private certificate authority and every caller's and service's certificate in the folder
///
/// For systems that run in containers; `up` does it by itself. What is there already stays.
#[derive(clap::Args, Debug)]
pub(crate) struct Certificates;

impl Certificates {
    /// Makes them.
    pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let _lock = place::lock(folder)?;
        Identities::ensure(folder)?;
        eprintln!("certificates are in {}", folder.join("certificates").display());
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
            services: services.collect::<anyhow::Result<_>>()?,
        })
    }
}
