//! Keeps the schedule of a service: fills it at start, follows the calendar, and says nothing before it is whole.

use std::{collections::HashSet, ops::RangeInclusive, sync::Arc, time::Duration};

use anyhow::Context as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use sqlx::PgConnection;
use tonic::Status;

use crate::{
    Context, FieldReason, Refusal, Violations,
    due::{
        Duty, Terms, answering,
        calendar::{BATCH, Calendar, question},
        compare::{Answer, DueDates, OpenDueDate, Recomputed},
        follow, preview,
        scheduled::{self, New},
    },
    job::{self, Once},
    lent,
    period::ReportingPeriod,
    write::{self, Change},
};

/// The years of a schedule: from the Instruction's own to the last one whose periods all fall due within the calendar.
pub const YEARS: RangeInclusive<i16> = 2019..=2035;

/// What the journal names as the method when the schedule is filled.
const METHOD: &str = "jobs/schedule";
/// How long between two tries to fill a schedule.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads a required year of the schedule.
pub fn year(violations: &mut Violations, field: &str, year: i32) -> Option<i16> {
    let found = i16::try_from(year).ok().filter(|year| YEARS.contains(year));
    if found.is_none() {
        violations.add(
            field,
            FieldReason::OutOfRange,
            format!("{} to {}", YEARS.start(), YEARS.end()),
        );
    }
    found
}

/// Reads a year of the schedule to list for; 0 means all.
pub fn optional_year(violations: &mut Violations, field: &str, given: i32) -> Option<i16> {
    if given == 0 {
        None
    } else {
        year(violations, field, given)
    }
}

/// How a service reads from its own tables the duties that it has, had, and will have: of each parent one after the other.
pub type ReadDuties = for<'c> fn(&'c mut PgConnection) -> BoxFuture<'c, Result<Vec<Duty>, sqlx::Error>>;

/// The schedule of a service.
#[derive(Clone)]
pub struct Schedule {
    context: Context,
    calendar: Calendar,
    duties: Arc<Duties>,
}

