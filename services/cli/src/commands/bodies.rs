//! `legalstat bodies`.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Action, Command, Mutation, date, field_mask::Given, forms::word, name, object, request, requests::SERVICE,
};
use crate::{failure::Failure, output::View};

/// Bodies that ask, and the bodies of legal statistics
#[derive(Subcommand, Debug)]
pub(crate) enum Bodies {
    /// Enter a body; an administrator does
    #[command(after_help = "Example:
  legalstat bodies add justice --kind state-body --en 'Ministry of Justice' --bin 160340014245 \\
      --certificate justice --from 2026-01-01 --act 'Order No. 7' --reason 'its system is connected' --as administrator")]
    Add {
        /// Its id: lower case letters and digits with hyphens between them
        id: String,
        /// What it is
        #[arg(long)]
        kind: Kind,
        /// The first day on which this holds
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Value,
        #[command(flatten)]
        facts: Box<Facts>,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// What is known of bodies, each once for each time for which it was otherwise
    #[command(after_help = "Example:\n  legalstat bodies list --as-of 2026-03-02 --kind territorial-body")]
    List {
        /// Only bodies in force on this day
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
        /// Only bodies of this kind
        #[arg(long)]
        kind: Option<Kind>,
        /// Only bodies with this BIN
        #[arg(long)]
        bin: Option<String>,
    },
    /// One body
    Get {
        /// The body, bodies/ID or its id
        body: String,
        /// As it is on this day [default: today]
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Value>,
    },
    /// Change what is known of a body, from a day on, or as a correction; an empty text takes something away
    #[command(after_help = "Examples:
  legalstat bodies update justice --certificate justice-2 --effective-from 2026-07-01 --reason 'a new system' --as administrator
  legalstat bodies update justice --to 2026-12-31 --reason 'it is wound up' --as administrator")]
    Update {
        /// The body, bodies/ID or its id
        body: String,
        /// It is otherwise from this day on [default: what is recorded was wrong]
        #[arg(long, value_name = "DATE", value_parser = date)]
        effective_from: Option<Value>,
        /// What it is
        #[arg(long)]
        kind: Option<Kind>,
        #[command(flatten)]
        facts: Box<Facts>,
        /// It has no last day
        #[arg(long, conflicts_with = "to")]
        open: bool,
        /// Why
        #[arg(long)]
        reason: String,
        /// Refuse when the body was recorded anew since it had this etag
        #[arg(long, default_value = "")]
        etag: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// What is known of a body
#[derive(Args, Debug)]
pub(crate) struct Facts {
    /// Its name in Kazakh
    #[arg(long)]
    kk: Option<String>,
    /// Its name in Russian
    #[arg(long)]
    ru: Option<String>,
    /// Its name in English
    #[arg(long)]
    en: Option<String>,
    /// The name in the certificate of its system
    #[arg(long, value_name = "NAME")]
    certificate: Option<String>,
    /// Its BIN
    #[arg(long)]
    bin: Option<String>,
    /// The KATO code of a territorial body's territory
    #[arg(long, value_name = "KATO")]
    territory: Option<String>,
    /// The act on which it rests
    #[arg(long)]
    act: Option<String>,
    /// Its article or paragraph
    #[arg(long, requires = "act")]
    provision: Option<String>,
    /// Where the act can be read
    #[arg(long, requires = "act")]
    uri: Option<String>,
    /// The last day on which this holds
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<Value>,
}

/// What a body is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// A state body, or another organisation, that asks.
    StateBody,
    /// The Committee on legal statistics and special records.
    Committee,
    /// A territorial body of the Committee.
    TerritorialBody,
}

const BODIES: View = View::Rows(
    "bodies",
    &[
        ("body", "name"),
        ("title", "title.ru"),
        ("title (en)", "title.en"),
        ("kind", "kind"),
        ("BIN", "bin"),
        ("certificate", "certificateName"),
        ("from", "validFrom"),
        ("to", "validTo"),
    ],
);

impl Facts {
    fn given(self) -> Given {
        let mut given = Given::default();
        given.localized("title", self.kk, self.ru, self.en);
        given.field("certificate_name", self.certificate);
        given.field("bin", self.bin);
        given.field("territory", self.territory);
        given.law(self.act, self.provision, self.uri);
        given.field("valid_to", self.to);
        given
    }
}

impl Bodies {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Add {
                id,
                kind,
                from,
                facts,
                reason,
                mutation,
            } => {
                let mut body = facts.given().fields;
                body.insert("name".into(), json!(name("bodies/", &id)));
                body.insert("kind".into(), word(kind, "BODY_KIND_"));
                body.insert("validFrom".into(), from);
                let fields = json!({ "body": body, "reason": reason });
                let request = mutation.add_to(request(SERVICE, "CreateBody", &fields)?);
                Command::new(SERVICE, "CreateBody", Action::Send(request, View::Record))
            }
            Self::List { as_of, kind, bin } => {
                let request = object([
                    ("asOf", as_of),
                    ("kind", kind.map(|kind| word(kind, "BODY_KIND_"))),
                    ("bin", bin.map(Value::from)),
                ]);
                Command::new(SERVICE, "ListBodies", Action::List(request, BODIES))
            }
            Self::Get { body, as_of } => {
                let request = object([("name", Some(json!(name("bodies/", &body)))), ("asOf", as_of)]);
                Command::new(SERVICE, "GetBody", Action::Call(request, View::Record))
            }
            Self::Update {
                body: id,
                effective_from,
                kind,
                facts,
                open,
                reason,
                etag,
                mutation,
            } => {
                let mut given = facts.given();
                given.field("kind", kind.map(|kind| word(kind, "BODY_KIND_")));
                if open {
                    given.emptied("valid_to");
                }
                let (mask, mut body) = (given.mask(), given.fields);
                body.insert("name".into(), json!(name("bodies/", &id)));
                body.insert("etag".into(), json!(etag));
                let fields = object([
                    ("body", Some(Value::Object(body))),
                    ("updateMask", Some(json!(mask))),
                    ("effectiveFrom", effective_from),
                    ("reason", Some(json!(reason))),
                ]);
                let request = mutation.add_to(request(SERVICE, "UpdateBody", &fields)?);
                Command::new(SERVICE, "UpdateBody", Action::Send(request, View::Record))
            }
        })
    }
}
