//! The days on which the clock of a term stands still.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan, civil::Date};
use legalstat_kit::{law::LegalBasis, zone::civil_day};

use super::{
    bounds::LAST_DAY,
    calendar::Calendar,
    days::Day,
    deadline::{StepEffect, Trail},
    error::CalendarError,
    term::{Span, Term, TermUnit, add_span},
    text,
};

/// A time during which the clock of a term stands still. The civil days in Asia/Almaty from that of the stop to that of
/// the restart, both included, do not count: no law was found that says it, so it is assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspension {
    /// When the clock was stopped.
    pub stopped_at: Timestamp,
    /// When it was restarted, after the stop.
    pub restarted_at: Timestamp,
}

/// All days on which a clock stands still, with the law that lets it; by default none.
#[derive(Debug, Default)]
pub(super) struct Standstill {
    /// First and last days, in order, each stretch apart from the next.
    stretches: Vec<(Date, Date)>,
    legal_basis: Arc<LegalBasis>,
}

impl Standstill {
    /// The days of these suspensions; refuses with [`CalendarError::SuspensionNotAllowed`] when no law lets the clock of
    /// the term stop.
    pub(super) fn of(term: &Term, suspensions: &[Suspension]) -> Result<Self, CalendarError> {
        if term.suspension.is_none() && !suspensions.is_empty() {
            return Err(CalendarError::SuspensionNotAllowed {
                term: term.name.clone(),
            });
        }
        Ok(Self::where_allowed(term, suspensions))
    }

    /// The days of these suspensions where the law lets the clock of the term stop, and none where it does not.
    pub(super) fn where_allowed(term: &Term, suspensions: &[Suspension]) -> Self {
        match &term.suspension {
            Some(legal_basis) if !suspensions.is_empty() => Self {
                stretches: stretches(suspensions),
                legal_basis: Arc::clone(legal_basis),
            },
            _ => Self::default(),
        }
    }

    /// Whether the clock stands still on a day.
    pub(super) fn covers(&self, date: Date) -> bool {
        let begun = self.stretches.partition_point(|(first, _)| *first <= date);
        self.stretches[..begun].last().is_some_and(|(_, last)| date <= *last)
    }

    /// How many days stand still after one day and not after another.
    pub(super) fn days(&self, after: Date, through: Date) -> i64 {
        let within = |(first, last): &(Date, Date)| {
            let before = first.yesterday().unwrap_or(Date::MIN).max(after);
            (last.min(&through).duration_since(before).as_hours() / 24).max(0)
        };
        self.stretches.iter().map(within).sum()
    }

    /// The last day of a length of time that starts after `origin`, the days that stand still not counted. It never
    /// stands still itself. A length in months ends later by as many days as stand still before its end.
    ///
    /// Refuses as [`add_span`] does.
    pub(super) fn last_day(&self, calendar: &Calendar, origin: Date, span: &Span) -> Result<Date, CalendarError> {
        let running = add_span(calendar, origin, span.length, span.unit)?;
        if self.stretches.is_empty() {
            return Ok(running);
        }
        match span.unit {
            TermUnit::WorkingDay => self.nth_day(calendar, origin, span.length, Day::is_working),
            TermUnit::CalendarDay => self.nth_day(calendar, origin, span.length, |_| true),
            TermUnit::Month => self.moved_on(calendar, origin, running),
        }
    }

    fn nth_day(
        &self,
        calendar: &Calendar,
        origin: Date,
        number: u32,
        counts: impl Fn(&Day) -> bool,
    ) -> Result<Date, CalendarError> {
        let days = calendar.days(origin, LAST_DAY)?.iter().skip(1);
        let counted = days.filter(|day| counts(day) && !self.covers(day.date));
        let last = counted.zip(1..).find(|(_, count)| *count == number);
        last.map(|(day, _)| day.date).ok_or(CalendarError::YearOutOfRange {
            year: LAST_DAY.year() + 1,
        })
    }

    /// The end moved on by the days that stand still up to it, until moving takes in no more of them.
    fn moved_on(&self, calendar: &Calendar, origin: Date, running: Date) -> Result<Date, CalendarError> {
        let mut end = running;
        loop {
            let moved = running.saturating_add(self.days(origin, end).days());
            calendar.day(moved)?;
            if moved == end {
                return Ok(end);
            }
            end = moved;
        }
    }

    /// The day itself when it is worked and the clock runs, else the first such day after it; refuses with
    /// [`CalendarError::YearOutOfRange`].
    pub(super) fn working_day_from(&self, calendar: &Calendar, date: Date) -> Result<Date, CalendarError> {
        let mut due = calendar.working_day_from(date)?;
        while self.covers(due) {
            due = calendar.next_working_day(due)?;
        }
        Ok(due)
    }

    /// Adds the step of a day on which the clock stands still, and tells whether it does.
    pub(super) fn push_step(&self, date: Date, trail: &mut Trail) -> bool {
        let stands = self.covers(date);
        if stands {
            trail.push(
                date,
                StepEffect::Suspended,
                Arc::new(text::stands_still()),
                &self.legal_basis,
            );
        }
        stands
    }
}

/// The days of suspensions as stretches; two that share a day are one.
fn stretches(suspensions: &[Suspension]) -> Vec<(Date, Date)> {
    let days = |suspension: &Suspension| (civil_day(suspension.stopped_at), civil_day(suspension.restarted_at));
    let mut days: Vec<_> = suspensions.iter().map(days).collect();
    days.sort_unstable();
    let mut stretches: Vec<(Date, Date)> = Vec::with_capacity(days.len());
    for (first, last) in days {
        match stretches.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => stretches.push((first, last)),
        }
    }
    stretches
}
