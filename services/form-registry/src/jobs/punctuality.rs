//! Tells in the metrics how editions stand to their due dates: what is due today and what is overdue of all that the installation answers
//! for, and how many of those due this year were placed in time.

use legalstat_kit::{
    Context,
    due::{Moment, Schedule, answering, measure},
};

use crate::{db, domain::punctuality::Counts};

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, schedule: &Schedule) {
    measure::start(context, schedule, counted);
}

/// How editions stand, as the metrics tell it. It reads a year's schedule for every year that is answered for.
pub async fn counted(context: Context) -> anyhow::Result<[(&'static str, i32); 4]> {
    let now = context.now();
    let moment = Moment::new(now, 0);
    let mut connection = context.db.connection().await?;
    let years = answering::years(&mut connection, moment.today).await?;
    let mut standings = Vec::new();
    for year in years.into_iter().flatten() {
        standings.extend(db::punctuality::of_year(&mut connection, year, None, None, now).await?);
    }
    connection.done();
    let all = Counts::of(&standings, moment);
    let due_this_year = standings
        .iter()
        .filter(|one| one.due.date.year() == moment.today.year());
    let this_year = Counts::of(due_this_year, moment);
    Ok([
        ("legalstat.forms.editions_due_today", all.due_today),
        ("legalstat.forms.editions_overdue", all.overdue),
        ("legalstat.forms.editions_on_time", this_year.on_time),
        ("legalstat.forms.editions_late", this_year.late),
    ])
}
