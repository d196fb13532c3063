//! Where a system is found: its addresses and certificates, in the folder of a local `up` or as the environment says.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Caller,
    call::{access, client, tls},
};
use legalstat_local::{
    folder::{AlreadyRunning, FolderLock},
    residents::is_service,
};
use legalstat_proto::common::v1::Role;
use serde::{Deserialize, Serialize};

use crate::{
    call::Connection,
    failure::Failure,
    invocation,
    tls::{Line, usable},
    up::FIRST_PORT,
};

/// The services of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ServiceName {
    /// The calendar.
    Calendar,
    /// The form registry.
    FormRegistry,
    /// The request intake.
    RequestIntake,
    /// The collection distribution.
    CollectionDistribution,
}

impl ServiceName {
    pub(crate) const ALL: [Self; 4] = [
        Self::Calendar,
        Self::FormRegistry,
        Self::RequestIntake,
        Self::CollectionDistribution,
    ];

    /// The name in its certificate.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::FormRegistry => "form-registry",
            Self::RequestIntake => "request-intake",
            Self::CollectionDistribution => "collection-distribution",
        }
    }

    /// The full name of its gRPC service.
    pub(crate) fn grpc_service(self) -> &'static str {
        match self {
            Self::Calendar => legalstat_calendar::SERVICE.services[0],
            Self::FormRegistry => legalstat_form_registry::SERVICE.services[0],
            Self::RequestIntake => legalstat_request_intake::SERVICE.services[0],
            Self::CollectionDistribution => legalstat_collection_distribution::SERVICE.services[0],
        }
    }

    /// The setting that gives its address.
    fn setting(self) -> String {
        format!("LEGALSTAT_{}_URL", self.as_str().replace('-', "_").to_uppercase())
    }

    /// The service that serves a gRPC service, by the area in its name; the journal is in all of them.
    pub(crate) fn of_grpc_service(name: &str) -> Option<Self> {
        match name.split('.').nth(1)? {
            "calendar" => Some(Self::Calendar),
            "forms" => Some(Self::FormRegistry),
            "requests" => Some(Self::RequestIntake),
            "collections" => Some(Self::CollectionDistribution),
            _ => None,
        }
    }
}

/// The addresses that a running `up` leaves for its clients.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Addresses(pub(crate) BTreeMap<ServiceName, String>);

/// How many of those who may call a method are named at most.
const NAMED: usize = 3;

/// A system that can be called.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    /// The host and the port of the calendar of a system elsewhere; the other services have the three ports that follow.
    target: Option<(String, u16)>,
    timeout: Duration,
    environment: bool,
}

impl Place {
    /// The system that the environment names, else the one whose local folder is `folder`.
    pub(crate) fn new(folder: PathBuf, timeout: Duration) -> Self {
        Self {
            folder,
            target: None,
            timeout,
            environment: true,
        }
    }

    /// The system on another host, given as `HOST` or `HOST:PORT` with the port of its calendar.
    ///
    /// # Errors
    /// What is no host, or a port behind which there is no room for the others.
    pub(crate) fn on(self, target: &str) -> Result<Self, Failure> {
        let authority = http::uri::Authority::try_from(target)
            .map_err(|error| Failure::usage(format!("{target:?} is no host: {error}")))?;
        let port = authority.port_u16().unwrap_or(FIRST_PORT);
        if port > u16::MAX - 3 {
            return Err(Failure::usage(format!(
                "the four services have no room from port {port} on"
            )));
        }
        Ok(Self {
            target: Some((authority.host().to_owned(), port)),
            ..self
        })
    }

    /// The system whose local folder is `folder`, whatever the environment says.
    pub(crate) fn local(folder: PathBuf, timeout: Duration) -> Self {
        Self {
            environment: false,
            ..Self::new(folder, timeout)
        }
    }

