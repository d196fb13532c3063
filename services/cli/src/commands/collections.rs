//! `legalstat collections`.

pub(crate) mod lists;
pub(crate) mod recipients;
pub(crate) mod titles;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Action, Command, Mutation, edition_name, name, object, request, upload_header};
use crate::{failure::Failure, output::View};

const SERVICE: &str = "legalstat.collections.v1.CollectionDistributionService";

/// The electronic collections and their numbered copies
#[derive(Subcommand, Debug)]
pub(crate) enum Collections {
    #[command(flatten)]
    OfTitles(titles::Titles),
    #[command(flatten)]
    OfRecipients(recipients::Receiving),
    #[command(flatten)]
    OfLists(lists::Sharing),
    /// What falls due for the periods of a year
    #[command(after_help = "Example:\n  legalstat collections schedule --year 2026 -o json")]
    Schedule {
        /// The year of the periods, 2019 to 2035
        #[arg(long)]
        year: i32,
        /// Only this collection
        #[arg(long)]
        collection: Option<String>,
    },
    /// The editions of one collection or of all
    Editions {
        /// Only this collection
        #[arg(long)]
        collection: Option<String>,
        /// Only periods of this year
        #[arg(long)]
        year: Option<i32>,
        /// Only editions in this state
        #[arg(long)]
        state: Option<State>,
    },
    /// One edition
    Edition {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
    },
    /// Upload the content of an edition
    #[command(
        after_help = "Example:\n  legalstat collections upload collections/crime/editions/2025-Q1 --content crime.pdf --content-type application/pdf"
    )]
    Upload {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// The file to upload
        #[arg(long, value_name = "PATH")]
        content: PathBuf,
        /// Its media type
        #[arg(long, default_value = "application/octet-stream")]
        content_type: String,
        /// SHA-256 of the content; other content is refused
        #[arg(long)]
        sha256: Option<String>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Seal an edition: fix its content
    Seal {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// SHA-256 of the content to seal
        #[arg(long)]
        sha256: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Release a sealed edition: issue its numbered copies [as approver]
    Release {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Copies: a recipient sees its own
    #[command(after_help = "Example:\n  legalstat collections copies --as supreme-court -o json")]
    Copies {
        /// Only copies of this edition
        #[arg(long)]
        edition: Option<String>,
        /// Only copies of this recipient
        #[arg(long)]
        recipient: Option<String>,
    },
    /// Download a copy; only its recipient can
    #[command(
        after_help = "Example:\n  legalstat collections download collections/crime/editions/2025-Q1/copies/27 --as supreme-court --to crime.pdf"
    )]
    Download {
        /// The copy, collections/crime/editions/2019-Q2/copies/27
        name: String,
        /// Where to write it; `-` is standard output
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// Confirm that a copy arrived whole; only its recipient can
    Confirm {
        /// The copy, collections/crime/editions/2019-Q2/copies/27
        name: String,
        /// SHA-256 of what arrived
        #[arg(long)]
        sha256: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// The state of an edition.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Nothing uploaded.
    Scheduled,
    /// Content is uploaded.
    Prepared,
    /// Content is fixed.
    Sealed,
    /// Copies are issued.
    Released,
}

const SCHEDULE: View = View::Rows(
    "items",
    &[
        ("collection", "collection"),
        ("period", "period"),
        ("due", "dueDate"),
        ("state", "state"),
        ("provisional", "provisional"),
        ("assumed", "assumed"),
    ],
);
const EDITIONS: View = View::Rows(
    "editions",
    &[
        ("edition", "name"),
        ("state", "state"),
        ("due", "dueDate"),
        ("sealed", "sealedAt"),
        ("released", "releasedAt"),
        ("copies", "copiesIssued"),
    ],
);
const COPIES: View = View::Rows(
    "copies",
    &[
        ("copy", "name"),
        ("number", "number"),
        ("recipient", "recipient"),
        ("state", "state"),
        ("issued", "issuedAt"),
        ("received", "receivedAt"),
    ],
);

fn edition(name: &str) -> String {
    edition_name("collections/", name)
}

fn collection_name(collection: Option<String>) -> Option<Value> {
    collection.map(|collection| json!(name("collections/", &collection)))
}

impl Collections {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        match self {
            Self::OfTitles(titles) => titles.command(),
            Self::OfRecipients(recipients) => recipients.command(),
            Self::OfLists(lists) => lists.command(),
            Self::Upload { .. } | Self::Seal { .. } | Self::Release { .. } | Self::Confirm { .. } => self.mutation(),
            _ => self.reading(),
        }
    }

    fn reading(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::OfTitles(titles) => return titles.command(),
            Self::OfRecipients(recipients) => return recipients.command(),
            Self::OfLists(lists) => return lists.command(),
            Self::Schedule { year, collection } => {
                let request = object([("year", Some(json!(year))), ("collection", collection_name(collection))]);
                list("ListSchedule", request, SCHEDULE)
            }
            Self::Editions {
                collection,
                year,
                state,
            } => {
                let parent = collection_name(collection).unwrap_or(json!("collections/-"));
                let state = state.and_then(|state| state.to_possible_value());
                let state = state.map(|state| json!(format!("EDITION_STATE_{}", state.get_name().to_uppercase())));
                let request = object([
                    ("parent", Some(parent)),
                    ("year", year.map(Value::from)),
                    ("state", state),
                ]);
                list("ListEditions", request, EDITIONS)
            }
            Self::Edition { name } => {
                let action = Action::Call(json!({ "name": edition(&name) }), View::Record);
                Command::new(SERVICE, "GetEdition", action)
            }
            Self::Copies { edition, recipient } => {
                let recipient = recipient.map(|recipient| json!(name("recipients/", &recipient)));
                let parent = edition.map(|name| edition_name("collections/", &name));
                let request = object([("parent", parent.map(Value::from)), ("recipient", recipient)]);
                list("ListCopies", request, COPIES)
            }
            Self::Download { name, to } => {
                let action = Action::Download(json!({ "name": name }), to);
                Command::new(SERVICE, "DownloadCopy", action)
            }
            Self::Upload { .. } | Self::Seal { .. } | Self::Release { .. } | Self::Confirm { .. } => {
                return self.mutation();
            }
        })
    }

    fn mutation(self) -> Result<Command, Failure> {
        let (method, fields, mutation) = match self {
            Self::Upload {
                name,
                content,
                content_type,
                sha256,
                mutation,
            } => {
                let method = format!("{SERVICE}/UploadEditionContent");
                let header = mutation.add_to(upload_header(
                    &method,
                    &edition(&name),
                    &content,
                    &content_type,
                    sha256,
                )?);
                let action = Action::Upload(header, content);
                return Ok(Command::new(SERVICE, "UploadEditionContent", action));
            }
            Self::Seal { name, sha256, mutation } => (
                "SealEdition",
                json!({ "name": edition(&name), "sha256": sha256 }),
                mutation,
            ),
            Self::Release { name, mutation } => ("ReleaseEdition", json!({ "name": edition(&name) }), mutation),
            Self::Confirm { name, sha256, mutation } => {
                ("ConfirmReceipt", json!({ "name": name, "sha256": sha256 }), mutation)
            }
            reading => return reading.reading(),
        };
        let request = mutation.add_to(request(SERVICE, method, &fields)?);
        let command = Command::new(SERVICE, method, Action::Send(request, View::Record));
        Ok(if method == "ReleaseEdition" {
            command.called_as("approver")
        } else {
            command
        })
    }
}

fn list(method: &'static str, request: Value, view: View) -> Command {
    Command::new(SERVICE, method, Action::List(request, view))
}
