//! `legalstat requests answer`: an answer from its draft to its dispatch.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use prost_reflect::Value as Field;
use serde_json::{Value, json};

use super::{
    Action, Command, Connection, DynamicMessage, Mutation, connect, coupons, forms::word, instant, name, object,
    place_of, read_message, request, requests::SERVICE,
};
use crate::{
    failure::Failure,
    invocation, message,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

/// The method that edits an answer.
const EDIT: &str = "UpdateAnswer";

/// The answer to a request
#[derive(Subcommand, Debug)]
pub(crate) enum Answers {
    /// Draft the answer from the form registry: figures, totals, sources, and why something is not provided
    #[command(after_help = "Examples:
  legalstat requests answer draft 2026-000042
  legalstat requests answer draft 2026-000042 --meaning 'items[0]=forms/1/indicators/1.1'

Drafting again makes a further version of it. An item that is not matched to one indicator gets a meaning: the item as the sheet
names it, and the indicator. 1= instead of items[0]= is the first item too.")]
    Draft {
        /// The request: its registration number, its coupon's or its name, requests/UUID
        request: String,
        /// The language [default: the request's]
        #[arg(long)]
        language: Option<Language>,
        /// What an item means, items[0]=INDICATOR; may be repeated
        #[arg(long, value_name = "ITEM=INDICATOR", value_parser = meaning)]
        meaning: Vec<Value>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Show the answer as it stands
    #[command(after_help = "Examples:
  legalstat requests answer show 2026-000042
  legalstat requests answer show 2026-000042 -o json > answer.json
  legalstat requests answer show --coupon 20260302-7K3M9QZ0 --secret-file secret.txt

Who holds the coupon of the request needs no certificate, and reads the answer once it is dispatched.")]
    Show {
        #[command(flatten)]
        of: Of,
    },
    /// Edit the draft: a further version, as a file says it
    #[command(after_help = "Example:
  legalstat requests answer show 2026-000042 -o json > answer.json
  (edit `opening`, and of the items `figures`, `notProvided` and `remark`)
  legalstat requests answer edit 2026-000042 --file answer.json

The file holds the etag of the version that it was made from: when somebody else has edited meanwhile, this is refused.")]
    Edit {
        /// The request: its registration number, its coupon's or its name, requests/UUID
        request: String,
        /// The answer in proto3 JSON, as `show -o json` writes it; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Approve the answer; without a signature, tell what to sign and how
    #[command(after_help = "Example:
  legalstat requests answer approve 2026-000042 --capacity deputy --as approver
  legalstat requests answer download 2026-000042 --format canonical-json --to answer.json
  openssl cms -sign -binary -in answer.json -signer me.crt -inkey me.key -outform DER -out answer.p7s
  legalstat requests answer approve 2026-000042 --capacity deputy --signature answer.p7s --as approver

The key stays with you: only the signature is sent. Who drafted or edited the answer cannot approve it.")]
    Approve(Approve),
    /// Record that the approved answer was dispatched: only this meets the term
    #[command(after_help = "Example:
  legalstat requests answer dispatch 2026-000042 --means post \\
      --at 2026-03-20T15:30:00+05:00 --proof \"Registered letter RR123456789KZ\"")]
    Dispatch {
        /// The request: its registration number, its coupon's or its name, requests/UUID
        request: String,
        /// By which means
        #[arg(long)]
        means: Means,
        /// The digest of what was dispatched, as every document of the answer bears it [default: that of the answer as it stands]
        #[arg(long, value_name = "DIGEST")]
        sha256: Option<String>,
        /// When [default: now]
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        at: Option<Value>,
        /// What proves it: the number of the registered letter, or of the outgoing document
        #[arg(long)]
        proof: String,
        /// A file that proves it besides, attachments/UUID, as you have uploaded it
        #[arg(long, value_name = "ATTACHMENT")]
        proof_file: Option<String>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Download the answer as a document
    #[command(after_help = "Examples:
  legalstat requests answer download 2026-000042 --format pdf --to answer.pdf
  legalstat requests answer download 2026-000042 --format xlsx --language kk --to answer.xlsx
  legalstat requests answer download --coupon 20260302-7K3M9QZ0 --format pdf --to answer.pdf

Who holds the coupon of the request needs no certificate, and reads the answer once it is dispatched.")]
    Download {
        #[command(flatten)]
        of: Of,
        /// The format
        #[arg(long)]
        format: Format,
        /// The language of headings and of what the registers say [default: the answer's]
        #[arg(long)]
        language: Option<Language>,
        /// The file to write; `-` writes to standard output
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
}

/// Whose answer is read.
#[derive(Args, Debug)]
pub(crate) struct Of {
    /// The request: its registration number, its coupon's or its name, requests/UUID
    #[arg(required_unless_present = "coupon", conflicts_with = "coupon")]
    request: Option<String>,
    /// The number of its coupon, instead of the request; case, spaces and dashes make no difference
    #[arg(long, value_name = "NUMBER")]
    coupon: Option<String>,
    /// A file with the coupon's secret; `-` reads standard input [default: it is asked for on the terminal]
    #[arg(long, value_name = "PATH", conflicts_with = "request")]
    secret_file: Option<PathBuf>,
}

impl Of {
    /// One of two methods, by what the answer is found, with the fields that find it.
    fn method(self, by_name: &'static str, by_coupon: &'static str) -> Result<(&'static str, Value), Failure> {
        Ok(match (self.coupon, self.request) {
            (Some(coupon), _) => {
                let secret = coupons::secret(self.secret_file.as_deref())?;
                (by_coupon, json!({ "couponNumber": coupon, "secret": secret }))
            }
            (None, request) => {
                let name = name("requests/", &request.unwrap_or_default());
                (by_name, json!({ "name": name }))
            }
        })
    }
}

/// The language of an answer.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
    /// English.
    En,
}

/// The format of a document.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// PDF/A, with data and signature attached.
    Pdf,
    /// A workbook.
    Xlsx,
    /// The answer, its approval and signature as JSON.
    Json,
    /// The very bytes that an approver signs.
    CanonicalJson,
}

/// How an answer was dispatched.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Means {
    /// By the Unified electronic document management system.
    UnifiedEdms,
    /// By Kadagalau.
    Kadagalau,
    /// By the e-government portal.
    EGovernment,
    /// By post.
    Post,
    /// Handed over in person.
    InPerson,
    /// By e-mail.
    Email,
}