    fn setting(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name).filter(|value| self.environment && !value.is_empty())
    }

    /// How long a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether a system runs here, or the environment says where one does.
    pub(crate) fn is_reachable(&self) -> bool {
        let given = |service: &ServiceName| self.setting(&service.setting()).is_some();
        is_running(&self.folder) || ServiceName::ALL.iter().all(given)
    }

    /// The file with the addresses of a running `up`.
    pub(crate) fn addresses_file(folder: &Path) -> PathBuf {
        folder.join("addresses.json")
    }

    fn certificates(&self) -> PathBuf {
        let given = self.setting("LEGALSTAT_CERTIFICATES");
        given.map_or_else(|| self.folder.join("certificates"), PathBuf::from)
    }

    /// The authority's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.certificates().join("ca.pem")
    }

    fn address(&self, service: ServiceName) -> Result<String, Failure> {
        if let Some((host, port)) = &self.target {
            return Ok(format!("https://{host}:{}", port + service as u16));
        }
        if let Some(url) = self.setting(&service.setting()) {
            return url
                .into_string()
                .map_err(|_| Failure::usage(format!("{} is not a URL", service.setting())));
        }
        let file = Self::addresses_file(&self.folder);
        let Ok(text) = std::fs::read(&file) else {
            let message = format!(
                "no system runs in {} and {} is not set",
                self.folder.display(),
                service.setting()
            );
            return Err(Failure::Unreachable(message));
        };
        let addresses: Addresses =
            serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))?;
        let address = addresses.0.get(&service).cloned();
        address.ok_or_else(|| Failure::Unreachable(format!("{} is not in {}", service.as_str(), file.display())))
    }

    /// Whose certificate is shown where nobody is named: the operator's, or the only one that there is.
    pub(crate) fn default_caller(&self) -> Option<String> {
        let callers = self.callers();
        match &callers[..] {
            [only] => Some(only.clone()),
            several => several.iter().find(|name| *name == "operator").cloned(),
        }
    }

    /// Refuses a method, by its path, that the default caller may not call and another may: nobody acts as another by accident. Where
    /// nobody in the folder may, the service says what is missing.
    ///
    /// # Errors
    /// Names those who may.
    pub(crate) fn require_named(&self, method: &str) -> Result<(), Failure> {
        let default = self.default_caller();
        if access::admits(method, &Caller::anonymous()) || default.as_ref().is_some_and(|name| self.may(name, method)) {
            return Ok(());
        }
        let able: Vec<String> = self
            .callers()
            .into_iter()
            .filter(|name| !is_service(name) && self.may(name, method))
            .collect();
        if able.is_empty() {
            return Ok(());
        }
        let most = able
            .iter()
            .take(NAMED)
            .map(|name| format!("`--as {}`", invocation::quoted(name)));
        let more = if able.len() > NAMED { ", or another" } else { "" };
        let (most, method) = (most.collect::<Vec<_>>().join(" or "), method.trim_start_matches('/'));
        let default = default.map_or("whoever shows no certificate".to_owned(), |name| {
            format!("{name}, whose certificate is the default,")
        });
        Err(Failure::usage(format!(
            "{default} may not call {method}: say who does with {most}{more}; nothing was sent"
        )))
    }

    /// Connects to a service as the named caller; `None` shows no certificate.
    pub(crate) fn connect(&self, service: ServiceName, caller: Option<&str>) -> Result<Connection, Failure> {
        let url = self.address(service)?;
        let files = caller.map(|name| self.identity(name)).transpose()?;
        let shown = files.as_ref().map(|(certificate, key)| (certificate, key));
        let wrong = |error: anyhow::Error| Failure::usage(format!("{error:#}"));
        let tls = tls::client(&self.authority(), shown).map_err(wrong)?;
        let channel = client::channel(&url, tls).map_err(|error| match shown {
            Some((certificate, key)) => {
                let (certificate, key) = (certificate.display(), key.display());
                Failure::Certificate(format!("{certificate} with {key} cannot be shown to {url}: {error:#}"))
            }
            None => wrong(error),
        })?;
        let line = Line {
            url,
            authority: self.authority(),
        };
        Ok(Connection::new(channel, line, self.timeout))
    }

    /// What the server of a party on this machine shows and trusts, where no other files are given.
    pub(crate) fn server(&self, name: &str) -> Result<tls::Files, Failure> {
        let (certificate, key) = self.identity(name)?;
        let revoked = Some(self.folder.join("authority/revoked.pem"));
        Ok(tls::Files {
            certificate,
            key,
            authority: self.authority(),
            revoked: revoked.filter(|file| file.exists()),
            outside: None,
        })
    }

    fn identity(&self, name: &str) -> Result<(PathBuf, PathBuf), Failure> {
        let certificate = self.certificate(name);
        let key = self.certificates().join(format!("{name}.key"));
        if name.contains('/') || !certificate.exists() || !key.exists() {
            let known = self.callers().join(", ");
            let message = format!(
                "there is no certificate of {name:?} in {}; there are {known}",
                self.certificates().display()
            );
            return Err(Failure::usage(message));
        }
        usable(&certificate, Timestamp::now()).map_err(Failure::Certificate)?;
        Ok((certificate, key))
    }

    /// The name in the certificate that is shown as `caller`: what requests are assigned to and journals name.
    pub(crate) fn name_of(&self, caller: &str) -> Result<String, Failure> {
        Ok(self.shown_as(caller)?.name)
    }

    /// Whether the certificate that is shown as `caller` has a role.
    pub(crate) fn has_role(&self, caller: &str, role: Role) -> bool {
        self.shown_as(caller).is_ok_and(|caller| caller.has(role))
    }

    /// Whether the certificate that is shown as `caller` is for a method, by its path.
    pub(crate) fn may(&self, caller: &str, method: &str) -> bool {
        self.shown_as(caller)
            .is_ok_and(|caller| access::admits(method, &caller))
    }

    /// The file of the certificate that is shown as `caller`.
    pub(crate) fn certificate(&self, caller: &str) -> PathBuf {
        self.certificates().join(format!("{caller}.pem"))
    }

    fn shown_as(&self, caller: &str) -> Result<Caller, Failure> {
        let (certificate, _) = self.identity(caller)?;
        let shown = certificate.display();
        let pem =
            std::fs::read(&certificate).map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem)
            .map_err(|_| Failure::Certificate(format!("{shown} holds no certificate in PEM")))?;
        Caller::from_certificate(&pem.contents)
            .map_err(|error| Failure::Certificate(format!("{shown} cannot be used: {error}")))
    }

    /// Of whom there are certificate and key.
    pub(crate) fn callers(&self) -> Vec<String> {
        let folder = self.certificates();
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let names = files.filter_map(|file| file.file_name().to_str()?.strip_suffix(".key").map(str::to_owned));
        let mut names: Vec<String> = names
            .filter(|name| folder.join(format!("{name}.pem")).exists())
            .collect();
        names.sort();
        names
    }
}

