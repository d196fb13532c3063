//! `legalstat requests verify`: what a document of an answer proves, without asking anybody.

use std::{io::Read as _, path::PathBuf};

use clap::Args;
use jiff::Timestamp;
use legalstat_answer_document::{Finding, Format, LARGEST, Outcome, SignatureChecked, Verified, verify};
use legalstat_request_intake::signature::{self, Content, Fault, Signer, TrustStore, Verdict};
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
  legalstat requests verify answer.xlsx -o json --trust authorities/ --signer 'Deputy of the Committee'
  legalstat requests verify answer.pdf --trust authorities/ --at 2026-03-21T12:00:00+05:00

Nobody is asked: the file is rendered again from the data that it carries, and must be the same to the byte. DATA, DIGEST, SHOWN
and SIGNATURE must be proved, and nothing refuted, for the exit status to be 0; it is 1 otherwise, and 2 when the file cannot be read.
SIGNATURE says who signed the answer: anybody whose certificate leads to an authority in --trust, unless --signer says who it must
be. The certificate must be valid and not revoked now, or at the time of --at, when you know yourself that you had the document then: no
time that a file tells is covered by its signature. APPROVAL and CAPACITY are never proved by a file alone: the file names an
approver, and only the service has recorded who it was.")]
pub(crate) struct Verify {
    /// The document: PDF, XLSX or JSON
    file: PathBuf,
    /// A folder of certificates of authorities and their revocation lists, in PEM or DER
    #[arg(long, value_name = "FOLDER")]
    trust: Option<PathBuf>,
    /// Who must have signed it: the common name in the certificate, or the certificate's SHA-256 in hexadecimal, which nobody shares
    #[arg(long, value_name = "NAME|SHA256")]
    signer: Option<String>,
    /// When you had the document already, by RFC 3339; the certificate is looked at as of then instead of now
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl Verify {
    /// Says what the document proves.
    pub(crate) fn run(self, options: &Options) -> Result<(), Failure> {
        let trust = match &self.trust {
            None => TrustStore::default(),
            Some(folder) => TrustStore::read(folder).map_err(|error| Failure::usage(format!("{error:#}")))?,
        };
        let bytes = self.read()?;
        let now = Timestamp::now();
        if self.at.is_some_and(|at| at > now) {
            return Err(Failure::usage("--at is still to come"));
        }
        let expected = Expected {
            trust: &trust,
            signer: self.signer.as_deref(),
            at: self.at.unwrap_or(now),
            is_known_to_exist: self.at.is_some(),
        };
        let check = |content: &[u8], container: &[u8]| expected.checked(content, container);
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

impl Verify {
    /// The document, and of one that is too large no more than shows that it is: it may come from a stranger.
    fn read(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
        std::fs::File::open(&self.file)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", self.file.display())))?;
        Ok(bytes)
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

/// What a signature must be for whoever holds the document.
struct Expected<'a> {
    trust: &'a TrustStore,
    signer: Option<&'a str>,
    /// As of when its certificate is looked at.
    at: Timestamp,
    /// Whether the document is known to have been there at that time.
    is_known_to_exist: bool,
}

impl Expected<'_> {
    fn checked(&self, content: &[u8], container: &[u8]) -> SignatureChecked {
        let (outcome, text) = match signature::verify(container, Content::Detached(content), self.at, self.trust) {
            Verdict::Valid(signers) => self.by(&signers),
            Verdict::NobodyTrusted => (
                Outcome::NotProved,
                "it covers the answer; nothing is said of who signed, for no authority is trusted: name some with --trust"
                    .to_owned(),
            ),
            Verdict::Unsupported(algorithm) => (
                Outcome::NotProved,
                format!("it cannot be verified here, by {algorithm}: nothing is said of whether it holds"),
            ),
            Verdict::NotValid(fault @ (Fault::Expired | Fault::Revoked)) if !self.is_known_to_exist => (
                Outcome::NotProved,
                format!(
                    "as of now {fault}, and it may have been signed since: if you had the document before, say when with --at"
                ),
            ),
            Verdict::NotValid(fault) => (Outcome::Refuted, format!("it does not hold: {fault}")),
        };
        SignatureChecked { outcome, text }
    }

    /// What is said of a signature that holds, by who signed.
    fn by(&self, signers: &[Signer]) -> (Outcome, String) {
        let names: Vec<String> = signers.iter().map(told_signer).collect();
        let (names, at) = (names.join("; "), self.at);
        match self.signer {
            Some(expected) if !signers.iter().any(|signer| is_signer(signer, expected)) => (
                Outcome::Refuted,
                format!("it was signed by another than {expected}: {names}"),
            ),
            _ => {
                let stale = match self.trust.stale(at)[..] {
                    [] => String::new(),
                    ref of => format!("; what was revoked lately is not known of {}", of.join("; ")),
                };
                let text = format!("it covers the answer, and its certificate is trusted as of {at}: {names}{stale}");
                (Outcome::Proved, text)
            }
        }
    }
}

fn told_signer(signer: &Signer) -> String {
    let sha256 = hex::encode(signer.certificate_sha256);
    format!("{} (certificate SHA-256 {sha256})", signer.name)
}

fn is_signer(signer: &Signer, expected: &str) -> bool {
    signer.name == expected || hex::encode(signer.certificate_sha256).eq_ignore_ascii_case(expected)
}
