//! Copies: `legalstat collections copies`, `download`, `confirm`, `reject`, `watch`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use legalstat_collection_distribution::statements;
use legalstat_kit::door::wire;
use legalstat_proto::collections::v1::{ManifestFile, ReceiptStatement};
use prost_reflect::{DynamicMessage, Value as Field};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::{
    super::{
        Action, Command, Mutation, connect, edition_name, name, object, request,
        watch::{Watching, event_line},
    },
    SERVICE, contents,
};
use crate::{
    call::{Connection, file_sha256},
    failure::Failure,
    message,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

/// Copies of editions
#[derive(Subcommand, Debug)]
pub(crate) enum OfCopies {
    /// Copies: a recipient sees its own
    #[command(after_help = "Examples:
  legalstat collections copies --as supreme-court -o json
  legalstat collections copies --edition crime/2026-Q3 --unconfirmed
  legalstat collections copies --overdue --recipient senate")]
    Copies {
        /// Only copies of this edition, collections/crime/editions/2026-Q3 or crime/2026-Q3
        #[arg(long, conflicts_with_all = ["collection", "period"])]
        edition: Option<String>,
        /// Only copies of this collection: collections/crime or crime
        #[arg(long)]
        collection: Option<String>,
        /// Only copies of editions of this period, 2026-Q3
        #[arg(long)]
        period: Option<String>,
        /// Only copies of this recipient
        #[arg(long)]
        recipient: Option<String>,
        /// Only copies in this state
        #[arg(long)]
        state: Option<CopyState>,
        /// Only copies that their recipients have neither confirmed nor rejected
        #[arg(long)]
        unconfirmed: bool,
        /// Only copies that are unconfirmed though their edition was due
        #[arg(long)]
        overdue: bool,
    },
    /// Download a copy; only its recipient can
    ///
    /// A download that breaks off goes on by itself. With --resume, what had come when it was given up is kept, and the next such
    /// download goes on from it.
    #[command(after_help = "Examples:
  legalstat collections download crime/2026-Q3/25 --as supreme-court --to crime.pdf
  legalstat collections download crime/2026-Q3/25 --as supreme-court --filename crime-kk.pdf --to crime-kk.pdf --resume
  legalstat collections download crime/2026-Q3/25 --as supreme-court --into crime")]
    Download {
        /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
        name: String,
        /// Where to write it; `-` is standard output
        #[arg(long, value_name = "PATH", required_unless_present = "into")]
        to: Option<PathBuf>,
        /// Which of its files, where there are several
        #[arg(long, value_name = "NAME")]
        filename: Option<String>,
        /// Write all of its files into this folder, which is made where it is not there
        #[arg(long, value_name = "PATH", conflicts_with_all = ["to", "filename"])]
        into: Option<PathBuf>,
        /// Keep what has come, and go on from it
        #[arg(long)]
        resume: bool,
    },
    /// Confirm that a copy arrived whole; only its recipient can
    ///
    /// A recipient that has signing keys signs its receipt: --key names the file of its private key, --key-id the key as it is entered.
    #[command(after_help = "Examples:
  legalstat collections confirm crime/2026-Q3/25 --as supreme-court --file crime.pdf
  legalstat collections confirm crime/2026-Q3/25 --as supreme-court --file crime.pdf --key court.pem --key-id 2026-1")]
    Confirm {
        /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
        name: String,
        /// SHA-256 of what arrived
        #[arg(long, required_unless_present = "file", conflicts_with = "file")]
        sha256: Option<String>,
        /// What arrived, all of it, whose digest is computed
        #[arg(long, value_name = "PATH", num_args = 1..)]
        file: Vec<PathBuf>,
        /// The private key of Ed25519 that signs the receipt, in PEM (PKCS#8)
        #[arg(long, value_name = "PATH", requires = "key_id")]
        key: Option<PathBuf>,
        /// Which of the recipient's keys that is
        #[arg(long, value_name = "ID", requires = "key")]
        key_id: Option<String>,
        /// When it was received, as 2026-10-14T12:00:00+05:00; signed with the receipt [default: now]
        #[arg(long, value_name = "INSTANT", requires = "key")]
        received_at: Option<Timestamp>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Reject a copy with a reason, which is final; only its recipient can
    #[command(
        after_help = "Example:\n  legalstat collections reject crime/2026-Q3/25 --as supreme-court --reason 'the file does not open'"
    )]
    Reject {
        /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Tell what happens to copies as it happens: a recipient hears of its own
    #[command(after_help = "Examples:
  legalstat collections watch --as supreme-court --new
  legalstat collections watch --until-caught-up -o json")]
    Watch {
        /// Only what happens from now on
        #[arg(long, conflicts_with = "after")]
        new: bool,
        #[command(flatten)]
        watch: Watching,
    },
}

/// The state of a copy.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CopyState {
    /// Issued to its recipient.
    Issued,
    /// On its way to the recipient's server.
    Sending,
    /// Confirmed by its recipient.
    Received,
    /// Rejected by its recipient.
    Rejected,
    /// Not to be delivered.
    Failed,
    /// Recalled with its edition.
    Recalled,
}

