//! Fields of requests that were mended or supplied after their acceptance: as they were before, and as they are since.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::domain::decision::ChangedField;

/// Stores what a decision changed.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert(
    connection: &mut PgConnection,
    request: Uuid,
    decision: i32,
    changed: &[ChangedField],
) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO requests.changed_field (request, decision, field, before, after)
         SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[])",
        request,
        decision,
        column(changed, |field| field.field.as_str()) as _,
        column(changed, |field| field.before.as_str()) as _,
        column(changed, |field| field.after.as_str()) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was changed of these requests, by request and decision.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn of_each(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<HashMap<(Uuid, i32), Vec<ChangedField>>, sqlx::Error> {
    let mut changed: HashMap<(Uuid, i32), Vec<ChangedField>> = HashMap::new();
    if requests.is_empty() {
        return Ok(changed);
    }
    let rows = sqlx::query!(
        "SELECT request, decision, field, before, after FROM requests.changed_field WHERE request = ANY ($1)
         ORDER BY request, decision, field",
        requests,
    );
    for row in rows.fetch_all(connection).await? {
        let of = changed.entry((row.request, row.decision)).or_default();
        of.push(ChangedField {
            field: row.field,
            before: row.before,
            after: row.after,
        });
    }
    Ok(changed)
}
