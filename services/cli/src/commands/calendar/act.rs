//! `legalstat calendar act`: shows what a change of the calendar would do, asks, and makes it.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Subcommand;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};

use super::{SERVICE, preview};
use crate::{
    call::Connection,
    commands::{Mutation, connect, name, new_request_id, read_file, request},
    failure::Failure,
    message,
    options::Options,
    output::{self, Format},
    place::ServiceName,
};

const CREATE: &str = "CreateCalendarAct";
const WITHDRAW: &str = "WithdrawCalendarAct";

/// What is done with an act.
#[derive(Subcommand, Debug)]
pub(crate) enum Act {
    /// Enter an act, after showing which days and due dates it would move
    #[command(after_help = "Examples:
  legalstat calendar act create --file act.json --validate-only --as administrator
  legalstat calendar act create --file act.json --yes --as administrator

An act in a file, moving a day off from a Saturday to the Friday before it:
  { \"calendarAct\": {
      \"name\": \"calendarActs/order-1-2027\", \"kind\": \"CALENDAR_ACT_KIND_ORDER\", \"grade\": \"GRADE_ACT_READ\",
      \"citation\": \"Order No. 1 of 2027\", \"title\": { \"en\": \"On moving a day off\" },
      \"transfers\": [{ \"workingDay\": { \"year\": 2027, \"month\": 1, \"day\": 9 },
                      \"dayOff\": { \"year\": 2027, \"month\": 1, \"day\": 8 } }] } }")]
    Create {
        /// A CreateCalendarActRequest in proto3 JSON; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        /// Record it without asking
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Withdraw an act, so that what it changed is as before, after showing which days and due dates that would move
    #[command(
        after_help = "Example:\n  legalstat calendar act withdraw order-1-2027 --validate-only --as administrator"
    )]
    Withdraw {
        /// The act, calendarActs/ID
        name: String,
        /// Withdraw it without asking
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// A change of the calendar as it will be asked for.
struct Change {
    method: String,
    request: DynamicMessage,
    /// What to ask those who hold due dates: a PreviewRecomputeRequest.
    preview: DynamicMessage,
    question: &'static str,
    /// Whether the caller chose the request_id, so that this can be a repetition.
    repeatable: bool,
    yes: bool,
}

impl Act {
    /// Shows what would change and, if that is wanted, changes it.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let change = self.change()?;
        let calendar = connect(options, ServiceName::Calendar)?;
        let tried = change.try_out(&calendar).await?;
        output::tell(&preview::due_dates(options, &change.preview).await);
        if message::is_trial(&change.request) {
            return shown_only(&tried, options.output);
        }
        if !change.yes {
            ask(change.question)?;
        }
        let response = calendar.send(&change.method, &change.request).await?;
        let text = format!("{}\n{}", preview::days(&response, true), preview::WHAT_FOLLOWS);
        Ok(output::show(&response, options.output, &text)?)
    }

    fn change(self) -> Result<Change, Failure> {
        match self {
            Self::Create { file, yes, mutation } => {
                let act = read_file(&file, SERVICE, CREATE)?;
                let repeatable = mutation.request_id.is_some() || !message::text(&act, "request_id").is_empty();
                let mut preview = preview::request();
                if act.has_field_by_name("calendar_act")
                    && let Some(given) = act.get_field_by_name("calendar_act")
                {
                    preview.set_field_by_name("calendar_act", given.into_owned());
                }
                let request = mutation.add_to(act);
                if file.as_os_str() == "-" && !yes && !message::is_trial(&request) {
                    return Err(Failure::usage(
                        "the act is read from standard input, so no answer can be: give --yes or --validate-only",
                    ));
                }
                Ok(Change {
                    method: format!("{SERVICE}/{CREATE}"),
                    preview,
                    question: "Record this act?",
                    repeatable,
                    request,
                    yes,
                })
            }
            Self::Withdraw {
                name: act,
                yes,
                mutation,
            } => {
                let act = name("calendarActs/", &act);
                let mut preview = preview::request();
                preview.set_field_by_name("withdrawal", message::string(&act));
                Ok(Change {
                    method: format!("{SERVICE}/{WITHDRAW}"),
                    preview,
                    question: "Withdraw this act?",
                    repeatable: mutation.request_id.is_some(),
                    request: mutation.add_to(request(SERVICE, WITHDRAW, &json!({ "name": act }))?),
                    yes,
                })
            }
        }
    }
}

impl Change {
    /// Asks the calendar what would change, and shows the days. A call that repeats an earlier one is refused here, because
    /// what it asks for is done; then the call itself decides, and answers as it did before.
    async fn try_out(&self, calendar: &Connection) -> Result<Value, Failure> {
        let mut request = self.request.clone();
        request.set_field_by_name("request_id", message::string(new_request_id()));
        request.set_field_by_name("validate_only", prost_reflect::Value::Bool(true));
        match calendar.send(&self.method, &request).await {
            Ok(tried) => {
                output::tell(&preview::days(&tried, false));
                Ok(tried)
            }
            Err(failure @ Failure::Refused(_)) if self.repeatable && !message::is_trial(&self.request) => {
                output::tell(&format!(
                    "{failure}\n(with this request_id it may have been done before: then that answer is given again)"
                ));
                Ok(Value::Null)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// People have seen the preview; scripts get the answer of the calendar.
fn shown_only(tried: &Value, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => Ok(output::show(tried, format, "")?),
        Format::Table => {
            output::tell("Nothing was recorded.");
            Ok(())
        }
    }
}

/// Asks a question that only `yes` answers in the affirmative.
fn ask(question: &str) -> Result<(), Failure> {
    let mut answer = String::new();
    let mut stderr = std::io::stderr();
    write!(stderr, "{question} [yes/no] ")
        .and_then(|()| stderr.flush())
        .context("standard error")?;
    std::io::stdin().read_line(&mut answer).context("standard input")?;
    if !std::io::stdin().is_terminal() {
        // Nobody's return key has ended the line.
        output::tell("");
    }
    if is_yes(&answer) {
        return Ok(());
    }
    Err(Failure::usage(
        "nothing was recorded, because the answer was not yes; --yes gives it beforehand",
    ))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "yes" | "y")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for yes in ["yes\n", "y\n", " YES \r\n"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "no\n", "yes please\n", "ye\n", "1\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
