//! Answers as if an act had been recorded, or withdrawn.

use std::sync::Arc;

use jiff::Timestamp;
use legalstat_kit::{Error, FieldReason, Refusal, Violations};
use legalstat_proto::calendar::v1::CalendarAct;

use super::{
    CalendarRpc, act,
    create_calendar_act::{check, stands},
    read_act,
};
use crate::domain::{Amendment, Calendar, Calendars, hypothetical, hypothetically_withdrawn};

const ACT: &str = "hypothetical_act";
const WITHDRAWAL: &str = "hypothetical_withdrawal";

/// What the answers take for granted beside what is known.
enum Supposed {
    Nothing,
    Recorded(Amendment),
    Withdrawn(String),
}

/// The calendars of one call: all of its answers come from one state of what is recorded.
pub(super) struct AskedCalendars<'a> {
    rpc: &'a CalendarRpc,
    calendars: Arc<Calendars>,
    supposed: Supposed,
    /// What is supposed makes of the calendars it was applied to.
    amended: Vec<(Arc<Calendar>, Arc<Calendar>)>,
}

impl CalendarRpc {
    /// The calendars with a hypothetical act or without one act, if either is given.
    pub(super) fn asked_under(
        &self,
        violations: &mut Violations,
        recorded: Option<&CalendarAct>,
        withdrawn: &str,
    ) -> AskedCalendars<'_> {
        let calendars = self.calendars.load();
        if recorded.is_some() && !withdrawn.is_empty() {
            let description = "either a hypothetical act or a hypothetical withdrawal";
            violations.add(WITHDRAWAL, FieldReason::Conflict, description);
        }
        let read = |given| read_act::read_hypothetical(violations, ACT, given, calendars.rules());
        let mut supposed = recorded.and_then(read).map_or(Supposed::Nothing, Supposed::Recorded);
        if !withdrawn.is_empty()
            && let Some(id) = act::id(violations, WITHDRAWAL, withdrawn)
        {
            supposed = Supposed::Withdrawn(id);
        }
        AskedCalendars {
            rpc: self,
            calendars,
            supposed,
            amended: Vec::new(),
        }
    }
}

impl AskedCalendars<'_> {
    /// The calendar as known at an instant, by default now, under what is supposed.
    pub(super) fn calendar(&mut self, as_known_at: Option<Timestamp>) -> Result<Arc<Calendar>, Error> {
        let at = self.rpc.known_at(as_known_at);
        let known = self.calendars.as_known_at(at)?;
        let amended = self.amended.iter().find(|(base, _)| Arc::ptr_eq(base, &known));
        if let Some((_, amended)) = amended {
            return Ok(Arc::clone(amended));
        }
        let rules = self.calendars.rules();
        let amended = match &self.supposed {
            Supposed::Nothing => return Ok(known),
            Supposed::Recorded(amendment) if stands(amendment, rules, at) => return Ok(known),
            Supposed::Recorded(amendment) => {
                check(amendment, rules, at, ACT)?;
                hypothetical(rules, &known, amendment.clone(), at)?
            }
            Supposed::Withdrawn(id) if rules.act(id).is_err() => return Err(Refusal::not_found(&act::name(id)).into()),
            Supposed::Withdrawn(id) => hypothetically_withdrawn(rules, &known, id, at)?,
        };
        let amended = Arc::new(amended);
        self.amended.push((known, Arc::clone(&amended)));
        Ok(amended)
    }
}
