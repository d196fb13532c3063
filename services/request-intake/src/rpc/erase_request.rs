//! EraseRequest.

use std::sync::Arc;

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::word::Word as _,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::{
    common::v1::ErrorReason,
    requests::v1::{self as proto, EraseRequestRequest},
};
use tonic::Code;

use super::{
    RequestIntake, convert,
    deciding::{self, Asked},
    retention_rules::{self, REASON},
    seeing,
};
use crate::{
    db::erasure::Order,
    domain::{names, request::State, retention::ENDS},
    erasing,
};

pub(super) async fn erase_request(
    service: &RequestIntake,
    call: Call,
    message: EraseRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let legal_basis = retention_rules::legal_basis(&mut violations, "legal_basis", message.legal_basis.as_ref());
    let reason = violations.text("reason", &message.reason, REASON);
    let EraseRequestRequest {
        name, etag, request_id, ..
    } = &message;
    if etag.is_empty() {
        let description = "required: read the request first, for nothing brings its data back";
        violations.add("etag", FieldReason::Required, description);
    }
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let (asked, legal_basis) = violations.sound(asked.zip(legal_basis))?;
    let name = names::request(asked.id);
    let mutation = Mutation::of(&call, &name, asked.request_id, asked.validate_only, &message);
    let (texts, rules, context) = (
        Arc::clone(&service.texts),
        Arc::clone(&service.rules),
        service.context.clone(),
    );
    let files = service.files.clone();
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let stands = deciding::locked(write.connection(), &asked).await?;
            let stands = seeing::whole(&rules, &context, &call, asked.id, stands).await?;
            deciding::require_etag(&stands, &asked)?;
            write.not_before(stands.standing.changed_at.unwrap_or(stands.receipt.accepted_at));
            let state = stands.standing.state;
            if state.is_open() {
                return Err(not_ended(state).into());
            }
            let order = Order {
                rule: None,
                legal_basis: &legal_basis,
                reason: &reason,
                by: &call.caller.name,
                at: write.now(),
            };
            let contents = erasing::erase(write, &[asked.id], &order).await?;
            let left = deciding::locked(write.connection(), &asked).await?;
            let left = left.ok_or_else(|| anyhow::anyhow!("a locked request is gone"))?;
            let viewer = seeing::viewer(&rules, &context, &call, left.rules_revision).await?;
            let answer = deciding::basic(write.connection(), &texts, &viewer, left).await?;
            let answer = convert::as_of(answer, context.now());
            let outcome = Outcome::each(vec![erasing::change(asked.id, state)], answer);
            Ok(outcome.once_committed(move || {
                // What is not removed now is when contents without a row are looked for.
                context.tasks.clone().spawn(async move {
                    let removed = erasing::remove_all_unused(&context.db, &files, &contents).await;
                    if let Err(error) = removed.map_err(Error::of_job) {
                        tracing::warn!(%error, "contents of an erased request stay until they are swept");
                    }
                });
            }))
        })
    })
    .await
}

fn not_ended(state: State) -> Refusal {
    let ends = ENDS.map(State::word).join(" ");
    let message = format!("a request that is {} has not ended; its data are needed", state.word());
    Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message)
        .with("state", state.word())
        .with("allowed_states", &ends)
}
