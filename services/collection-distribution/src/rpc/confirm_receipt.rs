//! ConfirmReceipt.

use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::wire,
    write::{self, Change, Mutation, Outcome, Write},
};
use legalstat_proto::collections::v1::{ConfirmReceiptRequest, Copy};

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{
        copy::CopyState,
        key::{self, CopyKey},
        receipt::{CLOCK_OFF, Receipt, Way},
    },
    receiving::{self, Given},
};

/// What the recipient says.
struct Said {
    key: CopyKey,
    sha256: [u8; 32],
    received_at: Option<Timestamp>,
    given: Option<Given>,
}

pub(super) async fn confirm_receipt(
    service: &CollectionDistribution,
    call: Call,
    request: ConfirmReceiptRequest,
) -> Result<Copy, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let sha256 = door::required_sha256(&mut violations, "sha256", &request.sha256);
    let received_at = wire::optional_timestamp(&mut violations, "received_at", request.received_at.as_ref());
    if received_at.is_some_and(|at| at > context.now() + CLOCK_OFF) {
        violations.add(
            "received_at",
            FieldReason::InFuture,
            "at most five minutes ahead of now",
        );
    }
    // What is signed must be what is kept, to the digit.
    if received_at.is_some_and(|at| at != wire::whole_microseconds(at)) {
        violations.add("received_at", FieldReason::OutOfRange, "whole microseconds");
    }
    let given = signature(&mut violations, &request);
    let request_id = violations.request_id("request_id", &request.request_id);
    let edition = key.as_ref().map(|key| key.edition.clone());
    let read = key.zip(sha256);
    let (key, sha256) = door::sound(violations, &context.db, ("name", edition.as_ref()), read).await?;
    let said = Said {
        key,
        sha256,
        received_at,
        given,
    };
    let mutation = Mutation::of(&call, &said.key, request_id, request.validate_only, &request);
    write::carry_out(context, mutation, move |write| Box::pin(receive(write, call, said))).await
}

/// Reads key and signature, which come together and with the instant that is signed.
fn signature(violations: &mut Violations, request: &ConfirmReceiptRequest) -> Option<Given> {
    let (key, signature) = (request.signing_key.as_str(), &request.signature);
    if key.is_empty() && signature.is_empty() {
        if request.received_at.is_some() {
            let problem = "only a receipt that is signed says when; leave it out";
            violations.add("received_at", FieldReason::Conflict, problem);
        }
        return None;
    }
    if request.received_at.is_none() {
        let problem = "required: the signature covers when it was received";
        violations.add("received_at", FieldReason::Required, problem);
    }
    let named = key_of(violations, key);
    if signature.is_empty() {
        violations.add("signature", FieldReason::Required, "required with a key");
        return None;
    }
    match signature.as_slice().try_into() {
        Ok(signature) => named.map(|(recipient, key)| Given {
            recipient,
            key,
            signature,
        }),
        Err(_) => {
            violations.add("signature", FieldReason::Signature, "64 bytes of Ed25519");
            None
        }
    }
}

/// Reads the key, by its name or by its id among those of the recipient.
fn key_of(violations: &mut Violations, name: &str) -> Option<(Option<String>, String)> {
    if name.contains('/') {
        let read = door::resource(violations, "signing_key", name, key::parse_recipient_key);
        return read.map(|(recipient, id)| (Some(recipient), id));
    }
    if name.is_empty() {
        violations.add("signing_key", FieldReason::Required, "required with a signature");
    } else if !key::is_key_id(name) {
        let problem = "small letters and digits with hyphens between them, or the key's whole name";
        violations.add("signing_key", FieldReason::ResourceName, problem);
    } else {
        return Some((None, name.to_owned()));
    }
    None
}

async fn receive(write: &mut Write, call: Call, said: Said) -> Result<Outcome<Copy>, Error> {
    let (now, connection, key) = (write.now(), write.connection(), &said.key);
    let (copy, successor) = door::lock_own(connection, &call, key, now).await?;
    copy.require_content(&said.sha256).map_err(|not| not.refusal(key))?;
    let is_repeat = copy.is_received();
    let received_at = said.received_at.unwrap_or(now);
    if received_at < copy.issued_at - CLOCK_OFF {
        let problem = "the copy was issued more than five minutes later";
        return Err(Violations::one("received_at", FieldReason::OutOfRange, problem)
            .about(key)
            .into());
    }
    let receipt = Receipt {
        received_at,
        successor,
        ..Receipt::by_certificate(&call.caller.name, Way::Pull, now)
    };
    // Who confirmed before is answered as it was: it may have had no key then.
    let receipt = match (is_repeat, said.given) {
        (true, None) => receipt,
        (_, given) => {
            let keys = db::recipient_key::of(connection, receipt.signer(&copy.recipient)).await?;
            receiving::sign(&keys, &copy, receipt, given)?.map_err(|not_true| not_true.refusal(key))?
        }
    };
    let was_failed = copy.state == CopyState::Failed;
    let received = copy.receive(receipt).map_err(|not| not.refusal(key))?;
    if is_repeat {
        let answer = convert::to_copy(received, now);
        return Ok(Outcome::repeated(key, "copy.receipt_repeated", answer));
    }
    db::copy::save(connection, &received).await?;
    if let Some(receipt) = &received.receipt {
        db::receipt::record(connection, key, receipt).await?;
    }
    db::delivery::end(connection, std::slice::from_ref(key)).await?;
    let change = if was_failed {
        Change::of(key, "copy.receipt_came_late")
    } else {
        Change::of(key, "copy.receipt_confirmed")
    };
    Ok(Outcome::each(vec![change], convert::to_copy(received, now)))
}
