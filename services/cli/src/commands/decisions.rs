//! `legalstat requests`, what officials and requesters do with a request after it was accepted.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Action, Command, Mutation,
    answers::Capacity,
    caller_name, connect, date,
    forms::word,
    name, notice, object, place_of, request,
    requests::{SERVICE, draft::Written, supplied::Supplied},
    sheet,
};
use crate::{failure::Failure, options::Options, place::ServiceName};

/// What is done with a request.
#[derive(Subcommand, Debug)]
pub(crate) enum Deciding {
    /// Give a request to an official; a registered one is in preparation from then on
    #[command(after_help = "Examples:
  legalstat requests assign 2026-000042 --to aliya
  legalstat requests assign 2026-000042 --as aliya")]
    Assign {
        #[command(flatten)]
        on: On,
        /// The official: the name in the certificate [default: whoever gives the command]
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
    },
    /// Confirm or reverse what the examination found
    #[command(after_help = "Examples:
  legalstat requests review 2026-000042 --kept channel:channel --reason \"It came on paper; the clerk chose wrongly\"
  legalstat requests review 2026-000042 --broken not-openly-available:items[0] --reason \"forms/1 of 2025-M12 has it\"
  legalstat requests review 2026-000042 --kept due-date --due-date 2037-01-20 --act \"Code 350-VI\" --provision \"art. 76\" \\
      --reason \"The calendar ends with 2036\"")]
    Review {
        #[command(flatten)]
        on: On,
        /// A check whose rule is kept after all, RULE or RULE:FIELD as the examination names them; may be repeated
        #[arg(long, value_name = "CHECK", required_unless_present = "broken")]
        kept: Vec<String>,
        /// A check whose rule is broken indeed; may be repeated
        #[arg(long, value_name = "CHECK")]
        broken: Vec<String>,
        /// The last day for the answer, with --kept due-date, when the calendar computes none
        #[arg(long, value_name = "DATE", value_parser = date, requires = "act")]
        due_date: Option<Value>,
        /// The act behind that day
        #[arg(long, requires = "due_date")]
        act: Option<String>,
        /// The provision of the act
        #[arg(long, requires = "act")]
        provision: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Mend a slip of the pen; what was there before is kept
    #[command(after_help = "Examples:
  legalstat requests correct 2026-000042 --set 'requester.full_name=Akhmetov Daniyar' --reason Mistyped
  legalstat requests correct 2026-000042 --set reports_crime_or_threat=true --reason \"The clerk did not mark it\"

What --set says of an item or the signatory is put into the request as it stands: when somebody else has changed it at the same
moment, this is refused, and given again after a look.")]
    Correct {
        #[command(flatten)]
        on: On,
        #[command(flatten)]
        supplied: Supplied,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Ask the requester for something, or supply what was asked for
    Clarify {
        #[command(subcommand)]
        step: Clarify,
    },
    /// Put the due date off (head, deputy or head of apparatus)
    #[command(after_help = "Examples:
  legalstat requests extend 2026-000042 --capacity head --reason \"Two regions have not reported\" --as approver
  legalstat requests extend 2026-000042 --capacity deputy --until 2026-05-20 --reason \"Two regions have not reported\" --as approver")]
    Extend {
        #[command(flatten)]
        on: On,
        /// The last day [default: the most that the term allows]
        #[arg(long, value_name = "DATE", value_parser = date, conflicts_with = "long_base")]
        until: Option<Value>,
        /// Take the longer time that the term has when information from other bodies is needed
        #[arg(long)]
        long_base: bool,
        /// The capacity in which it is decided
        #[arg(long)]
        capacity: Capacity,
        /// The day on which the requester was told
        #[arg(long, value_name = "DATE", value_parser = date)]
        notified_on: Option<Value>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Pass a request, or some of its items, on to the competent body
    #[command(after_help = "Examples:
  legalstat requests forward 2026-000042 --to \"Bureau of National Statistics\" --reason \"It keeps these figures\"
  legalstat requests forward 2026-000042 --item 'items[1]' --to \"Bureau of National Statistics\" --reason \"It keeps these figures\"")]
    Forward {
        #[command(flatten)]
        on: On,
        /// The body
        #[arg(long, value_name = "BODY")]
        to: String,
        /// An item as the sheet names it, items[0]; may be repeated [default: the whole request]
        #[arg(long, value_name = "ITEM", value_parser = position)]
        item: Vec<i32>,
        /// The ground, by its code in the rules
        #[arg(long, default_value = "NOT_COMPETENT")]
        ground: String,
        /// The day on which the requester was told
        #[arg(long, value_name = "DATE", value_parser = date)]
        notified_on: Option<Value>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Record that the requester was told of a forwarding or an extension
    #[command(after_help = "Examples:
  legalstat requests notice 2026-000042 --on 2026-03-05 --means post
  legalstat requests notice 2026-000042 --decision 1 --on 2026-03-05 --means e-government")]
    Notice(notice::Notice),
    /// Leave a request without consideration (Instruction, para 7)
    #[command(after_help = "Example:
  legalstat requests leave 2026-000042 --ground OPENLY_AVAILABLE --reason \"forms/1/editions/2025-M12 has it\"

Grounds: ORAL, OTHER_CHANNEL, OPENLY_AVAILABLE, DOCUMENT_COPIES, PRIMARY_ACCOUNTING, OUTSIDE_INDICATORS, RESTRICTED, and
those that an operator has entered.")]
    Leave {
        #[command(flatten)]
        on: On,
        /// The ground, by its code in the rules
        #[arg(long)]
        ground: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Give a request back whose defects were not cured in time
    #[command(
        after_help = "Example:\n  legalstat requests return 2026-000042 --reason \"The period was not named by 12 March\""
    )]
    Return {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End the consideration of a request (head or deputy)
    #[command(after_help = "Example:
  legalstat requests terminate 2026-000042 --ground REPEATED --capacity deputy --reason \"Answered as 2026-000017\" --as approver

Grounds: ANONYMOUS, WITHOUT_ESSENCE, REPEATED, and those that an operator has entered.")]
    Terminate {
        #[command(flatten)]
        on: On,
        /// The ground, by its code in the rules
        #[arg(long)]
        ground: String,
        /// The capacity in which it is decided
        #[arg(long)]
        capacity: Capacity,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Record that its requester took a request back in writing
    #[command(
        after_help = "Example:\n  legalstat requests withdraw 2026-000042 --reason \"By letter 7 of 2 March 2026\""
    )]
    Withdraw {
        #[command(flatten)]
        on: On,
        /// How and when
        #[arg(long)]
        reason: String,
    },
}

