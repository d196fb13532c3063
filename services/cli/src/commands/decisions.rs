//! `legalstat requests`, what officials and requesters do with a request after it was accepted.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::{Action, Command, Mutation, date, name, object, request, requests::SERVICE};
use crate::{failure::Failure, output::View};

/// What is done with a request.
#[derive(Subcommand, Debug)]
pub(crate) enum Deciding {
    /// Give a request to an official; a registered one is in preparation from then on
    #[command(after_help = "Example:\n  legalstat requests assign requests/UUID --to operator")]
    Assign {
        #[command(flatten)]
        on: On,
        /// The official: the name in the certificate
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Confirm or reverse what the examination found
    #[command(after_help = "Examples:
  legalstat requests review requests/UUID --kept channel:channel --reason \"It came on paper; the clerk chose wrongly\"
  legalstat requests review requests/UUID --broken not-openly-available:items[0] --reason \"forms/1 of 2025-M12 has it\"
  legalstat requests review requests/UUID --kept due-date --due-date 2037-01-20 --act \"Code 350-VI\" --provision \"art. 76\" \\
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
    #[command(after_help = "Example:
  legalstat requests correct requests/UUID --reason \"Mistyped\" --fields - <<'JSON'
  { \"requester\": { \"fullName\": \"Akhmetov Daniyar\" } }
  JSON")]
    Correct {
        #[command(flatten)]
        on: On,
        /// The fields as they should be: those of a Request in proto3 JSON, and no others; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        fields: PathBuf,
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
  legalstat requests extend requests/UUID --capacity head --reason \"Two regions have not reported\"
  legalstat requests extend requests/UUID --capacity deputy --until 2026-05-20 --reason \"Two regions have not reported\"")]
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
  legalstat requests forward requests/UUID --to \"Bureau of National Statistics\" --reason \"It keeps these figures\"
  legalstat requests forward requests/UUID --item 1 --to \"Bureau of National Statistics\" --reason \"It keeps these figures\"")]
    Forward {
        #[command(flatten)]
        on: On,
        /// The body
        #[arg(long, value_name = "BODY")]
        to: String,
        /// An item, counted from 0 as in items[0]; may be repeated [default: the whole request]
        #[arg(long, value_name = "POSITION")]
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
    /// Leave a request without consideration (Instruction, para 7)
    #[command(after_help = "Example:
  legalstat requests leave requests/UUID --ground OPENLY_AVAILABLE --reason \"forms/1/editions/2025-M12 has it\"

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
        after_help = "Example:\n  legalstat requests return requests/UUID --reason \"The period was not named by 12 March\""
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
  legalstat requests terminate requests/UUID --ground REPEATED --capacity deputy --reason \"Answered as 2026-000017\"

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
        after_help = "Example:\n  legalstat requests withdraw requests/UUID --reason \"By letter 7 of 2 March 2026\""
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
  legalstat requests clarify ask requests/UUID --defect \"items[0].period=Укажите период\" --cure-by 2026-03-20")]
    Ask {
        #[command(flatten)]
        on: On,
        /// A field and what the requester must supply, in the language of the request; may be repeated
        #[arg(long, value_name = "FIELD=TEXT", required = true, value_parser = defect)]
        defect: Vec<(String, String)>,
        /// The language of the texts
        #[arg(long, default_value = "ru")]
        language: Written,
        /// The last day for curing them [default: the usual time of the rule in force]
        #[arg(long, value_name = "DATE", value_parser = date)]
        cure_by: Option<Value>,
    },
    /// Supply what the requester was asked for; the request is examined again
    #[command(after_help = "Example:
  legalstat requests clarify provide requests/UUID --answer \"By letter 8 of 3 March 2026\" --fields items.json

where items.json holds all items: { \"items\": [{ \"kind\": \"ITEM_KIND_STATISTICS\", … }] }")]
    Provide {
        #[command(flatten)]
        on: On,
        /// What the requester answered
        #[arg(long)]
        answer: String,
        /// The fields supplied: those of a Request in proto3 JSON, and no others; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        fields: Option<PathBuf>,
    },
}

