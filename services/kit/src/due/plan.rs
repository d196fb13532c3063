//! What new terms of a duty do to its schedule: due dates that move, periods that become due or cease to be. The calendar is asked
//! before the transaction begins; in the transaction that records the terms the schedule follows them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::PgConnection;

use crate::{
    Error, Refusal,
    due::{
        DueDate, Schedule, Terms,
        calendar::BATCH,
        compare::Recomputed,
        follow,
        moves::{self, Cause, Why},
        schedule::YEARS,
        scheduled::{self, New, Row},
    },
    period::ReportingPeriod,
    repeated,
    write::{Change, Write},
};

/// Where new terms come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The version that brings them, by its resource name: `forms/1/versions/2`.
    pub version: String,
    /// Why.
    pub reason: String,
}

/// The due dates that the calendar computes by new terms, for the periods about which the former ones asked something else.
#[derive(Clone, Debug, Default)]
pub struct Plan(BTreeMap<ReportingPeriod, DueDate>);

impl Schedule {
    /// Asks the calendar what new terms of a duty come to; nothing where they ask nothing new. `before` has no terms for a duty
    /// that begins.
    ///
    /// # Errors
    /// UNAVAILABLE while the calendar is away.
    pub async fn plan(&self, before: &Terms, after: &Terms) -> Result<Plan, Error> {
        let periods = after.periods_of(&YEARS).into_iter();
        let asked = periods.filter(|period| after.obligation(*period) != before.obligation(*period));
        let asked: Vec<ReportingPeriod> = asked.collect();
        let mut due = Vec::with_capacity(asked.len());
        for batch in asked.chunks(BATCH) {
            let obligations = batch.iter().filter_map(|period| after.obligation(*period));
            let answered = self.calendar().due_dates(obligations).await;
            due.extend(answered.map_err(|error| {
                let error = format!("the calendar cannot be asked for new terms: {error:#}");
                if let Some(unlogged) = repeated::to_log(&error) {
                    tracing::warn!(error, unlogged, "the calendar cannot be asked");
                }
                Refusal::unavailable("the calendar cannot be asked for the new due dates; try again")
            })?);
        }
        Ok(Plan(asked.into_iter().zip(due).collect()))
    }
}

impl Plan {
    /// Has the schedule of a parent follow its terms, within the transaction that records them. What is met stays as it is, and
    /// the periods `kept` stay scheduled. Gives what changed, for the journal and the events.
    ///
    /// # Errors
    /// UNAVAILABLE when the calendar changed since it was asked; what the database says.
    pub async fn carry_out(
        self,
        write: &mut Write,
        parent: &str,
        terms: &Terms,
        source: &Source,
        kept: &HashSet<ReportingPeriod>,
    ) -> Result<Vec<Change>, Error> {
        self.require_current(write.connection()).await?;
        let rows = scheduled::rows_of(write.connection(), parent).await?;
        let known: BTreeSet<ReportingPeriod> = rows.iter().map(|row| row.period).collect();
        let follow = |row: Row| {
            let due = self.0.get(&row.period).unwrap_or(&row.due).clone();
            let binding = terms.binds(row.period, due.date) || row.binding && kept.contains(&row.period);
            Followed { row, due, binding }
        };
        let open = rows.into_iter().filter(|row| !row.is_met);
        let followed: Vec<Followed> = open.map(follow).filter(Followed::differs).collect();
        let mut stored = Vec::with_capacity(followed.len());
        for followed in &followed {
            stored.push((followed.row.period, followed.due.clone(), followed.binding));
        }
        scheduled::update(write.connection(), parent, &stored).await?;
        let missing = self.0.iter().filter(|(period, _)| !known.contains(period));
        let new: Vec<New> = missing
            .filter_map(|(period, due)| New::of(terms, *period, due.clone()))
            .collect();
        scheduled::insert_missing(write.connection(), &new).await?;
        record(write, parent, source, &followed).await
    }

    async fn require_current(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let versions: BTreeSet<&str> = self.0.values().map(|due| due.calendar_version.as_str()).collect();
        for version in versions {
            if !follow::is_current(&mut *connection, version).await? {
                return Err(Refusal::unavailable("the calendar changed while it was asked; try again").into());
            }
        }
        Ok(())
    }
}

/// A row and what it is to be.
struct Followed {
    row: Row,
    due: DueDate,
    binding: bool,
}

impl Followed {
    fn differs(&self) -> bool {
        self.due != self.row.due || self.binding != self.row.binding
    }

    /// What happened to it, as its event says; nothing is told of a period that never was binding.
    fn event(&self) -> Option<&'static str> {
        Some(match (self.row.binding, self.binding) {
            (false, false) => return None,
            (false, true) => "edition.scheduled",
            (true, false) => "edition.unscheduled",
            (true, true) if self.due.date != self.row.due.date => "edition.due_date_moved",
            (true, true) => "edition.due_date_restated",
        })
    }
}

async fn record(write: &mut Write, parent: &str, source: &Source, followed: &[Followed]) -> Result<Vec<Change>, Error> {
    let (mut changes, mut moved) = (Vec::new(), Vec::new());
    for followed in followed {
        let name = scheduled::name(parent, &followed.row.period);
        let (old, new) = (&followed.row.due, &followed.due);
        if let Some(event) = followed.event() {
            let body = format!("TERMS_CHANGED {} {} {}", source.version, old.date, new.date);
            changes.push(Change::of(&name, event).doing(body.as_bytes()));
        }
        if followed.row.binding && followed.binding {
            moved.push(Recomputed {
                name,
                old: old.clone(),
                new: new.clone(),
                answer: 0,
            });
        }
    }
    let why = Why {
        cause: Cause::TermsChanged,
        calendar_act: "",
        terms: &source.version,
        reason: &source.reason,
    };
    let now = write.now();
    moves::record(write.connection(), now, why, &moved.iter().collect::<Vec<_>>()).await?;
    Ok(changes)
}