/// The two steps of a clarification.
#[derive(Subcommand, Debug)]
pub(crate) enum Clarify {
    /// Ask the requester for what is missing, with a term to cure it
    #[command(after_help = "Example:
  legalstat requests clarify ask 2026-000042 --defect \"items[0].period=Укажите период\" --cure-by 2026-03-20")]
    Ask {
        #[command(flatten)]
        on: On,
        /// A field and what the requester must supply, in the language of the request; may be repeated
        #[arg(long, value_name = "FIELD=TEXT", required = true, value_parser = defect)]
        defect: Vec<(String, String)>,
        /// The language of the texts [default: the request's]
        #[arg(long)]
        language: Option<Written>,
        /// The last day for curing them [default: the usual time of the rule in force]
        #[arg(long, value_name = "DATE", value_parser = date)]
        cure_by: Option<Value>,
    },
    /// Supply what the requester was asked for; the request is examined again
    #[command(after_help = "Examples:
  legalstat requests clarify provide 2026-000042 --answer 'By letter 8 of 3 March 2026' --set 'items[0].period=2026-Q1'
  legalstat requests clarify provide 2026-000042 --answer 'By letter 8 of 3 March 2026' \\
      --item 'unit=crime;period=2026-Q1;form=1;words=Registered crimes'
  legalstat requests clarify provide 2026-000042 --answer 'By letter 8 of 3 March 2026' --fields fields.json

--set changes a field of what is there; --item gives all that is asked for, where nothing was or something else is; fields.json holds
fields of a Request in proto3 JSON.")]
    Provide {
        #[command(flatten)]
        on: On,
        /// What the requester answered
        #[arg(long)]
        answer: String,
        #[command(flatten)]
        supplied: Supplied,
    },
}

/// What is acted on, and how.
#[derive(Args, Debug)]
pub(crate) struct On {
    /// The request: its registration number, its coupon's or its name, requests/UUID
    #[arg(value_name = "REQUEST")]
    pub(super) name: String,
    /// Its etag as it was read: refused when it has changed since [default: with --set of an item or the signatory the one that it has
    /// now, else none]
    #[arg(long)]
    etag: Option<String>,
    /// The etag with which it was read to make what is sent.
    #[arg(skip)]
    read: Option<String>,
    #[command(flatten)]
    mutation: Mutation,
}

