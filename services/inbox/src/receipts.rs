//! What the recipient says of a copy that it has received.

use std::path::Path;

use jiff::Timestamp;
use legalstat_collection_distribution::statements;
use legalstat_kit::{
    Process,
    door::wire,
    signing::{self, SigningKeys},
};
use legalstat_proto::collections::v1::{Copy, Receipt, ReceiptStatement};

/// Makes the receipts of one recipient.
#[derive(Clone)]
pub struct Receipts {
    /// Who signs, `recipients/supreme-court`.
    signer: String,
    keys: Option<SigningKeys>,
}

impl Receipts {
    /// Receipts that are signed by the keys of a folder; without one the recipient's certificate alone stands for them.
    ///
    /// # Errors
    /// Keys that cannot be used.
    pub fn new(process: &Process, recipient: &str, keys: Option<&Path>) -> anyhow::Result<Self> {
        let keys = keys.map(SigningKeys::open).transpose()?;
        if let Some(keys) = &keys {
            keys.follow(process);
        }
        Ok(Self {
            signer: recipient.to_owned(),
            keys,
        })
    }

    /// The receipt of a copy that was received whole at an instant by this machine's clock. Nothing is received before it was issued: where
    /// the clock is behind, the receipt says the instant of the issue.
    ///
    /// # Errors
    /// Never: what was read of a copy has a form, and a key that is in use signs.
    pub fn give(&self, copy: &Copy, now: Timestamp) -> anyhow::Result<Receipt> {
        let issued_at = copy.issued_at.as_ref().and_then(|at| wire::timestamp(at).ok());
        let at = issued_at.map_or(now, |issued_at| now.max(wire::whole_microseconds(issued_at)));
        let statement = ReceiptStatement {
            format: statements::RECEIPT_FORMAT.into(),
            copy: copy.name.clone(),
            copy_sha256: copy.copy_sha256.clone(),
            content_sha256: copy.sha256.clone(),
            // Not always who signs: that may follow it.
            recipient: copy.recipient.clone(),
            received_at: Some(wire::to_timestamp(at)),
        };
        let mut receipt = Receipt::default();
        if let Some(keys) = &self.keys {
            let keys: std::sync::Arc<signing::Keys> = keys.now();
            let key = keys.in_use(at);
            let signature = key.sign(&statements::of_receipt(&statement)?);
            receipt.signing_key = format!("{}/signingKeys/{}", self.signer, key.id);
            receipt.signature = signature.map(Vec::from).unwrap_or_default();
        }
        receipt.statement = Some(statement);
        Ok(receipt)
    }
}
