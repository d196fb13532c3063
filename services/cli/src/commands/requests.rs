//! `legalstat requests`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Action, Command, Mutation, coupons, date, name, object, read_file};
use crate::{
    failure::Failure,
    options::Options,
    output::{Language, View},
};

pub(super) const SERVICE: &str = "legalstat.requests.v1.RequestIntakeService";

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
    /// Where a request stands, for who holds its coupon; no certificate is needed
    #[command(after_help = "Examples:
  legalstat requests status 20260302-7K3M9QZ0
  legalstat requests status 20260302-7K3M9QZ0 --secret-file secret.txt --language kk")]
    Status {
        /// The number of the coupon; case, spaces and dashes make no difference
        #[arg(value_name = "COUPON")]
        coupon: String,
        /// A file with the secret; `-` reads standard input [default: it is asked for on the terminal]
        #[arg(long, value_name = "PATH")]
        secret_file: Option<PathBuf>,
        /// The language of the texts
        #[arg(long, default_value = "en")]
        language: Language,
    },
    /// The keys that coupons can be verified with, announced and retired ones too
    #[command(after_help = "Example:\n  legalstat requests keys -o json > keys.json")]
    Keys,
    /// Check that a coupon is the service's, and what it proves; with --keys no service is needed
    #[command(after_help = "Example:
  legalstat requests submit --as edms --file request.json -o json > answer.json
  legalstat requests keys -o json > keys.json
  legalstat requests verify-coupon answer.json --keys keys.json --submitted request.json")]
    VerifyCoupon {
        /// The answer to `requests submit` or `requests get`, saved with `-o json`
        #[arg(value_name = "PATH")]
        answer: PathBuf,
        /// What `requests keys -o json` told [default: the service is asked]
        #[arg(long, value_name = "PATH")]
        keys: Option<PathBuf>,
        /// The file that was submitted, to compare with what was received
        #[arg(long, value_name = "PATH")]
        submitted: Option<PathBuf>,
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

impl Requests {
    /// Carries the command out.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        match self {
            Self::VerifyCoupon {
                answer,
                keys,
                submitted,
            } => {
                let verification = coupons::Verification {
                    answer,
                    keys,
                    submitted,
                };
                verification.run(options).await
            }
            called => called.command()?.run(options).await,
        }
    }

    /// The call of a command that makes one.
    fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Status {
                coupon,
                secret_file,
                language,
            } => {
                let secret = coupons::secret(secret_file.as_deref())?;
                let request = json!({ "couponNumber": coupon, "secret": secret });
                let action = Action::Call(request, coupons::status_view(language));
                Command::new(SERVICE, "GetRequestStatus", action)
            }
            Self::Keys => Command::new(SERVICE, "ListSigningKeys", Action::List(json!({}), KEYS)),
            Self::VerifyCoupon { .. } => return Err(Failure::usage("a coupon is verified without a call")),
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
