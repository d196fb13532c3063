//! Stores accepted requests, many at a time, each with its final row.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{door::word::Word, law::LocalizedText};
use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::domain::{
    earlier::Earlier,
    examination::Examination,
    request::{Item, Proof, Receipt, Submission, Unit},
    secret::Secret,
};

/// A request as it is accepted.
pub struct Accepted<'a> {
    pub receipt: Receipt,
    /// Its coupon's secret, of which a digest is stored.
    pub secret: Secret,
    pub submission: &'a Submission,
    pub examination: &'a Examination,
    pub examined_at: Timestamp,
    /// The ids of its findings, stored before.
    pub findings: Vec<Uuid>,
    /// The digest of the explanation of its due date, stored before.
    pub explanation: Option<[u8; 32]>,
    pub registration_number: Option<String>,
    pub earlier: &'a Earlier,
    /// The number for who asks for what.
    pub asked: Option<i64>,
}

/// Stores requests with their items and what they must clarify, and tells which: one whose coupon number is taken is not
/// stored.
pub async fn insert(connection: &mut PgConnection, requests: &[&Accepted<'_>]) -> Result<HashSet<Uuid>, sqlx::Error> {
    let stored = insert_requests(connection, requests).await?;
    let of_stored = requests.iter().filter(|request| stored.contains(&request.receipt.id));
    let asked = of_stored.flat_map(|request| clarifications(request.receipt.id, request.examination));
    insert_clarifications(connection, &asked.collect::<Vec<_>>()).await?;
    Ok(stored)
}

/// With their items in the same statement: each statement of a group is waited for by all that gather behind it.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_requests(
    connection: &mut PgConnection,
    requests: &[&Accepted<'_>],
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let items: Vec<(Uuid, usize, &Item)> = requests
        .iter()
        .flat_map(|request| {
            let items = request.submission.items.iter().enumerate();
            items.map(|(position, item)| (request.receipt.id, position, item))
        })
        .collect();
    let deadline = |request: &Accepted<'_>| request.examination.deadline.clone();
    let stored = sqlx::query_scalar!(
        r#"WITH stored AS (
         INSERT INTO requests.request
             (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee,
              essence, language, requester_kind, requester_full_name, requester_bin, requester_iin,
              requester_postal_address, signatory_full_name, signatory_capacity, state, examination_pending,
              examination_round, examined_at, registration_number, registered_on, due_date, due_time, due_provisional,
              due_assumed, due_calendar_version, due_term, explanation, findings, coupon_content_sha256, coupon_key,
              coupon_signature, coupon_secret_digest, receiving_body, likely_duplicate_of, repeats, asked,
              reports_crime_or_threat, sent_at)
         SELECT n.id, n.accepted_by, n.accepted_at, n.coupon_number, n.received_at, n.channel, n.external_number,
             n.external_date, n.addressee, n.essence, n.language, n.requester_kind, n.requester_full_name, n.requester_bin,
             n.requester_iin, n.requester_postal_address, n.signatory_full_name, n.signatory_capacity, n.state, n.pending, 1,
             n.examined_at, n.registration_number, n.registered_on, n.due_date, n.due_time, n.due_provisional,
             n.due_assumed, n.due_calendar_version, n.due_term, n.explanation, n.findings::uuid[],
             n.coupon_content_sha256, n.coupon_key, n.coupon_signature, n.coupon_secret_digest, n.receiving_body,
             n.likely_duplicate_of, n.repeats, n.asked, n.reports_crime_or_threat, n.sent_at
         FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
                     $8::date[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                     $16::text[], $17::text[], $18::text[], $19::text[], $20::boolean[], $21::timestamptz[], $22::text[],
                     $23::date[], $24::date[], $25::timestamptz[], $26::boolean[], $27::boolean[], $28::text[],
                     $29::text[], $30::bytea[], $31::text[], $43::bytea[], $44::text[], $45::bytea[], $46::bytea[], $47::text[],
                     $48::uuid[], $49::uuid[], $50::bigint[], $51::boolean[], $52::timestamptz[])
             WITH ORDINALITY AS n
             (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee,
              essence, language, requester_kind, requester_full_name, requester_bin, requester_iin,
              requester_postal_address, signatory_full_name, signatory_capacity, state, pending, examined_at,
              registration_number, registered_on, due_date, due_time, due_provisional, due_assumed, due_calendar_version,
              due_term, explanation, findings, coupon_content_sha256, coupon_key, coupon_signature, coupon_secret_digest, receiving_body,
              likely_duplicate_of, repeats, asked, reports_crime_or_threat, sent_at, place)
         ORDER BY n.place
         ON CONFLICT ON CONSTRAINT request_coupon_number DO NOTHING
         RETURNING id
         ), items AS (
             INSERT INTO requests.item
                 (request, position, kind, description, unit, period, until_period, form, indicator, detail, territories)
             SELECT i.request, i.position, i.kind, i.description, i.unit, i.period, i.until_period, i.form, i.indicator,
                 i.detail, string_to_array(i.territories, ' ')
             FROM unnest($32::uuid[], $33::integer[], $34::text[], $35::text[], $36::text[], $37::text[], $38::text[],
                         $39::text[], $40::text[], $41::text[], $42::text[])
                 AS i (request, position, kind, description, unit, period, until_period, form, indicator, detail, territories)
             JOIN stored ON stored.id = i.request
         )
         SELECT id AS "id!" FROM stored"#,
        &column(requests, |r| r.receipt.id),
        column(requests, |r| r.receipt.accepted_by.as_str()) as _,
        column(requests, |r| jiff_sqlx::Timestamp::from(r.receipt.accepted_at)) as _,
        column(requests, |r| r.receipt.coupon_number.as_str()) as _,
        column(requests, |r| jiff_sqlx::Timestamp::from(r.submission.received_at)) as _,
        column(requests, |r| r.submission.channel.word()) as _,
        column(requests, |r| external_number(r.submission)) as _,
        column(requests, |r| external_date(r.submission).map(jiff_sqlx::Date::from)) as _,
        column(requests, |r| r.submission.addressee.as_str()) as _,
        column(requests, |r| r.submission.essence.as_str()) as _,
        column(requests, |r| r.submission.language.word()) as _,
        column(requests, |r| r.submission.requester.kind.word()) as _,
        column(requests, |r| r.submission.requester.full_name.as_str()) as _,
        column(requests, |r| r.submission.requester.bin.as_deref()) as _,
        column(requests, |r| r.submission.requester.iin.as_deref()) as _,
        column(requests, |r| r.submission.requester.postal_address.as_str()) as _,
        column(requests, |r| r
            .submission
            .signatory
            .as_ref()
            .map(|signatory| signatory.full_name.as_str())) as _,
        column(requests, |r| r
            .submission
            .signatory
            .as_ref()
            .map(|signatory| signatory.capacity.word())) as _,
        column(requests, |r| r.examination.state.word()) as _,
        &column(requests, |r| r.examination.is_pending()),
        column(requests, |r| jiff_sqlx::Timestamp::from(r.examined_at)) as _,
        column(requests, |r| r.registration_number.as_deref()) as _,
        column(requests, |r| deadline(r)
            .map(|deadline| jiff_sqlx::Date::from(deadline.registered_on))) as _,
        column(requests, |r| deadline(r)
            .map(|deadline| jiff_sqlx::Date::from(deadline.due_date))) as _,
        column(requests, |r| deadline(r)
            .map(|deadline| jiff_sqlx::Timestamp::from(deadline.due_time))) as _,
        column(requests, |r| deadline(r).map(|deadline| deadline.provisional)) as _,
        column(requests, |r| deadline(r).map(|deadline| deadline.assumed)) as _,
        column(requests, |r| deadline(r).map(|deadline| deadline.calendar_version)) as _,
        column(requests, |r| deadline(r).map(|deadline| deadline.term)) as _,
        column(requests, |r| r.explanation.as_ref().map(<[u8; 32]>::as_slice)) as _,
        column(requests, |r| array(&r.findings)) as _,
        &column(&items, |(request, _, _)| *request),
        &column(&items, |(_, position, _)| place(*position)),
        column(&items, |(_, _, item)| item.kind.word()) as _,
        column(&items, |(_, _, item)| item.description.as_str()) as _,
        column(&items, |(_, _, item)| item.unit.map(Unit::word)) as _,
        column(&items, |(_, _, item)| item.period.map(|period| period.to_string())) as _,
        column(&items, |(_, _, item)| item
            .until_period
            .map(|period| period.to_string())) as _,
        column(&items, |(_, _, item)| item.form.as_deref()) as _,
        column(&items, |(_, _, item)| item.indicator.as_deref()) as _,
        column(&items, |(_, _, item)| item.detail.as_deref()) as _,
        &column(&items, |(_, _, item)| item.territories.join(" ")),
        column(requests, |r| proof(r).map(|proof| proof.content_sha256.as_slice())) as _,
        column(requests, |r| proof(r).map(|proof| proof.key.as_str())) as _,
        column(requests, |r| proof(r).map(|proof| proof.signature.as_slice())) as _,
        column(requests, |r| proof(r)
            .map(|_| r.secret.digest(&r.receipt.coupon_number).to_vec())) as _,
        column(requests, |r| r.submission.receiving_body.as_deref()) as _,
        column(requests, |r| r
            .earlier
            .likely_duplicate_of
            .as_ref()
            .map(|first| first.id)) as _,
        column(requests, |r| r.earlier.repeats.as_ref().map(|first| first.id)) as _,
        column(requests, |r| r.asked) as _,
        column(requests, |r| r.submission.reports_crime_or_threat.then_some(true)) as _,
        column(requests, |r| r.submission.sent_at.map(jiff_sqlx::Timestamp::from)) as _,
    );
    Ok(stored.fetch_all(connection).await?.into_iter().collect())
}

