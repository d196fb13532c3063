//! ReturnRequest.

use jiff::civil::Date;
use legalstat_kit::{Call, Error, Violations, write::Write, zone};
use legalstat_proto::requests::v1::{self as proto, ReturnRequestRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, REASON},
    owed,
};
use crate::{
    db::{self, request::Stored},
    domain::{decision::Terms, evidence::Explanation, life::Verb, owed::Owed},
    error,
};

pub(super) async fn return_request(
    service: &RequestIntake,
    call: &Call,
    message: ReturnRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let reason = violations.text("reason", &message.reason, REASON);
    let ReturnRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::Return,
        events: ("request.returned", "request.returned"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::Return, "", None)?;
            let cure_by = owed::cure_by(&rules, stands)?;
            if zone::civil_day(write.now()) <= cure_by {
                return Err(error::cure_term_running(cure_by, &ordered.legal_basis).into());
            }
            let last_day = last_day(write, stands, cure_by).await?;
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    until: last_day.as_ref().map(|(day, _)| *day),
                    explanation: last_day.map(|(_, explanation)| explanation),
                    ..Terms::default()
                },
                ..Done::default()
            })
        })
    })
    .await
}

/// The last day for giving it back, as it was computed. What is given back does not wait for a calendar that was away ever since: then
/// it is not recorded.
async fn last_day(write: &mut Write, stands: &Stored, cure_by: Date) -> Result<Option<(Date, Explanation)>, Error> {
    let kept = db::owed_day::get(write.connection(), stands.receipt.id).await?;
    let Some(kept) = kept.filter(|kept| kept.owed == Owed::Return(cure_by)) else {
        return Ok(None);
    };
    let mut deadline = kept.deadline;
    deadline.steps = db::explanation::get(write.connection(), &kept.explanation)
        .await?
        .into();
    Ok(Some((deadline.due_date, deadline.into())))
}
