//! The bytes that are signed of a copy and of its receipt, for who signs and who verifies them, here or away from the service.

use std::{ops::RangeInclusive, sync::LazyLock};

use legalstat_kit::{canonical, door::wire};
use legalstat_proto::{
    collections::v1::{ContentManifest, Copy, CopyStatement, ReceiptStatement},
    common::v1::SigningKey,
};
use prost_reflect::MessageDescriptor;
use serde::Serialize;

use crate::domain::{
    content,
    statement::{FORMAT, verify as verify_bytes},
};

/// The format of statements of receipts.
pub const RECEIPT_FORMAT: &str = "legalstat-receipt/1";

/// The format of manifests of content.
pub const CONTENT_FORMAT: &str = content::FORMAT;

static COPY: LazyLock<MessageDescriptor> =
    LazyLock::new(|| canonical::descriptor("legalstat.collections.v1.CopyStatement"));
static MANIFEST: LazyLock<MessageDescriptor> =
    LazyLock::new(|| canonical::descriptor("legalstat.collections.v1.ContentManifest"));

/// The seconds of an instant that proto3 JSON can write, of the years 1 to 9999.
const YEARS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The proto3 JSON of a receipt's statement. It is made of every copy that is delivered, and so without going through a descriptor.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedReceipt<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    content_sha256: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    copy: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    copy_sha256: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    recipient: &'a str,
}

/// The SHA-256 of the content that these files make up, in lowercase hexadecimal: with one file that of the file, with several that of
/// the manifest.
///
/// # Errors
/// A manifest without files, of another format, or with files that are not in the order of their names.
pub fn content_sha256(manifest: &ContentManifest) -> anyhow::Result<String> {
    anyhow::ensure!(
        manifest.format == content::FORMAT,
        "the manifest is of another format than {}",
        content::FORMAT
    );
    let in_order = manifest.files.is_sorted_by(|one, next| one.filename < next.filename);
    anyhow::ensure!(
        in_order,
        "the files of the manifest are not in the order of their names"
    );
    match manifest.files.as_slice() {
        [] => anyhow::bail!("the manifest has no files"),
        [file] => Ok(file.sha256.clone()),
        _ => {
            let bytes = canonical::of_message(MANIFEST.clone(), manifest)?;
            Ok(hex::encode(wire::sha256(&bytes)))
        }
    }
}

/// What the service signs of a copy.
///
/// # Errors
/// A statement that has no proto3 JSON.
pub fn of_copy(statement: &CopyStatement) -> anyhow::Result<Vec<u8>> {
    canonical::of_message(COPY.clone(), statement)
}

/// What a recipient signs of a copy that it has received.
///
/// # Errors
/// A statement that has no proto3 JSON.
pub fn of_receipt(statement: &ReceiptStatement) -> anyhow::Result<Vec<u8>> {
    let received_at = statement.received_at.as_ref();
    if let Some(at) = received_at {
        anyhow::ensure!(YEARS.contains(&at.seconds), "an instant that has no text");
    }
    canonical::of(&SignedReceipt {
        content_sha256: &statement.content_sha256,
        copy: &statement.copy,
        copy_sha256: &statement.copy_sha256,
        format: &statement.format,
        received_at: received_at.map(ToString::to_string),
        recipient: &statement.recipient,
    })
}

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
    let for_whom = (
        &copy.recipient,
        &copy.sha256,
        &copy.sending_body,
        &copy.issued_at,
        &copy.official_use,
    );
    let for_whom_stated = (
        &statement.recipient,
        &statement.content_sha256,
        &statement.sending_body,
        &statement.issued_at,
        &statement.official_use,
    );
    anyhow::ensure!(
        told == stated && for_whom == for_whom_stated,
        "the statement says something else than the copy"
    );
    let key = keys.iter().find(|key| key.id == copy.signing_key);
    let key = key.ok_or_else(|| anyhow::anyhow!("the key {} is not among those given", copy.signing_key))?;
    let signed = of_copy(statement)?;
    let copy_sha256 = hex::decode(&copy.copy_sha256)?;
    Ok(verify_bytes(&signed, &copy_sha256, &key.public_key, &copy.signature)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_bytes_of_a_receipt_are_those_of_its_message(
            texts in prop::array::uniform5("(|[a-z0-9/-]{1,20}|.{1,10})"),
            at in prop::option::of((-62_135_596_900..253_402_300_900_i64, -2..1_000_000_002_i32)),
        ) {
            let [format, copy, copy_sha256, content_sha256, recipient] = texts;
            let received_at = at.map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos });
            let statement = ReceiptStatement { format, copy, copy_sha256, content_sha256, recipient, received_at };
            let descriptor = canonical::descriptor("legalstat.collections.v1.ReceiptStatement");
            let expected = canonical::of_message(descriptor, &statement);
            prop_assert_eq!(of_receipt(&statement).ok(), expected.ok());
        }

        #[test]
        fn an_instant_of_a_receipt_has_the_text_of_its_message(
            seconds in prop::sample::select(vec![-62_135_596_801, -62_135_596_800, -1, 0, 253_402_300_799, 253_402_300_800_i64]),
            nanos in prop::sample::select(vec![-1, 0, 1, 120_000_000, 123_456_000, 999_999_999, 1_000_000_000_i32]),
        ) {
            let received_at = Some(prost_types::Timestamp { seconds, nanos });
            let statement = ReceiptStatement { received_at, ..Default::default() };
            let descriptor = canonical::descriptor("legalstat.collections.v1.ReceiptStatement");
            let expected = canonical::of_message(descriptor, &statement);
            prop_assert_eq!(of_receipt(&statement).ok(), expected.ok());
        }
    }

    #[test]
    fn the_bytes_that_a_recipient_signs_are_canonical_and_leave_out_what_is_empty() {
        let statement = ReceiptStatement {
            format: RECEIPT_FORMAT.into(),
            copy: "collections/crime/editions/2026-Q1/copies/25".into(),
            copy_sha256: String::new(),
            content_sha256: "ab".into(),
            recipient: "recipients/supreme-court".into(),
            received_at: Some(wire::to_timestamp("2026-04-15T05:00:00Z".parse().expect("an instant"))),
        };
        let bytes = of_receipt(&statement).expect("it has some");
        let expected = concat!(
            r#"{"contentSha256":"ab","copy":"collections/crime/editions/2026-Q1/copies/25","format":"legalstat-receipt/1","#,
            r#""receivedAt":"2026-04-15T05:00:00Z","recipient":"recipients/supreme-court"}"#
        );
        assert_eq!(String::from_utf8(bytes).expect("it is text"), expected);
    }
}
