//! The rows of a register in a table, each as the message of its batch.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{date, name};
use crate::{
    failure::Failure,
    table::{Columns, Encoding, Faults, Table},
};

/// What a table of a register says for all of its rows where it has no column of its own.
#[derive(Args, Debug)]
pub(crate) struct Source {
    /// The table: CSV or XLSX (its first sheet)
    #[arg(long, value_name = "PATH")]
    content: PathBuf,
    /// How a CSV is written [default: UTF-8, or what its byte order mark says]
    #[arg(long)]
    encoding: Option<Encoding>,
    /// The first day on which the rows hold, where the table has no column VALID_FROM
    #[arg(long, value_name = "DAY", value_parser = date)]
    valid_from: Option<Value>,
    /// The law or order behind the rows, where the table has no column ACT
    #[arg(long)]
    act: Option<String>,
    /// Its article or paragraph, where the table has no column PROVISION
    #[arg(long)]
    provision: Option<String>,
}

/// The columns that every register may have.
const COMMON: [&str; 9] = [
    "TITLE_KK",
    "TITLE_RU",
    "TITLE_EN",
    "VALID_FROM",
    "VALID_TO",
    "ACT",
    "PROVISION",
    "URI",
    "ASSUMED",
];

impl Source {
    /// Reads the rows of a register, each as the message of its batch; `own` adds the fields of this register.
    pub(super) fn rows(
        &self,
        required: &[&str],
        optional: &[&str],
        own: impl Fn(&Row<'_>, &mut Faults) -> Value,
    ) -> Result<(Vec<Value>, Vec<u64>), Failure> {
        let optional = [optional, &COMMON].concat();
        let columns = Columns {
            required,
            optional: &optional,
            dimensions: false,
        };
        let table = Table::read(&self.content, &columns, self.encoding)?;
        let mut faults = Faults::default();
        let mut messages = Vec::with_capacity(table.rows.len());
        for (number, cells) in &table.rows {
            let row = Row {
                table: &table,
                number: *number,
                cells,
            };
            let mut message = own(&row, &mut faults);
            message["code"] = json!(row.cell("CODE"));
            message["title"] =
                json!({ "kk": row.cell("TITLE_KK"), "ru": row.cell("TITLE_RU"), "en": row.cell("TITLE_EN") });
            let from = row.day("VALID_FROM", &mut faults).or_else(|| self.valid_from.clone());
            message["validFrom"] = from.unwrap_or(Value::Null);
            message["validTo"] = row.day("VALID_TO", &mut faults).unwrap_or(Value::Null);
            let text = |column: &str, given: &Option<String>| match row.cell(column) {
                "" => given.clone().unwrap_or_default(),
                cell => cell.to_owned(),
            };
            message["legalBasis"] = json!({
                "act": text("ACT", &self.act), "provision": text("PROVISION", &self.provision), "uri": row.cell("URI"),
                "assumed": row.flag("ASSUMED", &mut faults),
            });
            messages.push(message);
        }
        faults.refuse(&self.content.display().to_string())?;
        Ok((messages, table.rows.iter().map(|(number, _)| *number).collect()))
    }
}

/// A row of a table.
pub(super) struct Row<'t> {
    table: &'t Table,
    number: u64,
    cells: &'t [String],
}

impl Row<'_> {
    pub(super) fn cell(&self, column: &str) -> &str {
        self.table.cell(self.cells, column)
    }

    fn day(&self, column: &str, faults: &mut Faults) -> Option<Value> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return None;
        }
        date(cell).map_err(|told| faults.add(self.number, column, told)).ok()
    }

    pub(super) fn flag(&self, column: &str, faults: &mut Faults) -> bool {
        match self.cell(column).to_lowercase().as_str() {
            "yes" | "true" | "1" | "да" | "иә" => true,
            "" | "no" | "false" | "0" | "нет" | "жоқ" => false,
            _ => {
                faults.add(self.number, column, "write yes or no");
                false
            }
        }
    }

    /// `SEX;AGE=AGE_GROUP`: a dimension whose list has another id names it.
    pub(super) fn dimensions(&self) -> Value {
        let parts = self
            .cell("DIMENSIONS")
            .split([';', ','])
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let dimensions = parts.map(|part| {
            let (id, list) = part.split_once('=').unwrap_or((part, part));
            json!({ "id": id.trim(), "codeList": name("codeLists/", list.trim()) })
        });
        dimensions.collect()
    }
}
