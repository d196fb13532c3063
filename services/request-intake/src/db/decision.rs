//! What was done with requests, and the change of their state that goes with it.

use std::collections::HashMap;

use legalstat_kit::{door::word::Word, law::LegalBasis};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{
    decision::{Decision, OfficialCapacity},
    life::Verb,
    request::State,
};

/// Locks a request until the transaction ends. Of two who decide at the same moment the second waits, and sees what the first
/// has decided.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, request: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT id FROM requests.request WHERE id = $1 FOR UPDATE", request)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// Stores a decision on a locked request, and where the request stands after it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, request: Uuid, decision: &Decision) -> Result<(), sqlx::Error> {
    let basis = decision.legal_basis.as_ref();
    sqlx::query!(
        "WITH decided AS (
             INSERT INTO requests.decision
                 (request, position, verb, decided_by, capacity, decided_at, state_before, state_after, reason,
                  legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
             SELECT $1, coalesce(max(position) + 1, 0), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
             FROM requests.decision WHERE request = $1
         )
         UPDATE requests.request
         SET state = $7, examination_pending = examination_pending AND $7 = 'RECEIVED', changed_at = $5
         WHERE id = $1",
        request,
        decision.verb.word(),
        decision.decided_by,
        decision.capacity.map(OfficialCapacity::word),
        jiff_sqlx::Timestamp::from(decision.decided_at) as _,
        decision.before.word(),
        decision.after.word(),
        decision.reason,
        basis.map(|basis| basis.act.as_str()),
        basis.map(|basis| basis.provision.as_str()),
        basis.map(|basis| basis.uri.as_str()),
        basis.map(|basis| basis.assumed),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a locked request to an official.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn assign(connection: &mut PgConnection, request: Uuid, assignee: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.request SET assignee = $2 WHERE id = $1",
        request,
        assignee
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was done with these requests, by request, each in order.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Decision>>, sqlx::Error> {
    let mut decisions: HashMap<Uuid, Vec<Decision>> = HashMap::new();
    if requests.is_empty() {
        return Ok(decisions);
    }
    let rows = sqlx::query!(
        r#"SELECT request, verb, decided_by, capacity, decided_at AS "decided_at: jiff_sqlx::Timestamp", state_before,
             state_after, reason, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed
         FROM requests.decision WHERE request = ANY ($1) ORDER BY request, position"#,
        requests,
    );
    for row in rows.fetch_all(connection).await? {
        let (law, assumed) = (
            row.legal_basis_act.zip(row.legal_basis_provision),
            row.legal_basis_assumed,
        );
        let law = law.zip(row.legal_basis_uri).zip(assumed);
        let capacity = row
            .capacity
            .map(|word| OfficialCapacity::read_stored(&word, "capacity"));
        decisions.entry(row.request).or_default().push(Decision {
            verb: Verb::read_stored(&row.verb, "verb")?,
            decided_by: row.decided_by,
            capacity: capacity.transpose()?,
            decided_at: row.decided_at.to_jiff(),
            before: State::read_stored(&row.state_before, "state_before")?,
            after: State::read_stored(&row.state_after, "state_after")?,
            reason: row.reason,
            legal_basis: law.map(|(((act, provision), uri), assumed)| LegalBasis {
                act,
                provision,
                uri,
                assumed,
            }),
        });
    }
    Ok(decisions)
}
