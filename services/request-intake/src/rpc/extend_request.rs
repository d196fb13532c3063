//! ExtendRequest.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::{
        wire,
        word::{self, Word},
    },
    due::follow,
    write::{self, Write},
    zone,
};
use legalstat_proto::requests::v1::{self as proto, ExtendRequestRequest};

use super::{
    RequestIntake, convert,
    deciding::{self, Asked, Deed, Done, Ordered, REASON},
    seeing,
};
use crate::{
    clients::calendar::{self, Telling},
    db::{self, request::Stored},
    domain::{
        decision::{OfficialCapacity, Terms},
        evidence::{Answer, Deadline},
        life::{self, Verb},
        names,
        request::{DuePart, Extension},
        rules::{CountedFrom, Rules},
    },
    error,
    examining::LONGEST,
};

/// How a due date is to be put off.
#[derive(Clone)]
struct Wish {
    part: DuePart,
    until: Option<Date>,
    capacity: OfficialCapacity,
    reason: String,
}

/// What the calendar said of a request in one version.
struct Computed {
    version: i32,
    /// The day of the question: extension and notice count from it.
    today: Date,
    deadline: Deadline,
    extension: Extension,
    /// By when the requester is to be told of it.
    notify: Option<Deadline>,
}

pub(super) async fn extend_request(
    service: &RequestIntake,
    call: &Call,
    message: ExtendRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let wish = wish(&mut violations, &message);
    let notified_on = deciding::notified_on(&mut violations, message.notified_on.as_ref(), service.context.now());
    let ExtendRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let (asked, wish) = violations.sound(asked.zip(wish))?;
    let rules = service.rules.get(&service.context.db).await?;
    // The calendar is asked before the transaction, so that no row is locked while it takes its time. A repetition is not to ask.
    let computed = if write::was_answered(&service.context, call, asked.request_id).await? {
        None
    } else {
        Some(computed(service, call, &asked, &wish, &rules).await?)
    };
    let deed = Deed {
        verb: Verb::Extend,
        events: ("request.extended", "request.extended"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let computed = computed.ok_or_else(|| anyhow::anyhow!("a repetition was not answered"))?;
            if computed.version != stands.standing.version {
                return Err(Refusal::changed(&names::request(stands.receipt.id)).into());
            }
            if computed.today != zone::civil_day(write.now()) {
                return Err(error::day_turned(&names::request(stands.receipt.id)).into());
            }
            let ordered = allowed(stands, &rules, &wish, write.now())?;
            deciding::told_after_receipt(stands, notified_on)?;
            store(write, stands, &computed).await?;
            Ok(Done {
                reason: wish.reason,
                capacity: Some(wish.capacity),
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    ground: Some(wish.part.word().into()),
                    until: Some(computed.deadline.due_date),
                    notify_by: computed.notify.as_ref().map(|deadline| deadline.due_date),
                    explanation: computed.notify.map(Into::into),
                    notified_on,
                    ..Terms::default()
                },
                ..Done::default()
            })
        })
    })
    .await
}

fn wish(violations: &mut Violations, message: &ExtendRequestRequest) -> Option<Wish> {
    let part = word::required(violations, "part", message.part, DuePart::ALL, calendar::part);
    let until = message.until.as_ref();
    let until = until.and_then(|day| violations.check("until", FieldReason::Date, wire::date(day)));
    if part == Some(DuePart::LongBase) && message.until.is_some() {
        violations.add("until", FieldReason::Conflict, "only for an EXTENSION");
    }
    let reason = violations.text("reason", &message.reason, REASON);
    let (given, all) = (message.capacity, OfficialCapacity::ALL);
    let capacity = word::required(violations, "capacity", given, all, convert::official_capacity);
    Some(Wish {
        part: part?,
        until,
        capacity: capacity?,
        reason,
    })
}

