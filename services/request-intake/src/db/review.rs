//! What officials found of checks.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{column, finding};
use crate::domain::examination::Check;

/// Stores the verdicts of a decision, each with whether the rule was found kept.
///
/// # Errors
/// When the database fails.
pub(super) async fn insert(
    connection: &mut PgConnection,
    request: Uuid,
    decision: i32,
    checks: &[(Check, bool)],
) -> Result<(), sqlx::Error> {
    if checks.is_empty() {
        return Ok(());
    }
    let mut reviewed: Vec<(Uuid, &Check, bool)> = checks
        .iter()
        .map(|(check, kept)| (finding::id(check), check, *kept))
        .collect();
    reviewed.sort_unstable_by_key(|(id, _, _)| *id);
    reviewed.dedup_by_key(|(id, _, _)| *id);
    // What the release before examined is no finding yet.
    let findings: Vec<_> = reviewed.iter().map(|(id, check, _)| (*id, *check)).collect();
    finding::insert(connection, &findings).await?;
    insert_rows(connection, request, decision, &reviewed).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_rows(
    connection: &mut PgConnection,
    request: Uuid,
    decision: i32,
    reviewed: &[(Uuid, &Check, bool)],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.check_review (request, decision, finding, kept)
         SELECT $1, $2, * FROM unnest($3::uuid[], $4::boolean[])",
        request,
        decision,
        &column(reviewed, |(id, _, _)| *id),
        &column(reviewed, |(_, _, kept)| *kept),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Checks, each with whether its rule was found kept, by request and decision.
type Reviews = HashMap<(Uuid, i32), Vec<(Check, bool)>>;

/// The checks that officials decided of these requests.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(connection: &mut PgConnection, requests: &[Uuid]) -> Result<Reviews, sqlx::Error> {
    let mut reviews = Reviews::new();
    if requests.is_empty() {
        return Ok(reviews);
    }
    let rows = sqlx::query!(
        "SELECT request, decision, finding, kept FROM requests.check_review WHERE request = ANY ($1)
         ORDER BY request, decision, finding",
        requests,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    let findings: Vec<Uuid> = rows.iter().map(|row| row.finding).collect();
    let checks: HashMap<Uuid, Check> = finding::get(connection, &findings).await?.into_iter().collect();
    for row in rows {
        let check = checks.get(&row.finding).ok_or(sqlx::Error::RowNotFound)?;
        let decided = reviews.entry((row.request, row.decision)).or_default();
        decided.push((check.clone(), row.kept));
    }
    Ok(reviews)
}

/// The checks of these requests whose rules an official found kept and nobody found broken since, by request.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn kept(connection: &mut PgConnection, requests: &[Uuid]) -> Result<HashMap<Uuid, Vec<Check>>, sqlx::Error> {
    let mut kept: HashMap<Uuid, Vec<Check>> = HashMap::new();
    let rows = sqlx::query!(
        "SELECT request, finding FROM (
             SELECT DISTINCT ON (request, finding) request, finding, kept
             FROM requests.check_review WHERE request = ANY ($1) ORDER BY request, finding, decision DESC) AS last
         WHERE kept",
        requests,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    if rows.is_empty() {
        return Ok(kept);
    }
    let findings: Vec<Uuid> = rows.iter().map(|row| row.finding).collect();
    let checks: HashMap<Uuid, Check> = finding::get(connection, &findings).await?.into_iter().collect();
    for row in rows {
        let check = checks.get(&row.finding).ok_or(sqlx::Error::RowNotFound)?;
        kept.entry(row.request).or_default().push(check.clone());
    }
    Ok(kept)
}
