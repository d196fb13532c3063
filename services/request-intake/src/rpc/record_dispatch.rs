//! RecordDispatch.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::{
        wire,
        word::{self, Word as _},
    },
};
use legalstat_proto::{
    common::v1::ErrorReason,
    requests::v1::{self as proto, RecordDispatchRequest},
};
use tonic::Code;

use super::{
    RequestIntake, answering,
    deciding::{self, Asked, Deed, Done},
};
use crate::{
    db,
    domain::{
        dispatch::{Dispatch, Means},
        life::Verb,
        names,
    },
    error,
};

/// The longest proof in words.
const PROOF: usize = 500;

pub(super) async fn record_dispatch(
    service: &RequestIntake,
    call: &Call,
    message: RecordDispatchRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let means = word::required(&mut violations, "means", message.means, Means::ALL, answering::means);
    let given = wire::optional_timestamp(&mut violations, "dispatch_time", message.dispatch_time.as_ref());
    let given = given.map(wire::whole_microseconds);
    if given.is_some_and(|given| given > service.context.now()) {
        violations.add("dispatch_time", FieldReason::InFuture, "not in the future");
    }
    let sha256 = violations.sha256("sha256", &message.sha256);
    if message.sha256.is_empty() {
        violations.add(
            "sha256",
            FieldReason::Required,
            "required: the digest that the dispatched document bears",
        );
    }
    let proof = violations.name("proof", &message.proof, PROOF);
    let RecordDispatchRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let ((asked, means), sha256) = violations.sound(asked.zip(means).zip(sha256))?;
    let rules = service.rules.get(&service.context.db).await?;
    let by = call.caller.name.clone();
    let deed = Deed {
        verb: Verb::RecordDispatch,
        events: ("request.answered", "request.answered"),
    };
    deciding::decide_to(
        service,
        call,
        &message,
        asked,
        deed,
        move |write, stands| {
            Box::pin(async move {
                let ordered = deciding::ordered(&rules, stands, Verb::RecordDispatch, "", None)?;
                let (id, now) = (stands.receipt.id, write.now());
                let last = db::answer::last(write.connection(), id).await?;
                let last = last.ok_or_else(|| answering::missing(id))?;
                // What was edited after it went out is not what went out.
                if last.sha256 != sha256 {
                    return Err(error::changed(&format!("{}/answer", names::request(id))).into());
                }
                answering::require_current(write.connection(), stands, &last).await?;
                let Some(approval) = last.approval else {
                    return Err(not_approved(&names::request(id), last.version).into());
                };
                let dispatched_at = given.unwrap_or(now);
                if dispatched_at < approval.approved_at {
                    let description = format!("not before the approval, which was at {}", approval.approved_at);
                    return Err(Violations::one("dispatch_time", FieldReason::OutOfRange, &description).into());
                }
                let dispatch = Dispatch {
                    means,
                    dispatched_at,
                    proof,
                    recorded_by: by,
                    recorded_at: now,
                };
                db::answer::dispatch(write.connection(), id, last.version, &dispatch).await?;
                Ok(Done {
                    reason: dispatch.proof,
                    legal_basis: Some(ordered.legal_basis),
                    ..Done::default()
                })
            })
        },
        |connection, _, left| Box::pin(answering::left(connection, left)),
    )
    .await
}

fn not_approved(name: &str, version: i32) -> Refusal {
    let message = format!("version {version} of the answer is not approved: only what was approved is dispatched");
    Refusal::new(Code::FailedPrecondition, ErrorReason::AnswerNotApproved, message).about(&format!("{name}/answer"))
}
