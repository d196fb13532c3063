//! Distribution lists: `legalstat collections distribution`, `lists`, `resolve`, `approve-list`, `reject-list`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    super::{Action, Command, Mutation, date, name, object, request},
    SERVICE, list,
};
use crate::{
    failure::Failure,
    output::View,
    table::{Columns, Encoding, Faults, Table},
};

/// Distribution lists
#[derive(Subcommand, Debug)]
pub(crate) enum Sharing {
    /// Who gets how many copies of a collection
    #[command(after_help = "Examples:
  legalstat collections distribution crime --as-of 2023-01-01
  legalstat collections distribution courts --version 2")]
    Distribution {
        /// The collection: collections/crime or crime
        collection: String,
        /// The list of this day [default: today]
        #[arg(long, value_name = "DATE", value_parser = date, conflicts_with = "version")]
        as_of: Option<Value>,
        /// This version
        #[arg(long)]
        version: Option<i32>,
    },
    /// The versions of a distribution list
    Lists {
        /// The collection: collections/crime or crime
        collection: String,
    },
    /// Say who gets the copies of which Appendix 1 does not tell, or what an act makes of the list; another person approves
    #[command(
        after_help = "Columns of the file: RECIPIENT and COPIES; optional COLUMN, COLLECTION (rows of others are passed over), and ACT, PROVISION,
URI for a cell with a law of its own. A row whose COPIES are empty or UNKNOWN stays open.

Examples:
  legalstat collections resolve courts --file cells.csv --from 2019-04-15 --act 'Instruction' --provision 'Appendix 1' \\
      --reason 'the official text' --dry-run
  legalstat collections resolve crime --file cells.csv --from 2027-01-01 --act 'Order 7' --act-changes --total 34 --reason 'by order'"
    )]
    Resolve {
        /// The collection: collections/courts or courts
        collection: String,
        /// The table: CSV or XLSX (its first sheet)
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        /// How a CSV is written [default: UTF-8, or what its byte order mark says]
        #[arg(long)]
        encoding: Option<Encoding>,
        /// The first day on which the version holds
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Value,
        /// The act on which it rests
        #[arg(long)]
        act: String,
        /// Its article or paragraph
        #[arg(long)]
        provision: Option<String>,
        /// Where the act can be read
        #[arg(long)]
        uri: Option<String>,
        /// The act changes what was certain before
        #[arg(long)]
        act_changes: bool,
        /// How many copies there are in all [default: as many as before]
        #[arg(long, requires = "act_changes")]
        total: Option<i32>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Check everything and show the list that it would make, change nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Put a proposed version in force [as approver]
    #[command(after_help = "Example:\n  legalstat collections approve-list courts 2 --as approver")]
    ApproveList {
        /// The collection: collections/courts or courts
        collection: String,
        /// The number of the version
        version: i32,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Reject a proposed version [as approver]
    RejectList {
        /// The collection: collections/courts or courts
        collection: String,
        /// The number of the version
        version: i32,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

const CELLS: View = View::Rows(
    "cells",
    &[
        ("column", "column"),
        ("recipient", "recipient"),
        ("copies", "copies"),
        ("unresolved", "unresolved"),
        ("legal basis", "legalBasis"),
    ],
);
const LISTS: View = View::Rows(
    "distributionLists",
    &[
        ("list", "name"),
        ("state", "state"),
        ("from", "validFrom"),
        ("copies", "copiesTotal"),
        ("legal basis", "legalBasis"),
        ("proposed", "proposedAt"),
        ("decided", "decidedAt"),
    ],
);
const COLUMNS: Columns<'_> = Columns {
    required: &["RECIPIENT", "COPIES"],
    optional: &["COLUMN", "COLLECTION", "ACT", "PROVISION", "URI"],
    dimensions: false,
};
/// What stands in a cell of which the text does not tell.
const UNKNOWN: &str = "UNKNOWN";

fn collection(id: &str) -> String {
    name("collections/", id)
}

fn version_name(id: &str, version: i32) -> String {
    format!("{}/distributionLists/{version}", collection(id))
}

impl Sharing {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Distribution {
                collection: id,
                as_of,
                version,
            } => {
                let of_a_day = || format!("{}/distributionList", collection(&id));
                let named = version.map_or_else(of_a_day, |version| version_name(&id, version));
                let request = object([("name", Some(json!(named))), ("asOf", as_of)]);
                Command::new(SERVICE, "GetDistributionList", Action::Call(request, CELLS))
            }
            Self::Lists { collection: id } => {
                list("ListDistributionLists", json!({ "parent": collection(&id) }), LISTS)
            }
            Self::Resolve {
                collection: id,
                file,
                encoding,
                from,
                act,
                provision,
                uri,
                act_changes,
                total,
                reason,
                dry_run,
                mut mutation,
            } => {
                let parent = collection(&id);
                let (rows, cells) = read_cells(&file, encoding, &parent)?;
                let fields = object([
                    ("parent", Some(json!(parent))),
                    ("cells", Some(Value::Array(cells))),
                    ("legalBasis", Some(law(&act, provision.as_deref(), uri.as_deref()))),
                    ("validFrom", Some(from)),
                    ("actChanges", Some(json!(act_changes))),
                    ("copiesTotal", total.map(Value::from)),
                    ("reason", Some(json!(reason))),
                ]);
                mutation.validate_only |= dry_run;
                let request = mutation.add_to(request(SERVICE, "ResolveDistribution", &fields)?);
                Command::new(SERVICE, "ResolveDistribution", Action::Send(request, CELLS)).of_rows(rows)
            }
            Self::ApproveList {
                collection: id,
                version,
                reason,
                mutation,
            } => decision("ApproveDistribution", version_name(&id, version), &reason, &mutation)?,
            Self::RejectList {
                collection: id,
                version,
                reason,
                mutation,
            } => decision("RejectDistribution", version_name(&id, version), &reason, &mutation)?,
        })
    }
}