const COPIES: View = View::Rows(
    "copies",
    &[
        ("copy", "name"),
        ("number", "number"),
        ("recipient", "recipient"),
        ("state", "state"),
        ("issued", "issuedAt"),
        ("received", "receivedAt"),
        ("due", "dueDate"),
        ("overdue", "overdue"),
        ("why", "statusReason"),
    ],
);

impl OfCopies {
    /// Carries it out.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        match self {
            Self::Download {
                name,
                into: Some(folder),
                resume,
                ..
            } => download_all(&copy_name(&name), &folder, resume, options).await,
            confirm @ Self::Confirm { .. } => confirm.with_digest(options).await?.command()?.run(options).await,
            called => called.command()?.run(options).await,
        }
    }

    /// A confirmation of several files by their digest.
    async fn with_digest(mut self, options: &Options) -> Result<Self, Failure> {
        if let Self::Confirm { name, sha256, file, .. } = &mut self
            && file.len() > 1
        {
            let connection = connect(options, ServiceName::CollectionDistribution)?;
            let files = files(&connection, &copy_name(name)).await?;
            *sha256 = Some(contents::digest(file, &files)?);
            file.clear();
        }
        Ok(self)
    }

    /// The command to carry out.
    pub(super) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Copies {
                edition,
                collection,
                period,
                recipient,
                state,
                unconfirmed,
                overdue,
            } => {
                let recipient = recipient.map(|recipient| json!(name("recipients/", &recipient)));
                let state = state.and_then(|state| state.to_possible_value());
                let state = state.map(|state| json!(format!("COPY_STATE_{}", state.get_name().to_uppercase())));
                let request = object([
                    ("parent", parent(edition, collection, period)),
                    ("recipient", recipient),
                    ("state", state),
                    ("unconfirmed", unconfirmed.then(|| json!(true))),
                    ("overdue", overdue.then(|| json!(true))),
                ]);
                Command::new(SERVICE, "ListCopies", Action::List(request, COPIES))
            }
            Self::Download {
                name,
                to,
                filename,
                into: _,
                resume,
            } => {
                let request = json!({ "name": copy_name(&name), "filename": filename.unwrap_or_default() });
                let to = to.ok_or_else(|| Failure::usage("say where to write it with --to"))?;
                let action = Action::Fetch(request, to, resume);
                Command::new(SERVICE, "DownloadCopy", action)
            }
            Self::Confirm {
                name,
                sha256,
                file,
                key,
                key_id,
                received_at,
                mutation,
            } => {
                let sha256 = match file.as_slice() {
                    [file] => file_sha256(file)?,
                    _ => sha256.unwrap_or_default(),
                };
                let fields = json!({ "name": copy_name(&name), "sha256": sha256 });
                let message = mutation.add_to(request(SERVICE, "ConfirmReceipt", &fields)?);
                let action = match key.zip(key_id) {
                    None => Action::Send(message, View::Record),
                    Some((key, key_id)) => Action::Confirm(Confirm {
                        message,
                        pair: private_key(&key)?,
                        key_id,
                        received_at: wire::whole_microseconds(received_at.unwrap_or_else(Timestamp::now)),
                    }),
                };
                Command::new(SERVICE, "ConfirmReceipt", action)
            }
            Self::Reject { name, reason, mutation } => {
                let fields = json!({ "name": copy_name(&name), "reason": reason });
                let message = mutation.add_to(request(SERVICE, "RejectCopy", &fields)?);
                Command::new(SERVICE, "RejectCopy", Action::Send(message, View::Record))
            }
            Self::Watch { new, watch } => {
                let action = Action::Watch(watch, json!({ "onlyNew": new }), event_line);
                Command::new(SERVICE, "WatchCopies", action)
            }
        })
    }
}

/// The files of a copy.
async fn files(connection: &Connection, name: &str) -> Result<Vec<ManifestFile>, Failure> {
    let copy = connection
        .call(&format!("{SERVICE}/GetCopy"), &json!({ "name": name }))
        .await?;
    let revision = copy["revision"].as_i64().and_then(|number| i32::try_from(number).ok());
    let edition = name.split_once("/copies/").map_or(name, |(edition, _)| edition);
    contents::held(connection, edition, revision).await
}

/// Downloads every file of a copy into a folder.
async fn download_all(name: &str, folder: &Path, resume: bool, options: &Options) -> Result<(), Failure> {
    const FILES: View = View::Rows(
        "files",
        &[
            ("file", "content.filename"),
            ("language", "content.language"),
            ("bytes", "content.sizeBytes"),
            ("SHA-256", "content.sha256"),
        ],
    );
    let connection = connect(options, ServiceName::CollectionDistribution)?;
    let files = files(&connection, name).await?;
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let (method, mut fetched) = (format!("{SERVICE}/DownloadCopy"), Vec::new());
    for file in files {
        let request = json!({ "name": name, "filename": file.filename });
        let to = folder.join(inside(&file.filename)?);
        fetched.push(connection.download_to(&method, &request, &to, resume).await?);
    }
    Ok(output::print(&json!({ "files": fetched }), options.output, FILES)?)
}

