//! The due dates of requests that are registered and neither answered nor ended otherwise.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::door::word::Word;
use legalstat_kit::due::DueDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::explanation;
use crate::domain::{
    evidence::Deadline,
    request::{DuePart, Extension, RequesterKind},
};

/// A request whose due date is open, with what it is computed from.
#[derive(Clone, Debug)]
pub struct Open {
    /// The request.
    pub id: Uuid,
    /// Who asks.
    pub requester_kind: RequesterKind,
    /// When it was received.
    pub received_at: Timestamp,
    /// The day on which it counts as registered.
    pub registered_on: Date,
    /// The due date.
    pub due: DueDate,
    /// By what it is later than the plain one.
    pub extension: Option<Extension>,
}

/// The open due dates after a request, by id.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn open(connection: &mut PgConnection, after: Option<Uuid>, most: i64) -> Result<Vec<Open>, sqlx::Error> {
    // That who has one of them has all is a constraint of the table.
    let rows = sqlx::query!(
        r#"SELECT id, requester_kind, received_at, registered_on AS "registered_on!: jiff_sqlx::Date",
             due_date AS "due_date!: jiff_sqlx::Date", due_time AS "due_time!: jiff_sqlx::Timestamp",
             due_provisional AS "due_provisional!", due_assumed AS "due_assumed!",
             due_calendar_version AS "due_calendar_version!", due_part,
             extension_counted_from AS "counted_from: jiff_sqlx::Date", extension_until AS "until: jiff_sqlx::Date"
         FROM requests.request
         WHERE state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION') AND due_date IS NOT NULL
           AND due_by_hand IS NULL AND ($1::uuid IS NULL OR id > $1)
         ORDER BY id LIMIT $2"#,
        after,
        most,
    );
    let open = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let part = row.due_part.map(|word| DuePart::read_stored(&word, "due_part"));
        let extension = part.transpose()?.map(|part| Extension {
            part,
            counted_from: row.counted_from.map(jiff_sqlx::Date::to_jiff),
            until: row.until.map(jiff_sqlx::Date::to_jiff),
        });
        Ok(Open {
            extension,
            id: row.id,
            requester_kind: RequesterKind::read_stored(&row.requester_kind, "requester_kind")?,
            received_at: row.received_at.to_jiff(),
            registered_on: row.registered_on.to_jiff(),
            due: DueDate {
                date: row.due_date.to_jiff(),
                time: row.due_time.to_jiff(),
                provisional: row.due_provisional,
                assumed: row.due_assumed,
                calendar_version: row.due_calendar_version,
            },
        })
    });
    open.collect()
}

/// Registers a locked request with a due date that an official entered, under a number.
///
/// # Errors
/// When the database fails.
pub async fn enter(
    connection: &mut PgConnection,
    request: Uuid,
    deadline: &Deadline,
    registration_number: &str,
) -> Result<(), sqlx::Error> {
    let sha256 = explanation::digest(&deadline.steps);
    explanation::insert(connection, &sha256, &deadline.steps).await?;
    register(connection, request, deadline, registration_number, &sha256).await
}