fn external_number(submission: &Submission) -> Option<&str> {
    let number = submission.external.as_ref().map(|external| external.number.as_str());
    number.filter(|number| !number.is_empty())
}

fn external_date(submission: &Submission) -> Option<Date> {
    submission.external.as_ref().and_then(|external| external.date)
}

fn proof<'a>(request: &'a Accepted<'_>) -> Option<&'a Proof> {
    request.receipt.proof.as_ref()
}

/// An array as PostgreSQL writes it: rows with arrays of different lengths cannot be unnested otherwise.
pub(super) fn array(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

/// What a request must clarify, as rows.
fn clarifications(request: Uuid, examination: &Examination) -> impl Iterator<Item = (Uuid, usize, &LocalizedText)> {
    let asked = examination.clarifications.iter().enumerate();
    asked.map(move |(position, text)| (request, position, text))
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_clarifications(
    connection: &mut PgConnection,
    asked: &[(Uuid, usize, &LocalizedText)],
) -> Result<(), sqlx::Error> {
    if asked.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO requests.clarification (request, position, text_kk, text_ru, text_en)
         SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[])",
        &column(asked, |(request, _, _)| *request),
        &column(asked, |(_, position, _)| place(*position)),
        column(asked, |(_, _, text)| text.kk.as_str()) as _,
        column(asked, |(_, _, text)| text.ru.as_str()) as _,
        column(asked, |(_, _, text)| text.en.as_str()) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn place(position: usize) -> i32 {
    i32::try_from(position).expect("the door lets no request with more than a hundred items in")
}
