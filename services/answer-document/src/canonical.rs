//! The canonical form of an answer, RFC 8785 (JCS): the bytes that are hashed and signed.

use sha2::{Digest, Sha256};

use crate::answer::{Answer, SCHEMA};

/// What is wrong with bytes that should be an answer's canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They are no answer.
    #[error("it is not an answer: {0}")]
    NotAnAnswer(String),
    /// A release of another age wrote it.
    #[error("it has the schema {0:?}, and this release reads {SCHEMA}")]
    Schema(String),
    /// They are an answer, spelled otherwise.
    #[error("it is not in the canonical form of RFC 8785")]
    NotCanonical,
}

/// The canonical form.
pub fn canonical(answer: &Answer) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(answer).expect("an answer holds texts and small integers, which all have a form")
}

/// The SHA-256 of the canonical form, in lowercase hexadecimal.
pub fn digest(canonical: &[u8]) -> String {
    hex::encode(Sha256::digest(canonical))
}

/// Reads an answer from its canonical form, and from nothing else.
///
/// # Errors
/// When the bytes are anything but the canonical form of an answer of this schema.
pub fn read(bytes: &[u8]) -> Result<Answer, Unreadable> {
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| Unreadable::NotAnAnswer(error.to_string()))?;
    let schema = value
        .get("schema")
        .and_then(|schema| schema.as_str())
        .unwrap_or_default();
    if schema != SCHEMA {
        return Err(Unreadable::Schema(schema.chars().take(40).collect()));
    }
    let answer: Answer = serde_json::from_value(value).map_err(|error| Unreadable::NotAnAnswer(error.to_string()))?;
    if canonical(&answer) == bytes {
        Ok(answer)
    } else {
        Err(Unreadable::NotCanonical)
    }
}
