#![doc = include_str!("../README.md")]

use serde::{Deserialize, Serialize};

pub mod answer;
mod canonical;
mod carried;
mod glyphs;
mod labels;
mod pdf;
mod shown;
mod verification;
mod xlsx;

#[cfg(test)]
mod pages;
#[cfg(test)]
mod tests;

pub use canonical::{Unreadable, canonical, digest, read};
pub use carried::LARGEST;
pub use verification::{Check, Finding, Outcome, Point, SignatureChecked, Verified, verify};

use answer::{Approval, Document, Language};

/// Which rendering this release makes. It is raised whenever the same answer gives other bytes, so that a verification can tell a
/// document that was changed from one that another release rendered. It renders as the earlier ones too, so that their documents stay
/// verifiable: rendering 1 gives notes too little room.
pub const RENDERING: u32 = 2;

/// What a document says of the program that made it.
const CREATOR: &str = "legalstat";

/// How many figures an answer holds at most: some twenty-five pages. Typesetting one takes about 60 kB of memory, and a container of
/// a service has little.
pub const MOST_FIGURES: usize = 1_000;

/// How many bytes the canonical form of an answer has at most.
pub const MOST_BYTES: usize = 1024 * 1024;

/// How many pages a PDF has at most.
pub const MOST_PAGES: usize = 400;

/// How many lines a PDF is typeset of at most, by its line breaks and the length of its texts: no more than stand on so many pages. It is
/// looked at before anything is typeset, for a text of nothing but line breaks is small and takes thousands of pages.
pub const MOST_LINES: usize = 20_000;

/// The format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// PDF/A-3a and PDF/UA-1.
    Pdf,
    /// A workbook.
    Xlsx,
    /// The data alone.
    Json,
}

/// Why a document cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// It would have too many pages.
    #[error("it has {0} pages, and a document has {1} at most")]
    TooManyPages(usize, usize),
    /// It would have too many lines.
    #[error("it has {0} lines, and a document has {1} at most")]
    TooManyLines(usize, usize),
    /// The typesetter refused it.
    #[error("it cannot be typeset: {0}")]
    Typesetting(String),
    /// It is more than a workbook holds.
    #[error("it cannot be written as a workbook: {0}")]
    Workbook(String),
}

/// Files attached to a document: name, content and MIME type.
type Attachments = Vec<(&'static str, Vec<u8>, &'static str)>;

/// The attachment with the canonical form, which the signature covers.
const ANSWER: &str = "answer.json";
/// The attachment with what a document knows besides the answer.
const DOCUMENT: &str = "document.json";
/// The attachment with the signature.
const SIGNATURE: &str = "answer.p7s";

/// What a document carries besides the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Besides {
    rendering: u32,
    sha256: String,
    language: Language,
    approval: Option<Approval>,
}

/// A document in the format JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonDocument {
    answer: serde_json::Value,
    document: Besides,
}

/// Renders a document. The same document gives the same bytes.
///
/// # Errors
/// When it is larger than a document may be, or cannot be set.
pub fn render(document: &Document, format: Format) -> Result<Vec<u8>, RenderError> {
    render_as(document, format, RENDERING)
}

/// Renders a document as the releases of a rendering did.
fn render_as(document: &Document, format: Format, rendering: u32) -> Result<Vec<u8>, RenderError> {
    let canonical = canonical(&document.answer);
    let besides = Besides {
        rendering,
        sha256: digest(&canonical),
        language: document.language,
        approval: document.approval.clone(),
    };
    let sheet = || shown::sheet(document, &besides.sha256);
    match format {
        Format::Pdf => pdf::render(&sheet(), &attachments(canonical, &besides, true), MOST_PAGES, rendering),
        Format::Xlsx => xlsx::render(&sheet(), &attachments(canonical, &besides, false)),
        Format::Json => Ok(json(&canonical, besides)),
    }
}

fn attachments(canonical: Vec<u8>, besides: &Besides, with_signature: bool) -> Attachments {
    let known = serde_json_canonicalizer::to_vec(besides).expect("texts and one small integer all have a form");
    let mut attached = vec![
        (ANSWER, canonical, "application/json"),
        (DOCUMENT, known, "application/json"),
    ];
    let signature = besides
        .approval
        .as_ref()
        .and_then(|approval| hex::decode(&approval.signature).ok());
    if let Some(signature) = signature.filter(|signature| with_signature && !signature.is_empty()) {
        attached.push((SIGNATURE, signature, "application/pkcs7-signature"));
    }
    attached
}

fn json(canonical: &[u8], document: Besides) -> Vec<u8> {
    let answer = serde_json::from_slice(canonical).expect("the canonical form is JSON");
    let all = JsonDocument { answer, document };
    serde_json_canonicalizer::to_vec(&all).expect("texts and small integers all have a form")
}