/// A name that stays in its folder, whatever the service says.
fn inside(filename: &str) -> Result<&str, Failure> {
    let leaves = filename.contains(['/', '\\', '\0']) || matches!(filename, "" | "." | "..");
    if leaves {
        return Err(anyhow::anyhow!("the service names a file that is none of a folder: {filename:?}").into());
    }
    Ok(filename)
}

/// The parent of copies that the flags name; none for all.
fn parent(edition: Option<String>, collection: Option<String>, period: Option<String>) -> Option<Value> {
    if let Some(edition) = edition {
        return Some(json!(edition_name("collections/", &edition)));
    }
    if collection.is_none() && period.is_none() {
        return None;
    }
    let collection = collection.map_or("collections/-".to_owned(), |id| name("collections/", &id));
    Some(json!(format!(
        "{collection}/editions/{}",
        period.as_deref().unwrap_or("-")
    )))
}

/// The name of a copy, for which `crime/2026-Q3/25` is enough.
pub(crate) fn copy_name(text: &str) -> String {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [collection, period, number] if *collection != "collections" => {
            format!("collections/{collection}/editions/{period}/copies/{number}")
        }
        _ => text.to_owned(),
    }
}

/// Reads a private key of Ed25519 in PEM.
pub(crate) fn private_key(file: &Path) -> Result<Ed25519KeyPair, Failure> {
    let wrong = |why: String| Failure::usage(format!("{} is no private key of Ed25519: {why}", file.display()));
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let pem = pem::parse(text).map_err(|error| wrong(error.to_string()))?;
    if pem.tag() != "PRIVATE KEY" {
        return Err(wrong(format!(
            "it holds a {}, where PKCS#8 says PRIVATE KEY",
            pem.tag()
        )));
    }
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(pem.contents()).map_err(|error| wrong(error.to_string()))
}

/// A confirmation that is signed here.
pub(crate) struct Confirm {
    message: DynamicMessage,
    pair: Ed25519KeyPair,
    key_id: String,
    received_at: Timestamp,
}

impl Confirm {
    /// Reads the copy, signs what is said of it, and says it. What is signed is the digest that was given, not that of the copy: the
    /// service tells when they differ.
    pub(crate) async fn run(mut self, connection: &Connection) -> Result<Value, Failure> {
        let name = message::text(&self.message, "name");
        let asked = json!({ "name": name });
        let copy = connection.call(&format!("{SERVICE}/GetCopy"), &asked).await?;
        let text = |field: &str| copy[field].as_str().unwrap_or_default().to_owned();
        let received_at = wire::to_timestamp(self.received_at);
        let statement = ReceiptStatement {
            format: statements::RECEIPT_FORMAT.into(),
            copy: text("name"),
            copy_sha256: text("copySha256"),
            content_sha256: message::text(&self.message, "sha256").to_ascii_lowercase(),
            recipient: text("recipient"),
            received_at: Some(received_at),
        };
        let signature = self.pair.sign(&statements::of_receipt(&statement)?);
        let at = json!({ "receivedAt": self.received_at.to_string() });
        let descriptor = crate::call::method(&format!("{SERVICE}/ConfirmReceipt")).input();
        let with_time = message::of(&descriptor, &at)?;
        let field = with_time.get_field_by_name("received_at");
        let field = field.context("a confirmation says when")?.into_owned();
        self.message.set_field_by_name("received_at", field);
        self.message
            .set_field_by_name("signing_key", message::string(self.key_id));
        let signature = signature.as_ref().to_vec();
        self.message
            .set_field_by_name("signature", Field::Bytes(signature.into()));
        connection
            .send(&format!("{SERVICE}/ConfirmReceipt"), &self.message)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_into_its_folder_and_nowhere_else() {
        assert_eq!(inside("Қылмыс.pdf").expect("it is a name"), "Қылмыс.pdf");
        for name in ["", ".", "..", "../a", "a/b", "a\\b", "/etc/passwd"] {
            assert!(inside(name).is_err(), "{name}");
        }
    }

    #[test]
    fn copies_are_those_of_an_edition_a_collection_or_a_period() {
        let of = |edition: Option<&str>, collection: Option<&str>, period: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            parent(owned(edition), owned(collection), owned(period))
        };
        assert_eq!(of(None, None, None), None);
        for (given, expected) in [
            (
                (Some("crime/2026-Q3"), None, None),
                "collections/crime/editions/2026-Q3",
            ),
            ((None, Some("crime"), None), "collections/crime/editions/-"),
            ((None, None, Some("2026-Q3")), "collections/-/editions/2026-Q3"),
            (
                (None, Some("collections/crime"), Some("2026-Q3")),
                "collections/crime/editions/2026-Q3",
            ),
        ] {
            assert_eq!(of(given.0, given.1, given.2), Some(json!(expected)));
        }
    }
}
