//! What collections are called: `legalstat collections list`, `get`, `update`.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{
    super::{Action, Command, Mutation, bodies::in_camel_case, date, name, object, request},
    SERVICE, list,
};
use crate::{failure::Failure, output::View};

/// Collections and their titles
#[derive(Subcommand, Debug)]
pub(crate) enum Titles {
    /// The collections
    List {
        /// With their titles of this day [default: today]
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// One collection
    Get {
        /// The collection: collections/crime or crime
        collection: String,
        /// With its title of this day [default: today]
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// Change what a collection is called, from a day on, or as a correction; an administrator does
    #[command(after_help = "Example:
  legalstat collections update courts --ru 'О работе судов Республики Казахстан' --reason 'the official title'")]
    Update {
        /// The collection: collections/crime or crime
        collection: String,
        /// It is called so from this day on [default: what is recorded was wrong]
        #[arg(long, value_name = "DATE", value_parser = date)]
        effective_from: Option<Value>,
        /// Its title in Kazakh
        #[arg(long)]
        kk: Option<String>,
        /// Its title in Russian
        #[arg(long)]
        ru: Option<String>,
        /// Its title in English
        #[arg(long)]
        en: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Refuse when the title was recorded anew since it had this etag
        #[arg(long, default_value = "")]
        etag: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

const COLLECTIONS: View = View::Rows(
    "collections",
    &[
        ("collection", "name"),
        ("title", "title"),
        ("periodicity", "periodicity"),
        ("due day", "dueDay"),
        ("copies", "copiesTotal"),
        ("legal basis", "legalBasis"),
    ],
);

impl Titles {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        let named = |id: &str| json!(name("collections/", id));
        Ok(match self {
            Self::List { as_of } => list("ListCollections", object([("asOf", as_of)]), COLLECTIONS),
            Self::Get { collection, as_of } => {
                let request = object([("name", Some(named(&collection))), ("asOf", as_of)]);
                Command::new(SERVICE, "GetCollection", Action::Call(request, View::Record))
            }
            Self::Update {
                collection,
                effective_from,
                kk,
                ru,
                en,
                reason,
                etag,
                mutation,
            } => {
                let given = [("kk", "title.kk", kk), ("ru", "title.ru", ru), ("en", "title.en", en)];
                let (mut title, mut paths) = (Map::new(), Vec::new());
                for (language, path, text) in given {
                    if let Some(text) = text {
                        title.insert(language.into(), json!(text));
                        paths.push(path);
                    }
                }
                let fields = object([
                    (
                        "collection",
                        Some(json!({ "name": named(&collection), "title": title, "etag": etag })),
                    ),
                    ("updateMask", Some(json!(in_camel_case(&paths)))),
                    ("effectiveFrom", effective_from),
                    ("reason", Some(json!(reason))),
                ]);
                let request = mutation.add_to(request(SERVICE, "UpdateCollection", &fields)?);
                let action = Action::Send(request, View::Record);
                Command::new(SERVICE, "UpdateCollection", action).called_as("administrator")
            }
        })
    }
}
