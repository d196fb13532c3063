//! Reads requests with everything known about them.

use std::collections::HashMap;

use jiff::civil::Date;
use legalstat_kit::law::LocalizedText;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{explanation, known, parts};
use crate::domain::{
    evidence::{Deadline, Step},
    examination::{Check, Examination},
    request::{
        Capacity, Channel, ExternalDocument, Item, Language, Receipt, Request, Requester, RequesterKind, Signatory,
        State, Submission,
    },
};

/// Which requests a list holds; empty filters take all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those this caller brought.
    pub accepted_by: Option<String>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those with this number of the sender's.
    pub external_number: Option<String>,
    /// Only the one with this coupon.
    pub coupon_number: Option<String>,
    /// Only those due on this day or later.
    pub due_from: Option<Date>,
    /// Only those due on this day or earlier.
    pub due_to: Option<Date>,
    /// Only those that arrived before this place in the order of arrival.
    pub before: Option<i64>,
}

/// A request's place in the order of arrival.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The place.
    pub number: i64,
    /// The request.
    pub id: Uuid,
}

/// Finds the requests of a list, newest first.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn find(connection: &mut PgConnection, filter: &Filter, most: i64) -> Result<Vec<Place>, sqlx::Error> {
    sqlx::query_as!(
        Place,
        "SELECT number, id FROM requests.request
         WHERE ($1::text IS NULL OR accepted_by = $1)
           AND ($2::text IS NULL OR state = $2)
           AND ($3::text IS NULL OR external_number = $3)
           AND ($4::text IS NULL OR coupon_number = $4)
           AND ($5::date IS NULL OR due_date >= $5)
           AND ($6::date IS NULL OR due_date <= $6)
           AND ($7::bigint IS NULL OR number < $7)
         ORDER BY number DESC LIMIT $8",
        filter.accepted_by.as_deref(),
        filter.state.map(State::stored),
        filter.external_number.as_deref(),
        filter.coupon_number.as_deref(),
        filter.due_from.map(jiff_sqlx::Date::from) as _,
        filter.due_to.map(jiff_sqlx::Date::from) as _,
        filter.before,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Reads requests in the order asked; those that do not exist are left out.
///
/// # Errors
/// When the database fails.
pub async fn read(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Request>, sqlx::Error> {
    let mut rows: HashMap<Uuid, Row> = rows(connection, ids)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let ordered: Vec<Row> = ids.iter().filter_map(|id| rows.remove(id)).collect();
    let found: Vec<Uuid> = ordered.iter().map(|row| row.id).collect();
    let rounds: Vec<i32> = ordered.iter().map(|row| row.examination_round).collect();
    let mut parts = Parts {
        items: by_request(parts::items(connection, &found).await?),
        checks: by_request(parts::checks(connection, &found, &rounds).await?),
        clarifications: by_request(parts::clarifications(connection, &found).await?),
        steps: by_request(explanation::of_requests(connection, &found).await?),
    };
    ordered.into_iter().map(|row| request(row, &mut parts)).collect()
}

type ByRequest<T> = HashMap<Uuid, Vec<T>>;

struct Parts {
    items: ByRequest<Item>,
    checks: ByRequest<Check>,
    clarifications: ByRequest<LocalizedText>,
    steps: ByRequest<Step>,
}

fn by_request<T>(rows: parts::Of<T>) -> ByRequest<T> {
    let mut grouped = ByRequest::new();
    for (request, row) in rows {
        grouped.entry(request).or_insert_with(Vec::new).push(row);
    }
    grouped
}

struct Row {
    id: Uuid,
    accepted_by: String,
    accepted_at: jiff_sqlx::Timestamp,
    coupon_number: String,
    received_at: jiff_sqlx::Timestamp,
    channel: String,
    external_number: Option<String>,
    external_date: Option<jiff_sqlx::Date>,
    addressee: String,
    essence: String,
    language: String,
    requester_kind: String,
    requester_full_name: String,
    requester_bin: Option<String>,
    requester_iin: Option<String>,
    requester_postal_address: String,
    signatory_full_name: Option<String>,
    signatory_capacity: Option<String>,
    state: String,
    examination_round: i32,
    examined_at: jiff_sqlx::Timestamp,
    registration_number: Option<String>,
    registered_on: Option<jiff_sqlx::Date>,
    due_date: Option<jiff_sqlx::Date>,
    due_time: Option<jiff_sqlx::Timestamp>,
    due_provisional: Option<bool>,
    due_assumed: Option<bool>,
    due_calendar_version: Option<String>,
    due_term: Option<String>,
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn rows(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date,
             addressee, essence, language, requester_kind, requester_full_name, requester_bin, requester_iin,
             requester_postal_address, signatory_full_name, signatory_capacity, state, examination_round, examined_at,
             registration_number, registered_on, due_date, due_time, due_provisional, due_assumed, due_calendar_version,
             due_term
         FROM requests.request WHERE id = ANY($1)",
        ids,
    )
    .fetch_all(connection)
    .await
}

fn request(row: Row, parts: &mut Parts) -> Result<Request, sqlx::Error> {
    let examination = Examination {
        state: known(State::from_stored(&row.state), "state")?,
        checks: parts.checks.remove(&row.id).unwrap_or_default(),
        clarifications: parts.clarifications.remove(&row.id).unwrap_or_default(),
        deadline: deadline(&row, parts),
    };
    let items = parts.items.remove(&row.id).unwrap_or_default();
    let receipt = Receipt {
        id: row.id,
        coupon_number: row.coupon_number.clone(),
        accepted_at: row.accepted_at.to_jiff(),
        accepted_by: row.accepted_by.clone(),
    };
    let (examined_at, registration_number) = (row.examined_at.to_jiff(), row.registration_number.clone());
    let submission = submission(row, items)?;
    Ok(Request {
        receipt: Some(receipt),
        submission,
        examination,
        examined_at,
        registration_number,
    })
}

/// The deadline of a registered request. That its columns are all there or none is a constraint of the table.
fn deadline(row: &Row, parts: &mut Parts) -> Option<Deadline> {
    Some(Deadline {
        registered_on: row.registered_on?.to_jiff(),
        due_date: row.due_date?.to_jiff(),
        due_time: row.due_time?.to_jiff(),
        provisional: row.due_provisional?,
        assumed: row.due_assumed?,
        calendar_version: row.due_calendar_version.clone()?,
        term: row.due_term.clone()?,
        steps: parts.steps.remove(&row.id).unwrap_or_default(),
    })
}

fn submission(row: Row, items: Vec<Item>) -> Result<Submission, sqlx::Error> {
    let capacity = row
        .signatory_capacity
        .map(|word| known(Capacity::from_stored(&word), "signatory_capacity"));
    let signatory = row.signatory_full_name.zip(capacity.transpose()?);
    let external = row.external_number.zip(row.external_date);
    Ok(Submission {
        requester: Requester {
            kind: known(RequesterKind::from_stored(&row.requester_kind), "requester_kind")?,
            full_name: row.requester_full_name,
            bin: row.requester_bin,
            iin: row.requester_iin,
            postal_address: row.requester_postal_address,
        },
        signatory: signatory.map(|(full_name, capacity)| Signatory { full_name, capacity }),
        channel: known(Channel::from_stored(&row.channel), "channel")?,
        external: external.map(|(number, date)| ExternalDocument {
            number,
            date: date.to_jiff(),
        }),
        addressee: row.addressee,
        essence: row.essence,
        language: known(Language::from_stored(&row.language), "language")?,
        items,
        received_at: row.received_at.to_jiff(),
    })
}
