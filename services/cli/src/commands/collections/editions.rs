//! What becomes of an edition once it is released: its signed copies, and its recall.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use legalstat_collection_distribution::statements;
use legalstat_proto::{
    collections::v1::{Copy, ListSigningKeysResponse},
    common::v1::SigningKey,
};
use serde_json::{Value, json};

use super::{SERVICE, copies::copy_name, edition};
use crate::{
    commands::{Action, Command, Mutation, connect, read_typed, request},
    failure::Failure,
    message,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

/// Signed copies and recalls.
#[derive(Subcommand, Debug)]
pub(crate) enum Issued {
    /// One copy with the statement that the service signed
    #[command(
        after_help = "Example:\n  legalstat collections copy crime/2025-Q1/25 --as supreme-court -o json > copy.json"
    )]
    Copy {
        /// The copy, collections/crime/editions/2019-Q2/copies/27 or crime/2019-Q2/27
        name: String,
    },
    /// The keys that copies can be verified with, announced and retired ones too
    #[command(after_help = "Example:\n  legalstat collections keys -o json > keys.json")]
    Keys,
    /// Check that a copy's statement is the service's; with --keys no service is needed
    #[command(after_help = "Example:
  legalstat collections copy crime/2025-Q1/25 -o json > copy.json
  legalstat collections keys -o json > keys.json
  legalstat collections verify-copy copy.json --keys keys.json")]
    VerifyCopy {
        /// The answer to `collections copy`, saved with `-o json`
        #[arg(value_name = "PATH")]
        copy: PathBuf,
        /// What `collections keys -o json` told [default: the service is asked]
        #[arg(long, value_name = "PATH")]
        keys: Option<PathBuf>,
    },
    /// Recall a released edition with all of its copies [as approver]
    #[command(
        after_help = "Example:\n  legalstat collections recall crime/2025-Q1 --reason \"table 3 is wrong\" --as approver"
    )]
    Recall {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// Why; whoever may see the edition reads it
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Confirm that the recall of a copy is known; only its recipient can
    ConfirmRecall {
        /// The copy, collections/crime/editions/2019-Q2/copies/27 or crime/2019-Q2/27
        name: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

const KEYS: View = View::Rows(
    "signingKeys",
    &[
        ("key", "id"),
        ("state", "state"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("public key", "publicKey"),
    ],
);

impl Issued {
    /// Carries the command out.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let command = match self {
            Self::VerifyCopy { copy, keys } => return verify(&copy, keys.as_deref(), options).await,
            Self::Copy { name } => {
                let request = json!({ "name": copy_name(&name), "view": "COPY_VIEW_FULL" });
                Command::new(SERVICE, "GetCopy", Action::Call(request, View::Record))
            }
            Self::Keys => Command::new(SERVICE, "ListSigningKeys", Action::List(json!({}), KEYS)),
            Self::Recall { name, reason, mutation } => {
                let fields = json!({ "name": edition(&name), "reason": reason });
                change("RecallEdition", &fields, &mutation)?
            }
            Self::ConfirmRecall { name, mutation } => {
                change("ConfirmRecall", &json!({ "name": copy_name(&name) }), &mutation)?
            }
        };
        command.run(options).await
    }
}

fn change(method: &'static str, fields: &Value, mutation: &Mutation) -> Result<Command, Failure> {
    let request = mutation.add_to(request(SERVICE, method, fields)?);
    Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)))
}

async fn verify(copy: &Path, keys: Option<&Path>, options: &Options) -> Result<(), Failure> {
    let copy: Copy = read_typed(copy, "legalstat.collections.v1.Copy")?;
    let keys = signing_keys(keys, options).await?;
    let (proved, text) = proved(&copy, &keys)?;
    Ok(output::show(&proved, options.output, &text)?)
}

async fn signing_keys(file: Option<&Path>, options: &Options) -> Result<Vec<SigningKey>, Failure> {
    const LIST: &str = "legalstat.collections.v1.ListSigningKeysResponse";
    let listed: ListSigningKeysResponse = match file {
        Some(file) => read_typed(file, LIST)?,
        None => {
            let connection = connect(options, ServiceName::CollectionDistribution)?;
            let listed = connection
                .list(&format!("{SERVICE}/ListSigningKeys"), &json!({}))
                .await?;
            message::typed(&message::of(&message::named(LIST), &listed)?)?
        }
    };
    Ok(listed.signing_keys)
}

/// What a copy proves, for scripts and for people.
fn proved(copy: &Copy, keys: &[SigningKey]) -> Result<(Value, String), Failure> {
    statements::verify(copy, keys).map_err(|problem| problem.context(format!("{} is not proved", copy.name)))?;
    let text = format!(
        "The service signed {} with its key {}: copy {} of {} of revision {}, from {} to {}, issued at {}.\n\
         Its content has the SHA-256 {}.\n\
         It does not prove that {} received it: a receipt does.",
        copy.name,
        copy.signing_key,
        copy.ordinal,
        copy.copies_total,
        copy.revision,
        copy.sending_body,
        copy.recipient,
        copy.issued_at.map(|at| at.to_string()).unwrap_or_default(),
        copy.sha256,
        copy.recipient,
    );
    let proved = json!({
        "copy": copy.name, "key": copy.signing_key, "copySha256": copy.copy_sha256, "contentSha256": copy.sha256,
        "recipient": copy.recipient,
    });
    Ok((proved, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_without_a_statement_is_not_proved() {
        let copy = Copy {
            name: "collections/crime/editions/2026-Q3/copies/25".into(),
            ..Default::default()
        };
        let told = proved(&copy, &[]).expect_err("nothing was signed").to_string();
        assert!(told.contains("copies/25"), "{told}");
    }
}
