//! `legalstat forms`, what becomes of an edition: sealing, corrections, withdrawal, what is nil, embargoes and placements.

use std::convert::Infallible;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    Action, Command, Mutation, edition_name,
    forms::{Channel, SERVICE, word},
    instant, object, request,
};
use crate::{failure::Failure, output::View};

/// What becomes of an edition.
#[derive(Subcommand, Debug)]
pub(crate) enum Editing {
    /// Take a file out of the revision in preparation
    #[command(after_help = "Example:\n  legalstat forms delete-file 1/2025-M01 1-M.csv")]
    DeleteFile {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        #[arg(value_parser = edition)]
        name: String,
        /// The file's name
        filename: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Seal the revision in preparation: its files and figures are fixed by one hash
    #[command(after_help = "Example:\n  legalstat forms seal 1/2025-M01")]
    Seal {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        #[arg(value_parser = edition)]
        name: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Begin a correction: a new revision; what is placed is served until it is placed
    #[command(after_help = "Example:\n  legalstat forms correct 1/2025-M01 --reason \"The total of line 5 was wrong\"")]
    Correct {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        #[arg(value_parser = edition)]
        name: String,
        /// Why; everyone who reads the correction is told
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Take an edition back
    #[command(after_help = "Example:\n  legalstat forms withdraw 1/2025-M01 --reason \"Figures of another month\"")]
    Withdraw {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        #[arg(value_parser = edition)]
        name: String,
        /// Why; everyone is told
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Declare that there is nothing to report for a period
    #[command(after_help = "Example:\n  legalstat forms nil 19/2025-Q1 --reason \"No such cases\"")]
    Nil {
        /// The edition, forms/19/editions/2025-Q1 or 19/2025-Q1
        #[arg(value_parser = edition)]
        name: String,
        /// Why there is nothing to report; everyone is told
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Put an edition under an embargo, move it, or lift it
    #[command(after_help = "Examples:
  legalstat forms embargo 1/2025-M01 --until 2025-02-05T10:00:00+05:00 --reason \"Press conference\" \\
      --reader \"supreme-court=Instruction, para 16\"
  legalstat forms embargo 1/2025-M01 --lift --reason \"The conference was called off\"")]
    Embargo {
        /// The edition, forms/1/editions/2019-M03 or 1/2019-M03
        #[arg(value_parser = edition)]
        name: String,
        /// The instant from which on it is shown
        #[arg(long, value_parser = instant, required_unless_present = "lift", conflicts_with = "lift")]
        until: Option<Value>,
        /// Lift it
        #[arg(long)]
        lift: bool,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who may read it before, by certificate name, and by which act and provision; may be repeated
        #[arg(long, value_name = "NAME=ACT, PROVISION", value_parser = reader)]
        reader: Vec<Value>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// The records of placements
    #[command(after_help = "Examples:
  legalstat forms placements --edition 1/2025-M01
  legalstat forms placements --form 1 --channel official-website -o json")]
    Placements {
        /// Only of this form
        #[arg(long, conflicts_with = "edition")]
        form: Option<String>,
        /// Only of this edition
        #[arg(long, value_parser = edition)]
        edition: Option<String>,
        /// Only on this channel
        #[arg(long)]
        channel: Option<Channel>,
    },
}

const PLACEMENTS: View = View::Rows(
    "placements",
    &[
        ("edition", "edition"),
        ("revision", "revision"),
        ("channel", "channel"),
        ("placed", "placedAt"),
        ("due", "dueDate"),
        ("punctuality", "punctuality"),
        ("days late", "lateDays"),
        ("address", "address"),
    ],
);

/// The name of an edition, for which `1/2026-M10` is enough.
fn edition(text: &str) -> Result<String, Infallible> {
    Ok(edition_name("forms/", text))
}

/// A reader of an embargo as it is written on the command line, `supreme-court=Instruction, para 16`.
fn reader(text: &str) -> Result<Value, String> {
    let (caller, basis) = text
        .split_once('=')
        .ok_or("write the name, = and the law: supreme-court=Instruction, para 16")?;
    let (act, provision) = basis.split_once(',').unwrap_or((basis, ""));
    Ok(json!({ "caller": caller.trim(), "legalBasis": { "act": act.trim(), "provision": provision.trim() } }))
}

impl Editing {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        let (method, fields, mutation) = match self {
            Self::DeleteFile {
                name,
                filename,
                mutation,
            } => (
                "DeleteEditionFile",
                json!({ "name": name, "filename": filename }),
                mutation,
            ),
            Self::Seal { name, mutation } => ("SealEdition", json!({ "name": name }), mutation),
            Self::Correct { name, reason, mutation } => ("CorrectEdition", reasoned(&name, &reason), mutation),
            Self::Withdraw { name, reason, mutation } => ("WithdrawEdition", reasoned(&name, &reason), mutation),
            Self::Nil { name, reason, mutation } => ("DeclareNilEdition", reasoned(&name, &reason), mutation),
            Self::Embargo {
                name,
                until,
                lift: _,
                reason,
                reader,
                mutation,
            } => {
                let fields = object([
                    ("name", Some(json!(name))),
                    ("until", until),
                    ("reason", Some(json!(reason))),
                    ("readers", Some(json!(reader))),
                ]);
                ("SetEmbargo", fields, mutation)
            }
            Self::Placements { form, edition, channel } => {
                let of_form = |form: String| format!("{}/editions/-", super::name("forms/", &form));
                let parent = edition.or_else(|| form.map(of_form));
                let fields = object([
                    ("parent", Some(json!(parent.unwrap_or("forms/-/editions/-".into())))),
                    ("channel", channel.map(|channel| word(channel, "CHANNEL_"))),
                ]);
                return Ok(Command::new(
                    SERVICE,
                    "ListPlacements",
                    Action::List(fields, PLACEMENTS),
                ));
            }
        };
        let request = mutation.add_to(request(SERVICE, method, &fields)?);
        Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)))
    }
}

fn reasoned(name: &str, reason: &str) -> Value {
    json!({ "name": name, "reason": reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_written_with_the_law_by_which_it_reads() {
        let read = reader("supreme-court = Instruction, para 16");
        let expected =
            json!({ "caller": "supreme-court", "legalBasis": { "act": "Instruction", "provision": "para 16" } });
        assert_eq!(read, Ok(expected));
        assert!(reader("supreme-court").is_err());
    }
}
