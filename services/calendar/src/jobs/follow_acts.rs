//! Takes over, within a second, what another replica records.

use std::{sync::Arc, time::Duration};

use legalstat_kit::Context;

use crate::{current::CurrentCalendars, db, domain::Calendars};

const PAUSE: Duration = Duration::from_millis(500);

/// Looks for acts and withdrawals that are not known here yet, until told to stop.
pub async fn run(context: Context, calendars: Arc<CurrentCalendars>) {
    while !context.stopped_within(PAUSE).await {
        if let Err(error) = follow(&context, &calendars).await {
            tracing::warn!(error = format!("{error:#}"), "cannot look for new acts; will try again");
        }
    }
}

async fn follow(context: &Context, calendars: &CurrentCalendars) -> anyhow::Result<()> {
    if db::act::recorded(&mut *context.db.connection().await?).await? == calendars.load().recorded() {
        return Ok(());
    }
    let learnt = Calendars::new(db::rule_set::snapshot(&context.db).await?);
    learnt.as_known_at(context.now())?;
    calendars.install(learnt);
    tracing::info!("took over what another replica recorded");
    Ok(())
}
