//! By which day something other than its answer is owed of a request: giving it back when its defects were not cured, or forwarding it.

use jiff::{ToSpan, civil::Date};
use legalstat_kit::{Error, zone};
use legalstat_proto::{calendar::v1::TermPart, requests::v1 as proto};

use super::{
    RequestIntake,
    convert::{self, View},
    deciding,
};
use crate::{
    clients::calendar::{self, Telling},
    db::request::Stored,
    domain::{
        evidence::{Answer, Deadline},
        life::Verb,
        request::State,
        rules::Rules,
    },
    examining::LONGEST,
};

/// The last day for curing the defects: what an official set, else the usual time after the examination that found them.
///
/// # Errors
/// VERB_NOT_ORDERED when no law in force on the day of receipt lets the requester be asked.
pub(super) fn cure_by(rules: &Rules, stands: &Stored) -> Result<Date, Error> {
    if let Some(day) = stands.standing.cure_by {
        return Ok(day);
    }
    let ordered = deciding::ordered(rules, stands, Verb::AskClarification, "", None)?;
    let days = ordered.rule.cure_days.map_or(0, |days| days.usual);
    Ok(zone::civil_day(stands.examined_at).saturating_add(days.days()))
}

/// What else is owed of a request, and by when.
pub(super) struct Owed {
    /// In which of its states it is owed.
    state: State,
    what: What,
    deadline: Deadline,
}

#[derive(Clone, Copy)]
enum What {
    Return,
    Forwarding,
}

/// What else is owed of a request as it stands; nothing where its term has no such time, and while the calendar is away.
///
/// # Errors
/// When the database fails.
pub(super) async fn owed(service: &RequestIntake, stands: &Stored) -> Result<Option<Owed>, Error> {
    let state = stands.standing.state;
    let (what, telling) = if stands.submission.is_to_be_forwarded() && state.is_open() {
        (What::Forwarding, Telling::Forwarding)
    } else if state == State::AwaitingClarification {
        let rules = service.rules.get(&service.context.db).await?;
        let Ok(cure_by) = cure_by(&rules, stands) else {
            return Ok(None);
        };
        (What::Return, Telling::Return(cure_by))
    } else {
        return Ok(None);
    };
    let (kind, received_at) = (stands.submission.requester.kind, stands.submission.received_at);
    let today = zone::civil_day(service.context.now());
    let registered_on = stands.deadline.as_ref().map(|deadline| deadline.registered_on);
    let settled = registered_on.filter(|day| *day <= today);
    let question = calendar::telling(kind, received_at, settled, telling);
    Ok(match service.examiner.deadlines.answer(question, LONGEST).await {
        Answer::Given(deadline) => Some(Owed { state, what, deadline }),
        Answer::Refused(_) | Answer::Away => None,
    })
}

impl Owed {
    /// The last day for giving it back, if that is owed.
    pub(super) fn return_by(&self) -> Option<Date> {
        matches!(self.what, What::Return).then_some(self.deadline.due_date)
    }

    /// Tells it of the request, unless that stands elsewhere by now.
    pub(super) fn tell(self, request: &mut proto::Request, view: View, today: Date) {
        if i32::from(request.state()) != convert::state(self.state) {
            return;
        }
        let overdue = self.deadline.due_date < today;
        let part = match self.what {
            What::Return => TermPart::Return,
            What::Forwarding => TermPart::Forwarding,
        };
        let deadline = convert::to_deadline(self.deadline, part.into());
        let (day, deadline) = (deadline.due_date, Some(deadline).filter(|_| view == View::Full));
        match self.what {
            What::Return => {
                (request.return_by, request.return_deadline) = (day, deadline);
                request.return_overdue = overdue;
            }
            What::Forwarding => (request.forward_by, request.forward_deadline) = (day, deadline),
        }
    }
}
