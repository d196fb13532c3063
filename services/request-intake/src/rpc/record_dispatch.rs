//! RecordDispatch.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::{
        wire,
        word::{self, Word as _},
    },
    write::Write,
};
use legalstat_proto::{
    common::v1::ErrorReason,
    requests::v1::{self as proto, RecordDispatchRequest},
};
use tonic::Code;
use uuid::Uuid;

use super::{
    RequestIntake, answering,
    attaching::Limits,
    deciding::{self, Asked, Deed, Done},
};
use crate::{
    db,
    domain::{
        attachment::{Attachment, Kind},
        dispatch::{Dispatch, Means},
        life::Verb,
        names,
    },
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
    let proof_file = names::parse_attachment(&message.proof_file);
    if proof_file.is_none() && !message.proof_file.is_empty() {
        let description = "write attachments/ and the UUID in lower case, as UploadAttachment has answered";
        violations.add("proof_file", FieldReason::ResourceName, description);
    }
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
    let limits = service.attachments.clone();
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
                    return Err(Refusal::changed(&format!("{}/answer", names::request(id))).into());
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
                if let Some(file) = proof_file {
                    bind(write, id, file, &by, &limits).await?;
                }
                let dispatch = Dispatch {
                    means,
                    dispatched_at,
                    proof,
                    recorded_by: by,
                    recorded_at: now,
                    proof_file,
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

/// Lets a file that the caller has uploaded belong to the request whose dispatch it proves.
async fn bind(write: &mut Write, request: Uuid, file: Uuid, by: &str, limits: &Limits) -> Result<(), Error> {
    let refused = |reason, description: &str| Violations::one("proof_file", reason, description);
    let now = write.now();
    let connection = write.connection();
    let found = db::attachment::get(connection, &[file]).await?.remove(&file);
    let is_there = |found: &Attachment| found.uploaded_by == by && !limits.has_expired(found, now);
    let Some(found) = found.filter(is_there) else {
        return Err(refused(
            FieldReason::Unknown,
            "you have uploaded no such attachment, or it was dropped",
        )
        .into());
    };
    if found.kind != Kind::Attachment {
        return Err(refused(
            FieldReason::Conflict,
            "no ATTACHMENT: an original or a signature proves no dispatch",
        )
        .into());
    }
    if db::attachment::bind(connection, &[(request, file)], now).await? == 0 {
        return Err(refused(FieldReason::Conflict, "it belongs to a request already").into());
    }
    Ok(())
}

fn not_approved(name: &str, version: i32) -> Refusal {
    let message = format!("version {version} of the answer is not approved: only what was approved is dispatched");
    Refusal::new(Code::FailedPrecondition, ErrorReason::AnswerNotApproved, message).about(&format!("{name}/answer"))
}
