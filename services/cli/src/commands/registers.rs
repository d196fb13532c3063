//! `legalstat forms indicators`, `details`, `code-lists` and `totals`: the registers that figures are checked against.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{Action, Command, Mutation, date, forms::SERVICE, name, object, request, source::Source};
use crate::{failure::Failure, output::View};

/// What ends with a day.
#[derive(Args, Debug)]
pub(crate) struct Retire {
    /// The form, document or list
    parent: String,
    /// The codes that end
    #[arg(required = true)]
    codes: Vec<String>,
    /// The last day on which they hold
    #[arg(long, value_name = "DAY", value_parser = date)]
    last_day: Value,
    /// The law or order that ends them
    #[arg(long)]
    act: String,
    /// Its article or paragraph
    #[arg(long, default_value = "")]
    provision: String,
    #[command(flatten)]
    mutation: Mutation,
}

impl Retire {
    fn command(self, method: &'static str, prefix: &str) -> Result<Command, Failure> {
        let fields = json!({
            "parent": name(prefix, &self.parent),
            "codes": self.codes,
            "lastDay": self.last_day,
            "legalBasis": { "act": self.act, "provision": self.provision },
        });
        let request = self.mutation.add_to(request(SERVICE, method, &fields)?);
        Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)))
    }
}

/// The indicators of a form
#[derive(Subcommand, Debug)]
pub(crate) enum Indicators {
    /// The indicators, with their history or as of a day
    List {
        /// The form: forms/1 or its list number
        form: String,
        /// Only what holds on this day
        #[arg(long, value_name = "DAY", value_parser = date)]
        as_of: Option<Value>,
        /// Only those that count this, for example CRIME
        #[arg(long)]
        unit: Option<String>,
    },
    /// Enter indicators, or new versions of them from a day on
    #[command(
        after_help = "Columns: CODE, UNIT, MEASURE and TITLE_KK, TITLE_RU or TITLE_EN; optional BY_TERRITORY and RESTRICTED
(yes or no), DIMENSIONS (SEX;AGE=AGE_GROUP), VALID_FROM, VALID_TO, ACT, PROVISION, URI, ASSUMED.

Example:
  legalstat forms indicators import 1 --content indicators.xlsx --valid-from 2026-01-01 --act 'Order No. 7'"
    )]
    Import {
        /// The form: forms/1 or its list number
        form: String,
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// End indicators with a day
    Retire(Retire),
}

/// The details of information accounting documents
#[derive(Subcommand, Debug)]
pub(crate) enum Details {
    /// The details of a document, with their history or as of a day
    List {
        /// The document, by its code in ACCOUNTING_DOCUMENT
        document: String,
        /// Only what holds on this day
        #[arg(long, value_name = "DAY", value_parser = date)]
        as_of: Option<Value>,
    },
    /// Enter details of a document, or new versions of them from a day on
    #[command(
        after_help = "Columns: CODE, UNIT and TITLE_KK, TITLE_RU or TITLE_EN; optional RESTRICTED (yes or no), VALID_FROM, VALID_TO,
ACT, PROVISION, URI, ASSUMED. A document is entered as a code of the list ACCOUNTING_DOCUMENT."
    )]
    Import {
        /// The document, by its code in ACCOUNTING_DOCUMENT
        document: String,
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// End details with a day
    Retire(Retire),
}

/// Code lists: KATO, UNIT, ACCOUNTING_DOCUMENT and those of dimensions
#[derive(Subcommand, Debug)]
pub(crate) enum CodeLists {
    /// The lists
    List,
    /// The codes of a list, with their history or as of a day
    Codes {
        /// The list, for example KATO
        list: String,
        /// Only what holds on this day
        #[arg(long, value_name = "DAY", value_parser = date)]
        as_of: Option<Value>,
    },
    /// Make a list
    Create {
        /// Its id, for example SEX
        list: String,
        /// Its title in Kazakh
        #[arg(long, default_value = "")]
        title_kk: String,
        /// Its title in Russian
        #[arg(long, default_value = "")]
        title_ru: String,
        /// Its title in English
        #[arg(long, default_value = "")]
        title_en: String,
        /// The law or order behind it
        #[arg(long)]
        act: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Enter codes of a list, or new versions of them from a day on
    #[command(
        after_help = "Columns: CODE and TITLE_KK, TITLE_RU or TITLE_EN; optional PARENT, VALID_FROM, VALID_TO, ACT, PROVISION, URI, ASSUMED.

Example:
  legalstat forms code-lists import KATO --content kato.csv --encoding windows-1251 --valid-from 2026-01-01 --act 'NK RK 11'"
    )]
    Import {
        /// The list, for example KATO
        list: String,
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// End codes with a day
    Retire(Retire),
}

