//! The commands about the register itself: forms and their versions, the day from which the installation answers, and the
//! approved list of open data.

use std::path::PathBuf;

use clap::{ArgAction, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Channel, SERVICE, word};
use crate::{
    commands::{Action, Command, Mutation, date, name, object, read_file, request},
    failure::Failure,
    output::View,
};

/// The register: what an administrator changes, and its history.
#[derive(Subcommand, Debug)]
pub(crate) enum Register {
    /// Enter a form [as administrator]
    #[command(after_help = r#"Example:
  legalstat forms create --file form.json --as administrator
where form.json holds
  { "reason": "Order No. 7 of 2026", "form": {
      "listNumber": 27, "code": "1-X", "title": { "ru": "О чём-то" }, "periodicity": "PERIODICITY_MONTHLY", "dueDay": 10,
      "rollForward": true, "rollForwardBasis": { "act": "Order No. 7", "provision": "para 2" },
      "legalBasis": { "act": "Order No. 7", "provision": "para 1" }, "validFrom": { "year": 2027, "month": 1, "day": 1 },
      "channels": ["CHANNEL_INFORMATION_SERVICE"], "responsible": { "body": "BODY_KIND_COMMITTEE" } } }"#)]
    Create {
        /// A CreateFormRequest in proto3 JSON; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Give a form other terms from a day on, or correct its texts [as administrator]
    #[command(after_help = "Examples:
  legalstat forms update 1 --due-day 7 --from 2027-01-01 --reason 'Order No. 7 of 2026' --as administrator
  legalstat forms update 1 --title-ru 'О зарегистрированных уголовных правонарушениях' --reason 'the title was missing' --as administrator")]
    Update(Box<Update>),
    /// End a form [as administrator]
    #[command(
        after_help = "Example:\n  legalstat forms retire 20 --last-day 2026-12-31 --act 'Order No. 7' --reason 'it is abolished' --as administrator"
    )]
    Retire {
        /// The form: forms/1 or its list number
        form: String,
        /// The last day on which it is in force
        #[arg(long, value_name = "DATE", value_parser = date)]
        last_day: Value,
        #[command(flatten)]
        law: Law,
        /// Why
        #[arg(long)]
        reason: String,
        /// The etag that the form must still have
        #[arg(long)]
        etag: Option<String>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Everything recorded about a form
    Versions {
        /// The form: forms/1 or its list number
        form: String,
    },
    /// From which day this installation answers; with --set another one [as administrator]
    #[command(after_help = "Example:
  legalstat forms answering-day --set 2026-01-01 --reason 'the paper register ended in 2025' --as administrator")]
    AnsweringDay {
        /// The first day: what is due on it is kept
        #[arg(long, value_name = "DATE", value_parser = date, requires = "reason")]
        set: Option<Value>,
        /// Why
        #[arg(long, requires = "set")]
        reason: Option<String>,
        /// The etag that the present day must still have
        #[arg(long, requires = "set")]
        etag: Option<String>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// The approved list of open data
    #[command(subcommand)]
    OpenData(OpenData),
}

/// What of a form changes.
#[derive(clap::Args, Debug)]
pub(crate) struct Update {
    /// The form: forms/1 or its list number
    #[arg(required_unless_present = "file")]
    form: Option<String>,
    /// The first day of the new version; without it texts are corrected
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<Value>,
    /// Why
    #[arg(long, required_unless_present = "file")]
    reason: Option<String>,
    /// The code as printed; empty for none
    #[arg(long)]
    code: Option<String>,
    /// The title in Kazakh
    #[arg(long)]
    title_kk: Option<String>,
    /// The title in Russian
    #[arg(long)]
    title_ru: Option<String>,
    /// The title in English
    #[arg(long)]
    title_en: Option<String>,
    /// How often it is placed
    #[arg(long)]
    periodicity: Option<Periodicity>,
    /// The day of the month after the period, 1 to 28
    #[arg(long)]
    due_day: Option<i32>,
    /// Whether a due day that is off moves to the next working day
    #[arg(long, action = ArgAction::Set)]
    roll_forward: Option<bool>,
    /// The act for moving or not
    #[arg(long, value_name = "ACT")]
    roll_forward_act: Option<String>,
    /// Its provision
    #[arg(long, value_name = "PROVISION", requires = "roll_forward_act")]
    roll_forward_provision: Option<String>,
    /// The act that orders the form
    #[arg(long)]
    act: Option<String>,
    /// Its provision
    #[arg(long, requires = "act")]
    provision: Option<String>,
    /// A channel on which it is to be placed; can be repeated
    #[arg(long)]
    channel: Vec<Channel>,
    /// The body that answers for it
    #[arg(long)]
    body: Option<Body>,
    /// The KATO code of a territorial body
    #[arg(long, requires = "body")]
    territory: Option<String>,
    /// The unit within the body
    #[arg(long, requires = "body")]
    unit: Option<String>,
    /// The etag that the form must still have
    #[arg(long)]
    etag: Option<String>,
    /// An UpdateFormRequest in proto3 JSON instead; `-` reads standard input
    #[arg(long, value_name = "PATH", conflicts_with_all = ["form", "from", "reason"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    mutation: Mutation,
}

/// A law.
#[derive(clap::Args, Debug)]
pub(crate) struct Law {
    /// The act
    #[arg(long)]
    act: String,
    /// Its article or paragraph
    #[arg(long)]
    provision: Option<String>,
    /// Where it can be read
    #[arg(long)]
    uri: Option<String>,
}

/// The approved list of open data (Instruction, para 9).
#[derive(Subcommand, Debug)]
pub(crate) enum OpenData {
    /// Its entries
    List {
        /// Only this form
        #[arg(long)]
        form: Option<String>,
        /// Only what is on the list on this day
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// Enter a form
    #[command(
        after_help = "Example:\n  legalstat forms open-data add 1 --from 2026-01-01 --act 'Order No. 22' --provision 'item 1'"
    )]
    Add {
        /// The form: forms/1 or its list number
        form: String,
        /// The first day
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Value,
        #[command(flatten)]
        law: Law,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// End an entry
    End {
        /// The entry, forms/1/openDataEntries/2026-01-01
        name: String,
        /// The last day
        #[arg(long, value_name = "DATE", value_parser = date)]
        last_day: Value,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// How often a form is placed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Periodicity {
    /// Every month.
    Monthly,
    /// Every quarter.
    Quarterly,
}

/// A body of legal statistics.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Body {
    /// The Committee.
    Committee,
    /// A territorial body.
    Territorial,
}

const VERSIONS: View = View::Rows(
    "formVersions",
    &[
        ("version", "name"),
        ("kind", "kind"),
        ("from", "form.validFrom"),
        ("to", "form.validTo"),
        ("due day", "form.dueDay"),
        ("languages missing", "form.missingLanguages"),
        ("reason", "reason"),
        ("recorded", "recordedAt"),
        ("by", "recordedBy"),
    ],
);
const OPEN_DATA: View = View::Rows(
    "openDataEntries",
    &[
        ("entry", "name"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("legal basis", "legalBasis"),
        ("ended because", "endReason"),
    ],
);

impl Law {
    fn into_json(self) -> Value {
        object([
            ("act", Some(json!(self.act))),
            ("provision", self.provision.map(Value::from)),
            ("uri", self.uri.map(Value::from)),
        ])
    }
}

impl Register {
    /// The command to carry out.
    pub(super) fn command(self) -> Result<Command, Failure> {
        match self {
            Self::Create { file, mutation } => send("CreateForm", read_file(&file, SERVICE, "CreateForm")?, &mutation),
            Self::Update(update) => update.command(),
            Self::Retire {
                form,
                last_day,
                law,
                reason,
                etag,
                mutation,
            } => {
                let fields = object([
                    ("name", Some(json!(name("forms/", &form)))),
                    ("lastDay", Some(last_day)),
                    ("legalBasis", Some(law.into_json())),
                    ("reason", Some(json!(reason))),
                    ("etag", etag.map(Value::from)),
                ]);
                send("RetireForm", request(SERVICE, "RetireForm", &fields)?, &mutation)
            }
            Self::Versions { form } => {
                let action = Action::List(json!({ "parent": name("forms/", &form) }), VERSIONS);
                Ok(Command::new(SERVICE, "ListFormVersions", action))
            }
            Self::AnsweringDay {
                set,
                reason,
                etag,
                mutation,
            } => {
                let Some(day) = set else {
                    let action = Action::Call(json!({}), View::Record);
                    return Ok(Command::new(SERVICE, "GetAnsweringDay", action));
                };
                let fields = object([
                    ("day", Some(day)),
                    ("reason", reason.map(Value::from)),
                    ("etag", etag.map(Value::from)),
                ]);
                let request = request(SERVICE, "SetAnsweringDay", &fields)?;
                send("SetAnsweringDay", request, &mutation)
            }
            Self::OpenData(open_data) => open_data.command(),
        }
    }
}

fn send(method: &'static str, request: prost_reflect::DynamicMessage, mutation: &Mutation) -> Result<Command, Failure> {
    let action = Action::Send(mutation.add_to(request), View::Record);
    Ok(Command::new(SERVICE, method, action))
}

impl Update {
    fn command(self) -> Result<Command, Failure> {
        if let Some(file) = &self.file {
            let request = read_file(file, SERVICE, "UpdateForm")?;
            return send("UpdateForm", request, &self.mutation);
        }
        let mut mask = Vec::new();
        let mut form = json!({
            "name": self.form.as_ref().map(|form| name("forms/", form)), "etag": self.etag.unwrap_or_default(),
        });
        let mut change = |field: &str, path: &str, value: Option<Value>| {
            if let Some(value) = value {
                form[field] = value;
                mask.push(path.to_owned());
            }
        };
        change("code", "code", self.code.map(Value::from));
        change(
            "periodicity",
            "periodicity",
            self.periodicity.map(|value| word(value, "PERIODICITY_")),
        );
        change("dueDay", "dueDay", self.due_day.map(Value::from));
        change("rollForward", "rollForward", self.roll_forward.map(Value::from));
        let basis = |act: Option<String>, provision: Option<String>| {
            act.map(|act| json!({ "act": act, "provision": provision.unwrap_or_default() }))
        };
        let rolling = basis(self.roll_forward_act, self.roll_forward_provision);
        change("rollForwardBasis", "rollForwardBasis", rolling);
        change("legalBasis", "legalBasis", basis(self.act, self.provision));
        let channels: Vec<Value> = self.channel.iter().map(|channel| word(*channel, "CHANNEL_")).collect();
        change(
            "channels",
            "channels",
            (!channels.is_empty()).then_some(json!(channels)),
        );
        let responsible = self.body.map(|body| {
            object([
                ("body", Some(word(body, "BODY_KIND_"))),
                ("territory", self.territory.map(Value::from)),
                ("unit", self.unit.map(Value::from)),
            ])
        });
        change("responsible", "responsible", responsible);
        let titles = [("kk", self.title_kk), ("ru", self.title_ru), ("en", self.title_en)];
        for (language, title) in titles {
            if let Some(title) = title {
                form["title"][language] = json!(title);
                mask.push(format!("title.{language}"));
            }
        }
        let fields = object([
            ("form", Some(form)),
            ("updateMask", Some(json!(mask.join(",")))),
            ("effectiveFrom", self.from),
            ("reason", self.reason.map(Value::from)),
        ]);
        send("UpdateForm", request(SERVICE, "UpdateForm", &fields)?, &self.mutation)
    }
}

impl OpenData {
    fn command(self) -> Result<Command, Failure> {
        let (method, action) = match self {
            Self::List { form, as_of } => {
                let parent = form.map_or("forms/-".into(), |form| name("forms/", &form));
                let request = object([("parent", Some(json!(parent))), ("asOf", as_of)]);
                ("ListOpenDataEntries", Action::List(request, OPEN_DATA))
            }
            Self::Add {
                form,
                from,
                law,
                mutation,
            } => {
                let fields = json!({
                    "parent": name("forms/", &form), "validFrom": from, "legalBasis": law.into_json(),
                });
                let request = request(SERVICE, "CreateOpenDataEntry", &fields)?;
                (
                    "CreateOpenDataEntry",
                    Action::Send(mutation.add_to(request), View::Record),
                )
            }
            Self::End {
                name,
                last_day,
                reason,
                mutation,
            } => {
                let fields = json!({ "name": name, "lastDay": last_day, "reason": reason });
                let request = request(SERVICE, "EndOpenDataEntry", &fields)?;
                ("EndOpenDataEntry", Action::Send(mutation.add_to(request), View::Record))
            }
        };
        Ok(Command::new(SERVICE, method, action))
    }
}
