//! `legalstat requests`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Action, Command, Mutation,
    attachments::{ATTACHMENTS, Attach, Files},
    date, name, object, read_file,
};
use crate::{failure::Failure, output::View};

const SERVICE: &str = "legalstat.requests.v1.RequestIntakeService";

/// Requests for legal statistical information
#[derive(Subcommand, Debug)]
pub(crate) enum Requests {
    /// Submit a request
    #[command(after_help = "Example:
  legalstat requests submit --as edms --file - <<'JSON'
  { \"request\": {
      \"requester\": { \"kind\": \"REQUESTER_KIND_STATE_BODY\", \"fullName\": \"Ministry of Justice\" },
      \"signatory\": { \"fullName\": \"The head\", \"capacity\": \"SIGNATORY_CAPACITY_HEAD\" },
      \"channel\": \"CHANNEL_UNIFIED_EDMS\",
      \"externalNumber\": \"12-3/45\", \"externalDate\": { \"year\": 2026, \"month\": 2, \"day\": 2 },
      \"essence\": \"Crimes registered in the fourth quarter of 2025\", \"language\": \"LANGUAGE_RU\",
      \"items\": [{ \"kind\": \"ITEM_KIND_STATISTICS\", \"description\": \"Registered crimes\",
                  \"unit\": \"UNIT_CRIME\", \"period\": \"2025-Q4\" }] } }
  JSON
With files, which are uploaded first:
  legalstat requests submit --file request.json --signed-original request.pdf --signature request.pdf.p7s --attach list.xlsx")]
    Submit {
        /// A SubmitRequestRequest in proto3 JSON; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        /// A file beside the request; may be given several times
        #[arg(long, value_name = "PATH")]
        attach: Vec<PathBuf>,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Add files to a request that is there; what breaks off goes on
    #[command(after_help = "Examples:
  legalstat requests attach requests/0192… answer-to-our-question.pdf photo.jpg
  legalstat requests attach requests/0192… --signed-original request.p7m
An upload that was ended goes on with its --request-id, which it told at its beginning.")]
    Attach {
        /// The request, requests/UUID
        request: String,
        /// The files
        #[arg(value_name = "FILE")]
        attached: Vec<PathBuf>,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// The files of a request, with what their signatures came to
    Attachments {
        /// The request, requests/UUID
        request: String,
    },
    /// Download a file of a request; what breaks off goes on
    #[command(after_help = "Example:\n  legalstat requests download attachments/0192… --to request.pdf --resume")]
    Download {
        /// The file, attachments/UUID
        attachment: String,
        /// Keep what has come when it is ended, and go on from what an earlier one kept
        #[arg(long)]
        resume: bool,
        /// Where to write it; `-` is standard output
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// One request with its examination
    Get {
        /// The request, requests/UUID
        name: String,
    },
    /// Requests, newest first
    #[command(after_help = "Example:\n  legalstat requests list --state registered --due-to 2026-03-31")]
    List {
        /// Only requests in this state
        #[arg(long)]
        state: Option<State>,
        /// Only requests with this sender's number
        #[arg(long)]
        external_number: Option<String>,
        /// Only the request with this coupon number
        #[arg(long)]
        coupon: Option<String>,
        /// Only requests due on this day or later
        #[arg(long, value_name = "DATE", value_parser = date)]
        due_from: Option<Value>,
        /// Only requests due on this day or earlier
        #[arg(long, value_name = "DATE", value_parser = date)]
        due_to: Option<Value>,
        /// With the texts of the checks and the steps to the due date, in `-o json`
        #[arg(long)]
        full: bool,
    },
}

/// The state of a request.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Accepted, not examined yet.
    Received,
    /// Waits for the requester.
    AwaitingClarification,
    /// Has a number and a due date.
    Registered,
    /// Left without consideration.
    LeftWithoutConsideration,
}

const REQUESTS: View = View::Rows(
    "requests",
    &[
        ("request", "name"),
        ("state", "state"),
        ("requester", "requester.fullName"),
        ("coupon", "coupon.number"),
        ("number", "registrationNumber"),
        ("due", "dueDate"),
    ],
);

impl Requests {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Submit {
                file,
                attach,
                files,
                mutation,
            } => {
                let message = mutation.add_to(read_file(&file, SERVICE, "SubmitRequest")?);
                let action = Action::Attach(Attach::with(message, attach, files, &mutation)?, View::Record);
                Command::new(SERVICE, "SubmitRequest", action)
            }
            Self::Attach {
                request,
                attached,
                files,
                mutation,
            } => {
                let attach = Attach::to(name("requests/", &request), attached, files, &mutation)?;
                Command::new(SERVICE, "UploadAttachment", Action::Attach(attach, ATTACHMENTS))
            }
            Self::Attachments { request } => {
                let asked = json!({ "name": name("requests/", &request), "view": "REQUEST_VIEW_BASIC" });
                Command::new(SERVICE, "GetRequest", Action::Call(asked, ATTACHMENTS))
            }
            Self::Download { attachment, resume, to } => {
                let asked = json!({ "name": name("attachments/", &attachment) });
                Command::new(SERVICE, "DownloadAttachment", Action::Fetch(asked, to, resume))
            }
            Self::Get { name: id } => {
                let action = Action::Call(json!({ "name": name("requests/", &id) }), View::Record);
                Command::new(SERVICE, "GetRequest", action)
            }
            Self::List {
                state,
                external_number,
                coupon,
                due_from,
                due_to,
                full,
            } => {
                let state = state.and_then(|state| state.to_possible_value()).map(|value| {
                    json!(format!(
                        "REQUEST_STATE_{}",
                        value.get_name().replace('-', "_").to_uppercase()
                    ))
                });
                let request = object([
                    ("state", state),
                    ("externalNumber", external_number.map(Value::from)),
                    ("couponNumber", coupon.map(Value::from)),
                    ("dueFrom", due_from),
                    ("dueTo", due_to),
                    ("view", full.then(|| json!("REQUEST_VIEW_FULL"))),
                ]);
                Command::new(SERVICE, "ListRequests", Action::List(request, REQUESTS))
            }
        })
    }
}
