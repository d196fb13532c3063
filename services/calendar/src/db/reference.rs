//! Loads the rules that are embedded in the program. Loading twice changes nothing.

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Context,
    door::register::{edited as register_edited, tell_edited},
    write::{self, Change, Write},
};
use sqlx::PgConnection;

use super::{act, rule_set};
use crate::domain::{Act, DayOffRule, Knowledge, ProvisionRule, RuleSet, Source, TransferRule};

/// What the journal and the change feed name as the resource when registers are loaded.
pub const REGISTERS: &str = "calendarActs";

/// Loads acts and rules that are not there yet. Into a calendar that is in use this is a write like any other: who holds
/// due dates learns of it.
///
/// # Errors
/// When the database fails.
pub async fn load(context: &Context, rules: &RuleSet) -> anyhow::Result<()> {
    insert_missing(context, rules).await?;
    let stored = rule_set::all(&mut *context.db.connection().await?).await?;
    tell_edited("calendar", &edited(rules, &stored));
    Ok(())
}

/// The rows that are stored otherwise than the release brings them.
pub fn edited(released: &RuleSet, stored: &RuleSet) -> Vec<String> {
    // What the database gave a row when it was recorded is no part of the register.
    let as_released = |acts: &[Act]| -> Vec<Act> {
        let acts = acts.iter().map(|act| Act {
            sequence: 0,
            recorded_at: None,
            withdrawn_at: None,
            ..act.clone()
        });
        acts.collect()
    };
    let from = |known: Knowledge| known.from.map(|from| from.to_string()).unwrap_or_default();
    let of = |what: &str, key: &str, source: &Source| {
        format!("{what} {key} of {}, known from {:?}", source.act, from(source.known))
    };
    let of_day_off = |rule: &DayOffRule| of("day off", &format!("{} {}", rule.key, rule.date), &rule.source);
    let of_transfer = |rule: &TransferRule| format!("transfer of {} by {}", rule.working_day, rule.source.act);
    let of_provision = |rule: &ProvisionRule| {
        of(
            "provision",
            &format!("{} {:?}", rule.key, rule.valid_from),
            &rule.source,
        )
    };
    [
        register_edited(&as_released(&released.acts), &as_released(&stored.acts), |act| {
            format!("act {}", act.id)
        }),
        register_edited(&released.holidays, &stored.holidays, |rule| {
            of("holiday", &rule.key, &rule.source)
        }),
        register_edited(&released.days_off, &stored.days_off, of_day_off),
        register_edited(&released.transfers, &stored.transfers, of_transfer),
        register_edited(&released.provisions, &stored.provisions, of_provision),
        register_edited(&released.terms, &stored.terms, |term| {
            of("term", &term.name, &term.source)
        }),
    ]
    .concat()
}

async fn insert_missing(context: &Context, rules: &RuleSet) -> anyhow::Result<()> {
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
