//! What an inbox writes down of a copy, beside its files: a JSON document that people and other programs read.

use std::{fmt, path::PathBuf, str::FromStr};

use anyhow::Context as _;
use legalstat_kit::canonical;
use legalstat_proto::collections::v1::{Copy, DeliverCopyHeader, Delivery, EditionContent, delivery::Answer};
use prost_reflect::{DynamicMessage, ReflectMessage as _};
use serde_json::{Value, json};
use uuid::Uuid;

/// The format of the documents.
pub const FORMAT: &str = "legalstat-inbox/1";
const HEADER: &str = "legalstat.collections.v1.DeliverCopyHeader";
const DELIVERY: &str = "legalstat.collections.v1.Delivery";

/// Where a copy stands in the store: its collection, period and number, as in `crime/2026-Q3/25`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(String);

impl Place {
    /// The folder below that of all copies.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(&self.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that names no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCopy;

impl FromStr for Place {
    type Err = NoCopy;

    /// Reads the name of a copy, `collections/crime/editions/2026-Q3/copies/25`. Whatever the sender writes, no part of it leads
    /// elsewhere in the file system.
    fn from_str(name: &str) -> Result<Self, NoCopy> {
        let ["collections", collection, "editions", period, "copies", number] = name.split('/').collect::<Vec<_>>()[..]
        else {
            return Err(NoCopy);
        };
        let is_plain = |part: &str| {
            let takes = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&part.len()) && part.bytes().all(takes)
        };
        let is_number = number
            .parse()
            .is_ok_and(|read: u32| read > 0 && read.to_string() == number);
        if !(is_plain(collection) && is_plain(period) && is_number) {
            return Err(NoCopy);
        }
        Ok(Self(format!("{collection}/{period}/{number}")))
    }
}

/// A copy, whole or while it comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Under which ids it was delivered; several where the sender forgot the first.
    pub deliveries: Vec<Uuid>,
    /// As it was announced first.
    pub header: DeliverCopyHeader,
    /// What was answered; `None` while it comes.
    pub answer: Option<Answer>,
}

impl Record {
    /// The copy.
    pub fn copy(&self) -> &Copy {
        static NONE: std::sync::LazyLock<Copy> = std::sync::LazyLock::new(Copy::default);
        self.header.copy.as_ref().unwrap_or(&NONE)
    }

    /// How many bytes its files have together.
    pub fn size(&self) -> u64 {
        size(&self.header.files)
    }

    /// Whether another header announces the same copy with the same content. Where it stands may differ.
    pub fn is_same(&self, other: &DeliverCopyHeader) -> bool {
        let digest = |copy: Option<&Copy>| copy.map(|copy| copy.copy_sha256.clone());
        let content = |header: &DeliverCopyHeader| {
            let files = header.files.iter();
            files
                .map(|file| (file.sha256.clone(), file.size_bytes))
                .collect::<Vec<_>>()
        };
        let copies = [&self.header, other].map(|header| digest(header.copy.as_ref()));
        copies[0] == copies[1] && content(&self.header) == content(other)
    }

    /// What is answered to whoever delivers it, or asks, under an id.
    pub fn delivery(&self, id: Uuid, received: u64) -> Delivery {
        let whole = matches!(self.answer, Some(Answer::Receipt(_)));
        let received = if whole { self.size() } else { received };
        Delivery {
            delivery_id: id.to_string(),
            received_bytes: i64::try_from(received).unwrap_or(i64::MAX),
            answer: self.answer.clone(),
        }
    }

