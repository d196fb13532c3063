//! What collections are called: `legalstat collections list`, `get`, `update`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    super::{Action, Command, Mutation, date, field_mask::Given, name, object, request},
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
  legalstat collections update courts --ru 'О работе судов Республики Казахстан' --reason 'the official title' --as administrator")]
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
                let mut given = Given::default();
                given.localized("title", kk, ru, en);
                let (mask, mut fields) = (given.mask(), given.fields);
                fields.insert("name".into(), named(&collection));
                fields.insert("etag".into(), json!(etag));
                let fields = object([
                    ("collection", Some(Value::Object(fields))),
                    ("updateMask", Some(json!(mask))),
                    ("effectiveFrom", effective_from),
                    ("reason", Some(json!(reason))),
                ]);
                let request = mutation.add_to(request(SERVICE, "UpdateCollection", &fields)?);
                let action = Action::Send(request, View::Record);
                Command::new(SERVICE, "UpdateCollection", action)
            }
        })
    }
}
