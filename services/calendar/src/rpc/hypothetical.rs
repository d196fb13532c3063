//! Answers as if an act had been recorded.

use std::sync::Arc;

use jiff::Timestamp;
use legalstat_kit::{Error, Violations};
use legalstat_proto::calendar::v1::CalendarAct;

use super::{CalendarRpc, create_calendar_act::check, read_act};
use crate::domain::{Amendment, Calendar, Calendars, hypothetical};

const FIELD: &str = "hypothetical_act";

/// The calendars of one call: all of its answers come from one state of what is recorded.
pub(super) struct AskedCalendars<'a> {
    rpc: &'a CalendarRpc,
    calendars: Arc<Calendars>,
    amendment: Option<Amendment>,
    /// What the act makes of the calendars it was applied to.
    amended: Vec<(Arc<Calendar>, Arc<Calendar>)>,
}

impl CalendarRpc {
    /// The calendars with a hypothetical act, if one is given.
    pub(super) fn asked_under(&self, violations: &mut Violations, act: Option<&CalendarAct>) -> AskedCalendars<'_> {
        let calendars = self.calendars.load();
        let read = |act| read_act::read_hypothetical(violations, FIELD, act, calendars.rules());
        let amendment = act.and_then(read);
        AskedCalendars {
            rpc: self,
            calendars,
            amendment,
            amended: Vec::new(),
        }
    }
}

impl AskedCalendars<'_> {
    /// The calendar as known at an instant, by default now, with the hypothetical act on top.
    pub(super) fn calendar(&mut self, as_known_at: Option<Timestamp>) -> Result<Arc<Calendar>, Error> {
        let at = self.rpc.known_at(as_known_at);
        let known = self.calendars.as_known_at(at)?;
        let Some(amendment) = &self.amendment else {
            return Ok(known);
        };
        let amended = self.amended.iter().find(|(base, _)| Arc::ptr_eq(base, &known));
        if let Some((_, amended)) = amended {
            return Ok(Arc::clone(amended));
        }
        let rules = self.calendars.rules();
        check(amendment, rules, at, FIELD)?;
        let amended = Arc::new(hypothetical(rules, &known, amendment.clone(), at)?);
        self.amended.push((known, Arc::clone(&amended)));
        Ok(amended)
    }
}
