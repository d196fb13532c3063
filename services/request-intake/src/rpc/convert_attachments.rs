//! The way out of what belongs to files.

use jiff::Timestamp;
use legalstat_kit::{door::wire, law::LocalizedText};
use legalstat_proto::requests::v1 as proto;

use crate::{
    domain::{
        attachment::{Attachment, Kind},
        names, signature_texts,
    },
    signature::{Signer, Verdict},
};

pub(super) fn kind(kind: Kind) -> i32 {
    match kind {
        Kind::Attachment => proto::AttachmentKind::Attachment,
        Kind::SignedOriginal => proto::AttachmentKind::SignedOriginal,
        Kind::Signature => proto::AttachmentKind::Signature,
    }
    .into()
}

/// A file as its callers see it; `expires` counts while it belongs to no request.
pub(super) fn attachment(attachment: Attachment, expires: Option<Timestamp>) -> proto::Attachment {
    let sha256 = sha256(&attachment);
    proto::Attachment {
        name: names::attachment(attachment.id),
        kind: kind(attachment.kind),
        filename: attachment.filename,
        content_type: attachment.content_type,
        size_bytes: attachment.size_bytes,
        sha256,
        uploaded_by: attachment.uploaded_by,
        upload_time: Some(wire::to_timestamp(attachment.uploaded_at)),
        request: attachment.request.map(names::request).unwrap_or_default(),
        expire_time: expires.filter(|_| attachment.request.is_none()).map(wire::to_timestamp),
        signs: attachment.signs.map(names::attachment).unwrap_or_default(),
        signature: attachment.signature.map(verdict),
    }
}

/// Empty when the content was erased.
fn sha256(attachment: &Attachment) -> String {
    if attachment.is_erased() {
        return String::new();
    }
    hex::encode(attachment.sha256)
}

fn verdict(verdict: Verdict) -> proto::SignatureVerdict {
    let reason: Option<LocalizedText> = signature_texts::reason(&verdict);
    let outcome = match &verdict {
        Verdict::Valid(_) => proto::SignatureOutcome::Valid,
        Verdict::NotValid(_) => proto::SignatureOutcome::NotValid,
        Verdict::Unsupported(_) => proto::SignatureOutcome::Unsupported,
        Verdict::NobodyTrusted => proto::SignatureOutcome::NobodyTrusted,
    };
    let signers = match verdict {
        Verdict::Valid(signers) => signers,
        Verdict::NotValid(_) | Verdict::Unsupported(_) | Verdict::NobodyTrusted => Vec::new(),
    };
    proto::SignatureVerdict {
        outcome: outcome.into(),
        reason: reason.map(Into::into),
        signers: signers.into_iter().map(signer).collect(),
    }
}

fn signer(signer: Signer) -> proto::Signer {
    proto::Signer {
        name: signer.name,
        serial_number: signer.serial_number,
        certificate_sha256: hex::encode(signer.certificate_sha256),
        algorithm: signer.algorithm,
        sign_time: signer.signed_at.map(wire::to_timestamp),
        authorities: signer.chain,
        revocations_time: signer.revocations_of.map(wire::to_timestamp),
    }
}