/// Whether the law lets the due date be put off so, as the request stands.
fn allowed<'r>(stands: &Stored, rules: &'r Rules, wish: &Wish, now: Timestamp) -> Result<Ordered<'r>, Error> {
    let Some(standing) = &stands.deadline else {
        return Err(error::without_due_date(&names::request(stands.receipt.id)).into());
    };
    let ordered = deciding::ordered(rules, stands, Verb::Extend, wish.part.word(), Some(wish.capacity))?;
    let extended = stands.standing.extension.map(|extension| extension.part);
    if extended.is_some_and(|part| part == wish.part || part == DuePart::Extension) {
        return Err(error::already_extended(&ordered.legal_basis).into());
    }
    if standing.due_time <= now {
        return Err(error::due_date_passed(standing.due_date, &ordered.legal_basis).into());
    }
    Ok(ordered)
}

/// Asks the calendar for the later due date of a request as it stands.
async fn computed(
    service: &RequestIntake,
    call: &Call,
    asked: &Asked,
    wish: &Wish,
    rules: &Arc<Rules>,
) -> Result<Computed, Error> {
    let name = names::request(asked.id);
    let stands = seeing::whole(
        &service.rules,
        &service.context,
        call,
        asked.id,
        service.lookup.get(asked.id).await?,
    )
    .await?;
    let refused = life::step(stands.standing.state, Verb::Extend).map_err(|refused| refused.refusal(&name));
    refused?;
    let now = service.context.now();
    let ordered = allowed(&stands, rules, wish, now).map_err(|error| about(error, &name))?;
    let today = zone::civil_day(now);
    let standing = stands.deadline.as_ref();
    let standing = standing.ok_or_else(|| anyhow::anyhow!("a registered request has a due date"))?;
    let extension = Extension {
        part: wish.part,
        counted_from: match ordered.rule.counted_from {
            _ if wish.part == DuePart::LongBase => None,
            Some(CountedFrom::DueDate) => Some(standing.due_date),
            Some(CountedFrom::Decision) | None => Some(today),
        },
        until: wish.until,
    };
    let (kind, received_at) = (stands.submission.requester.kind, stands.submission.received_at);
    let settled = Some(standing.registered_on).filter(|day| *day <= today);
    let stops = db::clock_stop::of(&mut *service.context.db.connection().await?, &[asked.id]).await?;
    let stops = stops.get(&asked.id).map_or(&[][..], Vec::as_slice);
    let question = calendar::question(kind, received_at, settled, Some(extension), stops);
    let notice = calendar::telling(kind, received_at, settled, Telling::Extension(today));
    let deadlines = &service.examiner.deadlines;
    let (deadline, notice) = tokio::join!(deadlines.answer(question, LONGEST), deadlines.answer(notice, LONGEST));
    let notify = match notice {
        Answer::Given(notice) => Some(notice),
        // The term has no time for it.
        Answer::Refused(_) => None,
        Answer::Away => return Err(error::calendar_away().into()),
    };
    Ok(Computed {
        version: stands.standing.version,
        today,
        deadline: later(deadline, standing, wish)?,
        extension,
        notify,
    })
}

/// The calendar's answer, if it puts the due date off.
fn later(answer: Answer<Deadline>, standing: &Deadline, wish: &Wish) -> Result<Deadline, Error> {
    let deadline = match answer {
        Answer::Given(deadline) => deadline,
        Answer::Away => return Err(error::calendar_away().into()),
        Answer::Refused(reason) if wish.until.is_some() => {
            return Err(Violations::one("until", FieldReason::OutOfRange, &reason).into());
        }
        Answer::Refused(reason) => return Err(error::calendar_refused(&reason).into()),
    };
    if deadline.due_date <= standing.due_date {
        let description = format!("must put the due date off: it is {} already", standing.due_date);
        return Err(Violations::one("until", FieldReason::OutOfRange, &description).into());
    }
    Ok(deadline)
}

fn about(error: Error, name: &str) -> Error {
    match error {
        Error::Refusal(refusal) => refusal.about(name).into(),
        error => error,
    }
}

/// Stores the later due date, unless the calendar has changed since it was asked about that and about the notice, which stays with the
/// decision.
async fn store(write: &mut Write, stands: &Stored, computed: &Computed) -> Result<(), Error> {
    let (connection, deadline) = (write.connection(), &computed.deadline);
    for said in computed.notify.iter().chain([deadline]) {
        if !follow::is_current(connection, &said.calendar_version).await? {
            return Err(error::calendar_away().into());
        }
    }
    Ok(db::due_date::extend(connection, stands.receipt.id, deadline, computed.extension).await?)
}
