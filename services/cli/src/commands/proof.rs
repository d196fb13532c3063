//! Proofs of delivery: made by the service, verified without it.

use std::path::{Path, PathBuf};

use clap::Args;
use legalstat_collection_distribution::proof::{self, Finding, Outcome};
use legalstat_local::folder::write_chosen;
use legalstat_proto::{collections::v1::DeliveryProof, common::v1::SigningKey};
use serde_json::{Value, json};

use super::{
    collections::{SERVICE, copies::copy_name},
    connect, read_typed,
};
use crate::{
    call::file_sha256,
    failure::Failure,
    message,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

const PROOF: &str = "legalstat.collections.v1.DeliveryProof";

const FINDINGS: View = View::Rows(
    "findings",
    &[("point", "point"), ("outcome", "outcome"), ("why", "text")],
);

/// Which copy
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  legalstat collections prove crime/2026-Q3/25 --to proof.json
  legalstat collections verify proof.json --keys keys.json --content crime.pdf

The file is all that anybody needs to verify it, with this program or another: the format is described in the contract, at
DeliveryProof.")]
pub(crate) struct Prove {
    /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
    copy: String,
    /// Where to write the proof; `-` is standard output
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
}

impl Prove {
    /// Asks for the proof, and writes it in its canonical form.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let connection = connect(options, ServiceName::CollectionDistribution)?;
        let method = format!("{SERVICE}/ProveDelivery");
        let answer = connection
            .call(&method, &json!({ "name": copy_name(&self.copy) }))
            .await?;
        let proof: DeliveryProof = message::typed(&message::of(&message::named(PROOF), &answer)?)?;
        let written = proof::written(&proof)?;
        if self.to.as_os_str() == "-" {
            return output::write_content(&written);
        }
        write_chosen(&self.to, &written)?;
        let findings = proof::verify(&proof, None, None)?;
        Ok(output::print(&shown(&proof, &findings), options.output, FINDINGS)?)
    }
}

/// Which proof, and what to hold it against
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  legalstat collections verify proof.json --keys keys.json
  legalstat collections verify proof.json --keys keys.json --content crime.pdf

Nobody is asked. PROOF, KEYS, ISSUE and RECEIPT must be proved, and nothing refuted, for the exit status to be 0; it is 1 otherwise, and 2
when a file cannot be read. Save the keys while you trust the connection, long before you need them:
  legalstat collections keys -o json > keys.json
What it does not prove: who a recipient's key belongs to and what the journal has are the service's word; that a receipt was not
given earlier or later than it says; that nobody else has the content.")]
pub(crate) struct Verify {
    /// The proof
    file: PathBuf,
    /// The service's keys, a saved answer of ListSigningKeys; without them the keys of the file itself are used, and KEYS is not proved
    #[arg(long, value_name = "PATH")]
    keys: Option<PathBuf>,
    /// The file that was received, to be compared
    #[arg(long, value_name = "PATH")]
    content: Option<PathBuf>,
}

impl Verify {
    /// Says what the proof proves.
    pub(crate) fn run(self, options: &Options) -> Result<(), Failure> {
        let proof: DeliveryProof = read_typed(&self.file, PROOF)?;
        let keys = self.keys.as_deref().map(keys).transpose()?;
        let content = self.content.as_deref().map(file_sha256).transpose()?;
        let findings = proof::verify(&proof, keys.as_deref(), content.as_deref())?;
        output::print(&shown(&proof, &findings), options.output, FINDINGS)?;
        if proof::is_proved(&findings) {
            return Ok(());
        }
        let unproved = findings.iter().filter(|finding| finding.outcome != Outcome::Proved);
        let points: Vec<&str> = unproved.map(|finding| finding.point.word()).collect();
        let file = self.file.display();
        Err(anyhow::anyhow!("{file} is not proved: {}", points.join(", ")).into())
    }
}

fn keys(file: &Path) -> Result<Vec<SigningKey>, Failure> {
    let listed: legalstat_proto::collections::v1::ListSigningKeysResponse =
        read_typed(file, "legalstat.collections.v1.ListSigningKeysResponse")?;
    Ok(listed.signing_keys)
}

fn shown(proof: &DeliveryProof, findings: &[Finding]) -> Value {
    let finding = |finding: &Finding| json!({ "point": finding.point.word(), "outcome": finding.outcome.word(), "text": finding.text });
    json!({
        "proved": proof::is_proved(findings),
        "copy": proof.copy,
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
