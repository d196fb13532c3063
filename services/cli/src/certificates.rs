//! `legalstat certificates`, and the certificates of a system on this machine.

mod own_keys;

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::job::Once;
use legalstat_local::{
    added::{self, NotAdded},
    authority::{self, Authority, Issued, Usage},
    folder::write_whole,
    hosts,
    residents::is_service,
};
use legalstat_proto::common::v1::Role;
use rustls::pki_types::ServerName;
use tokio_util::sync::CancellationToken;

use crate::{
    failure::Failure,
    options::Options,
    output,
    place::{self, ServiceName},
    signing_keys,
};

/// Make the private certificate authority, every caller's and service's certificate, and first signing keys in the folder
///
/// For systems that run in containers; `up` does it by itself. What is there already stays, and what nears its end is renewed. The
/// services' certificates are also for the names and addresses in LEGALSTAT_PUBLIC_HOSTS (separated by commas), under which other
/// machines reach them.
#[derive(clap::Args, Debug)]
pub(crate) struct Certificates {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    Sign(own_keys::Sign),
    Renew(own_keys::Renew),
    List(own_keys::List),
    /// Revoke the certificates that a caller or a service has now
    ///
    /// The services take no calls under them any more, within ten seconds and on open connections too: those of a running `up` by
    /// themselves, others once their file LEGALSTAT_TLS_REVOKED is the new authority/revoked.pem. Where the key was made here, a new
    /// one is made with its certificate; who made his own makes a new one and has it signed. Example: legalstat certificates revoke edms
    Revoke {
        /// Whose certificates, for example edms
        name: String,
    },
    /// Add a further official, body or document system with a key that is made here: one certificate for each person
    ///
    /// `sign` is for whoever makes his own key, as other systems do.
    /// Requests are assigned to persons by the names in their certificates, and who approves an answer must be another person
    /// than who drafted it. A running `up` takes calls of the new one at once, and its certificate is renewed as the others' are.
    /// With --host the certificate is for a server too: for a recipient's `legalstat inbox`.
    #[command(after_help = "Examples:
  legalstat certificates add --name aliya --role operator
  legalstat certificates add --name bolat --role operator --role approver
  legalstat certificates add --name ministry-edms --role edms
  legalstat certificates add --name supreme-court --role recipient --host localhost
  legalstat requests queue --mine --as aliya")]
    Add {
        /// The name in the certificate: letters, digits, '-', '_' and '.', as --as, --to and the journal name the person
        #[arg(long)]
        name: String,
        /// What the person may do; may be repeated
        #[arg(long, required = true)]
        role: Vec<AddedRole>,
        /// Under which name or address it serves too, for example localhost; may be repeated
        #[arg(long, value_parser = host_of_caller)]
        host: Vec<String>,
    },
}

/// The roles of those who can be added.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum AddedRole {
    /// An official who receives requests and prepares answers
    Operator,
    /// An official who approves what another has prepared: the head, a deputy or the head of apparatus
    Approver,
    /// Who runs the system
    Administrator,
    /// Who reads everything and changes nothing
    Auditor,
    /// A state body
    Subject,
    /// A document system of state bodies, which reads the registers as a state body does
    Edms,
    /// A document system of prosecutor's bodies, which reads the registers as a body does
    Kadagalau,
    /// A state body that receives collections
    Recipient,
}

impl AddedRole {
    /// A document system reads the registers as a state body does: the house's own have both roles too.
    fn of_contracts(self) -> &'static [Role] {
        match self {
            Self::Operator => &[Role::Operator],
            Self::Approver => &[Role::Approver],
            Self::Administrator => &[Role::Administrator],
            Self::Auditor => &[Role::Auditor],
            Self::Subject => &[Role::Subject],
            Self::Edms => &[Role::Edms, Role::Subject],
            Self::Kadagalau => &[Role::Kadagalau, Role::Subject],
            Self::Recipient => &[Role::Recipient, Role::Subject],
        }
    }
}

/// A host as a certificate names it.
fn host(text: &str) -> Result<String, &'static str> {
    let wrong = "write a DNS name or an address, without a port: inbox.senate.example";
    match ServerName::try_from(text).map_err(|_| wrong)? {
        ServerName::IpAddress(address) => Ok(IpAddr::from(address).to_string()),
        _ => Ok(text.trim_end_matches('.').to_ascii_lowercase()),
    }
}

/// A host that a caller's certificate can name: whoever has it could pass for what else has that name.
fn host_of_caller(text: &str) -> Result<String, String> {
    let host = host(text)?;
    // `calendar`, and within a cluster `calendar.legalstat.svc` and what else its names end with.
    let of_service = host.split('.').next().is_some_and(is_service);
    if of_service || public_hosts().map_err(|error| error.to_string())?.contains(&host) {
        return Err(
            "the services are reached under this name, and who has a certificate for it could pass for one".into(),
        );
    }
    Ok(host)
}