/// In which capacity an official decides.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Capacity {
    /// The head of the body.
    Head,
    /// A deputy.
    Deputy,
    /// The head of the apparatus.
    HeadOfApparatus,
}

/// What an item means, as it is written on the command line: `items[0]=forms/1/indicators/1.1`, or by its number from 1.
fn meaning(text: &str) -> Result<Value, String> {
    let told = "write the item as the sheet names it, or its number from 1, = and the indicator: items[0]=forms/1/indicators/1.1";
    let (item, indicator) = text.split_once('=').ok_or(told)?;
    let number = || item.trim().parse::<usize>().ok()?.checked_sub(1);
    let item = place_of(item).or_else(number);
    Ok(json!({ "item": item.ok_or(told)?, "indicator": indicator.trim() }))
}

impl Answers {
    /// The request that is answered; none where a coupon tells which.
    pub(crate) fn about(&mut self) -> Option<&mut String> {
        match self {
            Self::Approve(approve) => Some(&mut approve.request),
            Self::Draft { request, .. } | Self::Edit { request, .. } | Self::Dispatch { request, .. } => Some(request),
            Self::Show { of } | Self::Download { of, .. } => of.request.as_mut(),
        }
    }

    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        let (method, fields, mutation) = match self {
            Self::Draft {
                request,
                language,
                meaning,
                mutation,
            } => {
                let fields = object([
                    ("name", Some(json!(name("requests/", &request)))),
                    ("language", language.map(|language| word(language, "ANSWER_LANGUAGE_"))),
                    ("meanings", Some(json!(meaning))),
                ]);
                ("DraftAnswer", fields, mutation)
            }
            Self::Show { of } => {
                let (method, fields) = of.method("GetAnswer", "GetAnswerByCoupon")?;
                return Ok(Command::new(SERVICE, method, Action::Call(fields, View::Record)));
            }
            Self::Edit {
                request,
                file,
                mutation,
            } => {
                let message = mutation.add_to(edited(&request, &file)?);
                return Ok(Command::new(SERVICE, EDIT, Action::Send(message, View::Record)));
            }
            Self::Approve(approve) => {
                return Ok(Command::new(SERVICE, "ApproveAnswer", Action::Approve(approve)));
            }
            Self::Dispatch {
                request,
                means,
                sha256,
                at,
                proof,
                proof_file,
                mutation,
            } => {
                let standing = sha256.is_none();
                let fields = object([
                    ("name", Some(json!(name("requests/", &request)))),
                    ("means", Some(word(means, "DISPATCH_MEANS_"))),
                    ("dispatchTime", at),
                    ("proof", Some(json!(proof))),
                    ("sha256", sha256.map(Value::from)),
                    ("proofFile", proof_file.map(|file| json!(name("attachments/", &file)))),
                ]);
                if standing {
                    let message = mutation.add_to(self::request(SERVICE, "RecordDispatch", &fields)?);
                    return Ok(Command::new(SERVICE, "RecordDispatch", Action::Dispatch(message)));
                }
                ("RecordDispatch", fields, mutation)
            }
            Self::Download {
                of,
                format,
                language,
                to,
            } => {
                let (method, mut fields) = of.method("DownloadAnswer", "DownloadAnswerByCoupon")?;
                fields["format"] = word(format, "ANSWER_FORMAT_");
                if let Some(language) = language {
                    fields["language"] = word(language, "ANSWER_LANGUAGE_");
                }
                return Ok(Command::new(SERVICE, method, Action::Download(fields, to)));
            }
        };
        let request = mutation.add_to(request(SERVICE, method, &fields)?);
        Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)))
    }
}

