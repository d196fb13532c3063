//! ReturnRequest.

use jiff::{ToSpan, civil::Date};
use legalstat_kit::{Call, Error, Violations, zone};
use legalstat_proto::requests::v1::{self as proto, ReturnRequestRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, REASON},
};
use crate::{
    db::request::Stored,
    domain::{life::Verb, rules::Rules},
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
            let cure_by = cure_by(&rules, stands)?;
            if zone::civil_day(write.now()) <= cure_by {
                return Err(error::cure_term_running(cure_by, &ordered.legal_basis).into());
            }
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                ..Done::default()
            })
        })
    })
    .await
}

/// The last day for curing the defects: what an official set, else the usual time after the examination that found them.
pub(super) fn cure_by(rules: &Rules, stands: &Stored) -> Result<Date, Error> {
    if let Some(day) = stands.standing.cure_by {
        return Ok(day);
    }
    let ordered = deciding::ordered(rules, stands, Verb::AskClarification, "", None)?;
    let days = ordered.rule.cure_days.map_or(0, |days| days.usual);
    Ok(zone::civil_day(stands.examined_at).saturating_add(days.days()))
}