impl Certificates {
    /// Makes, signs, lists or revokes them.
    pub(crate) fn run(self, options: &Options) -> Result<(), Failure> {
        let folder = options.folder.as_path();
        public_hosts().map_err(|error| Failure::usage(error.to_string()))?;
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        // A running `up` holds the folder; each file is written whole, and `up` mends a key beside another's certificate.
        match self.action {
            Some(Action::Sign(sign)) => return sign.run(folder),
            Some(Action::Renew(renew)) => return renew.run(folder),
            Some(Action::List(list)) => return list.run(folder, options.output),
            Some(Action::Revoke { name }) => return revoke(folder, &name),
            Some(Action::Add { name, role, host }) => return add(folder, &name, &role, &host),
            None => {}
        }
        let _lock = place::lock(folder)?;
        Identities::ensure(folder)?;
        signing_keys::ensure(folder, Timestamp::now())?;
        output::tell(&format!(
            "certificates are in {}",
            folder.join("certificates").display()
        ));
        Ok(())
    }
}

/// Revokes what a name has, and makes a new certificate where the key was made here.
fn revoke(folder: &Path, name: &str) -> Result<(), Failure> {
    let authority = Authority::open_or_create(folder)?;
    own_keys::require_known(&authority, name)?;
    let revoked = authority.revoke(name)?;
    Identities::ensure(folder)?;
    let serials: Vec<String> = revoked.iter().map(Issued::serial_text).collect();
    let told = match &serials[..] {
        [] => format!("{name} has no certificate that could still be used: its certificates are revoked or have ended"),
        serials => format!("revoked of {name}: {}", serials.join(", ")),
    };
    let next = if !authority.has_own_key(name)? {
        "; a new key and its certificate are made"
    } else {
        ""
    };
    output::tell(&format!("{told}{next}"));
    Ok(())
}

/// Adds a caller and makes its certificate.
fn add(folder: &Path, name: &str, roles: &[AddedRole], served: &[String]) -> Result<(), Failure> {
    let roles: Vec<Role> = roles.iter().flat_map(|role| role.of_contracts()).copied().collect();
    let authority = Authority::open_or_create(folder)?;
    let require_made_here = || -> Result<(), Failure> {
        if authority.has_own_key(name)? {
            let message =
                format!("the key of {name} is its owner's: have the request for it signed with `certificates sign`");
            return Err(Failure::usage(message));
        }
        Ok(())
    };
    let alone = authority.alone()?;
    require_made_here()?;
    let is_new =
        added::add(folder, &own_keys::there(folder, &authority)?, name, &roles).map_err(|refused| match refused {
            NotAdded::Other(error) => Failure::Other(error),
            refused => Failure::usage(refused.to_string()),
        })?;
    if !served.is_empty() {
        hosts::add(folder, name, served)?;
    }
    drop(alone);
    Identities::ensure(folder)?;
    // Its owner may have had a key signed meanwhile.
    require_made_here()?;
    let file = folder.join("certificates").join(format!("{name}.pem"));
    let told = if is_new {
        "added; its certificate is"
    } else {
        "there already; its certificate is"
    };
    output::tell(&format!(
        "{name} is {told} {}, and commands take --as {name}",
        file.display()
    ));
    Ok(())
}

/// Everyone who has a certificate of a system on this machine.
fn usages(folder: &Path) -> anyhow::Result<Vec<Usage>> {
    let recipients = legalstat_collection_distribution::recipients_of_appendix_1()?;
    let public = public_hosts()?;
    let services = ServiceName::ALL.map(|name| {
        let service = Usage::service(name.as_str());
        public.iter().fold(service, |service, host| service.reached_as(host))
    });
    let callers = authority::callers(&recipients).into_iter().chain(added::all(folder)?);
    Ok(callers.chain(services).collect())
}

/// The names and addresses under which other machines reach the services: their certificates are for these too.
pub(crate) const PUBLIC_HOSTS: &str = "LEGALSTAT_PUBLIC_HOSTS";

/// Refuses to listen on an address that the services call each other by and no certificate names.
pub(crate) fn require_named(listen: IpAddr) -> Result<(), Failure> {
    let hosts = public_hosts().map_err(|error| Failure::usage(error.to_string()))?;
    if listen.is_loopback() || listen.is_unspecified() || hosts.contains(&listen.to_string()) {
        return Ok(());
    }
    let message = format!("{PUBLIC_HOSTS} does not name {listen}, so the services' certificates would not be for it");
    Err(Failure::usage(message))
}

fn public_hosts() -> anyhow::Result<Vec<String>> {
    let given = std::env::var(PUBLIC_HOSTS).unwrap_or_default();
    let hosts = given.split(',').map(str::trim).filter(|host| !host.is_empty());
    let checked = |text: &str| host(text).map_err(|wrong| anyhow::anyhow!("{PUBLIC_HOSTS}: {text:?}: {wrong}"));
    hosts.map(checked).collect()
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
        let mut identities = BTreeMap::new();
        let with_own_key = own_keys::signed(&authority)?;
        let made_here = |usage: &Usage| !with_own_key.iter().any(|one| one.is_of(usage.name()));
        for usage in usages(folder)?.into_iter().filter(made_here) {
            let usage = hosts::with_added(folder, usage)?;
            identities.insert(usage.name().to_owned(), authority.ensure(&usage)?);
        }
        let services = ServiceName::ALL.map(ServiceName::as_str).into_iter();
        let services = services.filter_map(|name| Some((name, identities.remove(name)?)));
        Ok(Self {
            authority: authority.certificate_path(),
            revoked: authority.revoked_path(),
            services: services.collect(),
        })
    }
}
