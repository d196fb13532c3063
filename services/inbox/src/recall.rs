//! What an inbox writes down of a recall: a JSON document of its own, because the copy may be here, may be coming, or may never come.

use legalstat_proto::collections::v1::{RecallCopyRequest, RecallCopyResponse};
use serde_json::{Value, json};

use crate::record::{of_json, to_json};

/// The format of the documents.
pub const FORMAT: &str = "legalstat-inbox-recall/1";
const TOLD: &str = "legalstat.collections.v1.RecallCopyRequest";
const ANSWER: &str = "legalstat.collections.v1.RecallCopyResponse";

/// A recall.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// As the distribution told it first.
    pub told: RecallCopyRequest,
    /// What was answered: when it was stored.
    pub answer: RecallCopyResponse,
}

impl Recall {
    /// The document.
    ///
    /// # Errors
    /// A message that has no proto3 JSON.
    pub fn written(&self) -> anyhow::Result<Vec<u8>> {
        let document = json!({
            "format": FORMAT,
            "recall": to_json(TOLD, &self.told)?,
            "answer": to_json(ANSWER, &self.answer)?,
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
        Ok(Self {
            told: of_json(TOLD, &document["recall"])?,
            answer: of_json(ANSWER, &document["answer"])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recall_is_read_as_it_was_written() {
        let recall = Recall {
            told: RecallCopyRequest {
                copy: "collections/crime/editions/2026-Q3/copies/25".into(),
                recipient: "recipients/senate".into(),
                reason: "3-кесте қате".into(),
                recalled_at: None,
            },
            answer: RecallCopyResponse { recorded_at: None },
        };
        let written = recall.written().expect("it has a form");
        assert_eq!(Recall::read(&written).expect("it is one"), recall);
        Recall::read(b"{}").expect_err("it is none");
    }
}
