//! `legalstat requests`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Action, Command, Mutation, date, decisions::Deciding, name, object, read_file, sheet};
use crate::{
    failure::Failure,
    output::{Language, View},
};

pub(crate) const SERVICE: &str = "legalstat.requests.v1.RequestIntakeService";

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
  JSON")]
    Submit {
        /// A SubmitRequestRequest in proto3 JSON; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// One request with its examination
    Get {
        /// The request, requests/UUID
        name: String,
    },
    /// One request as a sheet: number, days left and what to do next first
    #[command(after_help = "Example:\n  legalstat requests show requests/UUID --language ru")]
    Show {
        /// The request, requests/UUID
        name: String,
        /// The language of the findings
        #[arg(long, default_value = "en")]
        language: Language,
    },
    #[command(flatten)]
    Deciding(Deciding),
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
    /// Somebody prepares its answer.
    InPreparation,
    /// Its answer was dispatched.
    Answered,
    /// Passed on to another body.
    Forwarded,
    /// Given back.
    Returned,
    /// Its consideration was ended.
    Terminated,
    /// Its requester took it back.
    Withdrawn,
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
            Self::Submit { file, mutation } => {
                let action = Action::Send(
                    mutation.add_to(read_file(&file, SERVICE, "SubmitRequest")?),
                    View::Record,
                );
                Command::new(SERVICE, "SubmitRequest", action)
            }
            Self::Get { name: id } => {
                let action = Action::Call(json!({ "name": name("requests/", &id) }), View::Record);
                Command::new(SERVICE, "GetRequest", action)
            }
            Self::Show { name: id, language } => {
                let view = View::Text(sheet::sheet, language);
                let action = Action::Call(json!({ "name": name("requests/", &id) }), view);
                Command::new(SERVICE, "GetRequest", action)
            }
            Self::Deciding(command) => command.command()?,
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
