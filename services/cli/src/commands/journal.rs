//! `legalstat journal`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Action, Command, collections::copies::copy_name, edition_name, instant, object};
use crate::{failure::Failure, output::View, place::ServiceName};

const SERVICE: &str = "legalstat.journal.v1.JournalService";

/// The log-journal of each service [as administrator]
#[derive(Subcommand, Debug)]
pub(crate) enum Journal {
    /// Entries, newest first
    #[command(
        after_help = "Example:\n  legalstat journal list --service form-registry --outcome refused --as administrator"
    )]
    List {
        /// Whose journal
        #[arg(long)]
        service: ServiceName,
        /// Only entries on this resource; of an edition or a copy `crime/2026-Q3` or `crime/2026-Q3/25` is enough
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
            (
                "resource",
                resource.map(|resource| json!(resource_name(service, resource))),
            ),
            ("caller", caller.map(Value::from)),
            ("method", method.map(Value::from)),
            ("outcome", outcome),
            ("recordedFrom", from),
            ("recordedBefore", before),
            ("pageSize", limit.map(Value::from)),
        ]);
        let action = Action::List(request, ENTRIES);
        Ok(Command::new(SERVICE, "ListEntries", action).on(service))
    }
}

/// The name of a resource, for which the short one of an edition or of a copy is enough.
fn resource_name(service: ServiceName, text: String) -> String {
    let prefix = match service {
        ServiceName::CollectionDistribution => "collections/",
        ServiceName::FormRegistry => "forms/",
        _ => return text,
    };
    let is_short = text
        .split('/')
        .nth(1)
        .is_some_and(|period| period.starts_with(|c: char| c.is_ascii_digit()))
        && !text.starts_with(prefix);
    match service {
        _ if !is_short => text,
        ServiceName::CollectionDistribution => copy_name(&edition_name(prefix, &text)),
        _ => edition_name(prefix, &text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_knows_editions_and_copies_by_their_short_names_and_every_other_text_stays() {
        use ServiceName::{CollectionDistribution as Collections, FormRegistry as Forms};
        for (service, text, name) in [
            (Collections, "crime/2026-Q3", "collections/crime/editions/2026-Q3"),
            (
                Collections,
                "crime/2026-Q3/25",
                "collections/crime/editions/2026-Q3/copies/25",
            ),
            (
                Collections,
                "collections/crime/editions/2026-Q3",
                "collections/crime/editions/2026-Q3",
            ),
            (Collections, "recipients/senate", "recipients/senate"),
            (Forms, "1/2026-M10", "forms/1/editions/2026-M10"),
            (Forms, "forms/1", "forms/1"),
            (Forms, "answeringDay", "answeringDay"),
        ] {
            assert_eq!(resource_name(service, text.into()), name, "{text}");
        }
    }
}
