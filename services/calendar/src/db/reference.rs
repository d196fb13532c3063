//! Loads the rules that are embedded in the program. Loading twice changes nothing.

use jiff::Timestamp;
use sqlx::PgConnection;

use super::{act, rule_set};
use crate::domain::RuleSet;

/// Loads acts and rules that are not there yet, and tells how many rows were new. Runs in a transaction.
///
/// # Errors
/// What the database says.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn load(connection: &mut PgConnection, rules: &RuleSet, now: Timestamp) -> anyhow::Result<u64> {
    act::lock(connection).await?;
    let mut new = 0;
    for act in &rules.acts {
        new += u64::from(act::insert(connection, act, now).await?);
    }
    Ok(new + rule_set::insert(connection, rules).await?)
}