fn decision(method: &'static str, name: String, reason: &str, mutation: &Mutation) -> Result<Command, Failure> {
    let request = mutation.add_to(request(SERVICE, method, &json!({ "name": name, "reason": reason }))?);
    Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)))
}

fn law(act: &str, provision: Option<&str>, uri: Option<&str>) -> Value {
    json!({ "act": act, "provision": provision.unwrap_or_default(), "uri": uri.unwrap_or_default() })
}

/// The cells of a file for a collection, but for those that stay open, with the numbers of their rows.
fn read_cells(file: &Path, encoding: Option<Encoding>, parent: &str) -> Result<(Vec<u64>, Vec<Value>), Failure> {
    cells(
        &Table::read(file, &COLUMNS, encoding)?,
        &file.display().to_string(),
        parent,
    )
}

fn cells(table: &Table, source: &str, parent: &str) -> Result<(Vec<u64>, Vec<Value>), Failure> {
    let (mut faults, mut rows, mut found) = (Faults::default(), Vec::new(), Vec::new());
    for (row, cells) in &table.rows {
        let cell = |column: &str| table.cell(cells, column);
        let of = cell("COLLECTION");
        let is_open = cell("COPIES").is_empty() || cell("COPIES").eq_ignore_ascii_case(UNKNOWN);
        if !(of.is_empty() || collection(of) == parent) || is_open {
            continue;
        }
        let mut number = |column: &str| -> Option<i32> {
            let text = cell(column);
            let read = text.parse().ok();
            if read.is_none() && !text.is_empty() {
                faults.add(*row, column, format!("{text:?} is not a whole number"));
            }
            read
        };
        let (copies, column) = (number("COPIES"), number("COLUMN"));
        if cell("RECIPIENT").is_empty() {
            faults.add(*row, "RECIPIENT", "is empty");
        }
        let act = Some(cell("ACT")).filter(|act| !act.is_empty());
        if act.is_none() && !(cell("PROVISION").is_empty() && cell("URI").is_empty()) {
            faults.add(*row, "ACT", "is empty, but the row has a provision or an address");
        }
        let own = act.map(|act| law(act, Some(cell("PROVISION")), Some(cell("URI"))));
        rows.push(*row);
        found.push(object([
            ("recipient", Some(json!(name("recipients/", cell("RECIPIENT"))))),
            ("copies", copies.map(Value::from)),
            ("column", column.map(Value::from)),
            ("legalBasis", own),
        ]));
    }
    faults.refuse(source)?;
    if found.is_empty() {
        return Err(Failure::usage(format!(
            "{source} says of no cell of {parent} how many copies it has"
        )));
    }
    Ok((rows, found))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(text: &str) -> Result<(Vec<u64>, Vec<Value>), String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("it is written");
        read_cells(file.path(), None, "collections/courts").map_err(|failure| failure.to_string())
    }

    #[test]
    fn rows_of_the_collection_are_cells_and_what_stays_open_is_left_out() {
        let text = "collection,column,recipient,copies,act\ncourts,12,senate,1,\ncourts,13,majilis,UNKNOWN,\ncrime,12,senate,5,\n\
                    ,,recipients/security-council,0,Order 7\n";
        let (rows, cells) = read(text).expect("it is readable");
        assert_eq!(rows, [2, 5], "as they stand in the file");
        assert_eq!(
            cells[0],
            json!({ "recipient": "recipients/senate", "copies": 1, "column": 12 })
        );
        let basis = json!({ "act": "Order 7", "provision": "", "uri": "" });
        assert_eq!(
            cells[1],
            json!({ "recipient": "recipients/security-council", "copies": 0, "legalBasis": basis })
        );
        assert_eq!(cells.len(), 2);
    }

    #[test]
    fn every_row_that_cannot_be_read_is_told_by_its_number() {
        let told =
            read("recipient;copies;provision\nsenate;one;\n;1;\nmajilis;1;para 2\n").expect_err("nothing is sent");
        for fault in ["row 2, COPIES", "row 3, RECIPIENT", "row 4, ACT"] {
            assert!(told.contains(fault), "{told}");
        }
        let empty = read("recipient,copies\nsenate,UNKNOWN\n").expect_err("there is nothing to say");
        assert!(empty.contains("no cell of collections/courts"), "{empty}");
    }
}