    /// The document.
    ///
    /// # Errors
    /// A message that has no proto3 JSON.
    pub fn written(&self) -> anyhow::Result<Vec<u8>> {
        let answer = Delivery {
            answer: self.answer.clone(),
            ..Delivery::default()
        };
        let document = json!({
            "format": FORMAT,
            "deliveries": self.deliveries.iter().map(Uuid::to_string).collect::<Vec<_>>(),
            "header": to_json(HEADER, &self.header)?,
            "answer": to_json(DELIVERY, &answer)?,
        });
        let mut text = serde_json::to_vec_pretty(&document)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// One that is none, or of another format.
    pub fn read(text: &[u8]) -> anyhow::Result<Self> {
        let document: Value = serde_json::from_slice(text)?;
        anyhow::ensure!(document["format"] == FORMAT, "it is of another format than {FORMAT}");
        let answer: Delivery = of_json(DELIVERY, &document["answer"])?;
        Ok(Self {
            deliveries: ids(&document["deliveries"]).context("its deliveries")?,
            header: of_json(HEADER, &document["header"])?,
            answer: answer.answer,
        })
    }
}

fn ids(value: &Value) -> Option<Vec<Uuid>> {
    let ids = value.as_array()?.iter();
    ids.map(|id| id.as_str()?.parse().ok()).collect()
}

/// How many bytes files have together.
pub fn size(files: &[EditionContent]) -> u64 {
    let sizes = files
        .iter()
        .map(|file| u64::try_from(file.size_bytes).unwrap_or_default());
    sizes.fold(0, u64::saturating_add)
}

pub(crate) fn to_json(name: &str, message: &impl prost::Message) -> anyhow::Result<Value> {
    let encoded = message.encode_to_vec();
    let message = DynamicMessage::decode(canonical::descriptor(name), encoded.as_slice())?;
    Ok(serde_json::to_value(message)?)
}

pub(crate) fn of_json<M: prost::Message + Default>(name: &str, value: &Value) -> anyhow::Result<M> {
    let message = DynamicMessage::deserialize(canonical::descriptor(name), value).with_context(|| name.to_owned())?;
    debug_assert_eq!(message.descriptor().full_name(), name);
    Ok(message.transcode_to()?)
}

#[cfg(test)]
mod tests {
    use legalstat_proto::collections::v1::{DeliveryRejection, Receipt};

    use super::*;

    #[test]
    fn a_copy_has_one_place_and_no_other_name_leads_to_one() {
        let place = |name: &str| name.parse::<Place>().map(|place| place.to_string());
        assert_eq!(
            place("collections/crime/editions/2026-Q3/copies/25").as_deref(),
            Ok("crime/2026-Q3/25")
        );
        for name in [
            "",
            "collections/crime/editions/2026-Q3/copies/025",
            "collections/crime/editions/2026-Q3/copies/0",
            "collections/crime/editions/2026-Q3/copies/-1",
            "collections/crime/editions/2026-Q3/copies/99999999999",
            "collections/../editions/2026-Q3/copies/1",
            "collections/crime/editions/./copies/1",
            "collections//editions/2026-Q3/copies/1",
            "collections/crime/editions/2026-Q3/copies/1/..",
            "/collections/crime/editions/2026-Q3/copies/1",
        ] {
            assert_eq!(place(name), Err(NoCopy), "{name:?}");
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let header = DeliverCopyHeader {
            copy: Some(Copy {
                name: "collections/crime/editions/2026-Q3/copies/25".into(),
                signature: vec![7; 64],
                ..Copy::default()
            }),
            files: vec![EditionContent {
                filename: "Қылмыс.pdf".into(),
                size_bytes: 3,
                ..EditionContent::default()
            }],
            ..DeliverCopyHeader::default()
        };
        let rejection = DeliveryRejection {
            reason: "not ours".into(),
        };
        for answer in [
            None,
            Some(Answer::Rejection(rejection)),
            Some(Answer::Receipt(Receipt::default())),
        ] {
            let record = Record {
                deliveries: vec![Uuid::from_u128(1), Uuid::from_u128(2)],
                header: header.clone(),
                answer,
            };
            let written = record.written().expect("it has a form");
            assert_eq!(Record::read(&written).expect("it is one"), record);
        }
        Record::read(b"{}").expect_err("it is none");
    }

    #[test]
    fn only_a_copy_that_was_received_counts_as_whole() {
        let mut record = Record {
            deliveries: Vec::new(),
            header: DeliverCopyHeader {
                files: vec![EditionContent {
                    size_bytes: 9,
                    ..EditionContent::default()
                }],
                ..DeliverCopyHeader::default()
            },
            answer: None,
        };
        assert_eq!(record.delivery(Uuid::nil(), 4).received_bytes, 4);
        record.answer = Some(Answer::Receipt(Receipt::default()));
        assert_eq!(record.delivery(Uuid::nil(), 0).received_bytes, 9);
    }
}
