//! `legalstat requests new`: a request put together from flags and, on a terminal, from answers to questions.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    SERVICE,
    draft::{Draft, FIELDS, Kind, Signs, Written, some},
    filters::Way,
    items, questions,
};
use crate::{
    commands::{
        self, Action, Command, Mutation,
        attachments::{Attach, Files},
        date,
        forms::word,
        instant, sheet,
        submit::Submission,
    },
    failure::Failure,
    invocation::{caller, hint, hint_for},
    options::Options,
    output,
};

/// A request in flags
#[derive(Args, Debug)]
pub(crate) struct New {
    /// Who asks
    #[arg(long)]
    kind: Option<Kind>,
    /// How it came
    #[arg(long)]
    channel: Option<Way>,
    /// The body's or entity's name, or the person's surname, name and patronymic
    #[arg(long, value_parser = |text: &str| some(text, 500))]
    name: Option<Value>,
    /// The BIN of a body or an entity
    #[arg(long, value_parser = |text: &str| read("bin", text))]
    bin: Option<Value>,
    /// The IIN of a person
    #[arg(long, value_parser = |text: &str| read("iin", text))]
    iin: Option<Value>,
    /// The postal address
    #[arg(long, value_parser = |text: &str| some(text, 500))]
    address: Option<Value>,
    /// The sender's own number of the document
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| some(text, 100))]
    external_number: Option<Value>,
    /// The date of the sender's document
    #[arg(long, value_name = "DATE", value_parser = date)]
    external_date: Option<Value>,
    /// Who signed it
    #[arg(long, value_name = "NAME", value_parser = |text: &str| some(text, 500))]
    signatory: Option<Value>,
    /// In which capacity it is signed
    #[arg(long)]
    capacity: Option<Signs>,
    /// The body that is addressed, in the sender's words [default: the Committee]
    #[arg(long, value_name = "WORDS", value_parser = |text: &str| some(text, 200))]
    addressee: Option<Value>,
    /// The body of legal statistics that received it, bodies/ID [default: the Committee]
    #[arg(long, value_name = "BODY")]
    receiving_body: Option<String>,
    /// When it was received [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    received_at: Option<Value>,
    /// When the sender's system sent it, as it says
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    sent_at: Option<Value>,
    /// The essence of the request, in words
    #[arg(long, value_name = "WORDS", value_parser = |text: &str| some(text, 10_000))]
    essence: Option<Value>,
    /// The language of the request
    #[arg(long)]
    language: Option<Written>,
    /// What is asked for, NAME=VALUE;…;words=WORDS with kind, unit, period, until, form, indicator, detail, territories; may be
    /// repeated
    #[arg(long, value_name = "ITEM", value_parser = items::item)]
    item: Vec<Value>,
    /// It reports a crime or a threat: an anonymous one that does is forwarded at once all the same
    #[arg(long)]
    reports_crime_or_threat: bool,
    /// A file beside the request; may be given several times
    #[arg(long, value_name = "PATH")]
    attach: Vec<PathBuf>,
    #[command(flatten)]
    files: Files,
    /// Send it without asking, also when a document with its number and date was received before
    #[arg(long)]
    yes: bool,
    /// Write what the flags give to a file, to be filled in and submitted with --file; nothing is sent. `-` is standard output
    #[arg(long, value_name = "PATH", conflicts_with_all = ["attach", "signed_original", "signature", "validate_only", "request_id"])]
    template: Option<PathBuf>,
    #[command(flatten)]
    mutation: Mutation,
}

/// Reads the answer to a question as a flag.
fn read(flag: &str, text: &str) -> Result<Value, String> {
    let field = FIELDS.iter().find(|field| field.flag == flag);
    field.map_or_else(|| Ok(json!(text)), |field| (field.read)(text))
}

