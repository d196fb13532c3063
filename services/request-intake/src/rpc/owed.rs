//! By which day something other than its answer is owed of a request: giving it back when its defects were not cured, or forwarding it.

use jiff::civil::Date;
use legalstat_kit::Error;
use legalstat_proto::{calendar::v1::TermPart, requests::v1 as proto};

use super::{
    RequestIntake,
    convert::{self, View},
};
use crate::{
    db::{self, request::Stored},
    domain::{
        evidence::Deadline,
        life::Verb,
        owed::{self, Owed},
        request::State,
        rules::Rules,
    },
    error,
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
    let mut connection = service.context.db.connection().await?;
    let kept = db::owed_day::get(&mut connection, stands.receipt.id).await?;
    // What was computed of the request as it was before is not told of it as it is.
    let Some(mut kept) = kept.filter(|kept| kept.owed == owed) else {
        return Ok(None);
    };
    if view == View::Full {
        kept.deadline.steps = service.texts.steps(&mut connection, &kept.explanation).await?;
    }
    Ok(Some(OwedDay {
        state,
        owed,
        deadline: kept.deadline,
    }))
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
