//! What a recipient says of a copy, whichever way it comes: who signed what, and what becomes of the copy.

use jiff::Timestamp;
use legalstat_kit::{Error, door::wire};
use legalstat_proto::collections::v1::{self as proto, ReceiptStatement};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::{
    domain::{
        copy::Copy,
        key,
        receipt::{self, CLOCK_OFF, NotTrue, Receipt, Signed, Way},
        recipient::SigningKey,
    },
    statements::{self, RECEIPT_FORMAT},
};

/// What the recipient of a copy says when it has received it.
pub fn statement(copy: &Copy, received_at: Timestamp) -> ReceiptStatement {
    ReceiptStatement {
        format: RECEIPT_FORMAT.into(),
        copy: copy.key.to_string(),
        copy_sha256: copy
            .proof
            .as_ref()
            .map(|proof| hex::encode(&proof.copy_sha256))
            .unwrap_or_default(),
        content_sha256: hex::encode(&copy.sha256),
        recipient: key::recipient(&copy.recipient),
        received_at: Some(wire::to_timestamp(received_at)),
    }
}

/// A signature as the recipient gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Whose key it is; `None` where who gives the receipt is meant.
    pub recipient: Option<String>,
    /// The id of the key.
    pub key: String,
    pub signature: [u8; 64],
}

/// The receipt with its signature, which must be by one of its signer's `keys` that counted at that instant, over the statement of this
/// copy: the copy's recipient signs, or what follows it. One without a key then gives none.
///
/// # Errors
/// Why it is not the recipient's; or a statement that cannot be written.
pub fn sign(
    keys: &[SigningKey],
    copy: &Copy,
    mut receipt: Receipt,
    given: Option<Given>,
) -> Result<Result<Receipt, NotTrue>, Error> {
    let signer = receipt.signer(&copy.recipient);
    let at = receipt.received_at;
    let Some(given) = given else {
        return Ok(receipt::require_none(keys, at).map(|()| receipt));
    };
    if given.recipient.is_some_and(|named| named != signer) {
        return Ok(Err(NotTrue::KeyUnknown));
    }
    let key = match receipt::key_at(keys, &given.key, at) {
        Ok(key) => key,
        Err(not_true) => return Ok(Err(not_true)),
    };
    let statement = statements::of_receipt(&statement(copy, at))?;
    let public = UnparsedPublicKey::new(&ED25519, key.public_key);
    if public.verify(&statement, &given.signature).is_err() {
        return Ok(Err(NotTrue::Signature));
    }
    receipt.signed = Some(Signed {
        key: given.key,
        signature: given.signature,
        statement,
    });
    Ok(Ok(receipt))
}

/// The receipt with which the server of a recipient answered a delivery, when it is true: of this copy, by one of the recipient's `keys`
/// where it has one, or of the `successor` whose server it is. `server` is the name in the server's certificate.
///
/// # Errors
/// Why it is not true, in words; or a statement that cannot be written.
pub fn pushed(
    keys: &[SigningKey],
    copy: &Copy,
    said: &proto::Receipt,
    server: &str,
    successor: Option<String>,
    now: Timestamp,
) -> Result<Result<Receipt, String>, Error> {
    let Some(stated) = &said.statement else {
        return Ok(Err("the receipt has no statement".to_owned()));
    };
    let mut receipt = Receipt {
        successor,
        ..Receipt::by_certificate(server, Way::Push, now)
    };
    let given = match signature(said) {
        Ok(given) => given,
        Err(problem) => return Ok(Err(problem)),
    };
    if given.is_some() {
        match instant(stated, copy, now) {
            Ok(received_at) => receipt.received_at = received_at,
            Err(problem) => return Ok(Err(problem)),
        }
    }
    let expected = statement(copy, receipt.received_at);
    for (field, stated, expected) in [
        ("format", &stated.format, &expected.format),
        ("copy", &stated.copy, &expected.copy),
        ("copy_sha256", &stated.copy_sha256, &expected.copy_sha256),
        ("content_sha256", &stated.content_sha256, &expected.content_sha256),
        ("recipient", &stated.recipient, &expected.recipient),
    ] {
        if stated != expected {
            return Ok(Err(format!("the receipt states another {field} than {expected}")));
        }
    }
    let signed = sign(keys, copy, receipt, given)?;
    Ok(signed.map_err(|not_true| not_true.to_string()))
}

/// When the recipient received a copy, as it signed it.
fn instant(stated: &ReceiptStatement, copy: &Copy, now: Timestamp) -> Result<Timestamp, String> {
    let at = stated.received_at.as_ref();
    let at = at
        .and_then(|at| wire::timestamp(at).ok())
        .ok_or("the receipt does not say when")?;
    // What is signed must be what is kept, to the digit.
    if at != wire::whole_microseconds(at) {
        return Err("the receipt's instant is not one of whole microseconds".to_owned());
    }
    if at < copy.issued_at - CLOCK_OFF || at > now + CLOCK_OFF {
        let problem = "the receipt's instant lies more than five minutes before the copy was issued, or ahead of now";
        return Err(problem.to_owned());
    }
    Ok(at)
}

/// Key and signature, which come together.
fn signature(said: &proto::Receipt) -> Result<Option<Given>, String> {
    let name = said.signing_key.as_str();
    if name.is_empty() && said.signature.is_empty() {
        return Ok(None);
    }
    let named = if name.contains('/') {
        let read = key::parse_recipient_key(name).ok();
        read.map(|(recipient, id)| (Some(recipient), id))
    } else {
        key::is_key_id(name).then(|| (None, name.to_owned()))
    };
    let (recipient, key) = named.ok_or("the receipt is signed and names no key")?;
    let signature = said.signature.as_slice().try_into();
    let signature = signature.map_err(|_| "the receipt's signature has not 64 bytes")?;
    Ok(Some(Given {
        recipient,
        key,
        signature,
    }))
}
