//! ReturnRequest.

use legalstat_kit::{Call, Error, Violations, write, zone};
use legalstat_proto::requests::v1::{self as proto, ReturnRequestRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, REASON},
    owed, seeing,
};
use crate::{
    domain::{
        decision::Terms,
        life::{self, Verb},
    },
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
    // What is given back does not wait for a calendar that is away: then the last day for it is not recorded.
    // A repetition, and what is refused anyway, ask nothing.
    let owed = if write::was_answered(&service.context, call, asked.request_id).await? {
        None
    } else {
        let found = service.lookup.get(asked.id).await?;
        let read = seeing::visible(&service.rules, &service.context, call, asked.id, found).await?;
        life::step(read.standing.state, Verb::Return).map_err(|refused| refused.refusal(name))?;
        owed::owed(service, &read)
            .await?
            .map(|owed| (read.standing.version, owed))
    };
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
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    until: owed
                        .filter(|(version, _)| *version == stands.standing.version)
                        .and_then(|(_, owed)| owed.return_by()),
                    ..Terms::default()
                },
                ..Done::default()
            })
        })
    })
    .await
}