/// The rules that a total of a form is the sum of its parts
#[derive(Subcommand, Debug)]
pub(crate) enum Totals {
    /// The rules of a form
    List {
        /// The form: forms/1 or its list number
        form: String,
    },
    /// Enter a rule
    Create {
        /// The form: forms/1 or its list number
        form: String,
        /// The dimension, or TERRITORY
        #[arg(long)]
        dimension: String,
        /// The code that is the total of those whose parent it is
        #[arg(long)]
        total: String,
        /// The first day on which the rule holds
        #[arg(long, value_name = "DAY", value_parser = date)]
        valid_from: Value,
        /// The law or order behind it
        #[arg(long)]
        act: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

const INDICATORS: View = View::Rows(
    "indicators",
    &[
        ("code", "code"),
        ("title", "title"),
        ("unit", "unit"),
        ("measure", "measure"),
        ("territory", "byTerritory"),
        ("dimensions", "dimensions"),
        ("restricted", "restricted"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("law", "legalBasis"),
    ],
);
const DETAILS: View = View::Rows(
    "details",
    &[
        ("code", "code"),
        ("title", "title"),
        ("unit", "unit"),
        ("restricted", "restricted"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("law", "legalBasis"),
    ],
);
const LISTS: View = View::Rows(
    "codeLists",
    &[("list", "name"), ("title", "title"), ("law", "legalBasis")],
);
const CODES: View = View::Rows(
    "codes",
    &[
        ("code", "code"),
        ("title", "title"),
        ("part of", "parent"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("law", "legalBasis"),
    ],
);
const RULES: View = View::Rows(
    "totalRules",
    &[
        ("dimension", "dimension"),
        ("total", "total"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("law", "legalBasis"),
    ],
);

/// The command that sends a batch.
fn batch(
    method: &'static str,
    parent: String,
    field: &str,
    (messages, rows): (Vec<Value>, Vec<u64>),
    mutation: &Mutation,
) -> Result<Command, Failure> {
    let mut fields = Map::new();
    fields.insert("parent".into(), json!(parent));
    fields.insert(field.into(), Value::Array(messages));
    let request = mutation.add_to(request(SERVICE, method, &Value::Object(fields))?);
    Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)).of_rows(rows))
}

fn list(method: &'static str, request: Value, view: View) -> Command {
    Command::new(SERVICE, method, Action::List(request, view))
}

impl Indicators {
    pub(crate) fn command(self) -> Result<Command, Failure> {
        match self {
            Self::List { form, as_of, unit } => {
                let parent = json!(name("forms/", &form));
                let request = object([
                    ("parent", Some(parent)),
                    ("asOf", as_of),
                    ("unit", unit.map(Value::from)),
                ]);
                Ok(list("ListIndicators", request, INDICATORS))
            }
            Self::Import { form, source, mutation } => {
                let rows = source.rows(
                    &["CODE", "UNIT", "MEASURE"],
                    &["BY_TERRITORY", "RESTRICTED", "DIMENSIONS"],
                    |row, faults| {
                        json!({
                            "unit": row.cell("UNIT"), "measure": row.cell("MEASURE"), "dimensions": row.dimensions(),
                            "byTerritory": row.flag("BY_TERRITORY", faults), "restricted": row.flag("RESTRICTED", faults),
                        })
                    },
                )?;
                batch(
                    "BatchCreateIndicators",
                    name("forms/", &form),
                    "indicators",
                    rows,
                    &mutation,
                )
            }
            Self::Retire(retire) => retire.command("RetireIndicators", "forms/"),
        }
    }
}

impl Details {
    pub(crate) fn command(self) -> Result<Command, Failure> {
        const PREFIX: &str = "accountingDocuments/";
        match self {
            Self::List { document, as_of } => {
                let request = object([("parent", Some(json!(name(PREFIX, &document)))), ("asOf", as_of)]);
                Ok(list("ListDetails", request, DETAILS))
            }
            Self::Import {
                document,
                source,
                mutation,
            } => {
                let rows = source.rows(
                    &["CODE", "UNIT"],
                    &["RESTRICTED"],
                    |row, faults| json!({ "unit": row.cell("UNIT"), "restricted": row.flag("RESTRICTED", faults) }),
                )?;
                batch(
                    "BatchCreateDetails",
                    name(PREFIX, &document),
                    "details",
                    rows,
                    &mutation,
                )
            }
            Self::Retire(retire) => retire.command("RetireDetails", PREFIX),
        }
    }
}

impl CodeLists {
    pub(crate) fn command(self) -> Result<Command, Failure> {
        const PREFIX: &str = "codeLists/";
        match self {
            Self::List => Ok(list("ListCodeLists", json!({}), LISTS)),
            Self::Codes { list: id, as_of } => {
                let request = object([("parent", Some(json!(name(PREFIX, &id)))), ("asOf", as_of)]);
                Ok(list("ListCodes", request, CODES))
            }
            Self::Create {
                list: id,
                title_kk,
                title_ru,
                title_en,
                act,
                mutation,
            } => {
                let fields = json!({ "codeList": {
                    "name": name(PREFIX, &id), "title": { "kk": title_kk, "ru": title_ru, "en": title_en },
                    "legalBasis": { "act": act },
                } });
                let request = mutation.add_to(request(SERVICE, "CreateCodeList", &fields)?);
                Ok(Command::new(
                    SERVICE,
                    "CreateCodeList",
                    Action::Send(request, View::Record),
                ))
            }
            Self::Import {
                list: id,
                source,
                mutation,
            } => {
                let rows = source.rows(&["CODE"], &["PARENT"], |row, _| json!({ "parent": row.cell("PARENT") }))?;
                batch("BatchCreateCodes", name(PREFIX, &id), "codes", rows, &mutation)
            }
            Self::Retire(retire) => retire.command("RetireCodes", PREFIX),
        }
    }
}

impl Totals {
    pub(crate) fn command(self) -> Result<Command, Failure> {
        match self {
            Self::List { form } => Ok(list(
                "ListTotalRules",
                json!({ "parent": name("forms/", &form) }),
                RULES,
            )),
            Self::Create {
                form,
                dimension,
                total,
                valid_from,
                act,
                mutation,
            } => {
                let fields = json!({ "parent": name("forms/", &form), "totalRule": {
                    "dimension": dimension, "total": total, "validFrom": valid_from, "legalBasis": { "act": act },
                } });
                let request = mutation.add_to(request(SERVICE, "CreateTotalRule", &fields)?);
                Ok(Command::new(
                    SERVICE,
                    "CreateTotalRule",
                    Action::Send(request, View::Record),
                ))
            }
        }
    }
}
