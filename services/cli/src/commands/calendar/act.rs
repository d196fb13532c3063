//! `legalstat calendar act`: shows what a change of the calendar would do, asks, and makes it.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{SERVICE, preview};
use crate::{
    call::Connection,
    commands::{Mutation, connect, name, new_request_id, read_file},
    failure::Failure,
    options::Options,
    output::{self, Format},
    place::ServiceName,
};

/// Who changes the calendar, unless `--as` says otherwise.
const CALLER: Option<&str> = Some("administrator");

/// What is done with an act.
#[derive(Subcommand, Debug)]
pub(crate) enum Act {
    /// Enter an act, after showing which days and due dates it would move
    #[command(after_help = "Examples:
  legalstat calendar act create --file act.json --validate-only
  legalstat calendar act create --file act.json --yes

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
    #[command(after_help = "Example:\n  legalstat calendar act withdraw order-1-2027 --validate-only")]
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
    request: Value,
    /// What to ask those who hold due dates: a PreviewRecomputeRequest.
    preview: Value,
    question: &'static str,
    /// Whether the caller chose the request_id, so that this can be a repetition.
    repeatable: bool,
    yes: bool,
}

impl Act {
    /// Shows what would change and, if that is wanted, changes it.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let change = self.change()?;
        let calendar = connect(options, ServiceName::Calendar, CALLER)?;
        let tried = change.try_out(&calendar).await?;
        eprint!("{}", preview::due_dates(options, CALLER, &change.preview).await);
        if change.request["validateOnly"] == true {
            return shown_only(&tried, options.output);
        }
        if !change.yes {
            ask(change.question)?;
        }
        let response = calendar.call(&change.method, &change.request).await?;
        let text = format!("{}\n{}", preview::days(&response, true), preview::WHAT_FOLLOWS);
        Ok(output::show(&response, options.output, &text)?)
    }

    fn change(self) -> Result<Change, Failure> {
        match self {
            Self::Create { file, yes, mutation } => {
                if file.as_os_str() == "-" && !yes && !mutation.validate_only {
                    return Err(Failure::usage(
                        "the act is read from standard input, so no answer can be: give --yes or --validate-only",
                    ));
                }
                let message = read_file(&file)?;
                Ok(Change {
                    method: format!("{SERVICE}/CreateCalendarAct"),
                    preview: json!({ "calendarAct": message["calendarAct"] }),
                    question: "Record this act?",
                    repeatable: mutation.request_id.is_some() || message.get("requestId").is_some(),
                    request: mutation.add_to(message),
                    yes,
                })
            }
            Self::Withdraw {
                name: act,
                yes,
                mutation,
            } => {
                let act = name("calendarActs/", &act);
                Ok(Change {
                    method: format!("{SERVICE}/WithdrawCalendarAct"),
                    preview: json!({ "withdrawal": act }),
                    question: "Withdraw this act?",
                    repeatable: mutation.request_id.is_some(),
                    request: mutation.add_to(json!({ "name": act })),
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
        request["requestId"] = json!(new_request_id());
        request["validateOnly"] = json!(true);
        match calendar.call(&self.method, &request).await {
            Ok(tried) => {
                eprintln!("{}", preview::days(&tried, false));
                Ok(tried)
            }
            Err(failure @ Failure::Refused(_)) if self.repeatable && self.request["validateOnly"] != true => {
                eprintln!(
                    "{failure}\n(with this request_id it may have been done before: then that answer is given again)"
                );
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
            eprintln!("Nothing was recorded.");
            Ok(())
        }
    }
}

/// Asks a question that only `yes` answers in the affirmative.
fn ask(question: &str) -> Result<(), Failure> {
    let mut answer = String::new();
    eprint!("{question} [yes/no] ");
    std::io::stderr().flush().context("standard error")?;
    std::io::stdin().read_line(&mut answer).context("standard input")?;
    if !std::io::stdin().is_terminal() {
        // Nobody's return key has ended the line.
        eprintln!();
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