/// What can be done where nobody answers: `up` starts what a folder holds, and nothing on another host or that the environment names.
pub(crate) fn whom_to_start(folder: &Path, target: Option<&str>) -> String {
    if let Some(target) = target {
        return format!("is the system running, and is it on {target}?");
    }
    let given = ServiceName::ALL.map(ServiceName::setting).into_iter();
    let given: Vec<String> = given
        .filter(|name| std::env::var_os(name).is_some_and(|url| !url.is_empty()))
        .collect();
    if given.is_empty() {
        let up = invocation::command(folder, "up");
        return format!("is the system running? `{up}` starts one on this machine");
    }
    format!(
        "is the system running, and are these its addresses? {}",
        given.join(", ")
    )
}

/// Whether a process runs a system in this folder.
fn is_running(folder: &Path) -> bool {
    let held = || FolderLock::acquire(folder).is_err_and(|error| error.is::<AlreadyRunning>());
    Place::addresses_file(folder).exists() && held()
}

/// Takes the folder of a system for this process.
pub(crate) fn lock(folder: &Path) -> Result<FolderLock, Failure> {
    FolderLock::acquire(folder).map_err(|error| match error.downcast::<AlreadyRunning>() {
        Ok(running) => Failure::usage(running.to_string()),
        Err(error) => Failure::Other(error),
    })
}
