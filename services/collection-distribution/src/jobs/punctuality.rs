//! Tells in the metrics how editions stand to their due dates: what is due today and what is overdue of all that the installation answers
//! for, and how many of those due this year were released in time.

use legalstat_kit::{
    Context,
    due::{Moment, Schedule, answering, measure},
};

use crate::{
    db::{self, punctuality::Filter},
    domain::punctuality::EditionCounts,
};

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, schedule: &Schedule) {
    measure::start(context, schedule, counted);
}

/// How editions stand, as the metrics tell it. It reads a year's schedule for every year that is answered for.
pub async fn counted(context: Context) -> anyhow::Result<[(&'static str, i32); 4]> {
    let moment = Moment::new(context.now(), 0);
    let mut connection = context.db.connection().await?;
    let years = answering::years(&mut connection, moment.today).await?;
    let mut standings = Vec::new();
    for year in years.into_iter().flatten() {
        let filter = Filter {
            year,
            collection: None,
            period: None,
        };
        standings.extend(db::punctuality::of_year(&mut connection, &filter).await?);
    }
    connection.done();
    let (mut all, mut this_year) = (EditionCounts::default(), EditionCounts::default());
    for standing in &standings {
        all.add(standing, moment);
        if standing.due.date.year() == moment.today.year() {
            this_year.add(standing, moment);
        }
    }
    Ok([
        ("legalstat.collections.editions_due_today", all.due_today),
        ("legalstat.collections.editions_overdue", all.overdue),
        ("legalstat.collections.editions_on_time", this_year.on_time),
        ("legalstat.collections.editions_late", this_year.late),
    ])
}