/// A defect as it is written on the command line, `items[0].period=Укажите период`.
fn defect(text: &str) -> Result<(String, String), String> {
    let (field, text) = text.split_once('=').ok_or("write the field, = and what is missing")?;
    Ok((field.trim().to_owned(), text.trim().to_owned()))
}

/// The position of an item, `items[1]`. A bare number is none: one person counts from 0, another from 1, and the wrong item would
/// leave the house.
fn position(text: &str) -> Result<i32, String> {
    let position = place_of(text).and_then(|place| i32::try_from(place).ok());
    position.ok_or_else(|| "write an item as the sheet names it, items[0] for the first".to_owned())
}

/// A verdict on a check as it is written on the command line, `not-openly-available:items[0]`.
fn verdict(check: &str, verdict: &str) -> Value {
    let (rule, field) = check.split_once(':').unwrap_or((check, ""));
    let rule = rule.trim().replace('-', "_").to_uppercase();
    json!({ "rule": format!("CHECK_RULE_{rule}"), "field": field.trim(), "verdict": verdict })
}

impl Deciding {
    /// The request that is acted on.
    pub(crate) fn about(&mut self) -> &mut String {
        let on = match self {
            Self::Extend { on, .. }
            | Self::Terminate { on, .. }
            | Self::Assign { on, .. }
            | Self::Review { on, .. }
            | Self::Correct { on, .. }
            | Self::Forward { on, .. }
            | Self::Notice(notice::Notice { on, .. })
            | Self::Leave { on, .. }
            | Self::Return { on, .. }
            | Self::Withdraw { on, .. }
            | Self::Clarify {
                step: Clarify::Ask { on, .. } | Clarify::Provide { on, .. },
            } => on,
        };
        &mut on.name
    }

    /// Adds what follows from who gives the command and from the request: a request is given to whoever gives the command unless
    /// another is named, and its requester is asked in its language.
    pub(crate) async fn complete(&mut self, options: &Options) -> Result<(), Failure> {
        match self {
            Self::Assign { to: to @ None, .. } => *to = Some(caller_name(options)?),
            Self::Clarify {
                step:
                    Clarify::Ask {
                        on,
                        language: language @ None,
                        ..
                    },
            } => {
                let connection = connect(options, ServiceName::RequestIntake)?;
                let asked = json!({ "name": name("requests/", &on.name), "view": "REQUEST_VIEW_BASIC" });
                let request = connection.call(&format!("{SERVICE}/GetRequest"), &asked).await?;
                let is_kazakh = request["language"] == "LANGUAGE_KK";
                *language = Some(if is_kazakh { Written::Kk } else { Written::Ru });
            }
            Self::Correct { on, supplied, .. }
            | Self::Clarify {
                step: Clarify::Provide { on, supplied, .. },
            } => on.read = supplied.complete(&name("requests/", &on.name), options).await?,
            Self::Notice(notice) => notice.complete(options).await?,
            _ => {}
        }
        Ok(())
    }

    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        let (method, on, fields) = match self {
            Self::Assign { on, to } => ("AssignRequest", on, object([("assignee", to.map(Value::from))])),
            Self::Review {
                on,
                kept,
                broken,
                due_date,
                act,
                provision,
                reason,
            } => {
                let basis = act.map(|act| json!({ "act": act, "provision": provision.unwrap_or_default() }));
                let kept = kept.iter().map(|check| verdict(check, "VERDICT_KEPT"));
                let broken = broken.iter().map(|check| verdict(check, "VERDICT_BROKEN"));
                let reviews: Vec<Value> = kept.chain(broken).collect();
                let fields = object([
                    ("reviews", Some(json!(reviews))),
                    ("dueDate", due_date),
                    ("dueDateBasis", basis),
                    ("reason", Some(json!(reason))),
                ]);
                ("ReviewDecision", on, fields)
            }
            Self::Correct { on, supplied, reason } => {
                let given = supplied.given()?;
                let (given, mask) =
                    given.ok_or_else(|| Failure::usage("say what is mended, with --set or --fields"))?;
                let fields = json!({ "request": given, "updateMask": mask, "reason": reason });
                ("CorrectRequest", on, fields)
            }
            Self::Clarify { step } => step.fields()?,
            Self::Extend {
                on,
                until,
                long_base,
                capacity,
                notified_on,
                reason,
            } => {
                let part = if long_base {
                    "TERM_PART_LONG_BASE"
                } else {
                    "TERM_PART_EXTENSION"
                };
                let fields = object([
                    ("part", Some(json!(part))),
                    ("until", until),
                    ("capacity", Some(word(capacity, "OFFICIAL_CAPACITY_"))),
                    ("notifiedOn", notified_on),
                    ("reason", Some(json!(reason))),
                ]);
                ("ExtendRequest", on, fields)
            }
            Self::Forward {
                on,
                to,
                item,
                ground,
                notified_on,
                reason,
            } => {
                let fields = object([
                    ("toBody", Some(json!(to))),
                    ("items", Some(json!(item))),
                    ("ground", Some(json!(ground))),
                    ("notifiedOn", notified_on),
                    ("reason", Some(json!(reason))),
                ]);
                ("ForwardRequest", on, fields)
            }
            Self::Notice(notice) => {
                let (on, fields) = notice.fields();
                ("RecordNotice", on, fields)
            }
            Self::Leave { on, ground, reason } => {
                let fields = json!({ "ground": ground, "reason": reason });
                ("LeaveWithoutConsideration", on, fields)
            }
            Self::Return { on, reason } => ("ReturnRequest", on, json!({ "reason": reason })),
            Self::Terminate {
                on,
                ground,
                capacity,
                reason,
            } => {
                let fields =
                    json!({ "ground": ground, "capacity": word(capacity, "OFFICIAL_CAPACITY_"), "reason": reason });
                ("TerminateRequest", on, fields)
            }
            Self::Withdraw { on, reason } => ("WithdrawRequest", on, json!({ "reason": reason })),
        };
        on.command(method, fields)
    }
}