/// The edit of an answer as a file holds it, with the etag that stands there.
fn edited(asked: &str, file: &std::path::Path) -> Result<DynamicMessage, Failure> {
    let mut request = request(SERVICE, EDIT, &json!({}))?;
    let mut answer = read_message(file, &message::named("legalstat.requests.v1.Answer"))?;
    let (own, held) = (
        format!("{}/answer", name("requests/", asked)),
        message::text(&answer, "name"),
    );
    if !held.is_empty() && held != own {
        let message = format!("the file holds {}, and not {own}", output::escaped(&held));
        return Err(Failure::usage(message));
    }
    answer.set_field_by_name("name", message::string(own));
    request.set_field_by_name("etag", message::string(message::text(&answer, "etag")));
    request.set_field_by_name("answer", Field::Message(answer));
    Ok(request)
}

/// Records the dispatch of the answer as it stands.
pub(crate) async fn dispatch(connection: &Connection, mut message: DynamicMessage) -> Result<Value, Failure> {
    let id = message.get_field_by_name("name").map(std::borrow::Cow::into_owned);
    let id = id.and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
    let answer = connection
        .call(&format!("{SERVICE}/GetAnswer"), &json!({ "name": id }))
        .await?;
    message.set_field_by_name("sha256", message::string(output::text(&answer["sha256"])));
    connection.send(&format!("{SERVICE}/RecordDispatch"), &message).await
}

/// An approval
#[derive(Args, Debug)]
pub(crate) struct Approve {
    /// The request: its registration number, its coupon's or its name, requests/UUID
    request: String,
    /// In which capacity
    #[arg(long)]
    capacity: Capacity,
    /// The detached CMS signature over the canonical JSON, in DER or PEM
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    mutation: Mutation,
}