impl New {
    /// Puts the request together, shows it and sends it; or writes the template of one.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let mut draft = self.draft();
        if let Some(path) = &self.template {
            return write_template(path, draft);
        }
        let on_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let missing = draft.missing();
        if on_terminal && !missing.is_empty() {
            output::tell("What is missing is asked for. Ctrl-C ends it; nothing is sent before you say yes.");
            questions::complete(&mut draft, options)?;
        } else if !missing.is_empty() {
            return Err(unasked(&missing));
        }
        if on_terminal && !self.yes && !self.mutation.validate_only {
            output::tell(&format!("\n{}\n", output::record(&draft.shown())));
            if !questions::confirmed("Send it?")? {
                return Err(Failure::usage("nothing was sent, because the answer was not yes"));
            }
        }
        // What a person has typed is not to be typed again when the service refuses it.
        let typed = on_terminal && !missing.is_empty();
        let brings = draft.brings();
        let fields = json!({ "request": draft.into_request() });
        let message = self
            .mutation
            .add_to(commands::request(SERVICE, "SubmitRequest", &fields)?);
        let submission = Submission { message, yes: self.yes };
        let attach = Attach::with(submission, self.attach, self.files, &self.mutation)?;
        let action = Action::Attach(attach, sheet::SUBMITTED);
        let sent = Command::new(SERVICE, "SubmitRequest", action).run(options).await;
        if sent.is_err() && typed {
            keep(&fields, brings);
        }
        sent
    }

    /// What the flags say.
    fn draft(&self) -> Draft {
        let mut draft = Draft::default();
        let given = [
            (
                &["requester", "kind"][..],
                self.kind.map(|kind| word(kind, "REQUESTER_KIND_")),
            ),
            (&["channel"], self.channel.map(|way| word(way, "CHANNEL_"))),
            (&["requester", "fullName"], self.name.clone()),
            (&["requester", "bin"], self.bin.clone()),
            (&["requester", "iin"], self.iin.clone()),
            (&["requester", "postalAddress"], self.address.clone()),
            (&["externalNumber"], self.external_number.clone()),
            (&["externalDate"], self.external_date.clone()),
            (&["signatory", "fullName"], self.signatory.clone()),
            (
                &["signatory", "capacity"],
                self.capacity.map(|signs| word(signs, "SIGNATORY_CAPACITY_")),
            ),
            (&["addressee"], self.addressee.clone()),
            (&["receivingBody"], self.receiving_body.clone().map(Value::from)),
            (&["receivedAt"], self.received_at.clone()),
            (&["sentAt"], self.sent_at.clone()),
            (&["essence"], self.essence.clone()),
            (&["language"], self.language.map(|language| word(language, "LANGUAGE_"))),
            (
                &["reportsCrimeOrThreat"],
                self.reports_crime_or_threat.then_some(json!(true)),
            ),
        ];
        for (path, value) in given {
            if let Some(value) = value {
                draft.set(path, value);
            }
        }
        for item in &self.item {
            draft.add_item(item.clone());
        }
        draft
    }
}

/// Nobody is there to be asked: everything that is missing at once.
fn unasked(missing: &[(&str, String)]) -> Failure {
    let told: Vec<String> = missing
        .iter()
        .map(|(flag, what)| format!("\n  --{flag}  {what}"))
        .collect();
    Failure::usage(format!(
        "nothing was sent: this is missing, and there is no terminal to ask on:{}\n  or fill in a file, which --template writes, and \
         submit it",
        told.concat()
    ))
}

/// Keeps what was typed in a file of its own, and says how it is submitted once it is mended.
fn keep(fields: &Value, brings: Option<&'static str>) {
    let kept = kept_beside(&format!("{fields:#}\n"));
    match kept {
        Ok(path) => {
            let path = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            output::tell(&format!(
                "what you have typed is kept in {path}: mend it there, then {}",
                submission(&path, brings)
            ));
        }
        Err(error) => output::tell(&format!("what you have typed could not be kept: {error}")),
    }
}

/// Writes a new file here that only its owner reads: it holds personal data.
fn kept_beside(text: &str) -> std::io::Result<PathBuf> {
    let mut file = tempfile::Builder::new()
        .prefix("request-")
        .suffix(".json")
        .tempfile_in(".")?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}

/// How a file is submitted, by whom its channel belongs to.
fn submission(path: &str, brings: Option<&'static str>) -> String {
    let submit = format!("requests submit --file {path}");
    match brings {
        Some(system) if caller().is_none() => hint_for(system, &submit),
        _ => hint(&submit),
    }
}

/// Writes a template where nothing is yet.
fn write_template(path: &Path, draft: Draft) -> Result<(), Failure> {
    let brings = draft.brings();
    let text = format!("{:#}\n", json!({ "request": draft.into_template() }));
    if path.as_os_str() == "-" {
        return output::write_content(text.as_bytes());
    }
    if path.exists() {
        let message = format!("{} is there already; name another file", path.display());
        return Err(Failure::usage(message));
    }
    legalstat_local::folder::write_chosen(path, text.as_bytes())?;
    let path = path.display().to_string();
    output::tell(&format!(
        "fill in {path}, then {}; what is left as it is, is refused or, where it is empty, left out",
        submission(&path, brings)
    ));
    Ok(())
}
