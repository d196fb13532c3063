//! Requests as they are read.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use legalstat_kit::{
    door::word::{Word, unreadable},
    law::LocalizedText,
    period::ReportingPeriod,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{attachment, erasure};
use crate::domain::{
    evidence::Deadline,
    request::{
        Capacity, Channel, DuePart, Extension, ExternalDocument, Item, ItemKind, Language, Proof, Receipt, Requester,
        RequesterKind, Signatory, Standing, State, Submission, Unit,
    },
};

/// A request without the texts that it shares with others.
#[derive(Clone, Debug)]
pub struct Stored {
    pub receipt: Receipt,
    pub submission: Submission,
    pub standing: Standing,
    pub round: i32,
    pub examined_at: Timestamp,
    /// The ids of what its examination found; empty when the release before examined it.
    pub findings: Vec<Uuid>,
    pub clarifications: Vec<LocalizedText>,
    pub registration_number: Option<String>,
    /// Its deadline, without steps.
    pub deadline: Option<Deadline>,
    /// The digest of the steps; none when the release before registered it.
    pub explanation: Option<[u8; 32]>,
    /// Whether its due date has ever moved.
    pub moved: bool,
    /// The request of which it is likely a duplicate.
    pub likely_duplicate_of: Option<Uuid>,
    /// The request that it repeats.
    pub repeats: Option<Uuid>,
    /// The revision of the rules, and with them of the bodies, when it was read: by these it is decided who sees it.
    pub rules_revision: i64,
}

/// Reads the requests with these ids. One that this release cannot read keeps none of the others back.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn get(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Result<Stored, sqlx::Error>>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT r.id, r.accepted_by, r.accepted_at, r.coupon_number, r.received_at, r.sent_at AS "sent_at: jiff_sqlx::Timestamp", r.channel, r.external_number,
             r.external_date, r.addressee, r.essence, r.language, r.requester_kind, r.requester_full_name,
             r.requester_bin, r.requester_iin, r.requester_postal_address, r.signatory_full_name, r.signatory_capacity,
             r.state, r.examination_round, r.examined_at, r.findings, r.registration_number, r.registered_on, r.due_date,
             r.due_time, r.due_provisional, r.due_assumed, r.due_calendar_version, r.due_term, r.explanation,
             r.likely_duplicate_of, r.repeats,
             r.version, r.changed_at, r.assignee, r.cure_by, r.due_part, r.extension_counted_from, r.extension_until,
             r.coupon_content_sha256, r.coupon_key, r.coupon_signature,
             r.receiving_body, r.reports_crime_or_threat, r.erased_at IS NOT NULL AS "is_erased!",
             (SELECT revision FROM requests.rule_revision) AS "rules_revision!",
             EXISTS (SELECT FROM requests.due_date_change WHERE resource = 'requests/' || r.id) AS "moved!",
             i.kinds AS "kinds?", i.descriptions AS "descriptions?", i.units AS "units?: Vec<Option<String>>",
             i.periods AS "periods?: Vec<Option<String>>", i.until_periods AS "until_periods?: Vec<Option<String>>",
             i.forms AS "forms?: Vec<Option<String>>", i.indicators AS "indicators?: Vec<Option<String>>",
             i.details AS "details?: Vec<Option<String>>", i.territories AS "territories?",
             EXISTS (SELECT FROM requests.attachment WHERE request = r.id) AS "with_files!",
             c.kk AS "clarifications_kk", c.ru AS "clarifications_ru", c.en AS "clarifications_en"
         FROM requests.request r
         CROSS JOIN LATERAL (
             SELECT array_agg(kind ORDER BY position) AS kinds, array_agg(description ORDER BY position) AS descriptions,
                 array_agg(unit ORDER BY position) AS units, array_agg(period ORDER BY position) AS periods,
                 array_agg(until_period ORDER BY position) AS until_periods, array_agg(form ORDER BY position) AS forms,
                 array_agg(indicator ORDER BY position) AS indicators, array_agg(detail ORDER BY position) AS details,
                 array_agg(array_to_string(territories, ' ') ORDER BY position) AS territories
             FROM requests.item WHERE request = r.id) AS i
         CROSS JOIN LATERAL (
             SELECT array_agg(text_kk ORDER BY position) AS kk, array_agg(text_ru ORDER BY position) AS ru,
                 array_agg(text_en ORDER BY position) AS en
             FROM requests.clarification WHERE request = r.id AND provided_at IS NULL) AS c
         WHERE r.id = ANY ($1)"#,
        ids,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    let with_files: Vec<Uuid> = rows.iter().filter(|row| row.with_files).map(|row| row.id).collect();
    let erased: Vec<Uuid> = rows.iter().filter(|row| row.is_erased).map(|row| row.id).collect();
    let mut found: HashMap<_, Result<Stored, _>> = rows.into_iter().map(|row| (row.id, row.try_into())).collect();
    if !with_files.is_empty() {
        for attachment in attachment::of_requests(connection, &with_files).await? {
            let request = attachment.request.and_then(|request| found.get_mut(&request));
            if let Some(Ok(stored)) = request {
                stored.submission.attachments.push(attachment);
            }
        }
    }
    if !erased.is_empty() {
        for (request, erasure) in erasure::of_requests(connection, &erased).await? {
            if let Some(Ok(stored)) = found.get_mut(&request) {
                stored.standing.erased = Some(Box::new(erasure));
            }
        }
    }
    Ok(found)
}