impl Approve {
    /// Approves the answer as it stands, or tells what is to be signed.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let service = ServiceName::of_grpc_service(SERVICE).expect("request intake is a service");
        let connection = connect(options, service)?;
        let id = name("requests/", &self.request);
        let answer = connection
            .call(&format!("{SERVICE}/GetAnswer"), &json!({ "name": id }))
            .await?;
        let sha256 = output::text(&answer["sha256"]);
        let Some(signature) = &self.signature else {
            let again = invocation::as_given();
            let told = format!(
                "{sha256}\n\nThis is the SHA-256 of version {} of the answer. Read it, sign its canonical JSON on your own side, and \
                 come back with the signature:\n\
                 \x20 legalstat requests answer download {id} --format canonical-json --to answer.json{again}\n\
                 \x20 openssl cms -sign -binary -in answer.json -signer me.crt -inkey me.key -outform DER -out answer.p7s\n\
                 \x20 legalstat requests answer approve {id} --capacity {} --signature answer.p7s{again}\n",
                answer["version"],
                self.capacity
                    .to_possible_value()
                    .map(|value| value.get_name().to_owned())
                    .unwrap_or_default(),
            );
            return Ok(output::show(
                &json!({ "sha256": sha256, "version": answer["version"] }),
                options.output,
                &told,
            )?);
        };
        let signature = std::fs::read(signature)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", signature.display())))?;
        let fields = object([
            ("name", Some(json!(id))),
            ("sha256", Some(json!(sha256))),
            ("capacity", Some(word(self.capacity, "OFFICIAL_CAPACITY_"))),
        ]);
        let mut message = request(SERVICE, "ApproveAnswer", &fields)?;
        message.set_field_by_name("signature", Field::Bytes(signature.into()));
        message.set_field_by_name("etag", message::string(output::text(&answer["etag"])));
        let approved = connection
            .send(&format!("{SERVICE}/ApproveAnswer"), &self.mutation.add_to(message))
            .await?;
        Ok(output::print(&approved, options.output, View::Record)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e09";

    /// What an edit is made of a file that holds this text.
    fn edit(text: &str) -> Result<DynamicMessage, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("answer.json");
        std::fs::write(&file, text).expect("it is written");
        edited(REQUEST, &file).map_err(|refused| refused.to_string())
    }

    #[test]
    fn an_edit_is_read_by_the_contract_in_either_spelling_and_behind_a_byte_order_mark() {
        let text =
            "\u{feff}{\"etag\": \"7\", \"language\": \"ANSWER_LANGUAGE_KK\", \"items\": [{\"not_provided\": [{}]}]}";
        let read = message::to_json(&edit(text).expect("it is read")).expect("it has proto3 JSON");
        assert_eq!(read["answer"]["name"], format!("requests/{REQUEST}/answer"));
        assert_eq!(
            read["answer"]["items"][0]["notProvided"].as_array().map(Vec::len),
            Some(1),
            "{read}"
        );
        assert_eq!((&read["etag"], &read["answer"]["etag"]), (&json!("7"), &json!("7")));
    }

    #[test]
    fn what_is_wrong_with_an_edit_is_told_by_its_path_with_the_words_that_are_allowed() {
        let wrong = r#"{ "opening": "a", "opening": "b", "language": "ru", "items": [{ "notProvided": [], "not_provided": [] }] }"#;
        let told = edit(wrong).expect_err("it is refused");
        for part in [
            "opening: given twice",
            "items[0].not_provided: given twice, as notProvided and as not_provided",
            "language: \"ru\" is none of ANSWER_LANGUAGE_KK, ANSWER_LANGUAGE_RU",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let told = edit(r#"{ "name": "requests/another/answer" }"#).expect_err("it is another's");
        assert!(told.contains("holds requests/another/answer"), "{told}");
    }

    #[test]
    fn an_item_is_named_as_the_sheet_names_it_or_by_its_number_from_one() {
        let read = meaning("2 = forms/1/indicators/1.1");
        assert_eq!(read, Ok(json!({ "item": 1, "indicator": "forms/1/indicators/1.1" })));
        assert_eq!(meaning("items[1]=forms/1/indicators/1.1"), read);
        for wrong in [
            "items[-1]=forms/1/indicators/1.1",
            "",
            "0=forms/1/indicators/1.1",
            "x=y",
            "forms/1/indicators/1.1",
        ] {
            assert!(meaning(wrong).is_err(), "{wrong}");
        }
    }
}
