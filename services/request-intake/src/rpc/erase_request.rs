//! EraseRequest.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    call::Done,
    door::word::Word as _,
    law::LegalBasis,
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
    showing::Showing,
};
use crate::{
    db::{self, erasure::Order},
    domain::{
        names,
        request::State,
        retention::{self, ENDS, Given, Ordered},
        told::Told,
    },
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
    let showing = Showing::of(service);
    let files = service.files.clone();
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let stands = deciding::locked(write.connection(), &asked).await?;
            let stands = seeing::whole(&showing.rules, &showing.context, &call, asked.id, stands).await?;
            deciding::require_etag(&stands, &asked)?;
            write.not_before(stands.standing.changed_at.unwrap_or(stands.receipt.accepted_at));
            let state = stands.standing.state;
            if state.is_open() {
                return Err(not_ended(state).into());
            }
            let waits = db::erasure::ordered(write.connection(), asked.id).await?;
            let by = &call.caller.name;
            let waits = match (retention::given(waits.as_ref(), by, &legal_basis), waits) {
                (Given::BySamePerson, _) => return Err(same_person(by, &legal_basis).into()),
                (Given::CarriedOut, Some(waits)) => waits,
                _ => {
                    let ordered = Ordered {
                        by: Done {
                            by: by.clone(),
                            at: write.now(),
                        },
                        legal_basis,
                        reason,
                    };
                    db::erasure::order(write.connection(), asked.id, &ordered).await?;
                    let mut answer = showing.left(write, &asked, &call).await?;
                    answer.erasure_order = Some(convert::erasure_order(ordered));
                    return Ok(Outcome::of(&name, "request.erasure_ordered", answer).telling(&Told::of(state, None)));
                }
            };
            let order = Order {
                rule: None,
                legal_basis: &waits.legal_basis,
                reason: &waits.reason,
                ordered_by: Some(&waits.by.by),
                by,
                at: write.now(),
            };
            erasing::erase(write, &[asked.id], &order).await?;
            let answer = showing.left(write, &asked, &call).await?;
            let outcome = Outcome::each(vec![erasing::change(asked.id, state)], answer);
            let context = showing.context;
            Ok(outcome.once_committed(move || {
                // What is not removed now is by the job.
                context.tasks.clone().spawn(async move {
                    let removed = erasing::remove_contents(&context.db, &files).await;
                    if let Err(error) = removed.map_err(Error::of_job) {
                        tracing::warn!(%error, "contents of an erased request are removed later");
                    }
                });
            }))
        })
    })
    .await
}

/// Who carries an order out must be another person than who gave it.
fn same_person(by: &str, basis: &LegalBasis) -> Refusal {
    let message = format!("{by} has ordered this; another administrator who gives the same order carries it out");
    Refusal::new(Code::FailedPrecondition, ErrorReason::SamePerson, message).legal_basis(basis.clone())
}

fn not_ended(state: State) -> Refusal {
    let ends = ENDS.map(State::word).join(" ");
    let message = format!("a request that is {} has not ended; its data are needed", state.word());
    Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message)
        .with("state", state.word())
        .with("allowed_states", &ends)
}