/// What is acted on, and how.
#[derive(Args, Debug)]
pub(crate) struct On {
    /// The request, requests/UUID
    #[arg(value_name = "REQUEST")]
    name: String,
    /// Its etag as it was read: refused when it has changed since
    #[arg(long)]
    etag: Option<String>,
    #[command(flatten)]
    mutation: Mutation,
}

/// In which capacity an official decides.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Capacity {
    /// The head of the body
    Head,
    /// A deputy
    Deputy,
    /// The head of the apparatus
    HeadOfApparatus,
}

impl Capacity {
    fn word(self) -> Value {
        json!(match self {
            Self::Head => "OFFICIAL_CAPACITY_HEAD",
            Self::Deputy => "OFFICIAL_CAPACITY_DEPUTY",
            Self::HeadOfApparatus => "OFFICIAL_CAPACITY_HEAD_OF_APPARATUS",
        })
    }
}

/// The languages in which requests are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Written {
    /// Kazakh
    Kk,
    /// Russian
    Ru,
}

/// A defect as it is written on the command line, `items[0].period=Укажите период`.
fn defect(text: &str) -> Result<(String, String), String> {
    let (field, text) = text.split_once('=').ok_or("write the field, = and what is missing")?;
    Ok((field.trim().to_owned(), text.trim().to_owned()))
}

/// A verdict on a check as it is written on the command line, `not-openly-available:items[0]`.
fn verdict(check: &str, verdict: &str) -> Value {
    let (rule, field) = check.split_once(':').unwrap_or((check, ""));
    let rule = rule.trim().replace('-', "_").to_uppercase();
    json!({ "rule": format!("CHECK_RULE_{rule}"), "field": field.trim(), "verdict": verdict })
}

/// The fields of a request that a file holds, and their mask.
fn given(path: &Path) -> Result<(Value, Value), Failure> {
    let fields = super::read_json(path)?;
    let Value::Object(object) = &fields else {
        return Err(Failure::usage("give the fields as an object in JSON"));
    };
    let mask = masked(object).join(",");
    Ok((fields, json!(mask)))
}

fn masked(fields: &Map<String, Value>) -> Vec<String> {
    let mut paths = Vec::new();
    for (field, value) in fields {
        match value.as_object().filter(|_| field == "requester") {
            Some(inner) => paths.extend(inner.keys().map(|part| format!("{field}.{part}"))),
            None => paths.push(field.clone()),
        }
    }
    paths
}

impl Deciding {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        let (method, on, fields) = match self {
            Self::Assign { on, to } => ("AssignRequest", on, json!({ "assignee": to })),
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
            Self::Correct { on, fields, reason } => {
                let (given, mask) = given(&fields)?;
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
                    ("capacity", Some(capacity.word())),
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
                let fields = json!({ "ground": ground, "capacity": capacity.word(), "reason": reason });
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
                    Written::Kk => "kk",
                    Written::Ru => "ru",
                };
                let told = |(field, text): (String, String)| json!({ "field": field, "text": { language: text } });
                let defects: Vec<Value> = defect.into_iter().map(told).collect();
                let fields = object([("defects", Some(json!(defects))), ("cureBy", cure_by)]);
                ("AskClarification", on, fields)
            }
            Self::Provide { on, answer, fields } => {
                let given = fields.as_deref().map(given).transpose()?;
                let (given, mask) = given.unzip();
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
        if let Some(etag) = self.etag {
            fields["etag"] = json!(etag);
        }
        let message = self.mutation.add_to(request(SERVICE, method, &fields)?);
        let command = Command::new(SERVICE, method, Action::Send(message, View::Record));
        Ok(match method {
            "ExtendRequest" | "TerminateRequest" => command.called_as("approver"),
            _ => command,
        })
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
    fn the_mask_names_what_a_file_holds_and_a_requester_by_its_fields() {
        let fields = json!({ "requester": { "fullName": "A", "bin": "" }, "items": [] });
        let masked = masked(fields.as_object().expect("it is one"));
        assert_eq!(masked.len(), 3);
        for path in ["requester.fullName", "requester.bin", "items"] {
            assert!(masked.iter().any(|masked| masked == path), "{path}");
        }
        assert!(defect("items[0].unit").is_err());
        let told = defect("items[0].unit = Укажите").expect("it is written so");
        assert_eq!(told, ("items[0].unit".to_owned(), "Укажите".to_owned()));
    }
}
