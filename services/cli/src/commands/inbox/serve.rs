//! `legalstat inbox serve`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jiff::Timestamp;
use legalstat_inbox::Settings;
use legalstat_kit::{
    call::{
        telemetry::{self, LogFormat},
        tls,
    },
    run::{self, Listeners, environment::Environment, limits::Limits, server},
};
use legalstat_local::signing;
use legalstat_proto::collections::v1::ListSigningKeysResponse;
use tokio_util::sync::CancellationToken;

use super::{super::read_typed, Owner, Store, recipient_name};
use crate::{failure::Failure, options::Options, output};

/// Take copies until Ctrl-C or SIGTERM
///
/// It needs no database: a folder, a server certificate for the host of its address with the recipient's name in its SAN URI, and the keys of
/// the distribution, saved while the connection can be trusted. Beside a system on this machine the certificate is that of --as.
/// How much it takes at once is set by the environment, as for every service (deploy/LIMITS.md).
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  legalstat collections keys -o json > keys.json
  legalstat inbox serve --as supreme-court --store inbox --trusted-keys keys.json
  legalstat inbox serve --recipient supreme-court --store /srv/inbox --trusted-keys keys.json --listen 0.0.0.0:8443 \\
      --certificate court.pem --key court.key --authority ca.pem")]
pub(crate) struct Serve {
    #[command(flatten)]
    owner: Owner,
    /// A recipient that this one follows, recipients/ID or its id, whose copies it takes as well; may be given several times
    #[arg(long, value_name = "RECIPIENT")]
    also: Vec<String>,
    #[command(flatten)]
    store: Store,
    /// The keys of the distribution that are trusted: a saved answer of `collections keys`; read anew for each copy
    #[arg(long, value_name = "PATH")]
    trusted_keys: PathBuf,
    /// Where it takes copies
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7650")]
    listen: SocketAddr,
    /// Where it answers probes of health, in plaintext
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7660")]
    health_listen: SocketAddr,
    /// Its certificate chain in PEM [default: that of --as on this machine]
    #[arg(long, value_name = "PATH", env = "LEGALSTAT_TLS_CERTIFICATE", requires_all = ["key", "authority"])]
    certificate: Option<PathBuf>,
    /// The private key of the certificate
    #[arg(long, value_name = "PATH", env = "LEGALSTAT_TLS_KEY", requires = "certificate")]
    key: Option<PathBuf>,
    /// The authorities whose client certificates are taken
    #[arg(long, value_name = "PATH", env = "LEGALSTAT_TLS_AUTHORITY", requires = "certificate")]
    authority: Option<PathBuf>,
    /// What the authorities have revoked
    #[arg(long, value_name = "PATH", env = "LEGALSTAT_TLS_REVOKED", requires = "certificate")]
    revoked: Option<PathBuf>,
    /// How many bytes a copy may have
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 30)]
    copy_bytes: u64,
    /// How long a copy that broke off waits for its rest, in days
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    keep_parts: u32,
    /// What to log, for example info or legalstat_inbox=debug
    #[arg(long, default_value = "info")]
    log: String,
    /// Log a JSON object a line, as services in containers do
    #[arg(long)]
    log_json: bool,
}

impl Serve {
    /// Runs until SIGINT or SIGTERM.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let (recipient, id) = (self.owner.name(options)?, self.owner.id(options)?);
        let also = self.also.iter().map(|given| recipient_name(given));
        let also = also.collect::<Result<Vec<_>, _>>()?;
        // As any file of a person's: a field given twice is refused, and not read by its last one.
        read_typed::<ListSigningKeysResponse>(&self.trusted_keys, "legalstat.collections.v1.ListSigningKeysResponse")?;
        let limits = Limits::read(&mut Environment::of_process(), 1);
        let limits = limits.map_err(|error| Failure::usage(error.to_string()))?;
        let format = if self.log_json {
            LogFormat::Json
        } else {
            LogFormat::Text
        };
        let tls = self.tls(options, &id)?;
        let _telemetry = telemetry::start("inbox", &self.log, format, None)?;
        let shutdown = CancellationToken::new();
        tokio::spawn(run::stop_on_signal(shutdown.clone()));
        let listeners = Listeners {
            calls: server::bind(self.listen).await?,
            health: server::bind(self.health_listen).await?,
        };
        let addresses = [&listeners.calls, &listeners.health].map(|listener| listener.local_addr());
        let [calls, health] =
            addresses.map(|address| address.map_or_else(|error| error.to_string(), |at| at.to_string()));
        let keys = signing::folder_of(&self.store.store, &id);
        let signing_keys = keys.exists().then_some(keys);
        let how = if signing_keys.is_some() {
            "its receipts are signed"
        } else {
            "its receipts are by its certificate alone: it has no signing key"
        };
        let whose = [vec![recipient.clone()], also.clone()].concat().join(", also for ");
        let told = format!("{whose} takes copies at {calls}, health at {health}; {how}");
        let settings = Settings {
            recipient,
            also,
            store: self.store.store,
            trusted_keys: self.trusted_keys,
            signing_keys,
            tls,
            limits,
            copy_bytes: self.copy_bytes,
            parts_kept: Duration::from_secs(u64::from(self.keep_parts) * 86_400),
        };
        legalstat_inbox::serve(listeners, settings, Timestamp::now, shutdown, || output::tell(&told)).await?;
        output::tell("the inbox has stopped");
        Ok(())
    }

    /// The certificate that it shows, and whose it takes.
    fn tls(&self, options: &Options, id: &str) -> Result<tls::Files, Failure> {
        match (&self.certificate, &self.key, &self.authority) {
            (Some(certificate), Some(key), Some(authority)) => Ok(tls::Files {
                certificate: certificate.clone(),
                key: key.clone(),
                authority: authority.clone(),
                revoked: self.revoked.clone(),
                outside: None,
            }),
            _ => options.place().server(options.caller.as_deref().unwrap_or(id)),
        }
    }
}