/// What was signed of a request's receipt; none when the release before accepted it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn proof(connection: &mut PgConnection, id: Uuid) -> Result<Option<Proof>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT coupon_content_sha256, coupon_key, coupon_signature FROM requests.request WHERE id = $1",
        id,
    );
    match row.fetch_optional(connection).await? {
        Some(row) => to_proof(row.coupon_content_sha256, row.coupon_key, row.coupon_signature),
        None => Ok(None),
    }
}

fn to_proof(
    content_sha256: Option<Vec<u8>>,
    key: Option<String>,
    signature: Option<Vec<u8>>,
) -> Result<Option<Proof>, sqlx::Error> {
    let Some(((content_sha256, key), signature)) = content_sha256.zip(key).zip(signature) else {
        return Ok(None);
    };
    let unreadable = |_| unreadable("coupon_signature", "no digest or no signature");
    Ok(Some(Proof {
        content_sha256: content_sha256.try_into().map_err(unreadable)?,
        key,
        signature: signature.try_into().map_err(unreadable)?,
    }))
}

struct Row {
    id: Uuid,
    accepted_by: String,
    accepted_at: jiff_sqlx::Timestamp,
    coupon_number: String,
    received_at: jiff_sqlx::Timestamp,
    sent_at: Option<jiff_sqlx::Timestamp>,
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
    version: i32,
    changed_at: Option<jiff_sqlx::Timestamp>,
    assignee: Option<String>,
    cure_by: Option<jiff_sqlx::Date>,
    due_part: Option<String>,
    extension_counted_from: Option<jiff_sqlx::Date>,
    extension_until: Option<jiff_sqlx::Date>,
    receiving_body: Option<String>,
    is_erased: bool,
    reports_crime_or_threat: Option<bool>,
    rules_revision: i64,
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
    explanation: Option<Vec<u8>>,
    coupon_content_sha256: Option<Vec<u8>>,
    coupon_key: Option<String>,
    coupon_signature: Option<Vec<u8>>,
    findings: Vec<Uuid>,
    moved: bool,
    likely_duplicate_of: Option<Uuid>,
    repeats: Option<Uuid>,
    /// None where there are no items; so the others.
    kinds: Option<Vec<String>>,
    descriptions: Option<Vec<String>>,
    units: Option<Vec<Option<String>>>,
    periods: Option<Vec<Option<String>>>,
    until_periods: Option<Vec<Option<String>>>,
    forms: Option<Vec<Option<String>>>,
    indicators: Option<Vec<Option<String>>>,
    details: Option<Vec<Option<String>>>,
    with_files: bool,
    /// Of each item in one text, for arrays of different lengths are not aggregated; codes hold no blanks.
    territories: Option<Vec<String>>,
    clarifications_kk: Option<Vec<String>>,
    clarifications_ru: Option<Vec<String>>,
    clarifications_en: Option<Vec<String>>,
}

impl TryFrom<Row> for Stored {
    type Error = sqlx::Error;

    fn try_from(mut row: Row) -> Result<Self, sqlx::Error> {
        let explanation = row.explanation.take().map(|digest| digest.try_into());
        let explanation = explanation
            .transpose()
            .map_err(|_| unreadable("explanation", "no SHA-256"))?;
        Ok(Self {
            receipt: Receipt {
                id: row.id,
                coupon_number: std::mem::take(&mut row.coupon_number),
                accepted_at: row.accepted_at.to_jiff(),
                accepted_by: std::mem::take(&mut row.accepted_by),
                proof: to_proof(
                    row.coupon_content_sha256.take(),
                    row.coupon_key.take(),
                    row.coupon_signature.take(),
                )?,
            },
            standing: Standing {
                state: State::read_stored(&row.state, "state")?,
                version: row.version,
                changed_at: row.changed_at.map(jiff_sqlx::Timestamp::to_jiff),
                assignee: row.assignee.take(),
                cure_by: row.cure_by.map(jiff_sqlx::Date::to_jiff),
                extension: extension(&row)?,
                erased: None,
            },
            round: row.examination_round,
            examined_at: row.examined_at.to_jiff(),
            findings: std::mem::take(&mut row.findings),
            clarifications: clarifications(&mut row),
            registration_number: row.registration_number.take(),
            deadline: deadline(&mut row),
            explanation,
            moved: row.moved,
            likely_duplicate_of: row.likely_duplicate_of,
            repeats: row.repeats,
            rules_revision: row.rules_revision,
            submission: submission(row)?,
        })
    }
}

