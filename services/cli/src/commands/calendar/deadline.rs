//! `legalstat calendar deadline`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Known, SERVICE, Texts, due_line::due_line, explain};
use crate::{
    call::Connection,
    commands::{connect, date, instant, name, object, read_file},
    failure::Failure,
    options::Options,
    output::{self, Format},
    place::ServiceName,
};

/// The flags of `deadline`.
#[derive(Args, Debug)]
pub(crate) struct Deadline {
    /// The reporting period: 2019-M03, 2019-Q1, 2019-S1 or 2019
    #[arg(long, requires = "due_day", conflicts_with_all = ["term", "requester", "received"])]
    period: Option<String>,
    /// The day of the month following the period, 1 to 28
    #[arg(long, requires = "period", allow_negative_numbers = true)]
    due_day: Option<i32>,
    /// A due day that is off moves to the next working day
    #[arg(long, requires = "period")]
    roll_forward: bool,
    /// A term by name, for example application-2021
    #[arg(long, requires = "received", conflicts_with = "requester")]
    term: Option<String>,
    /// The term in force for this kind of requester
    #[arg(long, requires = "received", value_parser = ["state-body", "prosecutor-body", "individual", "legal-entity"])]
    requester: Option<String>,
    /// When the request was received (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    received: Option<Value>,
    /// The day on which the request counts as registered, where that is settled [default: as the calendar says]
    #[arg(long, value_name = "DATE", value_parser = date, requires = "received")]
    registered_on: Option<Value>,
    /// A time during which the clock of the term stood still (RFC 3339); can be repeated
    #[arg(long, value_name = "FROM/TO", value_parser = suspension, requires = "received")]
    suspended: Vec<Value>,
    /// A ComputeDeadlineRequest in proto3 JSON instead of flags that say what is due; `-` reads standard input
    #[arg(long, value_name = "PATH", conflicts_with_all = ["period", "due_day", "roll_forward", "term", "requester", "received", "as_known_at"])]
    file: Option<PathBuf>,
    /// Show the steps: what each day did, and by which law
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    texts: Texts,
    #[command(flatten)]
    known: Known,
}

/// A suspension as it is written on the command line: two instants with a slash between them, as in ISO 8601.
fn suspension(text: &str) -> Result<Value, String> {
    let Some((from, to)) = text.split_once('/') else {
        return Err("write FROM/TO, as 2026-02-03T09:00:00+05:00/2026-02-10T09:00:00+05:00".into());
    };
    Ok(json!({ "stoppedAt": instant(from)?, "restartedAt": instant(to)? }))
}

impl Deadline {
    /// Computes the deadline and prints it.
    pub(super) async fn run(self, options: &Options) -> Result<(), Failure> {
        let (explain, language) = (self.explain, self.texts.language);
        let request = self.request()?;
        let connection = connect(options, ServiceName::Calendar, None)?;
        let deadline = connection.call(&format!("{SERVICE}/ComputeDeadline"), &request).await?;
        let text = if explain && options.output == Format::Table {
            let length = working_days(&connection, &deadline, &request).await;
            explain::explained(&deadline, length, language)
        } else {
            format!(
                "{}\n(--explain shows the steps that lead to it)",
                due_line(&deadline, language)
            )
        };
        Ok(output::show(&deadline, options.output, &text)?)
    }

    fn request(self) -> Result<Value, Failure> {
        if let Some(file) = self.file {
            return read_file(&file);
        }
        let subject = if let Some(period) = self.period {
            let obligation = json!({ "period": period, "dueDay": self.due_day, "rollForward": self.roll_forward });
            ("obligation", obligation)
        } else if self.term.is_some() || self.requester.is_some() {
            let kind = self
                .requester
                .map(|kind| format!("REQUESTER_KIND_{}", kind.replace('-', "_").to_uppercase()));
            let term = self.term.map(|term| json!(name("terms/", &term)));
            let suspensions = (!self.suspended.is_empty()).then(|| json!(self.suspended));
            (
                "termStart",
                object([
                    ("term", term),
                    ("requesterKind", kind.map(Value::from)),
                    ("receivedAt", self.received),
                    ("registeredOn", self.registered_on),
                    ("suspensions", suspensions),
                ]),
            )
        } else {
            return Err(Failure::usage(
                "give --period and --due-day, or --term or --requester and --received, or --file",
            ));
        };
        Ok(object([
            (subject.0, Some(subject.1)),
            ("asKnownAt", self.known.as_known_at),
        ]))
    }
}

/// How many working days the term applied has, so that its days can be numbered. That the terms cannot be had is no reason
/// to keep the answer back.
async fn working_days(connection: &Connection, deadline: &Value, request: &Value) -> Option<i64> {
    let term = deadline["term"].as_str().filter(|term| !term.is_empty())?;
    let request = object([("asKnownAt", request.get("asKnownAt").cloned())]);
    let terms = connection.list(&format!("{SERVICE}/ListTerms"), &request).await.ok()?;
    let rule = terms["terms"].as_array()?.iter().find(|rule| rule["name"] == term)?;
    let base = &rule["base"];
    base["length"]
        .as_i64()
        .filter(|_| base["unit"] == "TERM_UNIT_WORKING_DAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_is_two_instants_with_a_slash() {
        assert_eq!(
            suspension("2026-02-03T09:00:00+05:00/2026-02-10T09:00:00+05:00"),
            Ok(json!({ "stoppedAt": "2026-02-03T04:00:00Z", "restartedAt": "2026-02-10T04:00:00Z" }))
        );
        for wrong in ["2026-02-03T09:00:00+05:00", "2026-02-03/2026-02-10", "/"] {
            assert!(suspension(wrong).is_err(), "{wrong}");
        }
    }
}
