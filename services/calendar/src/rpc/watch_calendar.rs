//! WatchCalendar.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp, ToSpan};
use legalstat_kit::{
    Context, Error, FieldReason, Violations,
    door::{languages::Languages, wire},
    feed::{self, Next, Source},
};
use legalstat_proto::calendar::v1::{
    CalendarActEffect, CalendarChange, CalendarChangeKind as Kind, WatchCalendarRequest,
};
use tokio::sync::futures::OwnedNotified;
use tonic::Status;

use super::{CalendarRpc, create_calendar_act::effect};
use crate::{
    current::CurrentCalendars,
    domain::{Calendars, Change, ChangeCause},
};

/// How long between two looks at the clock: registers can become known without anybody's doing.
const PAUSE: Duration = Duration::from_secs(1);
/// How much the clocks of replicas may differ. What becomes known by the clock alone is told that much later, lest an act
/// that a slower clock records just before it be passed over.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

pub(super) fn watch_calendar(
    service: &CalendarRpc,
    message: &WatchCalendarRequest,
) -> Result<BoxStream<'static, Result<CalendarChange, Status>>, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &message.languages);
    let after = match message.resume_token.as_str() {
        "" => Some(Timestamp::MIN),
        token => {
            let instant = token
                .parse()
                .map_err(|_| "not a token of this feed; watch from the beginning without one");
            violations.check("resume_token", FieldReason::Token, instant)
        }
    };
    let changes = Changes {
        context: service.context.clone(),
        calendars: Arc::clone(&service.calendars),
        learnt: Box::pin(service.calendars.learnt()),
        after: violations.sound(after)?,
        heartbeats: message.heartbeats,
        languages,
    };
    Ok(feed::stream(&service.context, changes))
}

/// What one watcher is told, and how far. Instants of changes rise strictly, so that the last one seen tells where to go on;
/// every replica that has learnt of a change has learnt of all before it.
struct Changes {
    context: Context,
    calendars: Arc<CurrentCalendars>,
    learnt: Pin<Box<OwnedNotified>>,
    after: Timestamp,
    heartbeats: bool,
    languages: Languages,
}

impl Source for Changes {
    type Message = CalendarChange;

    async fn next(&mut self) -> Result<Next<CalendarChange>, Error> {
        // Before the look: what is learnt after it ends the wait.
        self.learnt = Box::pin(self.calendars.learnt());
        let calendars = self.calendars.load();
        let Some(change) = calendars
            .change_after(self.after)
            .filter(|change| self.has_come(change))
        else {
            return Ok(Next::End { caught_up: true });
        };
        let told = self.languages.keep(told(&calendars, change)?);
        self.after = change.at;
        Ok(Next::Told(vec![told]))
    }

    async fn more(&mut self) {
        tokio::time::timeout(PAUSE, &mut self.learnt).await.ok();
    }

    fn heartbeat(&self, caught_up: bool) -> Option<CalendarChange> {
        let from_the_beginning = self.after == Timestamp::MIN;
        self.heartbeats.then(|| CalendarChange {
            resume_token: if from_the_beginning {
                String::new()
            } else {
                self.after.to_string()
            },
            caught_up,
            ..CalendarChange::default()
        })
    }
}

impl Changes {
    fn has_come(&self, change: &Change) -> bool {
        change.cause != ChangeCause::RegistersKnown || self.context.now().duration_since(change.at) >= CLOCKS
    }
}

fn told(calendars: &Calendars, change: &Change) -> Result<CalendarChange, Error> {
    let before = calendars.as_known_at(change.at.checked_sub(1.microsecond()).map_err(anyhow::Error::new)?)?;
    let after = calendars.as_known_at(change.at)?;
    let act_effect = |id| effect(&before, &after, calendars.rules(), id);
    let (kind, effect) = match &change.cause {
        ChangeCause::ActRecorded(id) => {
            let mut effect = act_effect(id)?;
            // As it was then: its withdrawal is a change of its own.
            effect.calendar_act.iter_mut().for_each(|act| act.withdrawn_at = None);
            (Kind::ActRecorded, effect)
        }
        ChangeCause::ActWithdrawn(id) => (Kind::ActWithdrawn, act_effect(id)?),
        ChangeCause::RegistersLoaded | ChangeCause::RegistersKnown => {
            let effect = CalendarActEffect {
                calendar_version: after.version().to_string(),
                ..CalendarActEffect::default()
            };
            (Kind::RegistersLoaded, effect)
        }
    };
    Ok(CalendarChange {
        resume_token: change.at.to_string(),
        kind: kind.into(),
        effect: Some(effect),
        known_from: Some(wire::to_timestamp(change.at)),
        caught_up: false,
    })
}
