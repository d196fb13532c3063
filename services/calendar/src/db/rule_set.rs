//! All rules, of every state of knowledge.

use legalstat_kit::schema::Database;
use sqlx::PgConnection;

use super::{act, day_rule, provision_rule, term_rule};
use crate::domain::RuleSet;

/// Reads all acts, withdrawn ones too, with everything they brought.
///
/// # Errors
/// What the database says, or a row that the calendar cannot read.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all(connection: &mut PgConnection) -> anyhow::Result<RuleSet> {
    let mut rules = RuleSet {
        acts: act::all(connection).await?,
        loads: act::loads(connection).await?,
        ..RuleSet::default()
    };
    rules.holidays = day_rule::holidays(connection, &rules).await?;
    rules.days_off = day_rule::days_off(connection, &rules).await?;
    rules.transfers = day_rule::transfers(connection, &rules).await?;
    rules.provisions = provision_rule::all(connection, &rules).await?;
    rules.terms = term_rule::all(connection, &rules).await?;
    Ok(rules)
}

/// Reads everything as of one moment.
///
/// # Errors
/// What the database says, or a row that the calendar cannot read.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn snapshot(db: &Database) -> anyhow::Result<RuleSet> {
    let mut transaction = db.snapshot().await?;
    let rules = all(&mut transaction).await?;
    transaction.commit().await?;
    Ok(rules)
}

/// Stores every row that is not there yet, and tells how many rules were new. The acts they refer to come first.
///
/// # Errors
/// What the database says.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, rules: &RuleSet) -> anyhow::Result<u64> {
    let mut new = 0;
    for rule in &rules.holidays {
        new += day_rule::insert_holiday(connection, rule).await?;
    }
    for rule in &rules.days_off {
        new += day_rule::insert_day_off(connection, rule).await?;
    }
    for rule in &rules.transfers {
        new += day_rule::insert_transfer(connection, rule).await?;
    }
    for rule in &rules.provisions {
        new += provision_rule::insert(connection, rule).await?;
    }
    for term in &rules.terms {
        new += term_rule::insert(connection, term).await?;
    }
    Ok(new)
}
