//! `legalstat forms observations`: figures imported from CSV or XLSX, and asked for.

use std::path::PathBuf;

use clap::Subcommand;
use legalstat_proto::forms::v1::{ImportObservationsHeader, ObservationRow, ObservationStatus};
use serde_json::{Value, json};

use super::{Action, Command, Mutation, edition_name, forms::SERVICE, name, new_request_id, request};
use crate::{
    failure::Failure,
    output::{self, View},
    table::{Columns, Encoding, Faults, Table, number},
};

/// Figures of editions
#[derive(Subcommand, Debug)]
pub(crate) enum Observations {
    /// Import the figures of an edition: all of them or none
    #[command(
        after_help = "Columns: INDICATOR and VALUE (or OBS_VALUE); optional TERRITORY, PERIOD (or TIME_PERIOD), STATUS (or OBS_STATUS, a
letter of CL_OBS_STATUS), and one for each dimension, by its id. Numbers are read as people write them where there is one way to
read them: 1234.5 and 1 234,5 are, 1,234 is not.

Examples:
  legalstat forms observations import forms/1/editions/2026-M01 --content 1-M.xlsx
  legalstat forms observations import forms/1/editions/2026-M01 --content 1-M.csv --encoding windows-1251 --validate-only"
    )]
    Import {
        /// The edition, forms/1/editions/2026-M01
        edition: String,
        /// The table: CSV or XLSX (its first sheet)
        #[arg(long, value_name = "PATH")]
        content: PathBuf,
        /// How a CSV is written [default: UTF-8, or what its byte order mark says]
        #[arg(long)]
        encoding: Option<Encoding>,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Take away the figures of an edition in preparation, to import others or none; what is sealed keeps its figures
    #[command(after_help = "Example:
  legalstat forms observations delete forms/1/editions/2026-M01")]
    Delete {
        /// The edition, forms/1/editions/2026-M01
        edition: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// The figures of a form
    #[command(after_help = "Examples:
  legalstat forms observations query 1 --period 2026-M01 --indicator crimes --territory 75
  legalstat forms observations query 1 --dimension SEX=F --growth -o json
  legalstat forms observations query 1 --total-over TERRITORY")]
    Query {
        /// The form: forms/1 or its list number
        form: String,
        /// Only this indicator, by code; may be repeated
        #[arg(long)]
        indicator: Vec<String>,
        /// From this period on, or of it alone
        #[arg(long)]
        period: Option<String>,
        /// Up to this period
        #[arg(long)]
        until_period: Option<String>,
        /// Only this territory, by its code in KATO; `-` is the whole country; may be repeated
        #[arg(long, allow_hyphen_values = true)]
        territory: Vec<String>,
        /// Only this code of a dimension, SEX=F; `SEX=` is what is not broken down by it; may be repeated
        #[arg(long, value_name = "ID=CODE", value_parser = dimension)]
        dimension: Vec<Value>,
        /// Only this status, a letter of CL_OBS_STATUS; may be repeated
        #[arg(long, value_parser = status)]
        status: Vec<Value>,
        /// The latest period first
        #[arg(long)]
        latest_first: bool,
        /// Totals over this dimension, or TERRITORY; may be repeated
        #[arg(long, value_name = "ID")]
        total_over: Vec<String>,
        /// With the same period of the year before
        #[arg(long)]
        growth: bool,
        /// Only this revision of the edition of --period
        #[arg(long, requires = "period")]
        revision: Option<i32>,
    },
}

const FIGURES: Columns<'_> = Columns {
    required: &["INDICATOR"],
    optional: &[
        "TERRITORY",
        "PERIOD",
        "TIME_PERIOD",
        "VALUE",
        "OBS_VALUE",
        "STATUS",
        "OBS_STATUS",
    ],
    dimensions: true,
};

const OBSERVATIONS: View = View::Rows(
    "observations",
    &[
        ("period", "period"),
        ("indicator", "indicator"),
        ("territory", "territory"),
        ("dimensions", "dimensions"),
        ("value", "value"),
        ("status", "status"),
        ("year before", "previousValue"),
        ("growth %", "growthPercent"),
        ("note", "note"),
    ],
);

fn dimension(text: &str) -> Result<Value, String> {
    let (dimension, code) = text
        .split_once('=')
        .ok_or("write the dimension, = and the code: SEX=F")?;
    Ok(json!({ "dimension": dimension, "code": code }))
}

fn status(letter: &str) -> Result<Value, String> {
    let name = format!("OBSERVATION_STATUS_{}", letter.to_uppercase());
    let known = ObservationStatus::from_str_name(&name).is_some_and(|status| status != ObservationStatus::Unspecified);
    if known {
        Ok(json!(name))
    } else {
        Err("write a letter of CL_OBS_STATUS, such as A, E, M, N or P".into())
    }
}

