//! ProvideClarification.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::requests::v1::{self as proto, ProvideClarificationRequest};
use sqlx::PgConnection;

use super::{
    RequestIntake,
    amending::Amendment,
    deciding::{self, Asked, Deed, Done, REASON},
};
use crate::{
    db::{self, request::Stored},
    domain::{amendment, decision::Terms, life::Verb, request::State},
};

pub(super) async fn provide_clarification(
    service: &RequestIntake,
    call: &Call,
    message: ProvideClarificationRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &message);
    let clarification = violations.text("clarification", &message.clarification, REASON);
    let (mask, given) = (message.update_mask.as_ref(), message.request.as_ref());
    let supplied = Amendment::read(&mut violations, mask, given, false);
    let ProvideClarificationRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::ProvideClarification,
        events: ("request.clarification_provided", "request.clarification_provided"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::ProvideClarification, "", None)?;
            let submission = supplied.apply(stands, &rules, write.now())?;
            let changed = amendment::changed(&stands.submission, &submission);
            let (id, now) = (stands.receipt.id, write.now());
            if !changed.is_empty() {
                db::amendment::store(write.connection(), id, &submission).await?;
            }
            db::clarification::provided(write.connection(), id, now).await?;
            Ok(Done {
                reason: clarification,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    changed,
                    examine_again: true,
                    ..Terms::default()
                },
                instead: came_back(write.connection(), stands).await?,
                ..Done::default()
            })
        })
    })
    .await
}

/// What was registered before it was asked about goes back to where it stood.
async fn came_back(connection: &mut PgConnection, stands: &Stored) -> Result<Option<Verb>, Error> {
    if stands.registration_number.is_none() {
        return Ok(None);
    }
    let from = db::decision::asked_from(connection, stands.receipt.id).await?;
    Ok(Some(match from {
        Some(State::InPreparation) => Verb::ClarifyPrepared,
        _ => Verb::ClarifyRegistered,
    }))
}
