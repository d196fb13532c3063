//! What the journal holds of calls that changed nothing: refusals as they happen, and readings that the law wants recorded.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tonic::Status;
use tonic_types::StatusExt;

use super::leaves::{self, Entry};
use crate::{Call, Context, Error};

/// How many addresses of anonymous callers are counted apart within a minute; the rest are counted together.
const ADDRESSES: usize = 4096;
/// How long anonymous refusals are gathered into one entry.
const GATHERING: Duration = Duration::from_secs(60);

/// Records refusals in the journal.
#[derive(Clone)]
pub struct RefusalRecorder {
    /// Shared: the layers before a handler are cloned for every call.
    context: Arc<Context>,
    anonymous: Arc<Mutex<HashMap<Option<IpAddr>, Gathered>>>,
}

struct Gathered {
    method: &'static str,
    reason: String,
    count: i32,
}

impl RefusalRecorder {
    /// A recorder that writes what it gathers each minute; what is left is written once nothing is served any more.
    pub fn start(context: &Context) -> Self {
        let recorder = Self {
            context: Arc::new(context.clone()),
            anonymous: Arc::default(),
        };
        let gathering = recorder.clone();
        context.tasks.spawn(async move {
            while !gathering.context.stopped_within(GATHERING).await {
                gathering.write_gathered().await;
            }
        });
        recorder
    }

    /// Records the refusal that an answer's headers carry, if it is one and the method is `recorded`, or if it refuses what
    /// the caller may not do: an answer that depends on the moment only, or on an unexpected error, refuses nothing.
    pub(crate) async fn record_answer(&self, call: Call, recorded: bool, headers: &http::HeaderMap) {
        let Some(status) = Status::from_header_map(headers) else {
            return;
        };
        use tonic::Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange, PermissionDenied};
        let refusals = [
            AlreadyExists,
            FailedPrecondition,
            InvalidArgument,
            NotFound,
            OutOfRange,
            PermissionDenied,
        ];
        if !refusals.contains(&status.code()) || !(recorded || status.code() == PermissionDenied) {
            return;
        }
        let (reason, resource) = match status.get_error_details().error_info() {
            Some(info) => (
                info.reason.clone(),
                info.metadata.get("resource").cloned().unwrap_or_default(),
            ),
            None => (format!("{:?}", status.code()), String::new()),
        };
        self.record(call, &reason, &resource).await;
    }

    /// Records one refusal; those to anonymous callers are gathered by address.
    pub(crate) async fn record(&self, call: Call, reason: &str, resource: &str) {
        if call.caller.is_anonymous() {
            self.gather(&call, reason);
            return;
        }
        let (context, reason, resource) = (Arc::clone(&self.context), reason.to_owned(), resource.to_owned());
        // Spawned, so that it is written although the peer hangs up.
        let written = self.context.tasks.spawn(async move {
            let entry = Entry::refused(&call, &resource, reason, 1, String::new());
            if let Err(error) = record(&context, entry).await {
                tracing::error!(%error, "a refusal could not be recorded");
            }
        });
        written.await.ok();
    }

    fn gather(&self, call: &Call, reason: &str) {
        let mut gathered = self.anonymous.lock().expect("no code panics while it holds this lock");
        let address = call.address.map(|address| address.ip().to_canonical());
        let address = address.filter(|_| gathered.len() < ADDRESSES || gathered.contains_key(&address));
        let entry = gathered.entry(address).or_insert_with(|| Gathered {
            method: call.method,
            reason: reason.to_owned(),
            count: 0,
        });
        entry.count = entry.count.saturating_add(1);
    }

    /// Writes what was gathered so far.
    pub(crate) async fn write_gathered(&self) {
        let gathered = std::mem::take(&mut *self.anonymous.lock().expect("no code panics while it holds this lock"));
        for (address, Gathered { method, reason, count }) in gathered {
            let call = Call {
                caller: Arc::new(crate::Caller::anonymous()),
                method,
                address: None,
            };
            let address = address.map_or_else(|| "others".into(), |address| address.to_string());
            let entry = Entry::refused(&call, "", reason, count, address);
            if let Err(error) = record(&self.context, entry).await {
                tracing::error!(%error, count, "refusals to anonymous callers could not be recorded");
            }
        }
    }
}

/// Records that a caller was given something that the law wants recorded, such as a copy.
///
/// # Errors
/// When the database fails; then it must not be given.
pub async fn record_reading(context: &Context, call: &Call, resource: &str) -> Result<(), Error> {
    Ok(record(context, Entry::read(call, resource)).await?)
}

async fn record(context: &Context, entry: Entry) -> Result<(), sqlx::Error> {
    let mut connection = context.db.writing().await?;
    leaves::leave(&mut connection, context.now(), &[], &[entry], &[]).await?;
    Ok(())
}