impl Clarify {
    fn fields(self) -> Result<(&'static str, On, Value), Failure> {
        Ok(match self {
            Self::Ask {
                on,
                defect,
                language,
                cure_by,
            } => {
                let language = match language {
                    Some(Written::Kk) => "kk",
                    Some(Written::Ru) | None => "ru",
                };
                let told = |(field, text): (String, String)| json!({ "field": field, "text": { language: text } });
                let defects: Vec<Value> = defect.into_iter().map(told).collect();
                let fields = object([("defects", Some(json!(defects))), ("cureBy", cure_by)]);
                ("AskClarification", on, fields)
            }
            Self::Provide { on, answer, supplied } => {
                let (given, mask) = supplied.given()?.unzip();
                let fields = object([
                    ("clarification", Some(json!(answer))),
                    ("request", given),
                    ("updateMask", mask),
                ]);
                ("ProvideClarification", on, fields)
            }
        })
    }
}

impl On {
    fn command(self, method: &'static str, mut fields: Value) -> Result<Command, Failure> {
        fields["name"] = json!(name("requests/", &self.name));
        // A repetition is the same call only with the same etag, and the request has another one since.
        let besides = match (&self.etag, &self.read) {
            (None, Some(read)) => format!(" --etag {read}"),
            _ => String::new(),
        };
        if let Some(etag) = self.etag.or(self.read) {
            fields["etag"] = json!(etag);
        }
        let message = self.mutation.add_with(request(SERVICE, method, &fields)?, &besides);
        Ok(Command::new(SERVICE, method, Action::Send(message, sheet::DECIDED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_named_as_the_examination_names_it() {
        let told = verdict("not-openly-available:items[0]", "VERDICT_KEPT");
        let expected =
            json!({ "rule": "CHECK_RULE_NOT_OPENLY_AVAILABLE", "field": "items[0]", "verdict": "VERDICT_KEPT" });
        assert_eq!(told, expected);
        assert_eq!(verdict("DUE_DATE", "")["rule"], json!("CHECK_RULE_DUE_DATE"));
    }

    #[test]
    fn items_and_defects_are_named_as_the_sheet_names_them() {
        for (text, place) in [
            ("items[1]", Ok(1)),
            ("1", Err(())),
            ("items[-1]", Err(())),
            ("items[x]", Err(())),
            ("", Err(())),
        ] {
            assert_eq!(position(text).map_err(|_| ()), place, "{text}");
        }
        assert!(defect("items[0].unit").is_err());
        let told = defect("items[0].unit = Укажите").expect("it is written so");
        assert_eq!(told, ("items[0].unit".to_owned(), "Укажите".to_owned()));
    }
}
