//! Tells in the metrics how what is scheduled stands to its due dates.

use std::{future::Future, time::Duration};

use super::Schedule;
use crate::{Context, call::telemetry, job};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(60);

/// Starts the loop; it ends at the context's shutdown. Each round has what is `counted`, by the names of the metrics, told.
pub fn start<F>(context: &Context, schedule: &Schedule, counted: fn(Context) -> F)
where
    F: Future<Output = anyhow::Result<[(&'static str, i32); 4]>> + Send + 'static,
{
    let (context, schedule) = (context.clone(), schedule.clone());
    job::repeat(&context.clone(), "punctuality", PAUSE, move || {
        let (context, schedule) = (context.clone(), schedule.clone());
        async move {
            // A part of the schedule would pass for all of it.
            if schedule.require_whole().is_ok() {
                for (name, count) in counted(context).await? {
                    telemetry::gauge(name, count.into());
                }
            }
            Ok(())
        }
    });
}
