//! `legalstat requests`.

pub(crate) mod draft;
mod filters;
mod items;
pub(crate) mod lookup;
mod new;
mod questions;
mod queue;
mod retention;
pub(crate) mod several;
mod statistics;
pub(crate) mod supplied;
mod template;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    Action, Command, Mutation,
    answers::Answers,
    attachments::{ATTACHMENTS, Attach, Files},
    coupons, date,
    decisions::Deciding,
    name, sheet,
    submit::Submission,
    verify::Verify,
    watch::{Watching, request_line},
};
use crate::{
    failure::Failure,
    options::Options,
    output::{Language, View},
};
use filters::Filters;
use lookup::Lookup;

pub(crate) const SERVICE: &str = "legalstat.requests.v1.RequestIntakeService";

/// Requests for legal statistical information
#[derive(Subcommand, Debug)]
pub(crate) enum Requests {
    /// Submit a request, or all of a file that holds several, one JSON object after the other
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
        /// A SubmitRequestRequest in proto3 JSON, or several; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        /// Send it without asking, also when a document with its number and date was received before
        #[arg(long)]
        yes: bool,
        /// A file beside the request; may be given several times
        #[arg(long, value_name = "PATH")]
        attach: Vec<PathBuf>,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Put a request together from flags and send it; on a terminal it asks for what is missing
    #[command(after_help = "Examples:
  legalstat requests new
  legalstat requests new --kind individual --channel oral --language kk --name 'Серикбаева Айгүл' --essence 'кражи скота'
  legalstat requests new --as edms --kind state-body --channel unified-edms --language ru --name 'Ministry of Justice' \\
      --external-number 12-3/45 --external-date 2026-02-02 --signatory 'The head' --capacity head \\
      --essence 'Crimes of the first quarter' --item 'unit=crime;period=2026-Q1;form=1;words=Registered crimes'
The other way, by a file:
  legalstat requests new --kind state-body --channel unified-edms --template request.json
  (fill it in)
  legalstat requests submit --as edms --file request.json")]
    New(Box<new::New>),
    /// What waits for you and your colleagues: yours, nobody's, the soonest due, the overdue, and what is to be approved or confirmed
    #[command(after_help = "Examples:
  legalstat requests queue --as aliya
  legalstat requests queue --mine --as aliya
  legalstat requests queue --overdue --page-size 50
  legalstat requests queue --waiting-for-approval -o json
  legalstat requests queue --to-confirm --as aliya")]
    Queue(queue::Queue),
    /// Add files to a request that is there; what breaks off goes on
    #[command(after_help = "Examples:
  legalstat requests attach 2026-000042 answer-to-our-question.pdf photo.jpg
  legalstat requests attach 2026-000042 --signed-original request.p7m
An upload that was ended goes on with its --request-id, which it told at its beginning.")]
    Attach {
        /// The request: its registration number, its coupon's or its name, requests/UUID
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
        /// The request: its registration number, its coupon's or its name, requests/UUID
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
    #[command(subcommand)]
    Answer(Answers),
    /// Say what a document of an answer proves, without asking anybody
    Verify(Verify),
    /// One request with its examination, or all with a number
    #[command(after_help = "Examples:
  legalstat requests get requests/0198c0de-0000-7000-8000-000000000000
  legalstat requests get 2026-000042
  legalstat requests get '12-3/45' --as edms")]
    Get {
        /// Its name, requests/UUID; or its registration number, its coupon's or its sender's, however they are spelled
        #[arg(value_name = "NUMBER")]
        name: String,
    },
    /// One request as a sheet: number, days left and what to do next first
    #[command(after_help = "Example:\n  legalstat requests show 2026-000042 --language ru")]
    Show {
        /// The request: its registration number, its coupon's or its name, requests/UUID
        name: String,
        /// The language of the findings
        #[arg(long, default_value = "en")]
        language: Language,
    },
    #[command(flatten)]
    Deciding(Deciding),
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
    /// Requests, newest first unless ordered otherwise
    #[command(after_help = "Examples:
  legalstat requests list --state registered --due-to 2026-03-31 --order-by due_date
  legalstat requests list --assigned-to operator --overdue
  legalstat requests list --requester 'ministry of justice' --words 'theft of livestock'")]
    List {
        #[command(flatten)]
        filters: Box<Filters>,
    },
    /// Tell what happens to requests as it comes
    #[command(after_help = "Examples:
  legalstat requests watch --new --as edms
  legalstat requests watch --after TOKEN -o json
  legalstat requests watch --until-caught-up")]
    Watch {
        /// Nothing of what has happened already
        #[arg(long, conflicts_with = "after")]
        new: bool,
        #[command(flatten)]
        watch: Watching,
    },
    #[command(subcommand)]
    Retention(retention::Retention),
    /// Erase the personal data of one request that has ended, by an order that two administrators give; nothing undoes it
    #[command(after_help = "Example:
  legalstat requests erase 2026-000042 --etag 7 --act 'Decision 2-15' --provision 'para 1' --reason 'By the decision of a court' --as administrator")]
    Erase(retention::Erase),
    /// How requests were received and answered
    #[command(after_help = "Example:\n  legalstat requests statistics --from 2026-01-01 --to 2026-03-31")]
    Statistics {
        /// The first day of receipt
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Value,
        /// The last day of receipt, within two years of the first
        #[arg(long, value_name = "DATE", value_parser = date)]
        to: Value,
        /// Also by form that they ask for, which takes longer
        #[arg(long)]
        forms: bool,
    },
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
            Self::Verify(verify) => verify.run(options),
            Self::New(new) => new.run(options).await,
            Self::Queue(queue) => queue.run(options).await,
            mut called => {
                if let Some(request) = called.about() {
                    lookup::resolve(request, options).await?;
                }
                if let Self::Deciding(deciding) = &mut called {
                    deciding.complete(options).await?;
                }
                called.command()?.run(options).await
            }
        }
    }

    /// The request that a command is about, as it was named.
    fn about(&mut self) -> Option<&mut String> {
        match self {
            Self::Attach { request, .. } | Self::Attachments { request } | Self::Show { name: request, .. } => {
                Some(request)
            }
            Self::Deciding(deciding) => Some(deciding.about()),
            Self::Erase(erase) => Some(erase.about()),
            Self::Answer(answers) => answers.about(),
            _ => None,
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
            Self::Answer(answers) => return answers.command(),
            Self::Verify(_) | Self::New(_) | Self::Queue(_) => {
                return Err(Failure::usage("this is more than one call, or none"));
            }
            Self::Keys => Command::new(SERVICE, "ListSigningKeys", Action::List(json!({}), KEYS)),
            Self::VerifyCoupon { .. } => return Err(Failure::usage("a coupon is verified without a call")),
            Self::Submit {
                file,
                yes,
                attach,
                files,
                mutation,
            } => match several::read(&file, &mutation)? {
                Ok(_) if files.are_given() || !attach.is_empty() => {
                    return Err(Failure::usage(
                        "files are submitted with one request, and this file holds several",
                    ));
                }
                Ok(several) => Command::new(SERVICE, "BatchSubmitRequests", Action::Several(several)),
                Err(message) => {
                    let attach = Attach::with(Submission { message, yes }, attach, files, &mutation)?;
                    Command::new(SERVICE, "SubmitRequest", Action::Attach(attach, View::Record))
                }
            },
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
            Self::Get { name } => Command::new(SERVICE, "GetRequest", Action::Lookup(Lookup(name))),
            Self::Show { name: id, language } => {
                let view = View::Text(sheet::sheet, language);
                let action = Action::Call(json!({ "name": name("requests/", &id) }), view);
                Command::new(SERVICE, "GetRequest", action)
            }
            Self::Deciding(command) => command.command()?,
            Self::List { filters } => Command::new(SERVICE, "ListRequests", Action::List(filters.request(), REQUESTS)),
            Self::Watch { new, watch } => {
                let action = Action::Watch(watch, json!({ "onlyNew": new }), request_line);
                Command::new(SERVICE, "WatchRequests", action)
            }
            Self::Retention(retention) => retention.command()?,
            Self::Erase(erase) => erase.command()?,
            Self::Statistics { from, to, forms } => {
                let request = json!({ "receivedFrom": from, "receivedTo": to, "includeForms": forms });
                let view = View::Text(statistics::shown, Language::En);
                Command::new(SERVICE, "GetRequestStatistics", Action::Call(request, view))
            }
        })
    }
}
