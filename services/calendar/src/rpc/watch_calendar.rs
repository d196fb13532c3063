//! WatchCalendar.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use jiff::{SignedDuration, Timestamp, ToSpan};
use legalstat_kit::{Context, Error, FieldReason, Violations, door::wire};
use legalstat_proto::calendar::v1::{
    CalendarActEffect, CalendarChange, CalendarChangeKind as Kind, WatchCalendarRequest,
};
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
    let after = match message.resume_token.as_str() {
        "" => Some(Timestamp::MIN),
        token => {
            let instant = token
                .parse()
                .map_err(|_| "not a token of this feed; watch from the beginning without one");
            violations.check("resume_token", FieldReason::Token, instant)
        }
    };
    let watcher = Watcher {
        context: service.context.clone(),
        calendars: Arc::clone(&service.calendars),
        after: violations.sound(after)?,
        failed: false,
    };
    let shutdown = service.context.shutdown.clone().cancelled_owned();
    Ok(futures::stream::unfold(watcher, Watcher::next)
        .take_until(shutdown)
        .boxed())
}

/// Who watches, and how far. Instants of changes rise strictly, so that the last one seen tells where to go on; every replica
/// that has learnt of a change has learnt of all before it.
struct Watcher {
    context: Context,
    calendars: Arc<CurrentCalendars>,
    after: Timestamp,
    failed: bool,
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<CalendarChange, Status>, Self)> {
        if self.failed {
            return None;
        }
        loop {
            let learnt = self.calendars.learnt();
            let calendars = self.calendars.load();
            if let Some(change) = calendars
                .change_after(self.after)
                .filter(|change| self.has_come(change))
            {
                self.after = change.at;
                let told = told(&calendars, change);
                self.failed = told.is_err();
                return Some((told.map_err(Status::from), self));
            }
            tokio::time::timeout(PAUSE, learnt).await.ok();
        }
    }

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
    })
}
