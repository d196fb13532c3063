//! ProvideClarification.

use std::sync::Arc;

use legalstat_kit::{Call, Error, FieldReason, Violations};
use legalstat_proto::requests::v1::{self as proto, ProvideClarificationRequest};
use sqlx::PgConnection;

use super::{
    RequestIntake,
    amending::Amendment,
    deciding::{self, Asked, Deed, Done, REASON},
    review_decision,
};
use crate::{
    db::{self, request::Stored},
    domain::{
        amendment,
        decision::{ChangedField, Terms},
        examination::Outcome,
        life::Verb,
        owed,
        request::State,
    },
    shared_texts::SharedTexts,
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
    let texts = Arc::clone(&service.texts);
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
            only_asked(write.connection(), &texts, stands, &changed).await?;
            if !changed.is_empty() {
                db::amendment::store(write.connection(), id, &submission).await?;
            }
            if let Some(cure_by) = owed::cure_by(&rules, &stands.submission, &stands.standing, stands.examined_at) {
                db::clock_stop::stopped(write.connection(), id, cure_by).await?;
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

/// Refuses what the requester was not asked about: a clarification changes no other field.
async fn only_asked(
    connection: &mut PgConnection,
    texts: &SharedTexts,
    stands: &Stored,
    changed: &[ChangedField],
) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let open = db::clarification::open(connection, stands.receipt.id).await?;
    let mut asked: Vec<String> = open.iter().filter_map(|one| one.by_official.clone()).collect();
    if open.iter().any(|one| one.by_official.is_none()) {
        let checks = review_decision::checks(connection, texts, stands).await?;
        let failed = checks.into_iter().filter(|check| check.outcome == Outcome::Failed);
        asked.extend(failed.map(|check| check.field));
    }
    let mut violations = Violations::new();
    for ChangedField { field, .. } in changed {
        if !asked.iter().any(|path| amendment::is_asked(path, field)) {
            let description =
                "the requester was not asked about it: an official mends a slip of the pen by CorrectRequest";
            violations.add(format!("request.{field}"), FieldReason::Conflict, description);
        }
    }
    Ok(violations.refuse()?)
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
