//! Takes over, within a second, what another replica records.

use std::{sync::Arc, time::Duration};

use legalstat_kit::{Context, job};

use crate::{current::CurrentCalendars, db, domain::Calendars};

const PAUSE: Duration = Duration::from_millis(500);

/// Starts the job: it looks for acts and withdrawals that are not known here yet, until the service stops.
pub fn start(context: &Context, calendars: Arc<CurrentCalendars>) {
    let own = context.clone();
    job::repeat(context, "follow-acts", PAUSE, move || {
        let (context, calendars) = (own.clone(), Arc::clone(&calendars));
        async move { follow(&context, &calendars).await }
    });
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
