//! The log-journal of a service (Instruction, para 2(1)): refusals as they happen, and reading. What was done is written
//! by the write itself, in its transaction.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_proto::journal::v1::{
    Entry, ListEntriesRequest, ListEntriesResponse, Outcome, journal_service_server::JournalService,
};
use rand::RngExt;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

use crate::{
    Call, Context, Error, FieldReason, Violations,
    door::{page::Page, wire},
    write::role_names,
};

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
            let now = context.now();
            if let Err(error) = insert_refusal(&context, now, &call, &reason, &resource, 1, "").await {
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
            let now = self.context.now();
            if let Err(error) = insert_refusal(&self.context, now, &call, &reason, "", count, &address).await {
                tracing::error!(%error, count, "refusals to anonymous callers could not be recorded");
            }
        }
    }
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_refusal(
    context: &Context,
    now: Timestamp,
    call: &Call,
    reason: &str,
    resource: &str,
    count: i32,
    peer_address: &str,
) -> Result<(), sqlx::Error> {
    #[expect(clippy::disallowed_methods, reason = "a salt decides nothing")]
    let salt: [u8; 16] = rand::rng().random();
    sqlx::query!(
        "INSERT INTO journal_entry
             (recorded_at, caller, roles, method, resource, outcome, reason, salt, request_digest, count, peer_address)
         VALUES ($1, $2, $3, $4, $5, 'REFUSED', $6, $7, '', $8, $9)",
        jiff_sqlx::Timestamp::from(now) as _,
        call.caller.name,
        &role_names(&call.caller.roles),
        call.method,
        resource,
        reason,
        salt.as_slice(),
        count,
        peer_address,
    )
    .execute(&context.db)
    .await?;
    Ok(())
}

/// Records that a caller was given something that the law wants recorded, such as a copy.
///
/// # Errors
/// When the database fails; then it must not be given.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record_reading(context: &Context, call: &Call, resource: &str) -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "a salt decides nothing")]
    let salt: [u8; 16] = rand::rng().random();
    let digest = wire::sha256(&[salt.as_slice(), resource.as_bytes()].concat());
    sqlx::query!(
        "INSERT INTO journal_entry
             (recorded_at, caller, roles, method, resource, outcome, reason, salt, request_digest, count, peer_address)
         VALUES ($1, $2, $3, $4, $5, 'DONE', '', $6, $7, 1, '')",
        jiff_sqlx::Timestamp::from(context.now()) as _,
        call.caller.name,
        &role_names(&call.caller.roles),
        call.method,
        resource,
        salt.as_slice(),
        digest.as_slice(),
    )
    .execute(&context.db)
    .await?;
    Ok(())
}

/// Serves the journal of the service it runs in.
pub struct Journal {
    context: Context,
}

impl Journal {
    /// The journal of this service.
    pub fn new(context: &Context) -> Self {
        Self {
            context: context.clone(),
        }
    }
}

#[tonic::async_trait]
impl JournalService for Journal {
    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        Ok(Response::new(list_entries(&self.context, request.into_inner()).await?))
    }
}

struct Filter {
    before_number: Option<i64>,
    outcome: Option<&'static str>,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
}

async fn list_entries(context: &Context, request: ListEntriesRequest) -> Result<ListEntriesResponse, Error> {
    let mut violations = Violations::new();
    let instant = |value: Option<&prost_types::Timestamp>| value.map(|t| t.to_string()).unwrap_or_default();
    let (from_text, before_text) = (
        instant(request.recorded_from.as_ref()),
        instant(request.recorded_before.as_ref()),
    );
    let outcome_text = request.outcome.to_string();
    let query = [
        &request.resource,
        &request.caller,
        &request.method,
        &outcome_text,
        &from_text,
        &before_text,
    ];
    let page = Page::parse(
        &mut violations,
        request.page_size,
        100,
        &request.page_token,
        &query.map(String::as_str),
    )?;
    let outcome = match Outcome::try_from(request.outcome) {
        Ok(Outcome::Unspecified) => None,
        Ok(Outcome::Done) => Some("DONE"),
        Ok(Outcome::Refused) => Some("REFUSED"),
        Err(_) => {
            violations.add("outcome", FieldReason::Enum, "not an outcome");
            None
        }
    };
    for (field, value) in [
        ("resource", &request.resource),
        ("caller", &request.caller),
        ("method", &request.method),
    ] {
        violations.optional_text(field, value, 1000);
    }
    let from = wire::optional_timestamp(&mut violations, "recorded_from", request.recorded_from.as_ref());
    let before = wire::optional_timestamp(&mut violations, "recorded_before", request.recorded_before.as_ref());
    violations.refuse()?;
    let filter = Filter {
        before_number: page.after()?,
        outcome,
        from,
        before,
    };
    let rows = select_entries(context, &request, &filter, page.limit()).await?;
    let (rows, next_page_token) = page.cut(rows, |(number, _)| number.to_string());
    Ok(ListEntriesResponse {
        entries: rows.into_iter().map(|(_, entry)| entry).collect(),
        next_page_token,
    })
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn select_entries(
    context: &Context,
    request: &ListEntriesRequest,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<(i64, Entry)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT number, recorded_at, caller, roles, method, resource, outcome, reason, request_digest, count, peer_address
         FROM journal_entry
         WHERE ($1::bigint IS NULL OR number < $1)
           AND ($2 = '' OR resource = $2)
           AND ($3 = '' OR caller = $3)
           AND ($4 = '' OR method = $4)
           AND ($5::text IS NULL OR outcome = $5)
           AND ($6::timestamptz IS NULL OR recorded_at >= $6)
           AND ($7::timestamptz IS NULL OR recorded_at < $7)
         ORDER BY number DESC LIMIT $8",
        filter.before_number,
        request.resource,
        request.caller,
        request.method,
        filter.outcome,
        filter.from.map(jiff_sqlx::Timestamp::from) as _,
        filter.before.map(jiff_sqlx::Timestamp::from) as _,
        limit,
    )
    .fetch_all(&context.db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                row.number,
                Entry {
                    name: format!("entries/{}", row.number),
                    recorded_at: Some(wire::to_timestamp(row.recorded_at.to_jiff())),
                    caller: row.caller,
                    roles: row.roles,
                    method: row.method,
                    resource: row.resource,
                    outcome: if row.outcome == "DONE" {
                        Outcome::Done
                    } else {
                        Outcome::Refused
                    }
                    .into(),
                    reason: row.reason,
                    request_digest: hex::encode(row.request_digest),
                    count: row.count,
                    peer_address: row.peer_address,
                },
            )
        })
        .collect())
}
