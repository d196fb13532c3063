//! ApproveAnswer.

use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::word::{self, Word as _},
    law::LegalBasis,
    write,
};
use legalstat_proto::{
    common::v1::ErrorReason,
    requests::v1::{self as proto, ApproveAnswerRequest},
};
use tonic::Code;
use x509_parser::pem::Pem;

use super::{
    RequestIntake, answering, convert,
    deciding::{self, Asked, Deed, Done},
};
use crate::{
    db::{self, answer::Approved},
    domain::{decision::OfficialCapacity, dispatch::SignatureVerdict, life::Verb, names},
    signature::{self, Verdict},
    signatures::Content,
};

/// How large a detached signature may be, with its certificates.
const SIGNATURE: usize = 64 * 1024;

/// A signature that is kept, with what became of its verification.
#[derive(Clone)]
struct Signature {
    der: Vec<u8>,
    verdict: SignatureVerdict,
    signer: String,
}

pub(super) async fn approve_answer(
    service: &RequestIntake,
    call: &Call,
    message: ApproveAnswerRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let sha256 = violations.sha256("sha256", &message.sha256);
    if message.sha256.is_empty() {
        violations.add("sha256", FieldReason::Required, "required: the digest that was signed");
    }
    let (all, wire) = (OfficialCapacity::ALL, convert::official_capacity);
    let capacity = word::required(&mut violations, "capacity", message.capacity, all, wire);
    let der = der(&mut violations, &message.signature);
    let ApproveAnswerRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let ((asked, sha256), capacity) = violations.sound(asked.zip(sha256).zip(capacity))?;
    // The bytes that a digest names never change: they are verified before anything is locked. What was answered is answered again,
    // whatever has become of the certificate.
    let signed = if write::was_answered(&service.context, call, asked.request_id).await? {
        None
    } else {
        let mut connection = service.context.db.connection().await?;
        let last = db::answer::last(&mut connection, asked.id).await?;
        last.filter(|last| last.sha256 == sha256).map(|last| last.canonical)
    };
    let signature = match signed {
        Some(signed) => Some(verified(service, signed, der).await?),
        None => None,
    };
    let rules = service.rules.get(&service.context.db).await?;
    let by = call.caller.name.clone();
    let deed = Deed {
        verb: Verb::ApproveAnswer,
        events: ("request.answer_approved", "request.answer_approval_repeated"),
    };
    deciding::decide_to(
        service,
        call,
        &message,
        asked,
        deed,
        move |write, stands| {
            Box::pin(async move {
                let ordered = deciding::ordered(&rules, stands, Verb::ApproveAnswer, "", Some(capacity))?;
                let (id, now) = (stands.receipt.id, write.now());
                let last = db::answer::last(write.connection(), id).await?;
                let last = last.ok_or_else(|| answering::missing(id))?;
                let signature = signature.filter(|_| last.sha256 == sha256);
                let Some(signature) = signature else {
                    return Err(Refusal::changed(&format!("{}/answer", names::request(id))).into());
                };
                answering::require_current(write.connection(), stands, &last).await?;
                if let Some(approval) = last.approval {
                    if approval.approved_by == by && approval.signature == signature.der {
                        return Ok(Done {
                            is_repeat: true,
                            ..Done::default()
                        });
                    }
                    return Err(Refusal::changed(&format!("{}/answer", names::request(id))).into());
                }
                let writers = db::answer::writers(write.connection(), id).await?;
                if writers.contains(&by) {
                    return Err(same_person(&by, &ordered.legal_basis).into());
                }
                let approved = Approved {
                    approved_by: by,
                    capacity,
                    approved_at: now,
                    signature: signature.der,
                    verdict: signature.verdict,
                    signer: signature.signer,
                };
                db::answer::approve(write.connection(), id, last.version, &approved).await?;
                Ok(Done {
                    capacity: Some(capacity),
                    legal_basis: Some(ordered.legal_basis),
                    ..Done::default()
                })
            })
        },
        |connection, _, left| Box::pin(answering::left(connection, left)),
    )
    .await
}

/// Who approves must be another person than who wrote.
fn same_person(by: &str, basis: &LegalBasis) -> Refusal {
    let message = format!("{by} drafted or edited this answer; another person approves it");
    Refusal::new(Code::FailedPrecondition, ErrorReason::SamePerson, message).legal_basis(basis.clone())
}

/// The signature in DER, from DER or PEM.
fn der(violations: &mut Violations, given: &[u8]) -> Vec<u8> {
    if given.is_empty() {
        violations.add(
            "signature",
            FieldReason::Required,
            "required: a detached CMS, in DER or PEM",
        );
    } else if given.len() > SIGNATURE {
        violations.add("signature", FieldReason::TooLong, format!("at most {SIGNATURE} bytes"));
    } else if given.starts_with(b"-----BEGIN") {
        match Pem::iter_from_buffer(given).next() {
            Some(Ok(pem)) => return pem.contents,
            _ => violations.add("signature", FieldReason::Unreadable, "it begins as PEM and is none"),
        }
    }
    given.to_vec()
}

/// Verifies a signature. One that holds is kept, and so is one of which nothing can be said here.
///
/// # Errors
/// One that does not hold.
async fn verified(service: &RequestIntake, signed: Vec<u8>, der: Vec<u8>) -> Result<Signature, Error> {
    let place = service.signatures.place().await?;
    let now = service.context.now();
    let verdict = place.verify(der.clone(), Content::Beside(signed), now).await?;
    let (verdict, signer) = match verdict {
        Verdict::Valid(signers) => {
            let names: Vec<String> = signers.into_iter().map(|signer| signer.name).collect();
            (SignatureVerdict::Valid, names.join("; "))
        }
        Verdict::NobodyTrusted => (SignatureVerdict::NobodyTrusted, String::new()),
        Verdict::Unsupported(algorithm) => (SignatureVerdict::Unsupported, algorithm),
        Verdict::NotValid(fault) => {
            let description = format!("the signature does not hold: {fault}");
            return Err(Violations::one("signature", FieldReason::Signature, &description).into());
        }
    };
    // What is enclosed would be another copy of the answer, which no erasure finds.
    if !signature::is_detached(&der) {
        let description = "the container encloses what it signs: sign detached";
        return Err(Violations::one("signature", FieldReason::Conflict, description).into());
    }
    Ok(Signature { der, verdict, signer })
}