impl Schedule {
    /// Keeps the schedule of a service's duties: stores, however long the calendar is away, each due date that is not stored
    /// yet, and then follows the calendar.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(context: &Context, calendar: Calendar, read: ReadDuties) -> anyhow::Result<Self> {
        let schedule = Self {
            context: context.clone(),
            calendar: calendar.clone(),
            duties: Arc::new(Duties(read)),
        };
        context.set_complete(false);
        follow::start(context, calendar, schedule.duties.clone());
        if schedule.missing().await?.is_empty() {
            schedule.answer_from_the_first_load().await?;
            context.set_complete(true);
        } else {
            job::spawn(context, "fill-schedule", schedule.clone().fill());
        }
        Ok(schedule)
    }

    pub(super) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// A schedule that an earlier release has loaded has no day yet from which the service answers.
    async fn answer_from_the_first_load(&self) -> anyhow::Result<()> {
        let set = write::by_job(&self.context, METHOD, |write| {
            Box::pin(async move {
                let now = write.now();
                let set = answering::insert_default(write.connection(), now).await?;
                Ok(set.then(answering_day_set).into_iter().collect())
            })
        });
        set.await.map(|_| ())
    }

    /// Refuses while the schedule is not whole: a part of it would pass for all of it.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub fn require_whole(&self) -> Result<(), Refusal> {
        if self.context.is_complete() {
            Ok(())
        } else {
            Err(Refusal::unavailable(
                "the schedule is not complete: the calendar has not answered yet",
            ))
        }
    }

    /// What a change of the calendar would do to the schedule. Changes nothing.
    ///
    /// # Errors
    /// UNAVAILABLE while the schedule is not whole, and as [`preview::preview`].
    pub async fn preview(&self, request: &PreviewRecomputeRequest) -> Result<PreviewRecomputeResponse, Status> {
        self.require_whole()?;
        preview::preview(&self.context, &self.calendar, &*self.duties, request).await
    }

    /// Tries until the schedule is whole, or the service stops.
    async fn fill(self) {
        let mut once = Once::new("fill-schedule");
        loop {
            let filled = tokio::select! {
                filled = lent::unless_silent(self.store_missing()) => filled,
                () = self.context.shutdown.cancelled() => return,
            };
            let filled = filled.unwrap_or_else(|silent| Err(silent.into()));
            if let Some(stored) = once.note(filled) {
                tracing::info!(stored, "the schedule is complete");
                return self.context.set_complete(true);
            }
            if self.context.stopped_within(PAUSE).await {
                return;
            }
        }
    }

    /// Stores what is missing, batch by batch, and answers how much it was.
    async fn store_missing(&self) -> anyhow::Result<usize> {
        let mut stored = 0;
        for batch in self.missing().await?.chunks(BATCH) {
            let obligations = batch.iter().filter_map(|(terms, period)| terms.obligation(*period));
            let due = self.calendar.due_dates(obligations).await?;
            let rows = batch.iter().zip(due);
            let rows = rows.filter_map(|((terms, period), due)| New::of(terms, *period, due));
            self.store(rows.collect()).await?;
            stored += batch.len();
        }
        Ok(stored)
    }

    /// The periods that the calendar was not asked about yet, each with the terms of its duty.
    async fn missing(&self) -> anyhow::Result<Vec<(Arc<Terms>, ReportingPeriod)>> {
        let mut connection = self.context.db.connection().await?;
        let known = scheduled::known(&mut connection).await?;
        let mut missing = Vec::new();
        for (parent, terms) in Terms::of_each((self.duties.0)(&mut connection).await?) {
            let terms = Arc::new(terms);
            let periods = terms.periods_of(&YEARS).into_iter();
            let unknown = periods.filter(|period| !known.contains(&(parent.clone(), *period)));
            missing.extend(unknown.map(|period| (terms.clone(), period)));
        }
        Ok(missing)
    }

    /// Stores one batch, unless a due date in it is older than what the service follows: then nothing of the batch.
    async fn store(&self, rows: Vec<New>) -> anyhow::Result<()> {
        let stored = write::by_job(&self.context, METHOD, |write| {
            Box::pin(async move {
                let versions: HashSet<&str> = rows.iter().map(New::calendar_version).collect();
                for version in versions {
                    let current = follow::is_current(write.connection(), version).await?;
                    anyhow::ensure!(current, "the calendar changed while it was asked");
                }
                scheduled::insert_missing(write.connection(), &rows).await?;
                let (now, mut changes) = (write.now(), vec![Change::of(&"schedule", "schedule.filled")]);
                if answering::insert_default(write.connection(), now).await? {
                    changes.push(answering_day_set());
                }
                Ok(changes)
            })
        });
        stored.await.map(|_| ())
    }
}

fn answering_day_set() -> Change {
    Change::of(&"answeringDay", "answering-day.set")
}

/// The due dates of a schedule.
struct Duties(ReadDuties);

#[tonic::async_trait]
impl DueDates for Duties {
    fn noun(&self) -> &'static str {
        "edition"
    }

    fn explained(&self) -> bool {
        false
    }

    async fn open(
        &self,
        connection: &mut PgConnection,
        after: Option<&str>,
        most: i64,
        _now: Timestamp,
    ) -> anyhow::Result<Vec<OpenDueDate>> {
        let open = scheduled::open(&mut *connection, after, most).await?;
        let duties = Terms::of_each((self.0)(connection).await?);
        let open = open.into_iter().map(|open| {
            let terms = duties.get(&open.parent);
            let obligation = terms.and_then(|terms| terms.obligation(open.period));
            let obligation = obligation.with_context(|| format!("{} is scheduled and no duty", open.name()))?;
            Ok(OpenDueDate {
                name: open.name(),
                registered_on: None,
                question: question(obligation),
                due: open.due,
            })
        });
        open.collect()
    }

    async fn store(
        &self,
        connection: &mut PgConnection,
        recomputed: &[Recomputed],
        _answers: &[Answer],
        _now: Timestamp,
    ) -> anyhow::Result<Vec<String>> {
        Ok(scheduled::store(connection, recomputed).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_outside_the_schedule_breaks_a_rule() {
        for (given, read) in [
            (2018, None),
            (2019, Some(2019)),
            (2035, Some(2035)),
            (2036, None),
            (i32::MAX, None),
        ] {
            let mut violations = Violations::new();
            assert_eq!(year(&mut violations, "year", given), read);
            assert_eq!(violations.is_empty(), read.is_some(), "{given}");
        }
        let mut violations = Violations::new();
        assert_eq!(optional_year(&mut violations, "year", 0), None);
        assert!(violations.is_empty());
    }
}
