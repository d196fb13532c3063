//! Verifies the statement of a copy with nothing but what the copy says of itself and the public keys.

use std::sync::LazyLock;

use legalstat_kit::canonical;
use legalstat_proto::{collections::v1::Copy, common::v1::SigningKey};
use prost_reflect::MessageDescriptor;

use crate::domain::statement::{FORMAT, verify as verify_bytes};

static STATEMENT: LazyLock<MessageDescriptor> =
    LazyLock::new(|| canonical::descriptor("legalstat.collections.v1.CopyStatement"));

/// Whether a copy, as GetCopy tells it in the full view, is signed by the key that it names.
///
/// # Errors
/// What is missing or does not agree, in words.
pub fn verify(copy: &Copy, keys: &[SigningKey]) -> anyhow::Result<()> {
    let statement = copy.statement.as_ref();
    let statement = statement
        .ok_or_else(|| anyhow::anyhow!("the copy has no statement: it was issued without one, or not told in full"))?;
    anyhow::ensure!(
        statement.format == FORMAT,
        "the statement is of another format than {FORMAT}"
    );
    let told = (&copy.name, copy.number, copy.ordinal, copy.copies_total, copy.revision);
    let stated = (
        &statement.copy,
        statement.number,
        statement.ordinal,
        statement.copies_total,
        statement.revision,
    );
    let for_whom = (&copy.recipient, &copy.sha256, &copy.sending_body, &copy.issued_at);
    let for_whom_stated = (
        &statement.recipient,
        &statement.content_sha256,
        &statement.sending_body,
        &statement.issued_at,
    );
    anyhow::ensure!(
        told == stated && for_whom == for_whom_stated,
        "the statement says something else than the copy"
    );
    let key = keys.iter().find(|key| key.id == copy.signing_key);
    let key = key.ok_or_else(|| anyhow::anyhow!("the key {} is not among those given", copy.signing_key))?;
    let signed = canonical::of_message(STATEMENT.clone(), statement)?;
    let copy_sha256 = hex::decode(&copy.copy_sha256)?;
    Ok(verify_bytes(&signed, &copy_sha256, &key.public_key, &copy.signature)?)
}
