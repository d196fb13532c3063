//! Whether a mutation was answered before: a look ahead for calls that must decide before they have their whole body.

use legalstat_kit::Call;
use sqlx::PgPool;
use uuid::Uuid;

/// Whether this caller's call of this method with this id was answered before.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn was_answered(db: &PgPool, call: &Call, request_id: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
             SELECT FROM collections.idempotency WHERE caller = $1 AND method = $2 AND request_id = $3
         ) AS "answered!""#,
        call.caller.name,
        call.method,
        request_id,
    )
    .fetch_one(db)
    .await
}
