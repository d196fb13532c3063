#![doc = include_str!("../README.md")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use legalstat_kit::{
    Process,
    call::{MESSAGE, tls},
    job,
    run::{Listeners, certificates, limits::Limits, server},
};
use legalstat_proto::collections::v1::copy_inbox_service_server::{CopyInboxServiceServer, SERVICE_NAME};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

mod door;
pub mod recall;
mod receipts;
pub mod record;
mod rpc;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trust;

use receipts::Receipts;
use store::Store;
use trust::Trusted;

/// How often parts that are over their time are looked for.
const SWEEPING: Duration = Duration::from_secs(3600);
/// When a sender may try again whom a person has to help first, by entering a key or whom the inbox takes copies for.
const AGAIN: Duration = Duration::from_secs(300);
/// How many bytes of messages may be under way at least. There is only one caller, whose quarter takes four large copies at once, and what
/// it asks meanwhile.
const MESSAGES: usize = 17 * MESSAGE;

/// How an inbox is run.
pub struct Settings {
    /// Whose it is, `recipients/supreme-court`.
    pub recipient: String,
    /// Those that it follows, whose copies it takes as well.
    pub also: Vec<String>,
    /// The folder in which it stores what it gets.
    pub store: PathBuf,
    /// The keys of the distribution that are trusted: a saved answer of ListSigningKeys.
    pub trusted_keys: PathBuf,
    /// The folder of the recipient's own keys; without it the certificate alone stands for receipts.
    pub signing_keys: Option<PathBuf>,
    /// The server's certificate, and which callers' it trusts.
    pub tls: tls::Files,
    /// What it takes at once.
    pub limits: Limits,
    /// How many bytes a copy may have.
    pub copy_bytes: u64,
    /// How long a copy that broke off waits for its rest.
    pub parts_kept: Duration,
}

/// Takes copies until the shutdown and the delay of its limits, then lets deliveries under way end; `ready` is called once it serves.
///
/// # Errors
/// Whatever of the settings cannot be used, or a drain that takes too long.
pub async fn serve(
    listeners: Listeners,
    settings: Settings,
    clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    shutdown: CancellationToken,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let (served, tls) = watch::channel(Arc::new(tls::Server::load(&settings.tls)?));
    let process = Process::new(settings.tls, shutdown, clock);
    let _jobs_stop_too = process.shutdown.clone().drop_guard();
    let store = Store::open(&settings.store)?;
    let inbox = rpc::Inbox {
        store: store.clone(),
        trusted: Trusted::open(&settings.trusted_keys)?,
        recipients: [vec![settings.recipient.clone()], settings.also].concat(),
        receipts: Receipts::new(&process, &settings.recipient, settings.signing_keys.as_deref())?,
        limit: settings.copy_bytes,
        process: process.clone(),
    };
    certificates::follow(&process, served);
    sweep(&process, &store, settings.parts_kept);
    let routes = Routes::new(CopyInboxServiceServer::new(inbox).max_decoding_message_size(MESSAGE));
    let mut limits = settings.limits;
    limits.message_bytes = limits.message_bytes.max(MESSAGES);
    ready();
    let writable = move || store.require_writable();
    server::serve_alone(&process, routes, &[SERVICE_NAME], listeners, tls, &limits, writable).await
}

fn sweep(process: &Process, store: &Arc<Store>, kept: Duration) {
    let store = store.clone();
    job::repeat(process, "sweeping parts", SWEEPING.min(kept), move || {
        let store = store.clone();
        async move {
            let removed = tokio::task::spawn_blocking(move || store.sweep(kept)).await??;
            if removed > 0 {
                tracing::info!(removed, "deliveries that were never finished were removed");
            }
            Ok(())
        }
    });
}