impl Observations {
    pub(crate) fn command(self) -> Result<Command, Failure> {
        match self {
            Self::Import {
                edition,
                content,
                encoding,
                mutation,
            } => {
                let table = Table::read(&content, &FIGURES, encoding)?;
                let (dimensions, rows) = rows(&table, &content.display().to_string())?;
                let request_id = mutation.request_id.unwrap_or_else(|| {
                    let made = new_request_id();
                    if !mutation.validate_only {
                        let told =
                            format!("request id {made}; the same call with --request-id {made} has no second effect");
                        output::tell(&told);
                    }
                    made
                });
                let header = ImportObservationsHeader {
                    name: edition_name("forms/", &edition),
                    dimensions,
                    request_id,
                    validate_only: mutation.validate_only,
                };
                let numbers = table.rows.iter().map(|(number, _)| *number).collect();
                let action = Action::Import(header, rows);
                Ok(Command::new(SERVICE, "ImportObservations", action).of_rows(numbers))
            }
            Self::Delete { edition, mutation } => {
                let method = "DeleteObservations";
                let fields = json!({ "name": edition_name("forms/", &edition) });
                let request = mutation.add_to(request(SERVICE, method, &fields)?);
                Ok(Command::new(SERVICE, method, Action::Send(request, View::Record)))
            }
            Self::Query {
                form,
                indicator,
                period,
                until_period,
                territory,
                dimension,
                status,
                latest_first,
                total_over,
                growth,
                revision,
            } => {
                let request = json!({
                    "parent": name("forms/", &form),
                    "indicators": indicator,
                    "period": period.unwrap_or_default(),
                    "untilPeriod": until_period.unwrap_or_default(),
                    "territories": territory,
                    "dimensions": dimension,
                    "statuses": status,
                    "orderBy": if latest_first { "period desc" } else { "period" },
                    "totalOver": total_over,
                    "growth": growth,
                    "revision": revision.unwrap_or_default(),
                });
                Ok(Command::new(
                    SERVICE,
                    "QueryObservations",
                    Action::List(request, OBSERVATIONS),
                ))
            }
        }
    }
}

/// The rows of a table of figures, with the dimensions that it has.
///
/// Refuses with every cell that cannot be read.
fn rows(table: &Table, source: &str) -> Result<(Vec<String>, Vec<ObservationRow>), Failure> {
    let known = [FIGURES.required, FIGURES.optional].concat();
    let dimensions = table.names().iter().filter(|name| !known.contains(&name.as_str()));
    let dimensions: Vec<String> = dimensions.cloned().collect();
    let mut faults = Faults::default();
    let value = either(table, "VALUE", "OBS_VALUE", source)?;
    let status = either(table, "STATUS", "OBS_STATUS", source)?;
    let period = either(table, "PERIOD", "TIME_PERIOD", source)?;
    if !table.names().iter().any(|name| name == value) {
        return Err(Failure::usage(format!(
            "{source}: wrong columns:\n  there is no column VALUE"
        )));
    }
    let mut rows = Vec::with_capacity(table.rows.len());
    for (number, cells) in &table.rows {
        let cell = |column: &str| table.cell(cells, column).to_owned();
        let written = cell(value);
        let read = match written.as_str() {
            "" => Ok(String::new()),
            written => number::read(written),
        };
        let value = read.unwrap_or_else(|told| {
            faults.add(*number, value, format!("{written:?}: {told}"));
            String::new()
        });
        let letter = cell(status);
        let status = match letter.as_str() {
            "" => ObservationStatus::Unspecified,
            letter => ObservationStatus::from_str_name(&format!("OBSERVATION_STATUS_{}", letter.to_uppercase()))
                .unwrap_or_else(|| {
                    faults.add(*number, status, format!("{letter:?} is no letter of CL_OBS_STATUS"));
                    ObservationStatus::Unspecified
                }),
        };
        rows.push(ObservationRow {
            indicator: cell("INDICATOR"),
            territory: cell("TERRITORY"),
            dimensions: dimensions.iter().map(|dimension| cell(dimension)).collect(),
            value,
            status: status.into(),
            period: cell(period),
        });
    }
    duplicates(&rows, table, &mut faults);
    faults.refuse(source)?;
    Ok((dimensions, rows))
}

/// Which of two names a column has.
fn either<'n>(table: &Table, name: &'n str, other: &'n str, source: &str) -> Result<&'n str, Failure> {
    let has = |name: &str| table.names().iter().any(|column| column == name);
    match (has(name), has(other)) {
        (true, true) => Err(Failure::usage(format!(
            "{source}: wrong columns:\n  {name} and {other} are the same"
        ))),
        (false, true) => Ok(other),
        _ => Ok(name),
    }
}

/// The same figure twice.
fn duplicates(rows: &[ObservationRow], table: &Table, faults: &mut Faults) {
    let mut seen = std::collections::HashMap::new();
    for (row, (number, _)) in rows.iter().zip(&table.rows) {
        if let Some(first) = seen.insert((&row.indicator, &row.territory, &row.dimensions), number) {
            faults.add(*number, "INDICATOR", format!("the figure of row {first} again"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<String>, Vec<ObservationRow>), String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("figures.csv");
        std::fs::write(&file, text).expect("it is written");
        let table = Table::read(&file, &FIGURES, None).map_err(|failure| failure.to_string())?;
        rows(&table, "figures.csv").map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_table_of_figures_is_read_with_its_dimensions() {
        let (dimensions, rows) =
            read("indicator;territory;SEX;obs_value;status\ncrimes;75;F;1 234,5;p\ncrimes;75;M;;m\n")
                .expect("it is read");
        assert_eq!(dimensions, ["SEX"]);
        assert_eq!(
            (rows[0].value.as_str(), rows[0].status()),
            ("1234.5", ObservationStatus::P)
        );
        assert_eq!((rows[1].value.as_str(), rows[1].status()), ("", ObservationStatus::M));
    }

    #[test]
    fn every_cell_that_cannot_be_read_is_told_by_row_and_column() {
        let told = read("indicator;value;status\na;1,234;A\nb;many;A\nc;1;X\na;7;A\n").expect_err("it is refused");
        for part in [
            "4 faults",
            "row 2, VALUE",
            "two ways",
            "row 3, VALUE",
            "not a number",
            "row 4, STATUS",
            "row 5, INDICATOR",
            "of row 2 again",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        for (text, part) in [
            ("indicator\na\n", "no column VALUE"),
            ("indicator;value;obs_value\na;1;1\n", "are the same"),
        ] {
            assert!(read(text).is_err_and(|told| told.contains(part)), "{part}");
        }
    }
}
