//! By which day something other than its answer is owed of a request: giving it back when its defects were not cured, or forwarding it.

use jiff::civil::Date;
use legalstat_kit::{Error, due::follow, write::Write, zone};
use legalstat_proto::{calendar::v1::TermPart, requests::v1 as proto};

use super::{
    RequestIntake,
    convert::{self, View},
};
use crate::{
    clients::calendar,
    db::{self, request::Stored},
    domain::{
        evidence::{Answer, Deadline},
        life::Verb,
        owed::{self, Owed},
        request::State,
        rules::Rules,
    },
    error,
    examining::LONGEST,
};

/// The last day for curing the defects.
///
/// # Errors
/// VERB_NOT_ORDERED when no law in force on the day of receipt lets the requester be asked.
pub(super) fn cure_by(rules: &Rules, stands: &Stored) -> Result<Date, Error> {
    let submission = &stands.submission;
    let day = owed::cure_by(rules, submission, &stands.standing, stands.examined_at);
    let (kind, received_on) = (submission.requester.kind, submission.received_on());
    Ok(day.ok_or_else(|| error::not_ordered(Verb::AskClarification, kind, received_on))?)
}

/// What else is owed of a request, and by when.
pub(super) struct OwedDay {
    /// In which of its states it is owed.
    state: State,
    owed: Owed,
    deadline: Deadline,
}

/// What else is owed of a request as it stands, as it was computed; nothing where its term has no such time, and until it is computed.
///
/// # Errors
/// When the database fails.
pub(super) async fn owed(service: &RequestIntake, stands: &Stored, view: View) -> Result<Option<OwedDay>, Error> {
    let state = stands.standing.state;
    if state != State::AwaitingClarification && !stands.submission.is_to_be_forwarded() {
        return Ok(None);
    }
    let rules = service.rules.get(&service.context.db).await?;
    let Some(owed) = Owed::of(&rules, &stands.submission, &stands.standing, stands.examined_at) else {
        return Ok(None);
    };
    let Some(deadline) = kept(service, stands, owed, view).await? else {
        return Ok(None);
    };
    Ok(Some(OwedDay { state, owed, deadline }))
}

/// The day that was computed of just this, with its steps in the full view.
async fn kept(service: &RequestIntake, stands: &Stored, owed: Owed, view: View) -> Result<Option<Deadline>, Error> {
    let mut connection = service.context.db.connection().await?;
    let kept = db::owed_day::get(&mut connection, stands.receipt.id).await?;
    let Some(mut kept) = kept.filter(|kept| kept.owed == owed) else {
        return Ok(None);
    };
    if view == View::Full {
        kept.deadline.steps = service.texts.steps(&mut connection, &kept.explanation).await?;
    }
    Ok(Some(kept.deadline))
}

/// A day for a decision on a request in one version.
pub(super) struct Said {
    version: i32,
    deadline: Deadline,
}

impl Said {
    /// The day for what is owed of a request, as it was computed, else as the calendar says now. Of a calendar that is away nothing is
    /// waited for: then there is none, and where the term has no such time.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn of(service: &RequestIntake, stands: &Stored, owed: Owed) -> Result<Option<Self>, Error> {
        let deadline = match kept(service, stands, owed, View::Full).await? {
            Some(deadline) => deadline,
            None => {
                let registered_on = stands.deadline.as_ref().map(|deadline| deadline.registered_on);
                let today = zone::civil_day(service.context.now());
                let question = calendar::owed(&stands.submission, registered_on, owed, today);
                match service.examiner.deadlines.answer(question, LONGEST).await {
                    Answer::Given(deadline) => deadline,
                    Answer::Refused(_) | Answer::Away => return Ok(None),
                }
            }
        };
        Ok(Some(Self {
            version: stands.standing.version,
            deadline,
        }))
    }

    /// The day for a locked request, which stays with its decision; none when the request or the calendar has changed meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn current(self, write: &mut Write, stands: &Stored) -> Result<Option<Deadline>, Error> {
        let is_current = self.version == stands.standing.version
            && follow::is_current(write.connection(), &self.deadline.calendar_version).await?;
        Ok(is_current.then_some(self.deadline))
    }
}

impl OwedDay {
    /// Tells it of the request, unless that stands elsewhere by now.
    pub(super) fn tell(self, request: &mut proto::Request, view: View, today: Date) {
        if i32::from(request.state()) != convert::state(self.state) {
            return;
        }
        let overdue = self.deadline.due_date < today;
        let part = match self.owed {
            Owed::Return(_) => TermPart::Return,
            Owed::Forwarding => TermPart::Forwarding,
        };
        let deadline = convert::to_deadline(self.deadline, part.into());
        let (day, deadline) = (deadline.due_date, Some(deadline).filter(|_| view == View::Full));
        match self.owed {
            Owed::Return(_) => {
                (request.return_by, request.return_deadline) = (day, deadline);
                request.return_overdue = overdue;
            }
            Owed::Forwarding => (request.forward_by, request.forward_deadline) = (day, deadline),
        }
    }
}
