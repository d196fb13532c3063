//! `legalstat forms`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Action, Command, Mutation, date, edition_name,
    editions::Editing,
    name, object,
    observations::Observations,
    package::Package,
    read_file,
    registers::{CodeLists, Details, Indicators, Totals},
    request, upload_header,
    watch::{Watching, event_line},
};
use crate::{
    failure::Failure,
    output::{Language, View},
};

mod choices;
mod explain;
mod register;
mod tables;

pub(crate) use choices::{AvailabilityView, By, Channel, Due, State};
use register::Register;
use tables::{AVAILABILITY, EDITIONS, FORMS, PUNCTUALITY, SCHEDULE};

pub(super) const SERVICE: &str = "legalstat.forms.v1.FormRegistryService";

/// The register of report forms, its schedule and the placement of editions
#[derive(Subcommand, Debug)]
pub(crate) enum Forms {
    /// The forms
    List {
        /// Only forms printed with this code; 1-P finds two
        #[arg(long)]
        code: Option<String>,
        /// Only forms in force on this day, as they are on it
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// One form
    Get {
        /// The form: forms/1 or its list number
        form: String,
        /// The form as it is on this day
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// What falls due for the periods of a year, or in some days
    #[command(after_help = "Examples:
  legalstat forms schedule --year 2026 -o json
  legalstat forms schedule --overdue
  legalstat forms schedule --due-from 2026-12-01 --due-to 2026-12-14 --state scheduled")]
    Schedule {
        /// The year of the periods, 2019 to 2035
        #[arg(long, required_unless_present_any = ["overdue", "due_from", "due_to"])]
        year: Option<i32>,
        /// Only this form
        #[arg(long)]
        form: Option<String>,
        /// Only editions in this state
        #[arg(long)]
        state: Option<State>,
        #[command(flatten)]
        due: Due,
    },
    /// The editions of one form or of all
    Editions {
        /// Only this form
        #[arg(long)]
        form: Option<String>,
        /// Only periods of this year
        #[arg(long)]
        year: Option<i32>,
        /// Only editions in this state
        #[arg(long)]
        state: Option<State>,
        #[command(flatten)]
        due: Due,
    },
    /// One edition
    Edition {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        name: String,
    },
    /// Why an edition is due on its day, step by step
    #[command(after_help = "Example:\n  legalstat forms explain 7/2026-M10")]
    Explain {
        /// The edition, forms/7/editions/2026-M10 or 7/2026-M10
        name: String,
        /// The language of the explanation
        #[arg(long, default_value = "en")]
        language: Language,
    },
    #[command(flatten)]
    Register(Register),
    /// Upload a file of an edition, XLSX, CSV or PDF; what breaks off goes on
    #[command(after_help = "Examples:
  legalstat forms upload 1/2025-M01 --content 1-M.xlsx
  legalstat forms upload 1/2025-M01 --content 1-M-kk.pdf --language kk
An upload that was ended goes on with its --request-id, which it told at its beginning.")]
    Upload {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        name: String,
        /// The file to upload
        #[arg(long, value_name = "PATH")]
        content: PathBuf,
        /// Its media type, which must be what its name says
        #[arg(long, default_value = "")]
        content_type: String,
        /// The language of its content, for example kk
        #[arg(long, default_value = "")]
        language: String,
        /// It holds restricted information (Instruction, para 2(10)): the revision will never be placed
        #[arg(long)]
        restricted: bool,
        /// SHA-256 of the content; other content is refused
        #[arg(long)]
        sha256: Option<String>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Download a file of an edition; what breaks off goes on
    #[command(after_help = "Examples:
  legalstat forms download forms/1/editions/2025-M01 --to 1-M.csv
  legalstat forms download forms/1/editions/2025-M01 --filename 1-M.xlsx --revision 1 --to 1-M.xlsx --resume")]
    Download {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        name: String,
        /// The file's name; not needed where there is one
        #[arg(long, default_value = "")]
        filename: String,
        /// The revision [default: the one placed last]
        #[arg(long, default_value_t = 0)]
        revision: i32,
        /// The file by its SHA-256
        #[arg(long, default_value = "")]
        sha256: String,
        /// Keep what has come when it is ended, and go on from what an earlier one kept
        #[arg(long)]
        resume: bool,
        /// Where to write it; `-` is standard output
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// Place an edition
    #[command(after_help = "Examples:
  legalstat forms place 1/2025-M01 --channel information-service
  legalstat forms place --file place.json")]
    Place {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        #[arg(required_unless_present = "file")]
        name: Option<String>,
        /// Where
        #[arg(long, default_value = "information-service")]
        channel: Channel,
        /// The revision [default: the last one, when it is sealed]
        #[arg(long, default_value_t = 0)]
        revision: i32,
        /// The address where it can be read, https://…
        #[arg(long, default_value = "")]
        address: String,
        /// A PlaceEditionRequest in proto3 JSON instead; `-` reads standard input
        #[arg(long, value_name = "PATH", conflicts_with_all = ["name", "channel", "revision", "address"])]
        file: Option<PathBuf>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// The open data package of an edition: what is in it, and its files into a folder
    #[command(after_help = "Examples:
  legalstat forms package 1/2026-M10 --to package
  legalstat forms package 1/2026-M10 --package-version v1 -o json
  legalstat forms package 1/2026-M10 --package-version draft")]
    Package(Package),
    /// Tell what happens to forms and editions as it comes
    #[command(after_help = "Examples:
  legalstat forms watch --new
  legalstat forms watch --after TOKEN -o json
  legalstat forms watch --until-caught-up")]
    Watch {
        /// Nothing of what has happened already
        #[arg(long, conflicts_with = "after")]
        new: bool,
        #[command(flatten)]
        watch: Watching,
    },
    #[command(flatten)]
    Editing(Editing),
    /// How a year's editions stand to their due dates
    #[command(after_help = "Example:\n  legalstat forms punctuality --year 2026 --by form")]
    Punctuality {
        /// The year of the periods, 2019 to 2035
        #[arg(long)]
        year: i32,
        /// Only this form
        #[arg(long)]
        form: Option<String>,
        /// Only this period of the year
        #[arg(long)]
        period: Option<String>,
        /// A line for each form or period
        #[arg(long)]
        by: Option<By>,
        /// What counts as due soon: within so many days [default: 7]
        #[arg(long, value_name = "DAYS")]
        soon_days: Option<i32>,
    },
    /// What the registers say about the items of a request
    #[command(after_help = "Example:\n  legalstat forms availability --form 1 --period 2025-M01")]
    Availability {
        /// The form an item names
        #[arg(long, required_unless_present_any = ["file", "indicator", "detail", "words"])]
        form: Option<String>,
        /// The first period
        #[arg(long, required_unless_present = "file")]
        period: Option<String>,
        /// The last period
        #[arg(long)]
        until_period: Option<String>,
        /// A CheckAvailabilityRequest in proto3 JSON instead; `-` reads standard input
        #[arg(long, value_name = "PATH", conflicts_with_all = ["form", "period", "until_period", "territory", "view"])]
        file: Option<PathBuf>,
        /// The indicator, forms/1/indicators/crimes
        #[arg(long)]
        indicator: Option<String>,
        /// The detail of an accounting document, accountingDocuments/card-1/details/article
        #[arg(long, conflicts_with = "indicator")]
        detail: Option<String>,
        /// The indicator or detail in words
        #[arg(long)]
        words: Option<String>,
        /// What is counted, for example CRIME
        #[arg(long)]
        unit: Option<String>,
        /// A territory, by its code in KATO; several may be given
        #[arg(long, value_name = "CODE")]
        territory: Vec<String>,
        /// How much is told: basic leaves out the figures [default: full]
        #[arg(long)]
        view: Option<AvailabilityView>,
    },
    #[command(subcommand)]
    Indicators(Indicators),
    #[command(subcommand)]
    Details(Details),
    #[command(subcommand)]
    CodeLists(CodeLists),
    #[command(subcommand)]
    Totals(Totals),
    #[command(subcommand)]
    Observations(Observations),
}

pub(crate) fn word(value: impl ValueEnum, prefix: &str) -> Value {
    let name = value
        .to_possible_value()
        .map(|value| value.get_name().replace('-', "_").to_uppercase());
    json!(format!("{prefix}{}", name.unwrap_or_default()))
}

fn edition(name: &str) -> String {
    edition_name("forms/", name)
}

fn form_name(form: Option<String>) -> Option<Value> {
    form.map(|form| json!(name("forms/", &form)))
}

impl Forms {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Package(package) => Command::new(SERVICE, "GetOpenDataPackage", Action::Package(package)),
            Self::Watch { new, watch } => {
                let action = Action::Watch(watch, json!({ "onlyNew": new }), event_line);
                Command::new(SERVICE, "WatchForms", action)
            }
            Self::List { code, as_of } => {
                let request = object([("code", code.map(Value::from)), ("asOf", as_of)]);
                Command::new(SERVICE, "ListForms", Action::List(request, FORMS))
            }
            Self::Get { form, as_of } => {
                let request = object([("name", Some(json!(name("forms/", &form)))), ("asOf", as_of)]);
                Command::new(SERVICE, "GetForm", Action::Call(request, View::Record))
            }
            Self::Schedule { year, form, state, due } => {
                let request = object([
                    ("year", year.map(Value::from)),
                    ("form", form_name(form)),
                    ("state", state.map(|state| word(state, "EDITION_STATE_"))),
                ]);
                let request = due.add_to(request);
                Command::new(SERVICE, "ListSchedule", Action::List(request, SCHEDULE))
            }
            Self::Editions { form, year, state, due } => {
                let parent = form_name(form).unwrap_or(json!("forms/-"));
                let state = state.map(|state| word(state, "EDITION_STATE_"));
                let request = object([
                    ("parent", Some(parent)),
                    ("year", year.map(Value::from)),
                    ("state", state),
                ]);
                let request = due.add_to(request);
                Command::new(SERVICE, "ListEditions", Action::List(request, EDITIONS))
            }
            Self::Edition { name } => {
                let action = Action::Call(json!({ "name": edition(&name) }), View::Record);
                Command::new(SERVICE, "GetEdition", action)
            }
            Self::Explain { name, language } => {
                let view = View::Text(explain::explained, language);
                let action = Action::Call(json!({ "name": edition(&name) }), view);
                Command::new(SERVICE, "GetEdition", action)
            }
            Self::Register(register) => register.command()?,
            Self::Upload {
                name,
                content,
                content_type,
                language,
                restricted,
                sha256,
                mutation,
            } => {
                let method = format!("{SERVICE}/UploadEditionFile");
                let again = mutation.request_id.is_some();
                let mut header = mutation.add_to(upload_header(
                    &method,
                    &edition(&name),
                    &content,
                    &content_type,
                    sha256,
                )?);
                header.set_field_by_name("language", prost_reflect::Value::String(language));
                header.set_field_by_name("restricted", prost_reflect::Value::Bool(restricted));
                let action = Action::Resume(header, content, "GetEditionFileUpload", again);
                Command::new(SERVICE, "UploadEditionFile", action)
            }
            Self::Download {
                name,
                filename,
                revision,
                sha256,
                resume,
                to,
            } => {
                let request =
                    json!({ "name": edition(&name), "filename": filename, "revision": revision, "sha256": sha256 });
                Command::new(SERVICE, "DownloadEditionFile", Action::Fetch(request, to, resume))
            }
            Self::Editing(command) => command.command()?,
            Self::Place {
                name,
                channel,
                revision,
                address,
                file,
                mutation,
            } => {
                let request = match file {
                    Some(file) => read_file(&file, SERVICE, "PlaceEdition")?,
                    None => {
                        let name = name.map(|name| edition(&name));
                        let channel = word(channel, "CHANNEL_");
                        let fields =
                            json!({ "name": name, "channel": channel, "revision": revision, "address": address });
                        request(SERVICE, "PlaceEdition", &fields)?
                    }
                };
                let action = Action::Send(mutation.add_to(request), View::Record);
                Command::new(SERVICE, "PlaceEdition", action)
            }
            Self::Punctuality {
                year,
                form,
                period,
                by,
                soon_days,
            } => {
                let request = object([
                    ("year", Some(json!(year))),
                    ("form", form_name(form)),
                    ("period", period.map(Value::from)),
                    ("lines", by.map(|by| word(by, "PUNCTUALITY_LINES_BY_"))),
                    ("soonDays", soon_days.map(Value::from)),
                ]);
                let view = if by.is_some() { PUNCTUALITY } else { View::Record };
                let action = Action::Call(request, view);
                Command::new(SERVICE, "GetPunctuality", action)
            }
            Self::Availability {
                form,
                period,
                until_period,
                file,
                indicator,
                detail,
                words,
                unit,
                territory,
                view,
            } => {
                let item = object([
                    ("detail", detail.map(Value::from)),
                    ("indicator", indicator.map(Value::from)),
                    ("words", words.map(Value::from)),
                    ("unit", unit.map(Value::from)),
                    ("territories", Some(json!(territory))),
                    ("form", form_name(form)),
                    ("period", period.map(Value::from)),
                    ("untilPeriod", until_period.map(Value::from)),
                ]);
                let asked = object([
                    ("items", Some(json!([item]))),
                    ("view", view.map(|view| word(view, "AVAILABILITY_VIEW_"))),
                ]);
                let request = match file {
                    Some(file) => read_file(&file, SERVICE, "CheckAvailability")?,
                    None => request(SERVICE, "CheckAvailability", &asked)?,
                };
                let action = Action::Send(request, AVAILABILITY);
                Command::new(SERVICE, "CheckAvailability", action)
            }
            Self::Indicators(command) => command.command()?,
            Self::Details(command) => command.command()?,
            Self::CodeLists(command) => command.command()?,
            Self::Totals(command) => command.command()?,
            Self::Observations(command) => command.command()?,
        })
    }
}