fn clarifications(row: &mut Row) -> Vec<LocalizedText> {
    let texts = |column: &mut Option<Vec<String>>| column.take().unwrap_or_default().into_iter();
    let languages = texts(&mut row.clarifications_kk)
        .zip(texts(&mut row.clarifications_ru))
        .zip(texts(&mut row.clarifications_en));
    languages.map(|((kk, ru), en)| LocalizedText::new(kk, ru, en)).collect()
}

/// The deadline of a registered request. That its columns are all there or none is a constraint of the table.
fn deadline(row: &mut Row) -> Option<Deadline> {
    Some(Deadline {
        registered_on: row.registered_on?.to_jiff(),
        due_date: row.due_date?.to_jiff(),
        due_time: row.due_time?.to_jiff(),
        provisional: row.due_provisional?,
        assumed: row.due_assumed?,
        calendar_version: row.due_calendar_version.take()?,
        term: row.due_term.take()?,
        steps: Arc::default(),
    })
}

fn extension(row: &Row) -> Result<Option<Extension>, sqlx::Error> {
    let part = row.due_part.as_ref().map(|word| DuePart::read_stored(word, "due_part"));
    Ok(part.transpose()?.map(|part| Extension {
        part,
        counted_from: row.extension_counted_from.map(jiff_sqlx::Date::to_jiff),
        until: row.extension_until.map(jiff_sqlx::Date::to_jiff),
    }))
}

fn items(row: &mut Row) -> Result<Vec<Item>, sqlx::Error> {
    let period = |text: Option<String>, column| -> Result<Option<ReportingPeriod>, sqlx::Error> {
        let read = |text: String| text.parse().map_err(|_| unreadable(column, &text));
        text.map(read).transpose()
    };
    let kinds = row.kinds.take().unwrap_or_default();
    let mut descriptions = row.descriptions.take().unwrap_or_default().into_iter();
    let mut territories = row.territories.take().unwrap_or_default().into_iter();
    let [
        mut units,
        mut periods,
        mut until_periods,
        mut forms,
        mut indicators,
        mut details,
    ] = [
        &mut row.units,
        &mut row.periods,
        &mut row.until_periods,
        &mut row.forms,
        &mut row.indicators,
        &mut row.details,
    ]
    .map(|column| column.take().unwrap_or_default().into_iter());
    let mut items = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let unit = units.next().flatten();
        items.push(Item {
            kind: ItemKind::read_stored(&kind, "kind")?,
            description: descriptions.next().unwrap_or_default(),
            unit: unit.map(|word| Unit::read_stored(&word, "unit")).transpose()?,
            period: period(periods.next().flatten(), "period")?,
            until_period: period(until_periods.next().flatten(), "until_period")?,
            form: forms.next().flatten(),
            indicator: indicators.next().flatten(),
            detail: details.next().flatten(),
            territories: territories
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        });
    }
    Ok(items)
}

fn submission(mut row: Row) -> Result<Submission, sqlx::Error> {
    let items = items(&mut row)?;
    let capacity = row
        .signatory_capacity
        .map(|word| Capacity::read_stored(&word, "signatory_capacity"));
    let signatory = row.signatory_full_name.zip(capacity.transpose()?);
    let external = ExternalDocument {
        number: row.external_number.unwrap_or_default(),
        date: row.external_date.map(jiff_sqlx::Date::to_jiff),
    };
    Ok(Submission {
        requester: Requester {
            kind: RequesterKind::read_stored(&row.requester_kind, "requester_kind")?,
            full_name: row.requester_full_name,
            bin: row.requester_bin,
            iin: row.requester_iin,
            postal_address: row.requester_postal_address,
        },
        signatory: signatory.map(|(full_name, capacity)| Signatory { full_name, capacity }),
        channel: Channel::read_stored(&row.channel, "channel")?,
        external: Some(external).filter(|external| !external.number.is_empty() || external.date.is_some()),
        addressee: row.addressee,
        receiving_body: row.receiving_body,
        reports_crime_or_threat: row.reports_crime_or_threat.unwrap_or_default(),
        essence: row.essence,
        language: Language::read_stored(&row.language, "language")?,
        items,
        received_at: row.received_at.to_jiff(),
        sent_at: row.sent_at.map(jiff_sqlx::Timestamp::to_jiff),
        attachments: Vec::new(),
    })
}
