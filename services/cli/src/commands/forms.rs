//! `legalstat forms`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Action, Command, Mutation, name, object,
    observations::Observations,
    package::Package,
    read_file,
    registers::{CodeLists, Details, Indicators, Totals},
    request, upload_header,
    watch::{Watching, event_line},
};
use crate::{failure::Failure, output::View};

pub(super) const SERVICE: &str = "legalstat.forms.v1.FormRegistryService";

/// The register of report forms, its schedule and the placement of editions
#[derive(Subcommand, Debug)]
pub(crate) enum Forms {
    /// The forms
    List {
        /// Only forms printed with this code; 1-P finds two
        #[arg(long)]
        code: Option<String>,
    },
    /// One form
    Get {
        /// The form: forms/1 or its list number
        form: String,
    },
    /// What falls due for the periods of a year
    #[command(after_help = "Example:\n  legalstat forms schedule --year 2026 -o json")]
    Schedule {
        /// The year of the periods, 2019 to 2035
        #[arg(long)]
        year: i32,
        /// Only this form
        #[arg(long)]
        form: Option<String>,
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
    },
    /// One edition
    Edition {
        /// The edition, forms/1/editions/2019-M03
        name: String,
    },
    /// Upload the file of an edition
    #[command(
        after_help = "Example:\n  legalstat forms upload forms/1/editions/2025-M01 --content 1-M.csv --content-type text/csv"
    )]
    Upload {
        /// The edition, forms/1/editions/2019-M03
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
    /// Download the file of an edition
    Download {
        /// The edition, forms/1/editions/2019-M03
        name: String,
        /// Where to write it; `-` is standard output
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// Place an edition
    #[command(after_help = "Examples:
  legalstat forms place forms/1/editions/2025-M01 --channel information-service
  legalstat forms place --file place.json")]
    Place {
        /// The edition, forms/1/editions/2019-M03
        #[arg(required_unless_present = "file")]
        name: Option<String>,
        /// Where
        #[arg(long, default_value = "information-service")]
        channel: Channel,
        /// A PlaceEditionRequest in proto3 JSON instead; `-` reads standard input
        #[arg(long, value_name = "PATH", conflicts_with_all = ["name", "channel"])]
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
    /// How a year's editions stand to their due dates
    Punctuality {
        /// The year of the periods, 2019 to 2035
        #[arg(long)]
        year: i32,
        /// Only this form
        #[arg(long)]
        form: Option<String>,
    },
    /// What the registers say about the items of a request
    #[command(after_help = "Example:\n  legalstat forms availability --form 1 --period 2025-M01")]
    Availability {
        /// The form an item names
        #[arg(long, required_unless_present_any = ["file", "indicator", "words"])]
        form: Option<String>,
        /// The first period
        #[arg(long, required_unless_present = "file")]
        period: Option<String>,
        /// The last period
        #[arg(long)]
        until_period: Option<String>,
        /// A CheckAvailabilityRequest in proto3 JSON instead; `-` reads standard input
        #[arg(long, value_name = "PATH", conflicts_with_all = ["form", "period", "until_period"])]
        file: Option<PathBuf>,
        /// The indicator, forms/1/indicators/crimes
        #[arg(long)]
        indicator: Option<String>,
        /// The indicator in words
        #[arg(long)]
        words: Option<String>,
        /// What is counted, for example CRIME
        #[arg(long)]
        unit: Option<String>,
        /// The territory, by its code in KATO
        #[arg(long)]
        territory: Option<String>,
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

/// The state of an edition.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Nothing uploaded.
    Scheduled,
    /// A file is uploaded.
    Prepared,
    /// Placed.
    Placed,
}

/// Where an edition is placed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Channel {
    /// The information service, tab "Legal statistics".
    InformationService,
    /// The official website.
    OfficialWebsite,
    /// The open data portal.
    OpenDataPortal,
}

fn word(value: impl ValueEnum, prefix: &str) -> Value {
    let name = value
        .to_possible_value()
        .map(|value| value.get_name().replace('-', "_").to_uppercase());
    json!(format!("{prefix}{}", name.unwrap_or_default()))
}

fn form_name(form: Option<String>) -> Option<Value> {
    form.map(|form| json!(name("forms/", &form)))
}

const FORMS: View = View::Rows(
    "forms",
    &[
        ("form", "name"),
        ("code", "code"),
        ("title", "title"),
        ("periodicity", "periodicity"),
        ("due day", "dueDay"),
        ("legal basis", "legalBasis"),
    ],
);
const SCHEDULE: View = View::Rows(
    "items",
    &[
        ("form", "form"),
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
        ("punctuality", "punctuality"),
        ("file", "file.filename"),
    ],
);
const AVAILABILITY: View = View::Rows(
    "items",
    &[
        ("availability", "availability"),
        ("finding", "text"),
        ("editions", "editions"),
        ("indicators", "indicators"),
        ("legal basis", "legalBasis"),
    ],
);

impl Forms {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Package(package) => Command::new(SERVICE, "GetOpenDataPackage", Action::Package(package)),
            Self::Watch { new, watch } => {
                let action = Action::Watch(watch, json!({ "onlyNew": new }), event_line);
                Command::new(SERVICE, "WatchForms", action)
            }
            Self::List { code } => {
                let request = object([("code", code.map(Value::from))]);
                Command::new(SERVICE, "ListForms", Action::List(request, FORMS))
            }
            Self::Get { form } => {
                let request = json!({ "name": name("forms/", &form) });
                Command::new(SERVICE, "GetForm", Action::Call(request, View::Record))
            }
            Self::Schedule { year, form } => {
                let request = object([("year", Some(json!(year))), ("form", form_name(form))]);
                Command::new(SERVICE, "ListSchedule", Action::List(request, SCHEDULE))
            }
            Self::Editions { form, year, state } => {
                let parent = form_name(form).unwrap_or(json!("forms/-"));
                let state = state.map(|state| word(state, "EDITION_STATE_"));
                let request = object([
                    ("parent", Some(parent)),
                    ("year", year.map(Value::from)),
                    ("state", state),
                ]);
                Command::new(SERVICE, "ListEditions", Action::List(request, EDITIONS))
            }
            Self::Edition { name } => {
                let action = Action::Call(json!({ "name": name }), View::Record);
                Command::new(SERVICE, "GetEdition", action)
            }
            Self::Upload {
                name,
                content,
                content_type,
                sha256,
                mutation,
            } => {
                let method = format!("{SERVICE}/UploadEditionFile");
                let header = mutation.add_to(upload_header(&method, &name, &content, &content_type, sha256)?);
                Command::new(SERVICE, "UploadEditionFile", Action::Upload(header, content))
            }
            Self::Download { name, to } => {
                let action = Action::Download(json!({ "name": name }), to);
                Command::new(SERVICE, "DownloadEditionFile", action)
            }
            Self::Place {
                name,
                channel,
                file,
                mutation,
            } => {
                let request = match file {
                    Some(file) => read_file(&file, SERVICE, "PlaceEdition")?,
                    None => {
                        let fields = json!({ "name": name, "channel": word(channel, "CHANNEL_") });
                        request(SERVICE, "PlaceEdition", &fields)?
                    }
                };
                let action = Action::Send(mutation.add_to(request), View::Record);
                Command::new(SERVICE, "PlaceEdition", action)
            }
            Self::Punctuality { year, form } => {
                let request = object([("year", Some(json!(year))), ("form", form_name(form))]);
                let action = Action::Call(request, View::Record);
                Command::new(SERVICE, "GetPunctuality", action)
            }
            Self::Availability {
                form,
                period,
                until_period,
                file,
                indicator,
                words,
                unit,
                territory,
            } => {
                let item = object([
                    ("indicator", indicator.map(Value::from)),
                    ("words", words.map(Value::from)),
                    ("unit", unit.map(Value::from)),
                    ("territory", territory.map(Value::from)),
                    ("form", form_name(form)),
                    ("period", period.map(Value::from)),
                    ("untilPeriod", until_period.map(Value::from)),
                ]);
                let request = match file {
                    Some(file) => read_file(&file, SERVICE, "CheckAvailability")?,
                    None => request(SERVICE, "CheckAvailability", &json!({ "items": [item] }))?,
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
