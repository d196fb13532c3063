//! The log-journal of a service (Instruction, para 2(1)) as its readers see it. Entries are written by the write path.

use jiff::Timestamp;
use legalstat_proto::journal::v1::{
    Entry, ListEntriesRequest, ListEntriesResponse, Outcome, journal_service_server::JournalService,
};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use crate::{
    Context, Error, Violations,
    door::{page::Page, wire, word},
};

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
    let outcomes = [Outcome::Done, Outcome::Refused, Outcome::Repeated];
    let outcome = word::optional(&mut violations, "outcome", request.outcome, &outcomes, i32::from);
    let outcome = outcome.map(to_word);
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
    let rows = sqlx::query_as!(
        Row,
        "SELECT number, recorded_at, caller, roles, method, resource, outcome, reason, request_digest, count, peer_address,
             stored_at
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
    .fetch_all(&mut *context.db.connection().await?)
    .await?;
    Ok(rows.into_iter().map(|row| (row.number, row.into())).collect())
}

/// What was done about resources by these methods, in the order in which it was recorded, without repetitions and refusals; of each the
/// first `limit` entries.
///
/// # Errors
/// What the database answers.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn done(
    connection: &mut PgConnection,
    resources: &[String],
    methods: &[String],
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT e.number, e.recorded_at, e.caller, e.roles, e.method, e.resource, e.outcome, e.reason, e.request_digest, e.count,
             e.peer_address, e.stored_at
         FROM unnest($1::text[]) AS asked (resource)
         CROSS JOIN LATERAL (
             SELECT * FROM journal_entry j
             WHERE j.resource = asked.resource AND j.outcome = 'DONE' AND j.method = ANY($2) ORDER BY j.number LIMIT $3
         ) AS e
         ORDER BY e.number",
        resources,
        methods,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

struct Row {
    number: i64,
    recorded_at: jiff_sqlx::Timestamp,
    caller: String,
    roles: Vec<String>,
    method: String,
    resource: String,
    outcome: String,
    reason: String,
    request_digest: Vec<u8>,
    count: i32,
    peer_address: String,
    stored_at: Option<jiff_sqlx::Timestamp>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            name: format!("entries/{}", row.number),
            recorded_at: Some(wire::to_timestamp(row.recorded_at.to_jiff())),
            caller: row.caller,
            roles: row.roles,
            method: row.method,
            resource: row.resource,
            outcome: of_word(&row.outcome).into(),
            reason: row.reason,
            request_digest: hex::encode(row.request_digest),
            count: row.count,
            peer_address: row.peer_address,
            stored_at: row.stored_at.map(|at| wire::to_timestamp(at.to_jiff())),
        }
    }
}

fn to_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "DONE",
        Outcome::Repeated => "REPEATED",
        Outcome::Refused | Outcome::Unspecified => "REFUSED",
    }
}

fn of_word(word: &str) -> Outcome {
    match word {
        "DONE" => Outcome::Done,
        "REPEATED" => Outcome::Repeated,
        _ => Outcome::Refused,
    }
}
