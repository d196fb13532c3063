//! Tables that people bring in files: CSV and XLSX, read whole, with every fault by row and column.

mod csv;
mod encoding;
pub(crate) mod number;
mod workbook;

use std::{collections::HashMap, path::Path};

use crate::{failure::Failure, output::escaped};

pub(crate) use encoding::Encoding;

/// How many faults of a file are told; the rest is counted.
const TOLD: usize = 100;
/// How many bytes a file may have.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A table with a heading over each column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The columns by their names, in capitals.
    columns: HashMap<String, usize>,
    names: Vec<String>,
    /// The number of each row in the file, and its cells.
    pub(crate) rows: Vec<(u64, Vec<String>)>,
}

impl Table {
    fn new(names: Vec<String>, rows: Vec<(u64, Vec<String>)>) -> Self {
        let columns = names.iter().enumerate().map(|(place, name)| (name.clone(), place));
        Self {
            columns: columns.collect(),
            names,
            rows,
        }
    }

    /// Reads a file: a workbook by its first bytes, else CSV. `known` are the columns that a table of this kind can have.
    pub(crate) fn read(file: &Path, known: &Columns<'_>, encoding: Option<Encoding>) -> Result<Self, Failure> {
        let unreadable = |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", file.display()));
        if std::fs::metadata(file).map_err(unreadable)?.len() > LARGEST {
            return Err(Failure::usage(format!(
                "{} has more than {LARGEST} bytes",
                file.display()
            )));
        }
        let bytes = std::fs::read(file).map_err(unreadable)?;
        let source = file.display().to_string();
        if bytes.starts_with(b"PK\x03\x04") {
            return workbook::read(bytes, &source, known);
        }
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            let message = format!("{source} is a workbook of the old kind (XLS): save it as XLSX or CSV");
            return Err(Failure::usage(message));
        }
        csv::read(bytes, &source, known, encoding)
    }

    /// The names of the columns, in capitals, in the order of the file.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A cell of a row; empty where the table lacks the column.
    pub(crate) fn cell<'t>(&self, cells: &'t [String], column: &str) -> &'t str {
        let place = self.columns.get(column);
        place.and_then(|place| cells.get(*place)).map_or("", |cell| cell.trim())
    }
}

/// Which columns a table of a kind has.
pub(crate) struct Columns<'a> {
    pub(crate) required: &'a [&'a str],
    pub(crate) optional: &'a [&'a str],
    /// Whether a column of another name is the id of a dimension.
    pub(crate) dimensions: bool,
}

impl Columns<'_> {
    /// The names of a heading, in capitals.
    ///
    /// Refuses columns that are missing, unknown or there twice.
    fn check(&self, heading: &[String], source: &str) -> Result<Vec<String>, Failure> {
        let names: Vec<String> = heading.iter().map(|name| name.trim().to_uppercase()).collect();
        let mut faults = Vec::new();
        for required in self
            .required
            .iter()
            .filter(|required| !names.iter().any(|name| name == *required))
        {
            faults.push(format!("there is no column {required}"));
        }
        for (place, name) in names.iter().enumerate() {
            if names[..place].contains(name) {
                faults.push(format!("column {} is there twice: {}", place + 1, escaped(name)));
            } else if !self.knows(name) {
                faults.push(format!("column {} is unknown: {:?}", place + 1, escaped(name)));
            }
        }
        if faults.is_empty() {
            return Ok(names);
        }
        let known = [self.required, self.optional].concat().join(", ");
        let more = if self.dimensions {
            ", and the ids of dimensions"
        } else {
            ""
        };
        let faults = faults.join("\n  ");
        Err(Failure::usage(format!(
            "{source}: wrong columns:\n  {faults}\n  the columns are {known}{more}"
        )))
    }

    fn knows(&self, name: &str) -> bool {
        let is_dimension = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        self.required.contains(&name) || self.optional.contains(&name) || (self.dimensions && is_dimension)
    }

    /// How many of the required columns a heading has.
    fn found(&self, heading: &[String]) -> usize {
        let names: Vec<String> = heading.iter().map(|name| name.trim().to_uppercase()).collect();
        self.required
            .iter()
            .filter(|required| names.iter().any(|name| name == *required))
            .count()
    }
}

/// What is wrong with a file, by row and column.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    told: Vec<String>,
    count: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, row: u64, column: &str, fault: impl std::fmt::Display) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(format!(
                "\n  row {row}, {}: {}",
                escaped(column),
                escaped(&fault.to_string())
            ));
        }
    }

    /// Refuses when there are any: nothing of the file is sent.
    pub(crate) fn refuse(self, source: &str) -> Result<(), Failure> {
        if self.count == 0 {
            return Ok(());
        }
        let noun = if self.count == 1 { "fault" } else { "faults" };
        let more = match self.count - self.told.len() {
            0 => String::new(),
            more => format!("\n  … and {more} more"),
        };
        let told = self.told.concat();
        Err(Failure::usage(format!(
            "{source}: {} {noun}, nothing was sent:{told}{more}",
            self.count
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const FIGURES: Columns<'_> = Columns {
        required: &["INDICATOR", "VALUE"],
        optional: &["TERRITORY"],
        dimensions: true,
    };

    fn refused(name: &str, bytes: &[u8], encoding: Option<Encoding>) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).expect("it is written");
        let table = Table::read(&file, &FIGURES, encoding);
        table.expect_err("it is refused").to_string()
    }

    #[test]
    fn each_file_that_is_no_such_table_is_refused_with_its_reason() {
        let utf16: Vec<u8> = "indicator,value\na,1\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (name, bytes, told) in [
            ("a.csv", &b"indicator;sum\na;1\n"[..], "no column VALUE"),
            ("a.csv", b"indicator,value,value\n", "there twice"),
            ("a.csv", "indicator,value,пол\n".as_bytes(), "is unknown"),
            ("a.csv", b"", "is empty"),
            ("a.csv", b"indicator,value\n", "no rows"),
            ("a.csv", b"indicator,value\na,1\nb\n", "row 3"),
            ("a.csv", b"indicator,value\na,\"1\n", "row 2"),
            ("a.csv", &utf16, "UTF-16"),
            (
                "a.csv",
                b"indicator,value\n\xea\xf0\xe0\xe6\xe8,1\n",
                "--encoding windows-1251",
            ),
            ("a.xls", b"\xd0\xcf\x11\xe0", "XLSX"),
            ("a.xlsx", b"PK\x03\x04 no workbook", "workbook"),
        ] {
            let refused = refused(name, bytes, None);
            assert!(refused.contains(told), "{told}: {refused}");
        }
    }

    #[test]
    fn a_hundred_faults_are_told_and_all_are_counted() {
        let mut faults = Faults::default();
        (1..=10_000).for_each(|row| faults.add(row, "VALUE", "no number"));
        let told = faults.refuse("a.csv").expect_err("there are faults").to_string();
        assert!(
            told.contains("10000 faults") && told.contains("row 100,") && !told.contains("row 101,"),
            "{told}"
        );
        assert!(told.ends_with("and 9900 more"), "{told}");
    }
}
