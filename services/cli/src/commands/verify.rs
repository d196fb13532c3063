//! `legalstat requests verify`: what a document of an answer proves, without asking anybody.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use legalstat_answer_document::{Finding, Format, Outcome, SignatureChecked, Verified, verify};
use legalstat_request_intake::signature::{self, Content, TrustStore, Verdict};
use serde_json::json;

use crate::{
    failure::Failure,
    options::Options,
    output::{self, View},
};

const FINDINGS: View = View::Rows(
    "findings",
    &[("point", "point"), ("outcome", "outcome"), ("why", "text")],
);

/// Which document, and whom to trust
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  legalstat requests verify answer.pdf --trust authorities/
  legalstat requests verify answer.xlsx -o json

Nobody is asked: the file is rendered again from the data that it carries, and must be the same to the byte. DATA, DIGEST, SHOWN,
APPROVAL and SIGNATURE must be proved for the exit status to be 0; it is 1 when any is not, and 2 when the file cannot be read.
CAPACITY is never proved by a file alone: who approved in which capacity is what the service recorded.")]
pub(crate) struct Verify {
    /// The document: PDF, XLSX or JSON
    file: PathBuf,
    /// A folder of certificates of authorities and their revocation lists, in PEM or DER
    #[arg(long, value_name = "FOLDER")]
    trust: Option<PathBuf>,
}

impl Verify {
    /// Says what the document proves.
    pub(crate) fn run(self, options: &Options) -> Result<(), Failure> {
        let trust = match &self.trust {
            None => TrustStore::default(),
            Some(folder) => TrustStore::read(folder).map_err(|error| Failure::usage(format!("{error:#}")))?,
        };
        let bytes = std::fs::read(&self.file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", self.file.display())))?;
        let check = |content: &[u8], container: &[u8], at: &str| checked(&trust, content, container, at);
        let verified = verify(&bytes, &check);
        output::print(&told(&verified), options.output, FINDINGS)?;
        if verified.is_proved() {
            return Ok(());
        }
        let unproved = verified
            .findings
            .iter()
            .filter(|finding| finding.outcome != Outcome::Proved);
        let points: Vec<&str> = unproved.map(|finding| finding.point.word()).collect();
        let file = self.file.display();
        Err(anyhow::anyhow!("{file} is not proved: {}", points.join(", ")).into())
    }
}

fn told(verified: &Verified) -> serde_json::Value {
    let answer = verified.document.as_ref().map(|document| &document.answer);
    let finding = |finding: &Finding| json!({ "point": finding.point.word(), "outcome": finding.outcome.word(), "text": finding.text });
    json!({
        "proved": verified.is_proved(),
        "format": match verified.format {
            Format::Pdf => "PDF",
            Format::Xlsx => "XLSX",
            Format::Json => "JSON",
        },
        "sha256": verified.sha256,
        "request": answer.map(|answer| &answer.request.name),
        "registrationNumber": answer.map(|answer| &answer.request.registration_number),
        "findings": verified.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// Looks at the approver's signature, as of the instant at which the document says that it was approved.
fn checked(trust: &TrustStore, content: &[u8], container: &[u8], at: &str) -> SignatureChecked {
    let Ok(at) = at.parse::<Timestamp>() else {
        let text = "the document does not say when it was approved".to_owned();
        return SignatureChecked {
            outcome: Outcome::NotProved,
            text,
        };
    };
    let (outcome, text) = match signature::verify(container, Content::Detached(content), at, trust) {
        Verdict::Valid(signers) => {
            let names: Vec<String> = signers.into_iter().map(|signer| signer.name).collect();
            let text = format!(
                "it covers the answer, and its certificate is trusted as of {at}: {}",
                names.join("; ")
            );
            (Outcome::Proved, text)
        }
        Verdict::NobodyTrusted => (
            Outcome::NotProved,
            "it covers the answer; nothing is said of who signed, for no authority is trusted: name some with --trust"
                .to_owned(),
        ),
        Verdict::Unsupported(algorithm) => (
            Outcome::NotProved,
            format!("it cannot be verified here, by {algorithm}: nothing is said of whether it holds"),
        ),
        Verdict::NotValid(fault) => (Outcome::Refuted, format!("it does not hold: {fault}")),
    };
    SignatureChecked { outcome, text }
}
