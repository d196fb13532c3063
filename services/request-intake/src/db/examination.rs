//! Requests whose examination waits for a service that was away, and what came of it.

use jiff::Timestamp;
use legalstat_kit::door::word::Word;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{clarification, explanation, finding, registration};
use crate::domain::{examination::Examination, request::State};

/// A request that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the order of arrival.
    pub number: i64,
    pub id: Uuid,
}

/// The requests that wait, in the order of arrival, from the one after `after` on.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn waiting(connection: &mut PgConnection, after: i64, most: i64) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        "SELECT number, id FROM requests.request WHERE examination_pending AND number > $1 ORDER BY number LIMIT $2",
        after,
        most,
    )
    .fetch_all(connection)
    .await
}

/// A request that waits, as it is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Where it stands.
    pub state: State,
    /// Who has it.
    pub assignee: Option<String>,
}

/// Locks a request that waits; `None` when another replica has it or has examined it, or when it has
/// changed since it was read in this version.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_waiting(
    connection: &mut PgConnection,
    id: Uuid,
    version: i32,
) -> Result<Option<Locked>, sqlx::Error> {
    let locked = sqlx::query!(
        "SELECT state, assignee FROM requests.request
         WHERE id = $1 AND examination_pending AND version = $2 FOR UPDATE SKIP LOCKED",
        id,
        version,
    );
    let Some(row) = locked.fetch_optional(connection).await? else {
        return Ok(None);
    };
    Ok(Some(Locked {
        state: State::read_stored(&row.state, "state")?,
        assignee: row.assignee,
    }))
}

/// What the first round found, by its ids; none of a request that the release before findings accepted.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn first_findings(connection: &mut PgConnection, id: Uuid) -> Result<Vec<Uuid>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"SELECT coalesce(e.findings, r.findings) AS "findings!" FROM requests.request r
         LEFT JOIN requests.earlier_examination e ON e.request = r.id AND e.round = 1
         WHERE r.id = $1"#,
        id,
    );
    Ok(found.fetch_optional(connection).await?.unwrap_or_default())
}

/// Stores what another examination of a locked request that is registered found, as its next round; nothing follows from it.
///
/// # Errors
/// When the database fails.
pub async fn conclude_again(
    connection: &mut PgConnection,
    id: Uuid,
    examination: &Examination,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let findings = store_findings(connection, examination).await?;
    keep_round(connection, id, &findings).await?;
    update_findings(connection, id, &findings, now).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn update_findings(
    connection: &mut PgConnection,
    id: Uuid,
    findings: &[Uuid],
    examined_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.request SET
             examination_pending = false, examination_round = examination_round + (findings <> $3)::integer,
             examined_at = $2, findings = $3, changed_at = greatest(changed_at, $2)
         WHERE id = $1",
        id,
        jiff_sqlx::Timestamp::from(examined_at) as _,
        findings,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The ids of what an examination found, which is stored.
async fn store_findings(connection: &mut PgConnection, examination: &Examination) -> Result<Vec<Uuid>, sqlx::Error> {
    let findings: Vec<_> = examination
        .checks
        .iter()
        .map(|check| (finding::id(check), check))
        .collect();
    let mut missing = findings.clone();
    missing.sort_unstable_by_key(|(id, _)| *id);
    missing.dedup_by_key(|(id, _)| *id);
    finding::insert(connection, &missing).await?;
    Ok(findings.into_iter().map(|(id, _)| id).collect())
}

/// Stores what an examination came to as the next round of a request that is locked; the round before stays on record. The
/// year's counter is locked as late as possible: all registrations wait for it.
///
/// # Errors
/// When the database fails.
pub async fn conclude(
    connection: &mut PgConnection,
    id: Uuid,
    examination: &Examination,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let findings = store_findings(connection, examination).await?;
    let explanation = examination
        .deadline
        .as_ref()
        .map(|deadline| explanation::digest(&deadline.steps));
    if let Some((sha256, deadline)) = explanation.as_ref().zip(examination.deadline.as_ref()) {
        explanation::insert(connection, sha256, &deadline.steps).await?;
    }
    keep_round(connection, id, &findings).await?;
    clarification::of_examination(connection, id, &examination.clarifications).await?;
    let number = match &examination.deadline {
        Some(deadline) => registration::take_numbers(connection, &[deadline.registered_on.year()])
            .await?
            .pop(),
        None => None,
    };
    update(
        connection,
        id,
        examination,
        explanation,
        number.as_deref(),
        &findings,
        now,
    )
    .await?;
    Ok(())
}

/// Keeps the round that counted until now, unless the next one found the very same.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn keep_round(connection: &mut PgConnection, id: Uuid, findings: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.earlier_examination (request, round, examined_at, findings)
         SELECT id, examination_round, examined_at, findings FROM requests.request WHERE id = $1 AND findings <> '{}' AND findings <> $2",
        id,
        findings,
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn update(
    connection: &mut PgConnection,
    id: Uuid,
    examination: &Examination,
    explanation: Option<[u8; 32]>,
    registration_number: Option<&str>,
    findings: &[Uuid],
    examined_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let deadline = examination.deadline.as_ref();
    sqlx::query!(
        "UPDATE requests.request SET
             state = $2, examination_pending = $3, examination_round = examination_round + (findings <> $14)::integer,
             examined_at = $4,
             registration_number = $5, registered_on = $6, due_date = $7, due_time = $8, due_provisional = $9,
             due_assumed = $10, due_calendar_version = $11, due_term = $12, explanation = $13, findings = $14,
             changed_at = greatest(changed_at, $4)
         WHERE id = $1",
        id,
        examination.state.word(),
        examination.is_pending(),
        jiff_sqlx::Timestamp::from(examined_at) as _,
        registration_number,
        deadline.map(|deadline| jiff_sqlx::Date::from(deadline.registered_on)) as _,
        deadline.map(|deadline| jiff_sqlx::Date::from(deadline.due_date)) as _,
        deadline.map(|deadline| jiff_sqlx::Timestamp::from(deadline.due_time)) as _,
        deadline.map(|deadline| deadline.provisional),
        deadline.map(|deadline| deadline.assumed),
        deadline.map(|deadline| deadline.calendar_version.as_str()),
        deadline.map(|deadline| deadline.term.as_str()),
        explanation.as_ref().map(<[u8; 32]>::as_slice),
        findings,
    )
    .execute(connection)
    .await?;
    Ok(())
}
