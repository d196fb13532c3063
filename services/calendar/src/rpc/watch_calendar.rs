//! WatchCalendar.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use jiff::{Timestamp, ToSpan};
use legalstat_kit::{
    Context, Error, Violations,
    outbox::{self, Event, Position},
    wire,
};
use legalstat_proto::calendar::v1::{
    CalendarActEffect, CalendarChange, CalendarChangeKind as Kind, WatchCalendarRequest,
};
use tonic::Status;

use super::{CalendarRpc, act, create_calendar_act::effect};
use crate::{current::CurrentCalendars, domain::Calendars};

/// How long between two looks for events: one may become visible late, when an earlier transaction ends.
const PAUSE: Duration = Duration::from_millis(250);
/// How many events are read at a time.
const MOST: i64 = 100;

impl CalendarRpc {
    pub(super) fn watch(
        &self,
        request: &WatchCalendarRequest,
    ) -> Result<BoxStream<'static, Result<CalendarChange, Status>>, Error> {
        let mut violations = Violations::new();
        let position = request.resume_token.parse();
        let position = position.map_err(|()| "not a token of this feed; watch from the beginning without one");
        let position = violations.check("resume_token", "TOKEN", position);
        let watcher = Watcher {
            context: self.context.clone(),
            calendars: Arc::clone(&self.calendars),
            position: violations.sound(position)?,
            told: VecDeque::new(),
            failed: false,
        };
        let shutdown = self.context.shutdown.clone().cancelled_owned();
        Ok(futures::stream::unfold(watcher, Watcher::next)
            .take_until(shutdown)
            .boxed())
    }
}

/// Who watches, and how far.
struct Watcher {
    context: Context,
    calendars: Arc<CurrentCalendars>,
    position: Position,
    told: VecDeque<CalendarChange>,
    failed: bool,
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<CalendarChange, Status>, Self)> {
        while !self.failed {
            if let Some(change) = self.told.pop_front() {
                return Some((Ok(change), self));
            }
            let learnt = self.calendars.learnt();
            match self.look().await {
                Ok(()) if self.told.is_empty() => {
                    tokio::time::timeout(PAUSE, learnt).await.ok();
                }
                Ok(()) => {}
                Err(error) => {
                    self.failed = true;
                    return Some((Err(error.into()), self));
                }
            }
        }
        None
    }

    /// Reads what is new, up to an event that the calendars in memory have not learnt of yet.
    async fn look(&mut self) -> Result<(), Error> {
        let events = outbox::after(&self.context.db, self.position, MOST).await?;
        let calendars = self.calendars.load();
        for event in events {
            let Some(change) = change(&calendars, &event)? else {
                return Ok(());
            };
            self.position = event.position;
            self.told.extend(change);
        }
        Ok(())
    }
}

/// What an event tells: `None` while these calendars have not learnt of it, `Some(None)` for one that changes nothing.
fn change(calendars: &Calendars, event: &Event) -> Result<Option<Option<CalendarChange>>, Error> {
    let found = match event.kind.as_str() {
        "calendar-act.created" => recorded(calendars, event, Kind::ActRecorded)?,
        "calendar-act.withdrawn" => recorded(calendars, event, Kind::ActWithdrawn)?,
        "calendar-registers.loaded" => loaded(calendars, event)?,
        _ => return Ok(Some(None)),
    };
    Ok(found.map(|(kind, effect)| {
        Some(CalendarChange {
            resume_token: event.position.to_string(),
            kind: kind.into(),
            effect: Some(effect),
            known_from: Some(wire::to_timestamp(event.occurred_at)),
        })
    }))
}

fn recorded(calendars: &Calendars, event: &Event, kind: Kind) -> Result<Option<(Kind, CalendarActEffect)>, Error> {
    let id = event.resource.strip_prefix(act::PREFIX).unwrap_or_default();
    let Ok(act) = calendars.rules().act(id) else {
        return Ok(None);
    };
    if kind == Kind::ActWithdrawn && act.withdrawn_at.is_none() {
        return Ok(None);
    }
    let before = calendars.as_known_at(just_before(event.occurred_at)?)?;
    let after = calendars.as_known_at(event.occurred_at)?;
    Ok(Some((kind, effect(&before, &after, calendars.rules(), id)?)))
}

fn loaded(calendars: &Calendars, event: &Event) -> Result<Option<(Kind, CalendarActEffect)>, Error> {
    if !calendars.rules().loads.contains(&event.occurred_at) {
        return Ok(None);
    }
    let effect = CalendarActEffect {
        calendar_version: calendars.as_known_at(event.occurred_at)?.version().to_string(),
        ..CalendarActEffect::default()
    };
    Ok(Some((Kind::RegistersLoaded, effect)))
}

/// The last instant before a change: instants are kept in microseconds.
fn just_before(instant: Timestamp) -> anyhow::Result<Timestamp> {
    Ok(instant.checked_sub(1.microsecond())?)
}