/// The state goes with it: neither is there without the other.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn register(
    connection: &mut PgConnection,
    request: Uuid,
    deadline: &Deadline,
    registration_number: &str,
    explanation: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.request SET
             state = 'REGISTERED', registration_number = $2, registered_on = $3, due_date = $4, due_time = $5,
             due_provisional = $6, due_assumed = $7, due_calendar_version = $8, due_term = $9, explanation = $10,
             due_by_hand = true
         WHERE id = $1",
        request,
        registration_number,
        jiff_sqlx::Date::from(deadline.registered_on) as _,
        jiff_sqlx::Date::from(deadline.due_date) as _,
        jiff_sqlx::Timestamp::from(deadline.due_time) as _,
        deadline.provisional,
        deadline.assumed,
        deadline.calendar_version,
        deadline.term,
        explanation.as_slice(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a locked request a later due date, with its explanation. The calendar has computed it, so the calendar moves it from then on.
///
/// # Errors
/// When the database fails.
pub async fn extend(
    connection: &mut PgConnection,
    request: Uuid,
    deadline: &Deadline,
    extension: Extension,
) -> Result<(), sqlx::Error> {
    let sha256 = explanation::digest(&deadline.steps);
    explanation::insert(connection, &sha256, &deadline.steps).await?;
    put_off(connection, request, deadline, &sha256, extension).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn put_off(
    connection: &mut PgConnection,
    request: Uuid,
    deadline: &Deadline,
    explanation: &[u8; 32],
    extension: Extension,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.request SET
             due_date = $2, due_time = $3, due_provisional = $4, due_assumed = $5, due_calendar_version = $6, due_term = $7,
             explanation = $8, due_part = $9, extension_counted_from = $10, extension_until = $11, due_by_hand = NULL
         WHERE id = $1",
        request,
        jiff_sqlx::Date::from(deadline.due_date) as _,
        jiff_sqlx::Timestamp::from(deadline.due_time) as _,
        deadline.provisional,
        deadline.assumed,
        deadline.calendar_version,
        deadline.term,
        explanation.as_slice(),
        extension.part.word(),
        extension.counted_from.map(jiff_sqlx::Date::from) as _,
        extension.until.map(jiff_sqlx::Date::from) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A recomputed due date of a request.
pub struct Moved<'a> {
    /// The request.
    pub id: Uuid,
    /// The due date as it stands.
    pub old: &'a DueDate,
    /// The deadline as it is to be.
    pub new: &'a Deadline,
    /// The digest of its explanation.
    pub explanation: [u8; 32],
}

/// Stores recomputed due dates of requests that are still open and were neither computed anew nor put off meanwhile, and tells which.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn store(
    connection: &mut PgConnection,
    moved: &[Moved<'_>],
    now: Timestamp,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let days =
        |day: fn(&Moved<'_>) -> Date| -> Vec<jiff_sqlx::Date> { moved.iter().map(|item| day(item).into()).collect() };
    let flags = |flag: fn(&Moved<'_>) -> bool| moved.iter().map(flag).collect::<Vec<_>>();
    let texts = |text: fn(&Deadline) -> &String| moved.iter().map(|item| text(item.new).clone()).collect::<Vec<_>>();
    sqlx::query_scalar!(
        r#"UPDATE requests.request r
         SET registered_on = n.registered_on, due_date = n.due_date, due_time = n.due_time,
             due_provisional = n.provisional, due_assumed = n.assumed, due_calendar_version = n.calendar_version,
             due_term = n.term, explanation = n.explanation, changed_at = greatest(r.changed_at, $11)
         FROM unnest($1::uuid[], $2::text[], $3::date[], $4::date[], $5::timestamptz[], $6::boolean[],
                     $7::boolean[], $8::text[], $9::text[], $10::bytea[], $12::date[])
             AS n (id, old_calendar_version, registered_on, due_date, due_time, provisional, assumed,
                   calendar_version, term, explanation, old_due_date)
         WHERE r.id = n.id AND r.state IN ('REGISTERED', 'IN_PREPARATION', 'AWAITING_CLARIFICATION')
           AND r.due_calendar_version = n.old_calendar_version AND r.due_date = n.old_due_date
         RETURNING r.id"#,
        &moved.iter().map(|item| item.id).collect::<Vec<_>>(),
        &moved
            .iter()
            .map(|item| item.old.calendar_version.clone())
            .collect::<Vec<_>>(),
        days(|item| item.new.registered_on) as _,
        days(|item| item.new.due_date) as _,
        moved
            .iter()
            .map(|item| item.new.due_time.into())
            .collect::<Vec<jiff_sqlx::Timestamp>>() as _,
        &flags(|item| item.new.provisional),
        &flags(|item| item.new.assumed),
        &texts(|new| &new.calendar_version),
        &texts(|new| &new.term),
        &moved.iter().map(|item| item.explanation.to_vec()).collect::<Vec<_>>(),
        jiff_sqlx::Timestamp::from(now) as _,
        days(|item| item.old.date) as _,
    )
    .fetch_all(connection)
    .await
}
