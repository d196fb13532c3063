//! What a recipient says of a copy, whichever way it comes: who signed what, and what becomes of the copy.

use jiff::Timestamp;
use legalstat_kit::{Error, door::wire};
use legalstat_proto::collections::v1::ReceiptStatement;
use ring::signature::{ED25519, UnparsedPublicKey};
use sqlx::PgConnection;

use crate::{
    db,
    domain::{
        copy::Copy,
        key,
        receipt::{self, NotTrue, Receipt, Signed},
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

/// The receipt with its signature, which must be by a key that was its signer's at that instant, over the statement of this copy: the copy's
/// recipient, or what follows it. One without a key then gives none.
///
/// # Errors
/// Why it is not the recipient's; or the database fails.
pub async fn sign(
    connection: &mut PgConnection,
    copy: &Copy,
    mut receipt: Receipt,
    given: Option<Given>,
) -> Result<Result<Receipt, NotTrue>, Error> {
    let signer = receipt.signer(&copy.recipient);
    let keys = db::recipient_key::of(connection, signer).await?;
    let at = receipt.received_at;
    let Some(given) = given else {
        return Ok(receipt::require_none(&keys, at).map(|()| receipt));
    };
    if given.recipient.is_some_and(|named| named != signer) {
        return Ok(Err(NotTrue::KeyUnknown));
    }
    let key = match receipt::key_at(&keys, &given.key, at) {
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
