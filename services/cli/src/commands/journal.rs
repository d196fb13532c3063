//! `legalstat journal`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Action, Command, instant, object};
use crate::{failure::Failure, output::View, place::ServiceName};

const SERVICE: &str = "legalstat.journal.v1.JournalService";

/// The log-journal of each service [as administrator]
#[derive(Subcommand, Debug)]
pub(crate) enum Journal {
    /// Entries, newest first
    #[command(after_help = "Example:\n  legalstat journal list --service form-registry --outcome refused")]
    List {
        /// Whose journal
        #[arg(long)]
        service: ServiceName,
        /// Only entries on this resource
        #[arg(long)]
        resource: Option<String>,
        /// Only entries of this caller
        #[arg(long)]
        caller: Option<String>,
        /// Only entries of this full method name
        #[arg(long)]
        method: Option<String>,
        /// Only entries with this outcome
        #[arg(long)]
        outcome: Option<Outcome>,
        /// Only entries recorded at this instant or later (RFC 3339)
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        from: Option<Value>,
        /// Only entries recorded before this instant (RFC 3339)
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        before: Option<Value>,
        /// At most this many [default: all]
        #[arg(long, value_name = "NUMBER")]
        limit: Option<i32>,
    },
}

/// What became of a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Outcome {
    /// Carried out.
    Done,
    /// Refused.
    Refused,
}

const ENTRIES: View = View::Rows(
    "entries",
    &[
        ("recorded", "recordedAt"),
        ("caller", "caller"),
        ("method", "method"),
        ("resource", "resource"),
        ("outcome", "outcome"),
        ("reason", "reason"),
        ("count", "count"),
    ],
);

impl Journal {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        let Self::List {
            service,
            resource,
            caller,
            method,
            outcome,
            from,
            before,
            limit,
        } = self;
        let outcome = outcome.map(|outcome| match outcome {
            Outcome::Done => json!("OUTCOME_DONE"),
            Outcome::Refused => json!("OUTCOME_REFUSED"),
        });
        let request = object([
            ("resource", resource.map(Value::from)),
            ("caller", caller.map(Value::from)),
            ("method", method.map(Value::from)),
            ("outcome", outcome),
            ("recordedFrom", from),
            ("recordedBefore", before),
            ("pageSize", limit.map(Value::from)),
        ]);
        let action = Action::List(request, ENTRIES);
        Ok(Command::new(SERVICE, "ListEntries", action)
            .called_as("administrator")
            .on(service))
    }
}
