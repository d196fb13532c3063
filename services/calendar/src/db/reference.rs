//! Loads the rules that are embedded in the program. Loading twice changes nothing.

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Context,
    write::{self, Change, Write},
};
use sqlx::PgConnection;

use super::{act, rule_set};
use crate::domain::RuleSet;

/// What the journal and the change feed name as the resource when registers are loaded.
pub const REGISTERS: &str = "calendarActs";

/// Loads acts and rules that are not there yet. Into a calendar that is in use this is a write like any other: who holds
/// due dates learns of it.
///
/// # Errors
/// When the database fails.
pub async fn load(context: &Context, rules: &RuleSet) -> anyhow::Result<()> {
    let mut transaction = context.db.begin().await?;
    act::lock(&mut transaction).await?;
    if act::recorded(&mut *transaction).await? == (0, 0, 0) {
        let rows = insert(&mut transaction, rules, context.now()).await?;
        transaction.commit().await?;
        tracing::info!(rows, "loaded the registers");
        return Ok(());
    }
    transaction.rollback().await?;
    let (rules, now) = (rules.clone(), context.now());
    let loaded = write::by_job(context, "jobs/load-registers", |write| {
        Box::pin(async move {
            let rows = insert(write.connection(), &rules, now).await?;
            if rows == 0 {
                return Ok(Vec::new());
            }
            record(write).await?;
            tracing::info!(rows, "loading more of the registers");
            Ok(vec![Change::of(&REGISTERS, "calendar-registers.loaded")])
        })
    });
    loaded.await.context("loading the registers")?;
    Ok(())
}

async fn insert(connection: &mut PgConnection, rules: &RuleSet, now: Timestamp) -> anyhow::Result<u64> {
    act::lock(connection).await?;
    let mut new = 0;
    for act in &rules.acts {
        new += u64::from(act::insert(connection, act, now).await?);
    }
    Ok(new + rule_set::insert(connection, rules).await?)
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn record(write: &mut Write) -> anyhow::Result<()> {
    let known = rule_set::all(write.connection()).await?;
    write.not_before(known.next_change(write.now()));
    let now = write.now();
    sqlx::query!(
        "INSERT INTO calendar.register_load (loaded_at) VALUES ($1)",
        jiff_sqlx::Timestamp::from(now) as _,
    )
    .execute(write.connection())
    .await?;
    Ok(())
}
