//! CorrectRequest.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::{self as proto, CorrectRequestRequest};

use super::{
    RequestIntake,
    amending::{Amendment, asked_by_examination},
    deciding::{self, Asked, Deed, Done, REASON},
};
use crate::{
    db,
    domain::{amendment, decision::Terms, life::Verb},
};

pub(super) async fn correct_request(
    service: &RequestIntake,
    call: &Call,
    message: CorrectRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &message);
    let (mask, given) = (message.update_mask.as_ref(), message.request.as_ref());
    let amended = Amendment::read(&mut violations, mask, given, true);
    let reason = violations.text("reason", &message.reason, REASON);
    let CorrectRequestRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::Correct,
        events: ("request.corrected", "request.correction_repeated"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::Correct, "", None)?;
            let submission = amended.apply(stands, &rules, write.now())?;
            let changed = amendment::changed(&stands.submission, &submission);
            if changed.is_empty() {
                return Ok(Done {
                    is_repeat: true,
                    ..Done::default()
                });
            }
            let id = stands.receipt.id;
            db::amendment::store(write.connection(), id, &submission).await?;
            // What the examination asked for was perhaps there all the time: it looks again, and asks again if it must.
            let again = asked_by_examination(write.connection(), stands).await?;
            if again {
                let now = write.now();
                db::clarification::provided(write.connection(), id, now).await?;
            }
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    changed,
                    examine_again: true,
                    ..Terms::default()
                },
                instead: again.then_some(Verb::ProvideClarification),
                ..Done::default()
            })
        })
    })
    .await
}
